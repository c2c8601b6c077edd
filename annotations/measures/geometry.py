"""Lengths, areas and volumes of marks, from the coordinates that are kept.

Points are float[n, 3] in patient millimetres (LPS), or float[n, 2] as (column, row) in pixels where an image
has no position. Every function works in the unit of its points: millimetres in give mm and mm², pixels give
pixels and square pixels. `to_millimetres` scales image points where the image's spacing is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import ArrayLike, NDArray

SAME_PLACE_MM = 0.01  # frames closer than this lie at one place

type Points = NDArray[np.float64]


class GeometryError(ValueError):
    """These points don't make such a figure; the text says why."""


@dataclass(frozen=True)
class Axes:
    """Two diameters of one lesion: the longest, and the longest across it."""

    long: float
    short: float


def to_millimetres(points_image: ArrayLike, *, row_mm: float, column_mm: float) -> Points:
    """(column, row) pixels to mm. `row_mm` lies between two rows, `column_mm` between two columns."""
    return _points(points_image, dimensions=2) * np.array([column_mm, row_mm])


def length(points: ArrayLike) -> float:
    """The distance between two points."""
    first, second = _exactly(points, 2)
    return float(np.linalg.norm(second - first))


def bidirectional(points: ArrayLike) -> Axes:
    """Long and short axis, from the two ends of each; the longer is the long axis, however it was drawn."""
    ends = _exactly(points, 4)
    drawn_first, drawn_second = length(ends[:2]), length(ends[2:])
    return Axes(long=max(drawn_first, drawn_second), short=min(drawn_first, drawn_second))


def ellipse_area(points: ArrayLike) -> float:
    """Area of an ellipse, from the two ends of one axis and the two ends of the other."""
    axes = bidirectional(points)
    return pi * axes.long * axes.short / 4


def ellipse_perimeter(points: ArrayLike) -> float:
    """Perimeter of an ellipse by Ramanujan's second formula (error below 0.04 % at any flatness)."""
    axes = bidirectional(points)
    a, b = axes.long / 2, axes.short / 2
    if a == 0:
        return 0.0
    h = ((a - b) / (a + b)) ** 2
    return pi * (a + b) * (1 + 3 * h / (10 + (4 - 3 * h) ** 0.5))


def polygon_area(points: ArrayLike) -> float:
    """Area that a closed polygon encloses on its plane, in two dimensions or three.

    The last vertex joins the first. A figure of eight counts its lobes against each other, as planimetry
    does. Raises GeometryError for fewer than three vertices.
    """
    return float(np.linalg.norm(_area_vector(_polygon(points))))


def perimeter(points: ArrayLike) -> float:
    """Length around a closed polygon."""
    vertices = _polygon(points)
    return float(np.linalg.norm(np.roll(vertices, -1, axis=0) - vertices, axis=1).sum())


def off_plane(points: ArrayLike) -> float:
    """The largest distance of a vertex from the polygon's plane; 0 in two dimensions or without area."""
    vertices = _polygon(points)
    normal = _area_vector(vertices)
    size = float(np.linalg.norm(normal))
    if vertices.shape[1] == 2 or size == 0:
        return 0.0
    return float(np.abs((vertices - vertices.mean(axis=0)) @ (normal / size)).max())


def slice_positions_mm(origins_patient_mm: ArrayLike, orientation: Sequence[float]) -> NDArray[np.float64]:
    """Where frames lie along their common normal, float[n].

    `orientation` is ImageOrientationPatient: the direction along a row, then down a column.
    """
    directions = np.asarray(orientation, dtype=np.float64).reshape(2, 3)
    normal = np.cross(directions[0], directions[1])
    return _points(origins_patient_mm, dimensions=3) @ (normal / np.linalg.norm(normal))


def slice_thicknesses_mm(positions_mm: ArrayLike) -> NDArray[np.float64]:
    """How much of the body each frame stands for, float[n]: half the way to the next place on either side.

    Frames may come in any order. The outermost count as far outward as inward; frames at one place (time
    points, b-values) each stand for it whole. Raises GeometryError for a single place: it has no neighbour.
    """
    positions = np.asarray(positions_mm, dtype=np.float64)
    order = np.argsort(positions, kind="stable")
    starts_place = np.concatenate(([True], np.diff(positions[order]) > SAME_PLACE_MM))
    if starts_place.sum() < 2:
        raise GeometryError("One slice alone has no spacing, so no volume.")
    gaps = np.diff(positions[order][starts_place])
    inward = np.concatenate((gaps[:1], gaps))
    outward = np.concatenate((gaps, gaps[-1:]))
    thickness = np.empty_like(positions)
    thickness[order] = ((inward + outward) / 2)[np.cumsum(starts_place) - 1]
    return thickness


def volume_ml(voxels: ArrayLike, *, row_mm: float, column_mm: float, thickness_mm: ArrayLike) -> float:
    """Volume of the planes of a mask in millilitres.

    `voxels` is int[planes], `thickness_mm` one number or float[planes].
    """
    counts = np.asarray(voxels, dtype=np.float64)
    return float((counts * row_mm * column_mm * np.asarray(thickness_mm, dtype=np.float64)).sum() / 1000)


def _area_vector(vertices: Points) -> Points:
    """Newell's formula: normal to the plane, as long as the area. Taken around the first vertex, so that a
    small polygon far from the origin keeps its digits."""
    if vertices.shape[1] == 2:
        vertices = np.column_stack((vertices, np.zeros(len(vertices))))
    arms = vertices - vertices[0]
    return np.cross(arms, np.roll(arms, -1, axis=0)).sum(axis=0) / 2


def _points(points: ArrayLike, *, dimensions: int | None = None) -> Points:
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] not in ((dimensions,) if dimensions else (2, 3)):
        raise GeometryError("Points are lists of three numbers in the patient, or of two on an image.")
    if not np.isfinite(array).all():
        raise GeometryError("A coordinate is not a number.")
    return array


def _exactly(points: ArrayLike, count: int) -> Points:
    array = _points(points)
    if len(array) != count:
        raise GeometryError(f"This figure has {count} points, not {len(array)}.")
    return array


def _polygon(points: ArrayLike) -> Points:
    array = _points(points)
    if len(array) < 3:
        raise GeometryError("A closed line has at least three points.")
    return array
