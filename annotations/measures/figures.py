"""The figures that readers draw: which points each kind has, and the numbers that follow from them.

Points are float[n, 3] in patient millimetres (LPS), or float[n, 2] as (column, row) on an image. The viewer
computes the same numbers (static/viewer/src/journal/measure.ts), and tests/annotations/measures/cases.json
holds both to them.
"""

from itertools import pairwise
from math import atan2, degrees, pi
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from annotations.measures import geometry
from annotations.measures.geometry import GeometryError, Points

POINTS_LEAST_AND_MOST: Final = {
    "length": (2, 2),
    "bidirectional": (4, 4),  # the ends of one axis, then of the other
    "ellipse": (4, 4),  # the same
    "circle": (2, 2),  # its centre and a point on its rim
    "rectangle": (4, 4),  # its corners, one after another
    "polygon": (3, 10_000),
    "freehand": (3, 10_000),
    "spline": (3, 1_000),  # a closed curve runs smoothly through them
    "livewire": (3, 10_000),
    "angle": (3, 3),  # the end of one arm, the corner, the end of the other
    "cobb": (4, 4),  # the ends of one line, then of the other
    "arrow": (2, 2),  # its tip and its tail
    "box": (4, 4),  # a corner, and the ends of the three edges that leave it
    "point": (1, 1),
}
IN_PATIENT_ONLY: Final = frozenset({"box"})
WITHOUT_NUMBERS: Final = frozenset({"point", "arrow"})

_POLYGONS = frozenset({"polygon", "freehand", "livewire", "rectangle"})
_CURVE_STEPS = 16  # straight pieces between two points of a curve
_SQUARE = 0.01  # the cosine of an angle that still counts as a right one: within 0.6 degrees
_SAME = 0.01  # mm or pixels: sides that differ by less are as long as each other


def figure(kind: str, points: ArrayLike, unit: str, area_unit: str) -> dict[str, float]:
    """The numbers of one figure but its angle, in the unit of its points. Raises GeometryError."""
    if kind == "length":
        return {f"length_{unit}": geometry.length(points)}
    if kind in ("angle", "cobb", *WITHOUT_NUMBERS):
        return {}
    if kind == "circle":
        diameter = 2 * geometry.length(points)
        return {
            f"diameter_{unit}": diameter,
            f"area_{area_unit}": pi * diameter**2 / 4,
            f"perimeter_{unit}": pi * diameter,
        }
    if kind == "box":
        return _box(points, unit)
    if kind in _POLYGONS or kind == "spline":
        ring = curve_through(points) if kind == "spline" else points
        numbers = {
            f"area_{area_unit}": geometry.polygon_area(ring),
            f"perimeter_{unit}": geometry.perimeter(ring),
        }
        return _sides(points, unit) | numbers if kind == "rectangle" else numbers
    axes = geometry.bidirectional(points)
    numbers = {f"long_axis_{unit}": axes.long, f"short_axis_{unit}": axes.short}
    if kind == "ellipse":
        numbers[f"area_{area_unit}"] = geometry.ellipse_area(points)
        numbers[f"perimeter_{unit}"] = geometry.ellipse_perimeter(points)
    return numbers


def angle_deg(kind: str, points: ArrayLike) -> float:
    """Degrees between the arms of an angle (0 to 180), or the lines of a Cobb angle (0 to 90).

    `points` are millimetres, or pixels that are square. Raises GeometryError.
    """
    at = np.asarray(points, dtype=np.float64)
    if kind == "angle":
        arms = (at[0] - at[1], at[2] - at[1])
    else:
        arms = (at[1] - at[0], at[3] - at[2])
    sizes = [float(np.linalg.norm(arm)) for arm in arms]
    if not all(sizes):
        raise GeometryError("An arm of this angle has no length.")
    along = float(arms[0] @ arms[1])
    across = max(0.0, (sizes[0] * sizes[1]) ** 2 - along**2) ** 0.5
    return degrees(atan2(across, along if kind == "angle" else abs(along)))


def curve_through(points: ArrayLike) -> Points:
    """A closed curve through its points (uniform Catmull-Rom), as a fine polygon, float[16 n, d]."""
    b = np.asarray(points, dtype=np.float64)
    if b.ndim != 2 or len(b) < 3:
        raise GeometryError("A curve has at least three points.")
    a, c, d = np.roll(b, 1, axis=0), np.roll(b, -1, axis=0), np.roll(b, -2, axis=0)
    t = (np.arange(_CURVE_STEPS) / _CURVE_STEPS)[None, :, None]
    a, b, c, d = (one[:, None, :] for one in (a, b, c, d))
    curve = (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3) / 2
    return curve.reshape(-1, curve.shape[-1])


def check_figure(kind: str, points: ArrayLike) -> None:
    """Raises GeometryError where points can't be of this kind: corners not square, edges without length.

    Only rectangles and boxes can go wrong so; their number of points is as POINTS_LEAST_AND_MOST says.
    """
    at = np.asarray(points, dtype=np.float64)
    if kind == "box":
        edges = at[1:] - at[0]
        sizes = np.linalg.norm(edges, axis=1)
        if not (sizes > 0).all():
            raise GeometryError("A box has a width, a height and a depth.")
        cosines = [edges[i] @ edges[j] / (sizes[i] * sizes[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
        if max(map(abs, cosines)) > _SQUARE:
            raise GeometryError("The edges of a box stand at right angles to each other.")
    elif kind == "rectangle":
        sides = np.roll(at, -1, axis=0) - at
        sizes = np.linalg.norm(sides, axis=1)
        if not (sizes > 0).all():
            raise GeometryError("A rectangle has a width and a height.")
        off = np.linalg.norm(sides[0] + sides[2])
        leaning = [abs(a @ b) / (m * n) for (a, m), (b, n) in pairwise(zip(sides, sizes, strict=True))]
        if off > _SAME + 1e-3 * sizes.max() or max(leaning) > _SQUARE:
            raise GeometryError("The corners of a rectangle are right angles.")


def _sides(points: ArrayLike, unit: str) -> dict[str, float]:
    at = np.asarray(points, dtype=np.float64)
    return {
        f"width_{unit}": geometry.length(at[:2]),
        f"height_{unit}": geometry.length(at[1:3]),
    }


def _box(points: ArrayLike, unit: str) -> dict[str, float]:
    at = np.asarray(points, dtype=np.float64)
    if at.shape != (4, 3) or unit != "mm":
        raise GeometryError("A box has four points in the patient.")
    width, height, depth = (float(size) for size in np.linalg.norm(at[1:] - at[0], axis=1))
    return {
        "width_mm": width,
        "height_mm": height,
        "depth_mm": depth,
        "volume_ml": width * height * depth / 1000,
    }
