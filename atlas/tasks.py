"""Every job of this app, where procrastinate looks for them."""

from atlas import jobs
from atlas.archive import quarantine, sent_files, tasks, text_search

__all__ = ["jobs", "quarantine", "sent_files", "tasks", "text_search"]
