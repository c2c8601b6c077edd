"""Marks that came with the images, as proposals: what the reader decided, and what became of the mark."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from annotations.models import Edit, ImportedMark, ImportedSegment, Read
from annotations.reading import policies
from annotations.reading.journal import Mark, State
from annotations.reading.journal.answers import PROPOSAL

OPEN, ACCEPTED, REJECTED = "open", "accepted", "rejected"


@dataclass(frozen=True)
class Proposal:
    """`verdict`: open, accepted or rejected, at `at` by the read's reader. `annotations`: the marks that were
    made of it, each with whether it was changed since."""

    imported: str
    kind: str
    name: str
    origin: str
    verdict: str
    at: str | None
    annotations: dict[UUID, bool]


def proposals(read: Read, state: State) -> list[Proposal]:
    """All that came with the images of the read's case, as the reader left them."""
    verdicts = {one.value["id"]: one.value for one in state.answers if one.value["answer"] == PROPOSAL}
    changed = changed_since_taken_over(read, state)
    made: dict[str, dict[UUID, bool]] = {}
    for mark in state.annotations:
        if mark.annotation_id in changed:
            own = made.setdefault(mark.value["origin"]["imported"], {})
            own[mark.annotation_id] = changed[mark.annotation_id]
    found = []
    for imported, kind in _imported(read):
        said = verdicts.get(imported.public_id, {})
        marks = made.get(imported.public_id, {})
        found.append(
            Proposal(
                imported=imported.public_id,
                kind=kind,
                name=imported.label,
                origin=imported.origin,
                verdict=ACCEPTED if marks else said.get("value", OPEN),
                at=said.get("at"),
                annotations=marks,
            )
        )
    return found


def _imported(read: Read) -> Iterator[tuple[ImportedSegment | ImportedMark, str]]:
    for segment in policies.segments_offered(read.case_id).order_by("series", "segment_number", "pk"):
        yield segment, "segment"
    marks = ImportedMark.objects.filter(series__study__case_studies__case=read.case_id)
    for mark in marks.order_by("series", "derived", "number"):
        yield mark, mark.kind


def changed_since_taken_over(read: Read, state: State) -> dict[UUID, bool]:
    """By mark that was taken over from what came with the images: whether it is another now.

    Compared is what the gesture that took it over wrote with what is there: a change that was undone is none.
    A note beside it changes nothing. Two queries.
    """
    marks = {mark.annotation_id: mark for mark in state.annotations if _is_taken_over(mark)}
    if not marks:
        return {}
    first = (
        Edit.objects.filter(read=read, annotation_id__in=list(marks), frame_number=0)
        .order_by("annotation_id", "number")
        .distinct("annotation_id")
    )
    groups = {edit.annotation_id: edit.group for edit in first}
    then: dict[UUID, dict[tuple[str, int], Any]] = {identity: {} for identity in marks}
    taking = Edit.objects.filter(read=read, annotation_id__in=list(marks), group__in=set(groups.values()))
    for edit in taking.order_by("number"):
        if edit.group == groups[edit.annotation_id]:
            value = bytes(edit.runs) if edit.runs is not None else _compared(edit.value)
            then[edit.annotation_id][edit.sop_instance_uid, edit.frame_number] = value
    now: dict[UUID, dict[tuple[str, int], Any]] = {
        identity: {("", 0): _compared(mark.value)} for identity, mark in marks.items()
    }
    for plane in state.planes:
        if plane.annotation_id in now:
            now[plane.annotation_id][plane.sop_instance_uid, plane.frame_number] = plane.runs
    return {identity: now[identity] != _there(then[identity]) for identity in marks}


def _is_taken_over(mark: Mark) -> bool:
    return bool((mark.value.get("origin") or {}).get("imported"))


def _compared(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """What makes a mark another one: all but its note, and how it is shown."""
    beside = ("note", "color_index", "locked", "hidden")
    return {name: one for name, one in value.items() if name not in beside} if value else None


def _there(values: dict[tuple[str, int], Any]) -> dict[tuple[str, int], Any]:
    return {key: value for key, value in values.items() if value is not None}


def label_of(labels: list[dict[str, Any]], name: str, code: dict[str, str] | None) -> str | None:
    """The key of the schema's label that means the same: by its code, where only one has it, else by name."""
    if code and code.get("value"):
        same = [
            label["key"]
            for label in labels
            if (label.get("code") or {}).get("value") == code["value"]
            and (label.get("code") or {}).get("scheme") == code.get("scheme")
        ]
        if len(same) == 1:
            return str(same[0])
    wanted = name.casefold()
    named = [
        label["key"] for label in labels if wanted in (label["key"].casefold(), label["name"].casefold())
    ]
    return str(named[0]) if len(named) == 1 else None
