"""The measurements of a read's marks, from the coordinates and voxels that are kept.

Millimetres only where the image is calibrated. A projection that estimates its magnification gives estimates,
marked as such; one that only knows the spacing at its detector, or none, gives pixels. What a quality finding
spoils has no number but a sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from annotations.measures import geometry
from annotations.measures.figures import WITHOUT_NUMBERS, angle_deg, figure
from annotations.models import Read
from annotations.reading.frames import Frames, frames_of
from annotations.reading.journal import Mark, PlaneOfMark, State
from annotations.reading.segments import measure_segment
from atlas.models import Series

ANGLES = ("angle", "cobb")


@dataclass
class Measurement:
    """Numbers of one mark by name, with the unit in the name; `problem` says why one is missing."""

    annotation: str
    kind: str
    label: str
    series: str
    numbers: dict[str, float] = field(default_factory=dict)
    estimated: bool = False
    problem: str | None = None


def measure(read: Read, state: State) -> list[Measurement]:
    """Two queries, however many marks; manifests come from memory."""
    wanted = {mark.value["series"] for mark in state.annotations}
    series = Series.objects.filter(public_id__in=wanted, study__case_studies__case=read.case_id)
    frames = {one.public_id: frames_of(one) for one in series}
    planes: dict[Any, list[PlaneOfMark]] = {}
    for plane in state.planes:
        planes.setdefault(plane.annotation_id, []).append(plane)
    return [
        measured(mark, frames.get(mark.value["series"]), planes.get(mark.annotation_id, []))
        for mark in state.annotations
    ]


def measured(mark: Mark, frames: Frames | None, planes: Sequence[PlaneOfMark]) -> Measurement:
    """The numbers of one mark; `planes` are those of a segment."""
    value = mark.value
    found = Measurement(str(mark.annotation_id), value["kind"], value["label"], value["series"])
    try:
        if value["kind"] == "segment":
            segment = measure_segment(frames, planes)
            found.numbers, found.problem = segment.numbers, segment.problem
            found.estimated = segment.estimated
        elif value["kind"] not in WITHOUT_NUMBERS:
            _measure_figure(found, value, frames)
    except geometry.GeometryError as error:
        found.problem = str(error)
    return found


# Figures ----------------------------------------------------------------------------------------


def _measure_figure(found: Measurement, value: dict[str, Any], frames: Frames | None) -> None:
    kind = value["kind"]
    if value.get("points_patient_mm"):
        if frames and "millimetres" in frames.spoiled:
            found.problem = "The spacing of these images can't be trusted, so there are no millimetres."
            return
        found.numbers = figure(kind, value["points_patient_mm"], "mm", "mm2")
        if kind in ANGLES:
            found.numbers["angle_deg"] = angle_deg(kind, value["points_patient_mm"])
        return
    points = value["points_image"]
    grid = frames.grids.get((value["sop"], value["frame"])) if frames else None
    if kind in ANGLES:  # needs no millimetres, only the true shape of a pixel
        row_mm, column_mm = (grid.row_mm, grid.column_mm) if grid else (None, None)
        square = geometry.to_millimetres(points, row_mm=row_mm or 1.0, column_mm=column_mm or 1.0)
        found.numbers = {"angle_deg": angle_deg(kind, square)}
        return
    found.numbers = figure(kind, points, "px", "px2")
    spacing = grid.spacing_mm if grid else None
    if frames is None or grid is None or spacing is None or "millimetres" in frames.spoiled:
        found.problem = "This image is not calibrated: pixels, no millimetres."
        return
    points_mm = geometry.to_millimetres(points, row_mm=spacing[0], column_mm=spacing[1])
    found.numbers |= figure(kind, points_mm, "mm", "mm2")
    found.estimated = grid.spacing_source == "estimated"
