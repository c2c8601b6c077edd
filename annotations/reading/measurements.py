"""The measurements of a read's marks, from the coordinates and voxels that are kept.

Millimetres only where the image is calibrated. A projection that estimates its magnification gives estimates,
marked as such; one that only knows the spacing at its detector, or none, gives pixels. What a quality finding
spoils has no number but a sentence.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from annotations.measures import geometry, masks
from annotations.models import Read
from annotations.reading.frames import Frames, frames_of
from annotations.reading.journal import Mark, PlaneOfMark, State
from atlas.models import Series

POLYGONS = ("polygon", "freehand")


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
        _measured(mark, frames.get(mark.value["series"]), planes.get(mark.annotation_id, []))
        for mark in state.annotations
    ]


def _measured(mark: Mark, frames: Frames | None, planes: list[PlaneOfMark]) -> Measurement:
    value = mark.value
    found = Measurement(str(mark.annotation_id), value["kind"], value["label"], value["series"])
    try:
        if value["kind"] == "segment":
            _measure_segment(found, frames, planes)
        elif value["kind"] != "point":
            _measure_figure(found, value, frames)
    except geometry.GeometryError as error:
        found.problem = str(error)
    return found


# Figures ----------------------------------------------------------------------------------------


def _measure_figure(found: Measurement, value: dict[str, Any], frames: Frames | None) -> None:
    if value.get("points_patient_mm"):
        if frames and "millimetres" in frames.spoiled:
            found.problem = "The spacing of these images can't be trusted, so there are no millimetres."
            return
        found.numbers = figure(value["kind"], value["points_patient_mm"], "mm", "mm2")
        return
    points = value["points_image"]
    found.numbers = figure(value["kind"], points, "px", "px2")
    grid = frames.grids.get((value["sop"], value["frame"])) if frames else None
    spacing = grid.spacing_mm if grid else None
    if frames is None or grid is None or spacing is None or "millimetres" in frames.spoiled:
        found.problem = "This image is not calibrated: pixels, no millimetres."
        return
    points_mm = geometry.to_millimetres(points, row_mm=spacing[0], column_mm=spacing[1])
    found.numbers |= figure(value["kind"], points_mm, "mm", "mm2")
    found.estimated = grid.spacing_source == "estimated"


def figure(kind: str, points: Any, unit: str, area_unit: str) -> dict[str, float]:
    """The numbers of one figure, in the unit of its points. Raises GeometryError."""
    if kind == "length":
        return {f"length_{unit}": geometry.length(points)}
    if kind in POLYGONS:
        return {
            f"area_{area_unit}": geometry.polygon_area(points),
            f"perimeter_{unit}": geometry.perimeter(points),
        }
    axes = geometry.bidirectional(points)
    numbers = {f"long_axis_{unit}": axes.long, f"short_axis_{unit}": axes.short}
    if kind == "ellipse":
        numbers[f"area_{area_unit}"] = geometry.ellipse_area(points)
        numbers[f"perimeter_{unit}"] = geometry.ellipse_perimeter(points)
    return numbers


# Segments ---------------------------------------------------------------------------------------


def _measure_segment(found: Measurement, frames: Frames | None, planes: list[PlaneOfMark]) -> None:
    voxels = [masks.voxel_count(plane.runs) for plane in planes]
    found.numbers = {"voxels": sum(voxels), "slices": sum(count > 0 for count in voxels)}
    if not any(voxels):
        if frames and frames.in_patient:
            found.numbers["volume_ml"] = 0.0
        return
    if frames is None or not frames.in_patient:
        found.problem = "These images have no position in the patient, so there is no volume."
    elif frames.spoiled & {"volume", "millimetres"}:
        found.problem = "The geometry of these images can't be trusted, so there is no volume."
    else:
        stack_of = frames.stack_of()
        keys = [(plane.sop_instance_uid, plane.frame_number) for plane in planes]
        stacks = {stack_of.get(key) for key, count in zip(keys, voxels, strict=True) if count}
        if len(stacks) > 1:
            found.problem = "Its voxels lie in several phases, so there is no single volume."
        else:
            found.numbers["volume_ml"] = _volume_ml(frames, stacks.pop() or 0, planes, voxels)


def _volume_ml(frames: Frames, stack: int, planes: list[PlaneOfMark], voxels: Iterable[int]) -> float:
    thickness_mm = _thickness_mm(frames, stack)
    millilitres = 0.0
    for plane, count in zip(planes, voxels, strict=True):
        key = (plane.sop_instance_uid, plane.frame_number)
        if not count:
            continue
        grid = frames.grids.get(key)
        spacing = grid.spacing_mm if grid else None
        if spacing is None:
            raise geometry.GeometryError("These images are not calibrated, so there is no volume.")
        millilitres += geometry.volume_ml(
            count, row_mm=spacing[0], column_mm=spacing[1], thickness_mm=thickness_mm[key]
        )
    return millilitres


def _thickness_mm(frames: Frames, stack: int) -> dict[tuple[str, int], float]:
    """By frame of one stack: how much of the body it stands for. Raises GeometryError."""
    keys = list(frames.grids)[frames.stacks[stack].start : frames.stacks[stack].stop]
    grids = [frames.grids[key] for key in keys]
    orientations = {grid.orientation for grid in grids}
    origins = [grid.origin_patient_mm for grid in grids]
    orientation = orientations.pop() if len(orientations) == 1 else None
    if orientation is None:
        raise geometry.GeometryError("These images lie in different directions, so there is no volume.")
    placed = [origin for origin in origins if origin is not None]
    if len(placed) < len(origins):
        raise geometry.GeometryError("Some of these images have no position, so there is no volume.")
    positions_mm = geometry.slice_positions_mm(placed, orientation)
    thickness = geometry.slice_thicknesses_mm(positions_mm).tolist()
    return dict(zip(keys, thickness, strict=True))
