"""Every job of this app, where procrastinate looks for them."""

from atlas import jobs, sealed
from atlas.archive import quarantine, sent_files, tasks, text_search

__all__ = ["jobs", "quarantine", "sealed", "sent_files", "tasks", "text_search"]
