"""Tells open pages that a project changed: ids only, after the commit."""

from collections.abc import Collection, Sequence
from functools import partial
from itertools import batched
from typing import Any

from django.db import transaction

from accounts.models import User
from annotations.models import Read
from atlas.fanout import broadcast
from atlas.models import Project, Series

NAMED_MAX = 20
TOLD_AT_ONCE = 100


def announce_cases(project: Project, numbers: Sequence[int]) -> None:
    """Of many cases some are named: pages read again all that they show. One would not do, for whoever reads
    that very case hears nothing of it."""
    for number in numbers[:NAMED_MAX]:
        message = {"type": "case", "number": number}
        transaction.on_commit(partial(broadcast, f"project.{project.slug}", message), robust=True)


def announce_worklists(project: Project, people: Collection[int]) -> None:
    """What waits for these people (primary keys) changed: they hear it, and nobody else."""
    ids = list(User.objects.filter(pk__in=people).order_by("pk").values_list("public_id", flat=True))
    for some in batched(ids, TOLD_AT_ONCE):
        message = {"type": "worklist", "people": list(some)}
        transaction.on_commit(partial(broadcast, f"project.{project.slug}", message), robust=True)


def announce_bulk(project: Project) -> None:
    """An act on many cases has come further: its leads hear it."""
    transaction.on_commit(partial(broadcast, f"project.{project.slug}", {"type": "bulk"}), robust=True)


def announce_studies(series: Series) -> None:
    """A series came to rest: projects that may choose its study hear that there is more to choose."""
    projects = Project.objects.filter(dataset_grants__dataset=series.study.dataset_id)
    for slug in projects.values_list("slug", flat=True).distinct():
        transaction.on_commit(partial(broadcast, f"project.{slug}", {"type": "studies"}), robust=True)


def tell_read(read: Read, message: dict[str, Any]) -> None:
    """To the open pages of one read. A message that can't be sent loses no work, so it fails alone."""
    transaction.on_commit(partial(broadcast, f"read.{read.public_id}", message), robust=True)


def announce_read(read: Read) -> None:
    """The read's state changed: its own pages and those of its project hear it."""
    tell_read(read, {"type": "state", "state": str(read.state), "round": read.round})
    project = read.case.project
    # Whose read it is decides who may hear of it: see annotations.live.consumers.
    message = {"type": "case", "number": read.case.number, "read": read.public_id}
    transaction.on_commit(partial(broadcast, f"project.{project.slug}", message), robust=True)
