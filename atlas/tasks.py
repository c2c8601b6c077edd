"""Every job of this app, where procrastinate looks for them."""

from atlas import jobs
from atlas.archive import sent_files, tasks

__all__ = ["jobs", "sent_files", "tasks"]
