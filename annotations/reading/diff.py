"""What changed in a read between a round that was handed in and what stands there since: voxels and fields.

Marks are followed by their id, answers by the question and what they are about. Planes that are the same byte
for byte are never decoded, and of the others two at a time are in memory.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from annotations.measures import masks
from annotations.models import Read, Submission
from annotations.reading import journal
from annotations.reading.journal import Answer, Mark, PlaneOfMark, State
from annotations.reading.measurements import measure

FIELDS = ("label", "state", "note", "locked", "origin")
PLACE = ("sop", "frame", "points_patient_mm", "points_image", "plane")

type FrameName = tuple[str, int]  # SOP Instance UID and frame number


@dataclass(frozen=True)
class PlaneChange:
    """The voxels of one segment that came and went on one frame: runs as in `measures.masks`."""

    sop_instance_uid: str
    frame_number: int
    rows: int
    columns: int
    added: bytes | None
    removed: bytes | None


@dataclass(frozen=True)
class Voxels:
    added: int = 0
    removed: int = 0
    kept: int = 0


@dataclass(frozen=True)
class AnswerChange:
    """An answer before and after; None where there was none. `of` and `about` as in `journal.answers`."""

    question: str
    of: str
    about: str
    before: Any
    after: Any


@dataclass
class MarkChange:
    """What became of one mark. Numbers are those of `measurements`, by name with the unit in it."""

    annotation_id: UUID
    what: str  # added, removed or changed
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    fields: list[str] = field(default_factory=list)
    voxels: Voxels = field(default_factory=Voxels)
    planes: list[PlaneChange] = field(default_factory=list)
    answers: list[AnswerChange] = field(default_factory=list)
    numbers_before: dict[str, float] = field(default_factory=dict)
    numbers_after: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Round:
    """A submission that can be compared with."""

    number: int
    at: datetime
    edit_number: int


@dataclass(frozen=True)
class Diff:
    since: Round
    rounds: list[Round]  # all that can be compared with, oldest first
    to_edit: int
    marks: list[MarkChange]
    answers: list[AnswerChange]  # of the case, its studies, series and labels
    unchanged: int  # marks that are as they were


def rounds_before(read: Read, to_edit: int, *, is_own: bool) -> list[Round]:
    """The submissions with which the state after `to_edit` can be compared, oldest first.

    Whoever looks at what was handed in compares it with earlier rounds; the reader at work compares what they
    have now with all of them.
    """
    handed_in = Submission.objects.filter(read=read).order_by("round")
    rounds = [Round(one.round, one.at, one.edit_number) for one in handed_in]
    shows_last = rounds and rounds[-1].number == read.round
    if shows_last or (rounds and not is_own):
        rounds.pop()
    return [one for one in rounds if one.edit_number <= to_edit]


def between(read: Read, since: Round, rounds: list[Round], to_edit: int) -> Diff:
    """Compare two moments of a read. A fixed number of queries, however many marks there are."""
    before, after = journal.state_at(read, since.edit_number), journal.state_at(read, to_edit)
    marks = _marks(before, after)
    about_marks, others = _answers(before.answers, after.answers)
    by_id = {str(mark.annotation_id): mark for mark in marks}
    values = {str(one.annotation_id): one.value for one in after.annotations}
    for answer in about_marks:
        known = by_id.get(answer.about)
        if known is None and answer.about in values:
            known = MarkChange(UUID(answer.about), "changed", values[answer.about], values[answer.about])
            by_id[answer.about] = known
            marks.append(known)
        if known is not None and known.what == "changed":  # those of others come and go with their mark
            known.answers.append(answer)
    marks = [one for one in marks if _is_different(one)]
    _measure(read, before, after, marks)
    same = len(after.annotations) - sum(one.after is not None for one in marks)
    return Diff(since, rounds, to_edit, marks, others, same)


def _is_different(change: MarkChange) -> bool:
    return change.what != "changed" or bool(change.fields or change.planes or change.answers)


# Marks ------------------------------------------------------------------------------------------


def _marks(before: State, after: State) -> list[MarkChange]:
    old, new = _by_id(before.annotations), _by_id(after.annotations)
    planes_before, planes_after = _planes(before.planes), _planes(after.planes)
    found = []
    for identity in [*new, *(one for one in old if one not in new)]:
        was, now = old.get(identity), new.get(identity)
        what = "changed" if was and now else "added" if now else "removed"
        change = MarkChange(identity, what, was.value if was else None, now.value if now else None)
        if was and now:
            change.fields = _fields(was.value, now.value)
        if (now or was).value["kind"] == "segment":  # type: ignore[union-attr]
            _compare_planes(change, planes_before.get(identity, {}), planes_after.get(identity, {}))
        found.append(change)
    return found


def _by_id(marks: Iterable[Mark]) -> dict[UUID, Mark]:
    return {mark.annotation_id: mark for mark in marks}


def _planes(planes: Iterable[PlaneOfMark]) -> dict[UUID, dict[FrameName, PlaneOfMark]]:
    found: dict[UUID, dict[FrameName, PlaneOfMark]] = {}
    for plane in planes:
        found.setdefault(plane.annotation_id, {})[plane.sop_instance_uid, plane.frame_number] = plane
    return found


def _fields(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    changed = [name for name in FIELDS if before.get(name) != after.get(name)]
    if any(before.get(name) != after.get(name) for name in PLACE):
        changed.append("place")
    return changed


def _compare_planes(
    change: MarkChange, before: dict[FrameName, PlaneOfMark], after: dict[FrameName, PlaneOfMark]
) -> None:
    added = removed = kept = 0
    for name, here in (before | after).items():
        was, now = before.get(name), after.get(name)
        if was and now and was.runs == now.runs:
            kept += masks.voxel_count(now.runs)
            continue
        old, new = _bits(was, here), _bits(now, here)
        came, went = new & ~old, old & ~new
        added += int(came.sum())
        removed += int(went.sum())
        kept += int((old & new).sum())
        if came.any() or went.any():
            change.planes.append(
                PlaneChange(*name, here.rows, here.columns, *(_runs(bits) for bits in (came, went)))
            )
    change.voxels = Voxels(added, removed, kept)


def _bits(plane: PlaneOfMark | None, like: PlaneOfMark) -> masks.Plane:
    if plane is None:
        return np.zeros((like.rows, like.columns), dtype=np.bool_)
    return masks.decode(plane.runs, plane.rows, plane.columns)


def _runs(bits: masks.Plane) -> bytes | None:
    return masks.encode(bits) if bits.any() else None


# Answers ----------------------------------------------------------------------------------------


def _answers(
    before: Iterable[Answer], after: Iterable[Answer]
) -> tuple[list[AnswerChange], list[AnswerChange]]:
    """Those about a mark, then all others."""
    old = {answer.identity: answer.value for answer in before}
    new = {answer.identity: answer.value for answer in after}
    about_marks: list[AnswerChange] = []
    others: list[AnswerChange] = []
    for identity in [*new, *(one for one in old if one not in new)]:
        was, now = old.get(identity), new.get(identity)
        said = (was or {}).get("value"), (now or {}).get("value")
        if said[0] == said[1]:
            continue
        value = now or was or {}
        change = AnswerChange(value["answer"], value["of"], value["id"], *said)
        (about_marks if change.of == "annotation" else others).append(change)
    return about_marks, others


# Numbers ----------------------------------------------------------------------------------------


def _measure(read: Read, before: State, after: State, changes: list[MarkChange]) -> None:
    """Only what changed is measured, in each of the two moments."""
    by_id = {str(change.annotation_id): change for change in changes}
    for state, name in ((before, "numbers_before"), (after, "numbers_after")):
        for measured in measure(read, _only(state, set(by_id))):
            setattr(by_id[measured.annotation], name, measured.numbers)


def _only(state: State, wanted: set[str]) -> State:
    return State(
        number=state.number,
        annotations=[mark for mark in state.annotations if str(mark.annotation_id) in wanted],
        planes=[plane for plane in state.planes if str(plane.annotation_id) in wanted],
    )
