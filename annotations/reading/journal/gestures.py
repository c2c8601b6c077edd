"""The gestures of a read, each edit with what was there before and after."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, Min, QuerySet

from annotations.models import Edit, Read
from annotations.reading.journal.mapping import mapper_to, versions_by_group

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
    """One group of edits: what a reader undoes at once.

    `labels_version` is set where nobody drew: the read moved to that version of the labels.
    """

    group: UUID
    inverts: UUID | None
    at: datetime
    edits: list[GestureEdit] = field(default_factory=list)
    labels_version: int | None = None


@dataclass(frozen=True)
class Change:
    """What a gesture did to one mark or answer, in short."""

    annotation_id: UUID
    what: str  # made, changed or deleted
    value: dict[str, Any] | None  # of the mark or answer after it; of a deleted one, before
    slices: int


@dataclass(frozen=True)
class Line:
    """One gesture in a list: no voxels. `number` is that of its last edit."""

    group: UUID
    inverts: UUID | None
    number: int
    at: datetime
    changes: list[Change]
    labels_version: int | None = None


def listed(read: Read, *, before_number: int, groups: int) -> list[Line]:
    """The last `groups` gestures that ended before an edit, newest first. Three queries, and no voxels."""
    chosen = _last_groups(Edit.objects.filter(read=read), before_number, groups)
    edits = Edit.objects.filter(read=read, group__in=chosen).defer("runs").order_by("number")
    by_group: dict[UUID, list[Edit]] = {}
    for edit in edits:
        by_group.setdefault(edit.group, []).append(edit)
    values = _values_of_marks(read, [edit for own in by_group.values() for edit in own])
    moves = versions_by_group(read)
    lines = [
        Line(group, own[0].inverts, own[-1].number, own[0].drawn_at, _changes(own, values), moves.get(group))
        for group, own in by_group.items()
    ]
    return sorted(lines, key=lambda line: -line.number)


def _changes(edits: list[Edit], values: dict[UUID, list[tuple[int, dict[str, Any] | None]]]) -> list[Change]:
    by_mark: dict[UUID, list[Edit]] = {}
    for edit in edits:
        by_mark.setdefault(edit.annotation_id, []).append(edit)
    found = []
    for mark, own in by_mark.items():
        known = values.get(mark, [])
        earlier = [value for number, value in known if number < own[0].number]
        later = [value for number, value in known if number <= own[-1].number]
        before, after = (earlier or [None])[-1], (later or [None])[-1]
        what = "changed" if before and after else "made" if after else "deleted"
        found.append(Change(mark, what, after or before, sum(edit.frame_number > 0 for edit in own)))
    return found


def _values_of_marks(read: Read, edits: list[Edit]) -> dict[UUID, list[tuple[int, dict[str, Any] | None]]]:
    """By mark or answer: its values in order, each with the number of its edit."""
    marks = {edit.annotation_id for edit in edits}
    own = Edit.objects.filter(read=read, annotation_id__in=marks, frame_number=0).order_by("number")
    values: dict[UUID, list[tuple[int, dict[str, Any] | None]]] = {}
    for mark, number, value in own.values_list("annotation_id", "number", "value"):
        values.setdefault(mark, []).append((number, value))
    return values


def _last_groups(edits: QuerySet[Edit], before_number: int, groups: int) -> dict[UUID, int]:
    """By group: its first edit. Those that ended last, but before an edit."""
    bounds = (
        edits.values("group")
        .annotate(first=Min("number"), last=Max("number"))
        .filter(last__lt=before_number)
        .order_by("-last")
        .values_list("group", "first")[:groups]
    )
    return dict(bounds)


def history(read: Read, *, until_number: int, groups: int, before_number: int | None = None) -> list[Gesture]:
    """The last `groups` gestures up to an edit, oldest first; of those that ended before another edit.

    Values of marks and answers stand as the read's present labels have them: undo can bring them back.
    """
    edits = Edit.objects.filter(read=read, number__lte=until_number)
    chosen = _last_groups(edits, until_number + 1 if before_number is None else before_number, groups)
    if not chosen:
        return []
    # Groups may interleave, so everything since the first of them is replayed.
    since = min(chosen.values())
    window = list(edits.filter(number__gte=since).order_by("number"))
    before = _values_before(read, since, {edit.annotation_id for edit in window})
    gestures: dict[UUID, Gesture] = {}
    moves = versions_by_group(read)
    now = mapper_to(read.schema).value if moves else lambda value: value
    for edit in window:
        key = (edit.annotation_id, edit.sop_instance_uid, edit.frame_number)
        after = value_of(edit)
        if edit.group in chosen:
            gesture = gestures.setdefault(
                edit.group,
                Gesture(edit.group, edit.inverts, edit.drawn_at, labels_version=moves.get(edit.group)),
            )
            told = [
                now(value) if value and not edit.frame_number else value for value in (before.get(key), after)
            ]
            gesture.edits.append(GestureEdit(edit.number, *key, edit.version, *told))
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
