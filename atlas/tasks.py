"""Every job of this app, where procrastinate looks for them."""

from atlas import jobs, sealed
from atlas.archive import quarantine, sent_files, tasks, text_search
from atlas.clinical import tasks as clinical

__all__ = ["clinical", "jobs", "quarantine", "sealed", "sent_files", "tasks", "text_search"]
