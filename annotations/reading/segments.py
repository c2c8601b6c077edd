"""The numbers of a segment: voxels, volume, diameters; what its images can't tell is a sentence instead."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from annotations.measures import diameters, geometry, masks
from annotations.reading.frames import Frames, Grid
from annotations.reading.journal import PlaneOfMark

type FrameName = tuple[str, int]  # SOP Instance UID and frame number

SAME_PLACE_MM = geometry.SAME_PLACE_MM


@dataclass
class SegmentNumbers:
    """By name, with the unit in the name; `problem` says why one is missing."""

    numbers: dict[str, float] = field(default_factory=dict)
    estimated: bool = False
    problem: str | None = None


def measure_segment(frames: Frames | None, planes: Sequence[PlaneOfMark]) -> SegmentNumbers:
    voxels = {_name(plane): masks.voxel_count(plane.runs) for plane in planes}
    painted = [plane for plane in planes if voxels[_name(plane)]]
    found = SegmentNumbers({"voxels": sum(voxels.values()), "slices": len(painted)})
    if not painted:
        if frames and frames.in_patient:
            found.numbers["volume_ml"] = 0.0
        return found
    _measure_axes(found, frames, painted)
    if frames is None or not frames.in_patient:
        found.problem = "These images have no position in the patient, so there is no volume."
    elif frames.spoiled & {"volume", "millimetres"}:
        found.problem = "The geometry of these images can't be trusted, so there is no volume."
    else:
        stack_of = frames.stack_of()
        stacks = {stack_of.get(_name(plane)) for plane in painted}
        if len(stacks) > 1:
            found.problem = "Its voxels lie in several phases, so there is no single volume."
        else:
            try:
                _measure_volume(found, frames, stacks.pop() or 0, painted, voxels)
            except geometry.GeometryError as error:
                found.problem = str(error)
    return found


def _name(plane: PlaneOfMark) -> FrameName:
    return plane.sop_instance_uid, plane.frame_number


def _decoded(plane: PlaneOfMark) -> diameters.Plane:
    return masks.decode(bytes(plane.runs), plane.rows, plane.columns)


# In the slices ----------------------------------------------------------------------------------


def _measure_axes(found: SegmentNumbers, frames: Frames | None, painted: Sequence[PlaneOfMark]) -> None:
    """The longest diameter in any slice and the longest across it; in pixels where any slice has no scale."""
    grids = [frames.grids.get(_name(plane)) for plane in painted] if frames else [None] * len(painted)
    spacings = [grid.spacing_mm if grid else None for grid in grids]
    in_pixels = frames is None or "millimetres" in frames.spoiled or None in spacings
    best = diameters.longest(
        (_decoded(plane), *((1.0, 1.0) if in_pixels or spacing is None else spacing))
        for plane, spacing in zip(painted, spacings, strict=True)
    )
    if best is None:
        return
    unit = "px" if in_pixels else "mm"
    found.numbers |= {f"long_axis_{unit}": best.long, f"short_axis_{unit}": best.short}
    found.estimated = not in_pixels and any(grid.spacing_source == "estimated" for grid in grids if grid)


# Through the slices -----------------------------------------------------------------------------


def _measure_volume(
    found: SegmentNumbers,
    frames: Frames,
    stack: int,
    painted: Sequence[PlaneOfMark],
    voxels: dict[FrameName, int],
) -> None:
    """Raises GeometryError."""
    names = list(frames.grids)[frames.stacks[stack].start : frames.stacks[stack].stop]
    grids = [frames.grids[name] for name in names]
    positions_mm = _positions_mm(grids)
    thickness = geometry.slice_thicknesses_mm(positions_mm).tolist()
    thickness_mm = dict(zip(names, thickness, strict=True))
    millilitres = 0.0
    for plane in painted:
        grid = frames.grids.get(_name(plane))
        spacing = grid.spacing_mm if grid else None
        if spacing is None:
            raise geometry.GeometryError("These images are not calibrated, so there is no volume.")
        millilitres += geometry.volume_ml(
            voxels[_name(plane)],
            row_mm=spacing[0],
            column_mm=spacing[1],
            thickness_mm=thickness_mm[_name(plane)],
        )
    found.numbers["volume_ml"] = millilitres
    longest_mm = _longest_3d_mm(names, grids, positions_mm, painted)
    if longest_mm is not None:
        found.numbers["longest_3d_mm"] = longest_mm


def _positions_mm(grids: Sequence[Grid]) -> geometry.Points:
    """Along the normal, in the order of the stack. Raises GeometryError."""
    orientations = {grid.orientation for grid in grids}
    orientation = orientations.pop() if len(orientations) == 1 else None
    if orientation is None:
        raise geometry.GeometryError("These images lie in different directions, so there is no volume.")
    placed = [grid.origin_patient_mm for grid in grids if grid.origin_patient_mm is not None]
    if len(placed) < len(grids):
        raise geometry.GeometryError("Some of these images have no position, so there is no volume.")
    return geometry.slice_positions_mm(placed, orientation)


def _longest_3d_mm(
    names: Sequence[FrameName],
    grids: Sequence[Grid],
    positions_mm: geometry.Points,
    painted: Sequence[PlaneOfMark],
) -> float | None:
    """None where the slices differ, or several lie at one place: then nothing leads from one to the next."""
    alike = {(grid.rows, grid.columns, grid.spacing_mm) for grid in grids}
    steps = np.diff(positions_mm)
    in_order = bool((steps > SAME_PLACE_MM).all() or (steps < -SAME_PLACE_MM).all())
    spacing, orientation = grids[0].spacing_mm, grids[0].orientation
    if len(alike) > 1 or not in_order or spacing is None or orientation is None:
        return None
    number = {name: index for index, name in enumerate(names)}
    indices = [number[_name(plane)] for plane in painted]
    first, last = min(indices), max(indices)
    top, bottom, left, right = grids[0].rows, -1, grids[0].columns, -1
    for plane in painted:  # twice decoded: all planes at once would fill the memory
        bits = _decoded(plane)
        rows, columns = np.flatnonzero(bits.any(axis=1)), np.flatnonzero(bits.any(axis=0))
        top, bottom = min(top, int(rows[0])), max(bottom, int(rows[-1]))
        left, right = min(left, int(columns[0])), max(right, int(columns[-1]))
    volume = np.zeros((last - first + 1, bottom - top + 1, right - left + 1), dtype=np.bool_)
    for plane, index in zip(painted, indices, strict=True):
        volume[index - first] = _decoded(plane)[top : bottom + 1, left : right + 1]
    row_mm, column_mm = spacing
    along_row, along_column = np.array(orientation, dtype=np.float64).reshape(2, 3)
    origins_mm = np.array([grid.origin_patient_mm for grid in grids[first : last + 1]], dtype=np.float64)
    origins_mm += left * column_mm * along_row + top * row_mm * along_column
    gaps = np.abs(steps)
    return diameters.longest_3d(
        volume,
        origins_mm=origins_mm,
        along_row=along_row,
        along_column=along_column,
        row_mm=row_mm,
        column_mm=column_mm,
        beyond_mm=(float(gaps[max(first - 1, 0)]), float(gaps[min(last, len(gaps) - 1)])),
    )
