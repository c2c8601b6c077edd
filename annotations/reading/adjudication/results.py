"""What a choice makes of a lesion: the marks and voxels that would be written, and their numbers.

Nothing is written here. What one reader drew is taken exactly as it was handed in; a merge is made on the
grid of the series that most of them drew on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework.exceptions import ValidationError

from annotations.measures.agreement.lesions import Lesion
from annotations.measures.agreement.voxels import Mask
from annotations.measures.consensus import majority_of
from annotations.models import AdjudicatedLesion, Read
from annotations.reading.adjudication.fields import Field, Plane, field_of
from annotations.reading.adjudication.numbers import STAPLE_LEAST, Json, against, mask_numbers
from annotations.reading.adjudication.readers import ReaderOf, readers_of
from annotations.reading.frames import frames_of
from annotations.reading.journal import state_at
from annotations.reading.lesions import lesions_of
from annotations.reading.shown import series_of

READ, DRAWN, ABSENT = "read", "drawn", "absent"
MERGES = ("union", "at_least", "majority", "intersection", "staple")
TAKES = (READ, *MERGES, DRAWN, ABSENT)
NO_NUMBERS: Json = {
    "volume_mm3": None,
    "longest_mm": None,
    "short_mm": None,
    "slices": 0,
    "voxels": 0,
    "areas_mm2": None,
}


@dataclass(frozen=True)
class Result:
    """`marks` are values of annotations as the journal keeps them, each with its planes (none, but for
    segments). `reads`: Dice and HD95 of each reader against it. `staple`: what STAPLE thinks of each."""

    choice: Json
    marks: Sequence[tuple[Json, Sequence[Plane]]] = ()
    series: str | None = None
    numbers: Json = field(default_factory=lambda: dict(NO_NUMBERS))
    reads: Mapping[str, Json] = field(default_factory=dict)
    staple: Mapping[str, Json] | None = None


def checked_choice(row: AdjudicatedLesion, choice: Any) -> Json:
    """The choice with nothing but what belongs to it. Raises ValidationError."""
    take = choice.get("take") if isinstance(choice, dict) else None
    if take not in TAKES:
        raise ValidationError({"choice": [f"Take one of {', '.join(TAKES)}."]})
    if take == READ:
        drew = [member["read"] for member in row.members if member["annotations"]]
        if choice.get("read") not in drew:
            raise ValidationError({"choice": ["This reader has no mark of this lesion."]})
        return {"take": READ, "read": choice["read"]}
    if take in MERGES and take not in {option["take"] for option in row.numbers["options"]}:
        raise ValidationError({"choice": [_why_no_merge(row, take)]})
    if take != "at_least":
        return {"take": take}
    votes, count = len(row.numbers["votes"]), choice.get("at_least")
    if type(count) is not int or not 1 <= count <= votes:
        raise ValidationError({"choice": [f"At least 1 to {votes} readers."]})
    return {"take": take, "at_least": count}


def result_of(
    adjudication: Read, row: AdjudicatedLesion, choice: Json, *, label: str = "", state: str = ""
) -> Result:
    """What a checked choice makes. `label` and `state` replace what the readers said; without, theirs stay.

    Raises ValidationError where it would be empty, or a reader's marks can't be found any more.
    """
    if choice["take"] in (DRAWN, ABSENT):
        return Result(choice)
    readers = {reader.id: reader for reader in readers_of(adjudication.case, adjudication=adjudication)}
    lesions = _lesions(row, readers)
    voxels = field_of(lesions, list(readers))
    if choice["take"] == READ:
        return _as_drawn(adjudication, row, choice, readers, voxels, label, state)
    if voxels is None:
        raise ValidationError({"choice": [_why_no_merge(row, choice["take"])]})
    mask, staple = _merged(voxels, choice)
    if not mask.any():
        raise ValidationError(
            {"choice": ["No voxel is left by this choice. Take another, or say that nothing is there."]}
        )
    value = {
        "kind": "segment",
        "label": label or row.label,
        "series": voxels.series,
        "state": state or _most_said(row),
        "note": "",
        "origin": {"from": "adjudication"},
    }
    frames = _frames(adjudication, voxels.series)
    return Result(
        choice=choice,
        marks=[(value, voxels.planes(mask, frames))],
        series=voxels.series,
        numbers=mask_numbers(voxels, mask),
        reads=_against(voxels, mask),
        staple=staple,
    )


def _as_drawn(
    adjudication: Read,
    row: AdjudicatedLesion,
    choice: Json,
    readers: Mapping[str, ReaderOf],
    voxels: Field | None,
    label: str,
    state: str,
) -> Result:
    reader = choice["read"]
    ids = _annotations(row, reader)
    if reader not in readers:
        raise Http404("There is no such read in this adjudication.")
    drawn = state_at(readers[reader].read, readers[reader].submission.edit_number, only=ids)
    planes: dict[UUID, list[Plane]] = {}
    for plane in drawn.planes:
        planes.setdefault(plane.annotation_id, []).append(Plane.of(plane))
    marks = []
    for mark in drawn.annotations:
        value = {key: one for key, one in mark.value.items() if key not in ("locked", "color_index")}
        value |= {"label": label or value["label"], "state": state or value["state"]}
        marks.append((value, planes.get(mark.annotation_id, [])))
    if not marks:
        raise ValidationError({"choice": ["This reader's mark is not there any more."]})
    known = row.numbers["reads"].get(reader, {})
    numbers = {name: known.get(name, default) for name, default in NO_NUMBERS.items()}
    in_field = voxels is not None and reader in voxels.votes
    return Result(
        choice=choice,
        marks=marks,
        series=known.get("series"),
        numbers=numbers,
        reads=_against(voxels, voxels.of_reader(reader)) if voxels is not None and in_field else {},
    )


def _merged(voxels: Field, choice: Json) -> tuple[Mask, Mapping[str, Json] | None]:
    votes = len(voxels.votes)
    match choice["take"]:
        case "union":
            return voxels.at_least(1), None
        case "intersection":
            return voxels.at_least(votes), None
        case "majority":
            return voxels.at_least(majority_of(votes)), None
        case "at_least":
            return voxels.at_least(choice["at_least"]), None
    found = voxels.staple
    each = zip(voxels.votes, found.sensitivity, found.specificity, strict=True)
    return found.mask, {
        reader: {"sensitivity": sensitivity, "specificity": specificity}
        for reader, sensitivity, specificity in each
    }


def _against(voxels: Field, mask: Mask) -> dict[str, Json]:
    return {reader: against(voxels, voxels.of_reader(reader), mask) for reader in voxels.votes}


def _lesions(row: AdjudicatedLesion, readers: Mapping[str, ReaderOf]) -> dict[str, Lesion]:
    """By reader, from the marks that were matched and no others."""
    found = {}
    for member in row.members:
        reader = readers.get(member["read"])
        if reader is None or not member["annotations"]:
            continue
        ids = [UUID(one) for one in member["annotations"]]
        state = state_at(reader.read, reader.submission.edit_number, only=ids)
        lesions = [one for own in lesions_of(reader.submission, state=state).values() for one in own]
        drawn = [one for one in lesions if one.voxels is not None]
        if lesions:
            found[reader.id] = (drawn or lesions)[0]
    return found


def _annotations(row: AdjudicatedLesion, reader: str) -> list[UUID]:
    return [UUID(one) for member in row.members if member["read"] == reader for one in member["annotations"]]


def _most_said(row: AdjudicatedLesion) -> str:
    states = [member["state"] for member in row.members if member["state"]]
    return max(states, key=states.count, default="present")


def _frames(adjudication: Read, series_id: str):
    series = series_of(adjudication.case).filter(public_id=series_id).first()
    frames = frames_of(series) if series else None
    if frames is None:
        raise ValidationError(
            {"choice": ["The series that the readers drew on is not in the case any more."]}
        )
    return frames


def _why_no_merge(row: AdjudicatedLesion, take: str) -> str:
    votes = len(row.numbers["votes"])
    if take == "staple" and 1 < votes < STAPLE_LEAST:
        return f"STAPLE needs {STAPLE_LEAST} readers or more: of two it can't tell who is right."
    if votes < 2:
        return "Fewer than two readers drew voxels that can be laid upon each other: take a read, or draw it."
    return "These readers' marks can't be merged: take a read, or draw it."
