"""Whether the shapes of a report are the figure that was drawn: point for point, in patient millimetres or on
the image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.cohort.certificate.findings import Differs, Findings
from annotations.exchange.marks import Mark
from annotations.exchange.source import FrameKey
from annotations.measures.figures import curve_through

POINT_MM = 0.001
"""Points come back within so many millimetres, or pixels on an image: reports hold them in 32 bits."""

RINGS = ("polygon", "freehand", "livewire", "rectangle", "spline")
LINES = ("length", "angle", "arrow", "point")

type Points = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """As the report holds it: float[n, 3] patient mm in a frame of reference, or float[n, 2] column and row
    on an image, which is (SOP Instance UID, frame number)."""

    kind: str
    points: Points
    frame_of_reference_uid: str
    image: tuple[str, int]

    def is_same(self, other: "Shape") -> bool:
        return (self.kind, self.image) == (other.kind, other.image) and np.array_equal(
            self.points, other.points
        )


def require_drawn(found: Sequence[Shape], mark: Mark, name: str, findings: Findings) -> None:
    """Raises Differs where shapes and figure differ, or one is there without the other."""
    points = _drawn(mark)
    if points is None:
        if found:
            raise Differs(f"{name} has a shape, and nothing was drawn but voxels")
        return
    if not found:
        if mark.numbers or mark.kind in (*RINGS, "ellipse", "circle", "point", "arrow"):
            raise Differs(f"{name} has no shape")
        return  # lines are kept with the numbers that were measured along them
    _require_space(found, mark, points.shape[1], name)
    if not _fits(mark.kind, [shape.points for shape in found], points):
        raise Differs(f"a point of {name} does not lie where it was drawn")
    findings.coordinates_compared += sum(shape.points.size for shape in found)


def _drawn(mark: Mark) -> Points | None:
    """float[n, 3] or float[n, 2]; points in the patient without a frame of reference lie on their image."""
    value = mark.value
    placed, flat = value.get("points_patient_mm"), value.get("points_image")
    if placed and (value.get("frame_of_reference") or mark.source.frame_of_reference_uid):
        return np.asarray(placed, dtype=np.float64)
    frame = mark.source.frame_at.get(FrameKey(str(value.get("sop") or ""), int(value.get("frame") or 1)))
    if placed and frame is not None and frame.has_place:
        along_row, down_column, _ = frame.axes
        away = np.asarray(placed, dtype=np.float64) - np.array(frame.position)
        columns = away @ along_row / (frame.column_mm or 1.0)
        return np.column_stack((columns, away @ down_column / (frame.row_mm or 1.0))) + 0.5
    return np.asarray(flat, dtype=np.float64) if flat else None


def _require_space(found: Sequence[Shape], mark: Mark, dimensions: int, name: str) -> None:
    value = mark.value
    wanted = value.get("frame_of_reference") or mark.source.frame_of_reference_uid
    image = (str(value.get("sop") or ""), int(value.get("frame") or 1))
    for shape in found:
        if shape.points.shape[1] != dimensions:
            raise Differs(f"{name} has points with {shape.points.shape[1]} numbers instead of {dimensions}")
        if dimensions == 3 and shape.frame_of_reference_uid != wanted:
            raise Differs(f"{name} lies in another frame of reference than it was drawn in")
        if dimensions == 2 and shape.image != image:
            raise Differs(f"{name} lies on another image than it was drawn on")


def _fits(kind: str, found: list[Points], drawn: Points) -> bool:
    if kind in RINGS:
        ring = curve_through(drawn) if kind == "spline" else drawn
        return len(found) == 1 and _same(found[0], np.concatenate((ring, ring[:1])))
    if kind in LINES:
        return len(found) == 1 and _same(found[0], drawn)
    if kind == "cobb":
        return len(found) == 2 and _same(found[0], drawn[:2]) and _same(found[1], drawn[2:])
    if kind == "ellipse":
        return len(found) == 1 and _are_axes(found[0], drawn)
    if kind == "bidirectional":  # longer axis first
        return len(found) == 2 and _are_axes(np.concatenate(found), drawn)
    if kind == "circle":
        return len(found) == 1 and _is_circle(found[0], drawn)
    every = np.concatenate(found)
    return _each_is_among(every, drawn) and _each_is_among(drawn, every)


def _same(one: Points, other: Points) -> bool:
    return one.shape == other.shape and bool((np.abs(one - other) <= POINT_MM).all())


def _are_axes(found: Points, drawn: Points) -> bool:
    """Both axes end for end, the longer one first."""
    lengths = [float(np.linalg.norm(found[at + 1] - found[at])) for at in (0, 2)]
    turned = drawn[[2, 3, 0, 1]]
    return lengths[0] >= lengths[1] - POINT_MM and (_same(found, drawn) or _same(found, turned))


def _is_circle(found: Points, drawn: Points) -> bool:
    """Centre and a point on the rim; or the ends of two diameters that cross at right angles there."""
    if len(found) == 2:
        return _same(found, drawn)
    if len(found) != 4:
        return False
    arms = found - drawn[0]
    radius = np.linalg.norm(drawn[1] - drawn[0])
    opposite = np.abs(arms[[0, 2]] + arms[[1, 3]]).max() <= POINT_MM
    on_rim = np.abs(np.linalg.norm(arms, axis=1) - radius).max() <= POINT_MM
    across = abs(arms[0] @ arms[2]) <= POINT_MM * max(float(radius), 1.0)
    through = _each_is_among(drawn[1:], found)
    return bool(opposite and on_rim and across and through)


def _each_is_among(some: Points, all_of: Points) -> bool:
    apart = np.linalg.norm(some[:, None] - all_of[None], axis=2)
    return bool((apart.min(axis=1) <= 2 * POINT_MM).all())
