"""Marks as they leave the node: as JSON, complete and for programs, and as rows of tables, by `columns`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.exchange.codes import type_of
from annotations.exchange.columns import MEASURED
from annotations.exchange.marks import SEGMENT, Mark

type Row = dict[str, Any]
"""By column; what is missing is empty."""

MEASUREMENTS = tuple(column.name for column in MEASURED)
STATES = ("present", "absent", "indeterminate", "not_assessed")
"""A label is what the first of these says that any of its marks has."""


@dataclass(frozen=True)
class ReadFacts:
    """Whose read it is. `reader` is an identifier without a name behind it."""

    case_number: int
    subject: str
    reader: str
    round: int
    is_reference: bool = False
    schema_version: int | None = None

    @property
    def row(self) -> Row:
        """What every row of a read begins with."""
        return {
            "case_number": self.case_number,
            "subject": self.subject,
            "reader": self.reader,
            "is_reference": self.is_reference,
        }


@dataclass(frozen=True)
class MarkFacts:
    """What a mark doesn't say of itself. `files` as in `mark_as_json`; `unaided` as in the column."""

    time_point: int | None = None
    proposed_by: str = ""
    unaided: str | None = None
    files: Mapping[str, Any] | None = None


def mark_as_json(mark: Mark, *, files: Mapping[str, Any]) -> dict[str, Any]:
    """Everything known about a mark. `files` says where its voxels are: SEG with segment number, mask."""
    value = mark.value
    place = {
        name: value[key]
        for name, key in (
            ("sop_instance_uid", "sop"),
            ("frame_number", "frame"),
            ("frame_of_reference_uid", "frame_of_reference"),
            ("points_patient_mm", "points_patient_mm"),
            ("points_image", "points_image"),
            ("plane", "plane"),
        )
        if value.get(key) is not None
    }
    return {
        "id": str(mark.identity),
        "kind": mark.kind,
        "label": mark.label["key"],
        "label_name": mark.label["name"],
        "code": mark.meaning.as_json(),
        "state": mark.state,
        "note": value.get("note") or "",
        "origin": (value.get("origin") or {"from": "reader"})
        | ({} if mark.changed is None else {"changed": mark.changed}),
        "study_instance_uid": mark.source.study_instance_uid,
        "series_instance_uid": mark.source.series_instance_uid,
        **place,
        "measurements": dict(mark.numbers),
        "measurements_estimated": mark.estimated,
        "measurements_problem": mark.problem,
        **({"files": dict(files)} if files else {}),
    }


def annotation_row(mark: Mark, read: ReadFacts, facts: MarkFacts) -> Row:
    """By `columns.ANNOTATIONS`."""
    return {
        **read.row,
        "round": read.round,
        "schema_version": read.schema_version,
        "annotation": str(mark.identity),
        **_coded(mark.label, mark.meaning.as_json()),
        "kind": mark.kind,
        "state": mark.state,
        "time_point": facts.time_point,
        "study_instance_uid": mark.source.study_instance_uid,
        "series_instance_uid": mark.source.series_instance_uid,
        "modality": mark.source.modality,
        "sop_instance_uid": mark.value.get("sop"),
        "frame_number": mark.value.get("frame"),
        "frame_of_reference_uid": mark.value.get("frame_of_reference") or mark.source.frame_of_reference_uid,
        "origin": (mark.value.get("origin") or {}).get("from", "reader"),
        "proposed_by": facts.proposed_by,
        "changed": mark.changed,
        "unaided": facts.unaided,
        "note": mark.value.get("note"),
        **(facts.files or {}),
    }


def measurement_row(mark: Mark, read: ReadFacts, facts: MarkFacts) -> Row:
    """By `columns.MEASUREMENTS`. Numbers are not rounded."""
    return {
        **read.row,
        "annotation": str(mark.identity),
        "label": mark.label["key"],
        "kind": mark.kind,
        "state": mark.state,
        "time_point": facts.time_point,
        "series_instance_uid": mark.source.series_instance_uid,
        **{name: mark.numbers[name] for name in MEASUREMENTS if name in mark.numbers},
        "estimated": mark.estimated,
        "problem": mark.problem,
    }


def label_rows(
    labels: Sequence[Mapping[str, Any]],
    marks: Sequence[Mark],
    stated: Mapping[str, str],
    read: ReadFacts,
) -> Iterator[Row]:
    """By `columns.LABELS`: each label of the schema, in its order. `stated`: what was answered, by label."""
    for label in labels:
        own = [mark for mark in marks if mark.label["key"] == label["key"]]
        marked = next((state for state in STATES if any(mark.state == state for mark in own)), None)
        there = [mark for mark in own if mark.state == "present"]
        longest = [_longest_mm(mark) for mark in there]
        volumes = [mark.numbers["volume_ml"] for mark in there if "volume_ml" in mark.numbers]
        yield {
            **read.row,
            **_coded(label, type_of(label).as_json()),
            "state": stated.get(label["key"]) if marked is None else marked,
            "is_stated": label["key"] in stated,
            "marks": len(own),
            "segments": sum(mark.kind == SEGMENT and bool(mark.planes) for mark in own),
            "longest_mm": max((one for one in longest if one is not None), default=None),
            "volume_ml": sum(volumes) if volumes else None,
        }


def _longest_mm(mark: Mark) -> float | None:
    for name in ("long_axis_mm", "length_mm", "diameter_mm"):
        if name in mark.numbers:
            return mark.numbers[name]
    return None


def _coded(label: Mapping[str, Any], code: Mapping[str, str]) -> Row:
    return {
        "label": label["key"],
        "label_name": label["name"],
        **{f"code_{part}": code[part] for part in ("value", "scheme", "meaning")},
    }


def as_json(value: Any) -> bytes:
    """Indented UTF-8 with a final newline; the same value gives the same bytes."""
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=False) + "\n").encode()
