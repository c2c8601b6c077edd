"""RT Structure Sets, read back by pydicom and filled by a rasteriser of their own: regions against masks, and
outlines against the figures that were drawn. What is reported is the largest distance between surfaces."""

from collections.abc import Sequence
from typing import BinaryIO
from uuid import UUID

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import Dataset
from scipy.ndimage import binary_erosion, distance_transform_edt

from annotations.cohort.certificate import journal
from annotations.cohort.certificate.findings import Differs, Findings, at
from annotations.cohort.certificate.places import allowed_mm
from annotations.cohort.formats.plan import Contours
from annotations.exchange.derived import code_of, first, items
from annotations.exchange.marks import Mark
from annotations.exchange.source import FrameKey, SourceFrame, SourceSeries
from annotations.measures.figures import curve_through

READ_BY = ("pydicom", "scipy")
SURFACE_SHARE = 0.5
"""How far surfaces may lie apart, in sides of the smallest pixel: a region that lost, won or moved by one
pixel is further off."""

EXACT = frozenset({"polygon", "freehand", "livewire", "rectangle"})
POINT_MM = 0.001  # a point that was drawn comes back within so many millimetres
_CURVE_POINTS = 720

type Points = NDArray[np.float64]


def contours(expected: Contours, file: BinaryIO, findings: Findings, *, overlapping: frozenset[UUID]) -> None:
    """Every region, in the order of the marks. Raises Differs."""
    try:
        dataset = pydicom.dcmread(file)
        rois = items(dataset, "StructureSetROISequence")
        drawn = {int(item.ReferencedROINumber): item for item in items(dataset, "ROIContourSequence")}
        seen = {int(item.ReferencedROINumber): item for item in items(dataset, "RTROIObservationsSequence")}
        numbers = [int(item.ROINumber) for item in rois]
    except Exception as error:  # whatever a damaged file makes of a reader
        raise Differs(f"pydicom can't open it ({type(error).__name__}: {error})") from error
    if numbers != list(range(1, len(expected.marks) + 1)):
        raise Differs(f"it holds regions {numbers or 'none'}, and {len(expected.marks)} were accepted")
    source = expected.series.source
    for number, (roi, mark) in enumerate(zip(rois, expected.marks, strict=True), start=1):
        name = f"region {number} (“{roi.get('ROIName', '')}”)"
        if roi.get("ReferencedFrameOfReferenceUID") != source.frame_of_reference_uid:
            raise Differs(f"{name} lies in another frame of reference than its images")
        _require_meaning(seen.get(number), mark, name)
        outlines = _outlines(drawn.get(number), source, name)
        findings.regions_compared += 1
        if mark.becomes_mask:
            _compare_mask(outlines, mark, source, name, findings)
            findings.empty += journal.is_empty(mark)
            findings.empty_kept += journal.is_empty(mark)
            findings.overlapping += mark.identity in overlapping
            findings.overlapping_kept += mark.identity in overlapping
        else:
            _compare_figure(outlines, mark, name, findings)


def _require_meaning(observation: Dataset | None, mark: Mark, name: str) -> None:
    if observation is None or str(mark.identity) not in str(observation.get("ROIObservationDescription")):
        raise Differs(f"{name} is another mark than the one accepted in its place")
    meaning = code_of(observation, "RTROIIdentificationCodeSequence")
    if meaning is None or (meaning.value, meaning.scheme) != (mark.meaning.value, mark.meaning.scheme):
        raise Differs(f"{name} means something else than “{mark.meaning.meaning}”")


def _outlines(
    region: Dataset | None, source: SourceSeries, name: str
) -> dict[FrameKey, list[tuple[str, Points]]]:
    """Kind and points, float[n, 3] in millimetres, of each outline by the image that it names and lies on."""
    found: dict[FrameKey, list[tuple[str, Points]]] = {}
    allowed = allowed_mm(source)
    for number, contour in enumerate(items(region, "ContourSequence"), start=1):
        values = np.array(contour.get("ContourData") or [], dtype=np.float64)
        if values.size < 9 or values.size % 3 or values.size // 3 != contour.get("NumberOfContourPoints"):
            raise Differs(f"outline {number} of {name} has not the points that it says")
        points = values.reshape(-1, 3)
        frame = _named(contour, source)
        if frame is None or not frame.has_place:
            raise Differs(f"outline {number} of {name} names no image of its series")
        off_mm = float(np.abs((points - np.array(frame.position)) @ frame.axes[2]).max())
        if not off_mm <= allowed:
            raise Differs(f"outline {number} of {name} lies {off_mm:.3f} mm off the image that it names")
        found.setdefault(frame.key, []).append((str(contour.ContourGeometricType), points))
    return found


def _named(contour: Dataset, source: SourceSeries) -> SourceFrame | None:
    image = first(contour, "ContourImageSequence")
    if image is None:
        return None
    number = image.get("ReferencedFrameNumber")
    for frame in source.frames_of_instance.get(str(image.get("ReferencedSOPInstanceUID")), []):
        if number in (None, "") or int(np.ravel(number)[0]) == frame.key.frame_number:
            return frame
    return None


# Masks ------------------------------------------------------------------------------------------


def _compare_mask(
    outlines: dict[FrameKey, list[tuple[str, Points]]],
    mark: Mark,
    source: SourceSeries,
    name: str,
    findings: Findings,
) -> None:
    findings.surface(0.0)
    for index, frame in enumerate(source.frames):
        findings.voxels_compared += frame.rows * frame.columns
        wanted = journal.plane_on(mark, frame)
        here = outlines.get(frame.key, [])
        if wanted is None and not here:
            continue
        found = _enclosed(here, frame)
        wanted = np.zeros_like(found) if wanted is None else wanted
        differs = found != wanted
        if not differs.any():
            continue
        row, column = map(int, np.argwhere(differs)[0])
        side_mm = min(frame.row_mm or 1.0, frame.column_mm or 1.0)
        off_mm = _surface_distance_mm(found, wanted, frame)
        if off_mm is None or off_mm > SURFACE_SHARE * side_mm:
            where = at(index, row, column)
            apart = "there is nothing" if off_mm is None else f"surfaces lie {off_mm:.3f} mm apart"
            raise Differs(
                f"{name}, {where}: {apart}, {np.count_nonzero(differs)} voxels differ on this image"
            )
        findings.voxels_within_tolerance += int(np.count_nonzero(differs))
        findings.surface(off_mm)


def _enclosed(outlines: Sequence[tuple[str, Points]], frame: SourceFrame) -> NDArray[np.bool_]:
    """The pixels whose centres lie within."""
    plane = np.zeros((frame.rows, frame.columns), dtype=np.bool_)
    along_row, down_column, _ = frame.axes
    for kind, points in outlines:
        relative = points - np.array(frame.position)
        columns = relative @ along_row / (frame.column_mm or 1.0)
        rows = relative @ down_column / (frame.row_mm or 1.0)
        if kind == "CLOSEDPLANAR_XOR":
            plane ^= filled(columns, rows, plane.shape)
        elif kind == "CLOSED_PLANAR":
            plane |= filled(columns, rows, plane.shape)
    return plane


def filled(columns: Points, rows: Points, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Row by row between every other crossing of a closed line; the centre of the first pixel is (0, 0)."""
    plane = np.zeros(shape, dtype=np.bool_)
    next_columns, next_rows = np.roll(columns, -1), np.roll(rows, -1)
    first_row, last_row = max(0, int(np.ceil(rows.min()))), min(shape[0] - 1, int(np.floor(rows.max())))
    for row in range(first_row, last_row + 1):
        crossing = (rows <= row) != (next_rows <= row)
        start, end = rows[crossing], next_rows[crossing]
        share = (row - start) / (end - start)
        where = np.sort(columns[crossing] + share * (next_columns[crossing] - columns[crossing]))
        for enters, leaves in zip(where[::2], where[1::2], strict=True):
            plane[row, max(0, int(np.ceil(enters))) : max(0, int(np.ceil(leaves)))] = True
    return plane


def _surface_distance_mm(
    one: NDArray[np.bool_], other: NDArray[np.bool_], frame: SourceFrame
) -> float | None:
    """The largest from a pixel on one surface to the other surface; None where either has no pixel."""
    if not one.any() or not other.any():
        return None
    sampling = (frame.row_mm, frame.column_mm)
    edges = [plane & ~binary_erosion(plane) for plane in (one, other)]
    away = [distance_transform_edt(~edge, sampling=sampling) for edge in edges]
    return float(max(away[1][edges[0]].max(), away[0][edges[1]].max()))


# Figures ----------------------------------------------------------------------------------------


def _compare_figure(
    outlines: dict[FrameKey, list[tuple[str, Points]]], mark: Mark, name: str, findings: Findings
) -> None:
    """One outline, on the image that the figure was drawn on."""
    key = FrameKey(str(mark.value.get("sop") or ""), int(mark.value.get("frame") or 1))
    if list(outlines) != [key] or len(outlines[key]) != 1:
        raise Differs(f"{name} is not one outline on the image that it was drawn on")
    [(_, points)] = outlines[key]
    drawn = np.array(mark.value["points_patient_mm"], dtype=np.float64)
    findings.coordinates_compared += points.size
    if mark.kind in EXACT:
        off_mm = float(np.abs(points - drawn).max()) if points.shape == drawn.shape else np.inf
        allowed = POINT_MM
    else:
        frame = mark.source.frame_at[key]
        curve = _curve(mark.kind, drawn, frame)
        off_mm = float(max(_off_line(points, curve).max(), _off_line(curve, points).max()))
        allowed = SURFACE_SHARE * min(frame.row_mm or 1.0, frame.column_mm or 1.0)
    findings.surface(off_mm if np.isfinite(off_mm) else 0.0)
    if not off_mm <= allowed:
        raise Differs(f"the outline of {name} lies {off_mm:.3f} mm from what was drawn")


def _curve(kind: str, drawn: Points, frame: SourceFrame) -> Points:
    """The figure itself, in small steps."""
    if kind == "spline":
        return curve_through(drawn)
    angle = np.linspace(0, 2 * np.pi, _CURVE_POINTS, endpoint=False)[:, None]
    if kind == "circle":
        arm = drawn[1] - drawn[0]
        return drawn[0] + np.cos(angle) * arm + np.sin(angle) * np.cross(frame.axes[2], arm)
    if kind == "ellipse":
        one, other = (drawn[1] - drawn[0]) / 2, (drawn[3] - drawn[2]) / 2
        return drawn.mean(axis=0) + np.cos(angle) * one + np.sin(angle) * other
    raise Differs(f"it holds an outline of a {kind}, which encloses nothing")


def _off_line(points: Points, ring: Points) -> NDArray[np.float64]:
    """How far each point lies from a closed line, float[n]."""
    nearest = np.full(len(points), np.inf)
    for start, end in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        along = end - start
        length = float(along @ along)
        share = np.clip((points - start) @ along / length, 0, 1) if length else np.zeros(len(points))
        nearest = np.minimum(nearest, np.linalg.norm(points - start - share[:, None] * along, axis=1))
    return nearest
