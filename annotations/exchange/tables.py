"""Writes marks as JSON, complete and for programs, and measurements as rows of a table, one a mark."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotations.exchange.marks import Mark

MEASUREMENTS = (
    "length_mm",
    "long_axis_mm",
    "short_axis_mm",
    "area_mm2",
    "perimeter_mm",
    "longest_3d_mm",
    "diameter_mm",
    "width_mm",
    "height_mm",
    "depth_mm",
    "angle_deg",
    "volume_ml",
    "voxels",
    "slices",
    "length_px",
    "long_axis_px",
    "short_axis_px",
    "area_px2",
    "perimeter_px",
    "diameter_px",
    "width_px",
    "height_px",
)
COLUMNS = (
    "case_number",
    "subject",
    "reader",
    "round",
    "study_instance_uid",
    "series_instance_uid",
    "modality",
    "annotation",
    "label",
    "label_name",
    "code_value",
    "code_scheme",
    "code_meaning",
    "kind",
    "state",
    "sop_instance_uid",
    "frame_number",
    *MEASUREMENTS,
    "estimated",
    "problem",
    "origin",
    "changed",
)


@dataclass(frozen=True)
class ReadFacts:
    """Whose read it is. `reader` is an identifier without a name behind it."""

    case_number: int
    subject: str
    reader: str
    round: int


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


def measurement_row(mark: Mark, facts: ReadFacts) -> dict[str, Any]:
    return {
        "case_number": facts.case_number,
        "subject": facts.subject,
        "reader": facts.reader,
        "round": facts.round,
        "study_instance_uid": mark.source.study_instance_uid,
        "series_instance_uid": mark.source.series_instance_uid,
        "modality": mark.source.modality,
        "annotation": str(mark.identity),
        "label": mark.label["key"],
        "label_name": mark.label["name"],
        "code_value": mark.meaning.value,
        "code_scheme": mark.meaning.scheme,
        "code_meaning": mark.meaning.meaning,
        "kind": mark.kind,
        "state": mark.state,
        "sop_instance_uid": mark.value.get("sop") or "",
        "frame_number": mark.value.get("frame") or "",
        **{name: mark.numbers[name] for name in MEASUREMENTS if name in mark.numbers},
        "estimated": "yes" if mark.estimated else "",
        "problem": mark.problem,
        "origin": (mark.value.get("origin") or {}).get("from", "reader"),
        "changed": {None: "", True: "yes", False: "no"}[mark.changed],
    }


def as_json(value: Any) -> bytes:
    """Indented UTF-8 with a final newline; the same value gives the same bytes."""
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=False) + "\n").encode()
