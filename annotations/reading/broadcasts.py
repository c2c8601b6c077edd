"""Tells open pages that a project changed: ids only, after the commit."""

from collections.abc import Sequence
from functools import partial

from django.db import transaction

from atlas.fanout import broadcast
from atlas.models import Project


def announce_cases(project: Project, numbers: Sequence[int]) -> None:
    """Pages read again what they show, so of many cases one is named."""
    if numbers:
        message = {"type": "case", "number": numbers[0]}
        transaction.on_commit(partial(broadcast, f"project.{project.slug}", message))
