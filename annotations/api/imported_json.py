"""The JSON of what came with the images: segments and shapes of derived objects, with reported numbers."""

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db.models import Count, Prefetch, QuerySet

from annotations.exchange.derived import LINE, POINT
from annotations.exchange.outlines import as_plane
from annotations.measures import masks
from annotations.models import ImportedMark, ImportedMeasurement, ImportedSegment, Read
from annotations.reading import policies
from annotations.reading.frames import Grid, frames_of
from annotations.reading.proposals import label_of

NUMBERS_TOLD = 4  # in the sentence; all of them are listed beside it
KINDS = {POINT: "point", LINE: "line", "polygon": "outline"}

_MEASUREMENTS = Prefetch("measurements", queryset=ImportedMeasurement.objects.order_by("pk"))


def segments_of(read: Read) -> QuerySet[ImportedSegment]:
    """The segments that came with the images of this read's case, or were proposed for it."""
    return policies.segments_offered(read.case_id)


def marks_of(read: Read) -> QuerySet[ImportedMark]:
    """The shapes that came with the images of this read's case."""
    return ImportedMark.objects.filter(series__study__case_studies__case=read.case_id)


def imported_json(read: Read) -> list[dict[str, Any]]:
    """What lies on the case's images, segments first. The same number of queries for any number of them."""
    segments = segments_of(read).select_related("series").annotate(slices=Count("planes"))
    segments = segments.prefetch_related(_MEASUREMENTS).order_by("series", "segment_number", "pk")
    marks = marks_of(read).select_related("series").prefetch_related(_MEASUREMENTS)
    labels = read.schema.labels
    listed = [_one(one, "segment", one.slices, labels) for one in segments]
    return listed + [_one(one, one.kind, 1, labels) for one in marks.order_by("series", "derived", "number")]


def _one(
    imported: ImportedSegment | ImportedMark, kind: str, slices: int, labels: list[dict[str, Any]]
) -> dict[str, Any]:
    name = imported.label
    known = label_of(labels, name, imported.type_code)
    called = [KINDS.get(kind, kind).capitalize()] if kind != "segment" else []
    called += [f"“{name}”"] if name else []
    numbers = [number for group in imported.measurements.all() for number in group.numbers]
    sentence = ". ".join(part for part in (" ".join(called), _told(numbers)) if part)
    return {
        "id": imported.public_id,
        "series": imported.series.public_id,
        "label": known or name,
        "name": name,
        "kind": kind,
        "origin": f"{sentence}. {imported.origin}" if sentence else imported.origin,
        "slices": slices,
        "place": imported.place if isinstance(imported, ImportedMark) else None,
        "measurements": [_number(number) for number in numbers],
    }


def _number(number: dict[str, Any]) -> dict[str, Any]:
    return {key: number.get(key) for key in ("name", "value", "unit", "derivation")}


def _told(numbers: list[dict[str, Any]]) -> str:
    """“Volume 33.6 ml, SUVbw (mean) 6.02 {SUVbw}g/ml and 18 more, as reported”."""
    if not numbers:
        return ""
    told = []
    for number in numbers[:NUMBERS_TOLD]:
        derivation = f" ({number['derivation'].lower()})" if number.get("derivation") else ""
        unit = "" if number["unit"] in ("", "1") else f" {number['unit']}"
        told.append(f"{number['name']}{derivation} {number['value']:.4g}{unit}")
    more = len(numbers) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "") + ", as reported"


# Slices -----------------------------------------------------------------------------------------


def slices_json(imported: ImportedSegment | ImportedMark) -> dict[str, Any]:
    """The slices of a segment; of a shape, the pixels that it encloses or that its lines touch."""
    if isinstance(imported, ImportedMark):
        return {"slices": list(_slices_of_mark(imported))}
    return {
        "slices": [
            _slice(plane.sop_instance_uid, plane.frame_number, bytes(plane.runs))
            for plane in imported.planes.order_by("pk")
        ]
    }


def _slice(sop: str, frame: int, runs: bytes) -> dict[str, Any]:
    return {"sop": sop, "frame": frame, "rle": base64.b64encode(runs).decode()}


def _slices_of_mark(mark: ImportedMark) -> Iterable[dict[str, Any]]:
    frames = frames_of(mark.series)
    sop, number = mark.place["sop"], mark.place["frame"]
    grid = frames.grids.get((sop, number)) if frames else None
    points = _columns_and_rows(mark.place, grid) if grid else None
    if grid is not None and points is not None:
        plane = as_plane(mark.kind, points, grid.rows, grid.columns)
        if plane.any():
            yield _slice(sop, number, masks.encode(plane))


def _columns_and_rows(place: dict[str, Any], grid: Grid):
    """The points of a shape as in SCOORD, float[n, 2]; None where its image says no more where it is."""
    if place.get("points_image") is not None:
        return np.array(place["points_image"], dtype=np.float64)
    if not (grid.orientation and grid.origin_patient_mm and grid.row_mm and grid.column_mm):
        return None
    along_row, down_column = np.array(grid.orientation).reshape(2, 3)
    relative = np.array(place["points_patient_mm"]) - np.array(grid.origin_patient_mm)
    return (
        np.column_stack((relative @ along_row / grid.column_mm, relative @ down_column / grid.row_mm)) + 0.5
    )
