"""Every job of this app, where procrastinate looks for them."""

from atlas import jobs
from atlas.archive import tasks

__all__ = ["jobs", "tasks"]
