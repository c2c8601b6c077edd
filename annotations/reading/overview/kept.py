"""Figures are kept until what they are made of changes, for each set of cases that must stay closed.

Those of a small project are worked out while the page waits. Those of a large one take seconds: a job works
them out, the page shows what was kept until then, and hears when there is more.
"""

import logging
import time
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts.models import User
from annotations.models import Comparison, Read
from annotations.reading.overview.figures import Figures, figures_of
from annotations.reading.overview.sight import Sight, sight_of
from atlas.fanout import broadcast
from atlas.models import Project

logger = logging.getLogger(__name__)

WORK_OUT_FIGURES = "work_out_figures"  # the job in annotations.tasks
SMALL = 300
"""Comparisons that are worked out at once."""
KEPT_S = 30 * 24 * 3600
DETAILS = ("labels", "questions", "drift", "reference")
MADE_BY = 2
"""Raise when figures are made of other things or have other names."""


@dataclass(frozen=True)
class Kept:
    """`figures` is None where none were worked out yet; `is_current`: nothing has changed since."""

    figures: Figures | None
    is_current: bool


def figures_for(sight: Sight, *, in_detail: bool = True) -> Kept:
    """What this person may be shown. Where that is old or missing in a large project, a job is asked for it.

    Only for who may manage the project: the figures name every reader. The overview needs no DETAILS, which
    are the larger part.
    """
    stamp, comparisons = _stamp(sight)
    keys = [_key(sight), *([_key(sight, "details")] if in_detail else [])]
    known = cache.get_many(keys)
    figures: Figures | None = None
    if len(known) == len(keys) and len({str(part["stamp"]) for part in known.values()}) == 1:
        figures = {name: value for part in known.values() for name, value in part["figures"].items()}
        if known[keys[0]]["stamp"] == stamp:
            return Kept(figures, is_current=True)
    if comparisons <= SMALL:
        return Kept(_worked_out(sight, stamp), is_current=True)
    transaction.on_commit(partial(_ask_for, sight), robust=True)
    return Kept(figures, is_current=False)


def work_out(project_id: int, user_id: int) -> None:
    """Work the figures out that this person (primary keys) may be shown, keep them, and tell open pages."""
    project = Project.objects.filter(pk=project_id).first()
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if project is None or user is None:
        return
    sight = sight_of(user, project)
    if "manage_project" not in sight.held:
        return
    _worked_out(sight, _stamp(sight)[0])
    transaction.on_commit(partial(broadcast, f"project.{project.slug}", {"type": "figures"}), robust=True)


def _worked_out(sight: Sight, stamp: list[Any]) -> Figures:
    began = time.monotonic()
    figures = figures_of(sight.project, sight.closed)
    details = {name: value for name, value in figures.items() if name in DETAILS}
    rest = {name: value for name, value in figures.items() if name not in DETAILS}
    parts = {_key(sight): rest, _key(sight, "details"): details}
    cache.set_many({key: {"stamp": stamp, "figures": part} for key, part in parts.items()}, KEPT_S)
    logger.debug("Figures of project %s took %.1f s.", sight.project.pk, time.monotonic() - began)
    return figures


def _key(sight: Sight, part: str = "overview") -> str:
    closed = sha256(",".join(map(str, sight.closed)).encode()).hexdigest()[:20]
    return f"project-figures:{MADE_BY}:{sight.project.pk}:{closed}:{part}"


def _stamp(sight: Sight) -> tuple[list[Any], int]:
    """What tells whether figures are still those of the rows, and how many comparisons there are. Closed
    cases count here neither: that something happened on one may not be seen either."""
    compared = Comparison.objects.filter(case__in=sight.cases()).aggregate(
        n=Count("pk"), at=Max("computed_at")
    )
    handed_in = ~Q(state__in=(Read.State.ASSIGNED, Read.State.IN_PROGRESS))
    reads = Read.objects.filter(case__in=sight.cases()).aggregate(
        n=Count("pk", filter=handed_in), at=Max("changed_at", filter=handed_in), due=Max("due")
    )
    cases = sight.cases().aggregate(n=Count("pk"), waiting=Count("pk", filter=Q(needs_adjudication=True)))
    parts = [timezone.localdate(), *compared.values(), *reads.values(), *cases.values()]
    return [str(part) for part in parts], compared["n"]


def _ask_for(sight: Sight) -> None:
    name = _key(sight)
    try:
        with transaction.atomic():
            app.configure_task(WORK_OUT_FIGURES, queueing_lock=name, lock=name).defer(
                project_id=sight.project.pk, user_id=sight.user.pk
            )
    except AlreadyEnqueued:
        pass
