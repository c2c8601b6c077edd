"""The gestures of a read, each edit with what was there before and after."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, Min

from annotations.models import Edit, Read

type ObjectKey = tuple[UUID, str, int]


@dataclass(frozen=True)
class GestureEdit:
    number: int
    annotation_id: UUID
    sop_instance_uid: str  # "" for the annotation itself
    frame_number: int  # 0 for the annotation itself
    version: int
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True)
class Gesture:
    """One group of edits: what a reader undoes at once."""

    group: UUID
    inverts: UUID | None
    at: datetime
    edits: list[GestureEdit] = field(default_factory=list)


def history(read: Read, *, until_number: int, groups: int) -> list[Gesture]:
    """The last `groups` gestures up to an edit, oldest first."""
    edits = Edit.objects.filter(read=read, number__lte=until_number)
    bounds = (
        edits.values("group")
        .annotate(first=Min("number"), last=Max("number"))
        .order_by("-last")
        .values_list("group", "first")[:groups]
    )
    chosen = dict(bounds)
    if not chosen:
        return []
    # Groups may interleave, so everything since the first of them is replayed.
    since = min(chosen.values())
    window = list(edits.filter(number__gte=since).order_by("number"))
    before = _values_before(read, since, {edit.annotation_id for edit in window})
    gestures: dict[UUID, Gesture] = {}
    for edit in window:
        key = (edit.annotation_id, edit.sop_instance_uid, edit.frame_number)
        after = value_of(edit)
        if edit.group in chosen:
            gesture = gestures.setdefault(edit.group, Gesture(edit.group, edit.inverts, edit.drawn_at))
            gesture.edits.append(GestureEdit(edit.number, *key, edit.version, before.get(key), after))
        before[key] = after
    return list(gestures.values())


def value_of(edit: Any) -> dict[str, Any] | None:
    """The value of an edit, annotation or plane as the API shows it; None: nothing is there."""
    if not getattr(edit, "frame_number", 0):
        return edit.value
    if edit.runs is None:
        return None
    return {"rle": base64.b64encode(edit.runs).decode(), "rows": edit.rows, "columns": edit.columns}


def _values_before(read: Read, number: int, annotations: Iterable[UUID]) -> dict[ObjectKey, dict | None]:
    latest = (
        Edit.objects.filter(read=read, number__lt=number, annotation_id__in=list(annotations))
        .order_by("annotation_id", "sop_instance_uid", "frame_number", "-number")
        .distinct("annotation_id", "sop_instance_uid", "frame_number")
    )
    return {(edit.annotation_id, edit.sop_instance_uid, edit.frame_number): value_of(edit) for edit in latest}
