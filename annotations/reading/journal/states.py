"""The marks of a read: now, from the projection, or as they stood after an edit, from the journal."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Min

from annotations.models import Annotation, Edit, MaskPlane, Read
from annotations.reading.journal.answers import is_answer

ATTEMPTS = 3


@dataclass(frozen=True)
class Mark:
    """One annotation with the value that the contract of the API describes."""

    annotation_id: UUID
    version: int
    value: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """One answer with its value; see `journal.answers`."""

    identity: UUID
    version: int
    value: dict[str, Any]


@dataclass(frozen=True)
class PlaneOfMark:
    """The voxels of a segment on one frame; see `measures.masks` for the runs."""

    annotation_id: UUID
    sop_instance_uid: str
    frame_number: int
    version: int
    runs: bytes
    rows: int
    columns: int


@dataclass(frozen=True)
class State:
    """What is there after edit `number`: nothing deleted, no plane without a voxel left on it."""

    number: int
    annotations: list[Mark]
    planes: list[PlaneOfMark]
    answers: list[Answer] = field(default_factory=list)


def state(read: Read, *, with_planes_of_deleted: bool = False) -> State:
    """The present marks. An edit that arrives meanwhile is in it whole, or not at all."""
    for _ in range(ATTEMPTS):
        number = _last_number(read)
        annotations = Annotation.objects.filter(read=read, value__isnull=False).order_by("pk")
        planes = MaskPlane.objects.filter(read=read, runs__isnull=False).order_by("pk")
        found = _state(number, annotations, planes, with_planes_of_deleted)
        if _last_number(read) == number:
            return found
    return state_at(read, number, with_planes_of_deleted=with_planes_of_deleted)


def state_at(
    read: Read,
    number: int,
    *,
    with_planes_of_deleted: bool = False,
    only: Collection[UUID] | None = None,
) -> State:
    """The marks as they stood after the edit of that number: what a submission, review or release pins.

    `only`: no others than these marks, where a few are wanted of many.
    """
    edits = Edit.objects.filter(read=read, number__lte=number)
    if only is not None:
        edits = edits.filter(annotation_id__in=only)
    latest = edits.order_by("annotation_id", "sop_instance_uid", "frame_number", "-number").distinct(
        "annotation_id", "sop_instance_uid", "frame_number"
    )
    made = dict(  # marks stand in the order in which they were made, as in `state`
        edits.values_list("annotation_id").annotate(first=Min("number"))
    )
    in_order = sorted(latest, key=lambda edit: (made[edit.annotation_id], edit.number))
    annotations = [edit for edit in in_order if not edit.frame_number and edit.value is not None]
    planes = [edit for edit in in_order if edit.frame_number and edit.runs is not None]
    return _state(number, annotations, planes, with_planes_of_deleted)


def _last_number(read: Read) -> int:
    return Read.objects.values_list("last_edit_number", flat=True).get(pk=read.pk)


def _state(number: int, annotations, planes, with_planes_of_deleted: bool) -> State:
    rows = list(annotations)
    marks = [Mark(row.annotation_id, row.version, row.value) for row in rows if not is_answer(row.value)]
    there = {mark.annotation_id for mark in marks}
    return State(
        number=number,
        annotations=marks,
        planes=[
            PlaneOfMark(
                annotation_id=row.annotation_id,
                sop_instance_uid=row.sop_instance_uid,
                frame_number=row.frame_number,
                version=row.version,
                runs=bytes(row.runs),
                rows=row.rows,
                columns=row.columns,
            )
            for row in planes
            if with_planes_of_deleted or row.annotation_id in there
        ],
        answers=[Answer(row.annotation_id, row.version, row.value) for row in rows if is_answer(row.value)],
    )
