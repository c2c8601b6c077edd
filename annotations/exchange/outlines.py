"""Outlines become pixels: a pixel is inside where its centre is. Points are column and row (SCOORD)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from annotations.exchange.derived import BIDIRECTIONAL, ELLIPSE, POINT, POLYGON

CROSSINGS_AT_ONCE = 2_000_000
ELLIPSE_POINTS = 90

type Points = NDArray[np.float64]
type Plane = NDArray[np.bool_]


def filled(points: Points, rows: int, columns: int) -> Plane:
    """The pixels whose centres lie inside a closed outline, float[n, 2], even-odd: bool[rows, columns].

    The last point joins the first. A centre exactly on an edge to its left or above counts as inside, on one
    to its right or below as outside, so that outlines which share an edge share no pixel.
    """
    points = np.asarray(points, dtype=np.float64) - 0.5  # centres of pixels are whole numbers now
    ends = np.roll(points, -1, axis=0)
    toggles = np.zeros(rows * (columns + 1), dtype=np.int32)
    upper, lower = np.minimum(points[:, 1], ends[:, 1]), np.maximum(points[:, 1], ends[:, 1])
    first = np.clip(np.ceil(upper), 0, rows).astype(np.int64)
    last = np.clip(np.ceil(lower), 0, rows).astype(np.int64)  # behind the last row that the edge crosses
    counts = last - first
    crossing = np.flatnonzero(counts > 0)
    at = 0
    while at < crossing.size:  # in pieces, so that memory stays small however many edges there are
        upto = at + max(1, int(np.searchsorted(np.cumsum(counts[crossing[at:]]), CROSSINGS_AT_ONCE)))
        edges = np.repeat(crossing[at:upto], counts[crossing[at:upto]])
        starts = np.cumsum(counts[crossing[at:upto]]) - counts[crossing[at:upto]]
        row = first[edges] + np.arange(edges.size) - np.repeat(starts, counts[crossing[at:upto]])
        slope = (ends[edges, 0] - points[edges, 0]) / (ends[edges, 1] - points[edges, 1])
        column = points[edges, 0] + (row - points[edges, 1]) * slope
        column = np.clip(np.ceil(column), 0, columns).astype(np.int64)
        np.add.at(toggles, row * (columns + 1) + column, 1)
        at = upto
    inside = np.cumsum(toggles.reshape(rows, columns + 1), axis=1) % 2 == 1
    return inside[:, :columns]


def drawn(points: Sequence[Points] | Points, rows: int, columns: int) -> Plane:
    """The pixels that open lines (or single points) pass through: bool[rows, columns]."""
    plane = np.zeros((rows, columns), dtype=np.bool_)
    for line in points if isinstance(points, list | tuple) else [points]:
        line = np.asarray(line, dtype=np.float64)
        reach = 2.0 * (rows + columns)
        if len(line) == 0 or not np.isfinite(line).all() or np.abs(line).max() > 1e6 + reach:
            continue
        for start, end in zip(line, line[1:] if len(line) > 1 else line, strict=False):
            steps = int(min(np.ceil(np.abs(end - start).max() * 2), 4 * reach)) + 1
            along = start + np.linspace(0, 1, steps)[:, None] * (end - start)
            column, row = np.floor(along).astype(np.int64).T
            here = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
            plane[row[here], column[here]] = True
    return plane


def ellipse_outline(points: Points) -> Points:
    """The outline of an ellipse from the ends of one axis and the ends of the other, float[4, 2 or 3]."""
    ends = np.asarray(points, dtype=np.float64)
    center = ends.mean(axis=0)
    one, other = (ends[1] - ends[0]) / 2, (ends[3] - ends[2]) / 2
    angle = np.linspace(0, 2 * np.pi, ELLIPSE_POINTS, endpoint=False)[:, None]
    return center + np.cos(angle) * one + np.sin(angle) * other


def as_plane(kind: str, points: Points, rows: int, columns: int) -> Plane:
    """What to show of a shape, float[n, 2]: the pixels that it encloses, or that its lines touch."""
    if kind == ELLIPSE:
        plane = filled(ellipse_outline(points), rows, columns)
        return plane if plane.any() else drawn(points, rows, columns)
    if kind == POLYGON:
        plane = filled(points, rows, columns)
        return plane if plane.any() else drawn(points, rows, columns)
    if kind == BIDIRECTIONAL:
        return drawn([points[:2], points[2:]], rows, columns)
    if kind == POINT:
        cross = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])
        around = points[0] + cross
        return drawn([around[:2], around[2:]], rows, columns)
    return drawn(points, rows, columns)


def combined(outlines: Sequence[Plane], *, exclusive: bool) -> tuple[Plane, set[str]]:
    """The pixels of all outlines of one region on one frame, and what it took: holes, overlap.

    `exclusive`: as CLOSEDPLANAR_XOR (PS3.3 C.8.8.6) asks. Else an outline wholly inside another cuts a hole
    out of it, as planning systems mean it, and outlines that overlap in part are joined.
    """
    took: set[str] = set()
    ordered = sorted(outlines, key=lambda plane: -int(plane.sum()))
    whole = np.zeros_like(ordered[0])
    seen: list[Plane] = []
    for plane in ordered:
        if exclusive:
            whole ^= plane
            continue
        if not plane.any() or any(np.array_equal(plane, one) for one in seen):
            continue
        seen.append(plane)
        inside = plane & whole
        if np.array_equal(inside, plane):
            took.add("holes")
            whole &= ~plane
        else:
            if inside.any():
                took.add("overlap")
            whole |= plane
    return whole, took
