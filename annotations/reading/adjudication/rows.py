"""The lesions of an adjudication: found by a job, from what the readers handed in, after it has begun.

Laying every mask of every reader on the others takes seconds to minutes. The room opens at once and fills
itself when this is done.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts.models import User
from annotations.models import AdjudicatedLesion, LesionMatching, Read
from annotations.reading.adjudication import access
from annotations.reading.adjudication.answers import answers_about_the_case
from annotations.reading.adjudication.looking import Seen, look_at
from annotations.reading.adjudication.readers import ReaderOf, readers_of
from annotations.reading.broadcasts import tell_read
from annotations.reading.designs import design_of
from annotations.reading.journal.answers import STATE
from atlas.api.errors import Conflict

logger = logging.getLogger(__name__)

MATCH_LESIONS = "match_lesions"  # the job in annotations.tasks
STILL_COMPARING = "The reads are still being compared. Decide when their lesions are there."
TOLD_EVERY_S = 1.0
SILENT_FOR = timedelta(minutes=10)
"""Who hears nothing for so long may ask again: the job may have died with its worker."""


def find_soon(adjudication: Read) -> None:
    """Within the transaction that begins the adjudication: have its lesions found."""
    LesionMatching.objects.create(read=adjudication)
    transaction.on_commit(partial(_enqueue, adjudication.pk), robust=True)


def matching_of(adjudication: Read) -> LesionMatching | None:
    """How far the lesions are found; None once they are."""
    return LesionMatching.objects.filter(read=adjudication).first()


def has_stopped(matching: LesionMatching) -> bool:
    return matching.failed or matching.changed_at < timezone.now() - SILENT_FOR


def require_matched(adjudication: Read) -> None:
    """Raises Conflict while the lesions are still looked for."""
    if matching_of(adjudication) is not None:
        raise Conflict(STILL_COMPARING)


@transaction.atomic
def find_again(*, user: User, read_id: str) -> Read:
    """After an error the adjudicator has the lesions looked for once more; while it runs nothing changes."""
    adjudication = access.own_or_404(user, read_id, lock=True)
    matching = matching_of(adjudication)
    if matching is not None and has_stopped(matching):
        matching.failed, matching.done, matching.total = False, 0, None
        matching.save()
        transaction.on_commit(partial(_enqueue, adjudication.pk), robust=True)
        tell_read(adjudication, {"type": "adjudication"})
    return adjudication


def find(read_id: int) -> None:
    """The job: find the lesions of an adjudication (its primary key). Running it twice finds them once."""
    adjudication = (
        Read.objects.filter(pk=read_id, matching__isnull=False)
        .select_related("case__project", "schema", "matching")
        .first()
    )
    if adjudication is None:
        return
    try:
        rows = _rows(adjudication, _Progress(adjudication))
    except Exception:
        # Whatever it was, the adjudicator reads that it failed and can have it tried again.
        logger.exception("The lesions of adjudication %s could not be found.", read_id)
        LesionMatching.objects.filter(read=adjudication).update(failed=True, changed_at=timezone.now())
    else:
        _keep(adjudication, rows)
    tell_read(adjudication, {"type": "adjudication"})


@transaction.atomic
def _keep(adjudication: Read, rows: list[AdjudicatedLesion]) -> None:
    """Only by who takes the matching away, so of two jobs one."""
    if LesionMatching.objects.filter(read=adjudication).delete()[0]:
        AdjudicatedLesion.objects.bulk_create(rows)


class _Progress:
    """Notes how many lesions are compared, and tells open pages; not oftener than they can follow."""

    def __init__(self, adjudication: Read) -> None:
        self.read = adjudication
        self.told_at = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self.told_at < TOLD_EVERY_S:
            return
        self.told_at = time.monotonic()
        LesionMatching.objects.filter(read=self.read).update(
            done=done, total=total, changed_at=timezone.now()
        )
        tell_read(self.read, {"type": "adjudication"})


def _enqueue(read_id: int) -> None:
    name = f"lesions-{read_id}"
    try:
        with transaction.atomic():
            app.configure_task(MATCH_LESIONS, queueing_lock=name, lock=name).defer(read_id=read_id)
    except AlreadyEnqueued:
        pass


def _rows(adjudication: Read, progress: Callable[[int, int], None]) -> list[AdjudicatedLesion]:
    """Unsaved. Numbered from 1, disagreements first."""
    case = adjudication.case
    readers = readers_of(case, adjudication=adjudication)
    look = look_at(case, readers, design_of(case.project), progress=progress)
    stated = {
        answer.about: answer.said
        for answer in answers_about_the_case(readers, adjudication.schema, {})
        if answer.answer == STATE
    }
    return [
        AdjudicatedLesion(
            read=adjudication,
            number=number,
            label=seen.found.label,
            members=[_member(seen, reader, stated.get(seen.found.label, {})) for reader in readers],
            disagreements=seen.disagreements,
            numbers=seen.numbers | {"suggested": _suggested(seen)},
        )
        for number, seen in enumerate(look.lesions, start=1)
    ]


def _suggested(seen: Seen) -> dict[str, Any] | None:
    """Where readers disagree none of them is preferred unseen."""
    suggested = seen.numbers["suggested"]
    is_one_of_several = suggested is not None and suggested["take"] == "read"
    return None if seen.disagreements and is_one_of_several else suggested


def _member(seen: Seen, reader: ReaderOf, stated: Mapping[str, Any]) -> dict[str, Any]:
    marked = seen.found.members.get(reader.id)
    if marked is None:
        said = stated.get(reader.id)
        # "Present" is what their other marks of this label say, not this lesion.
        return {"read": reader.id, "annotations": [], "label": None, "state": None} | {
            "said": None if said == "present" else said
        }
    return {
        "read": reader.id,
        "annotations": list(marked.lesion.annotations),
        "label": marked.label,
        "state": marked.lesion.category,
        "said": None,
    }
