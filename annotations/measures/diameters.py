"""The diameters of a mask: the longest in a slice, the longest across it, the longest through all slices.

A mask reaches to half way between the centre of a set voxel and that of its unset neighbour. Diameters run
between such points, so a row of n voxels is n spacings long. Only voxels that hang together by their faces
make a diameter: an island doesn't lengthen a lesion. The viewer computes the same in
static/viewer/src/masks/diameters.ts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull

type Plane = NDArray[np.bool_]
type Points = NDArray[np.float64]

# Of two diameters that differ by less, the first counts: rounding doesn't decide which way a ball is longest.
SAME_MM = 1e-6
_PAIRS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Diameters:
    """Longest diameter in a slice and the longest across it, in the unit of the spacing (mm or pixels).

    `ends` are float[4, 2], (column, row) with whole numbers at voxel centres: the ends of the long one, then
    of the short one.
    """

    long: float
    short: float
    ends: Points


@dataclass(frozen=True)
class _Slice:
    """One with set voxels, cut to these: its first voxel is at `corner`, (column, row). No diameter in it is
    longer than `reach`."""

    index: int
    plane: Plane
    corner: Points
    spacing: Points
    reach: float


@dataclass(frozen=True)
class _Longest:
    """A slice's longest diameter and the part it belongs to, cut out with a free border at `corner`."""

    length: float
    ends: Points
    part: Plane
    corner: Points
    spacing: Points
    index: int


def longest(slices: Iterable[tuple[Plane, float, float]]) -> Diameters | None:
    """The longest diameter in any slice, with the longest across it there; None where no voxel is set.

    A slice is bool[rows, columns] with the distances between its rows and between its columns: mm, or 1 and 1
    for pixels.
    """
    best: _Longest | None = None
    for one in sorted(_outlined(slices), key=lambda one: one.reach, reverse=True):
        if best is not None and one.reach < best.length - SAME_MM:
            break
        best = _longer(best, one)
    if best is None:
        return None
    filled = ndimage.binary_fill_holes(best.part)
    short, across = _across(filled, best.corner, best.ends, best.spacing)
    return Diameters(best.length, short, np.vstack((best.ends, across)))


def _outlined(slices: Iterable[tuple[Plane, float, float]]) -> Iterator[_Slice]:
    for index, (plane, row_mm, column_mm) in enumerate(slices):
        rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
        if not rows.size:
            continue
        cut = plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
        spacing = np.array([column_mm, row_mm])
        reach = float(np.linalg.norm(np.array(cut.shape[::-1]) * spacing))
        yield _Slice(index, cut, np.array([columns[0], rows[0]]), spacing, reach)


def _longer(best: _Longest | None, one: _Slice) -> _Longest | None:
    """The longest so far, or the longest of this slice where that is longer, or as long and comes earlier."""
    labels, _count = ndimage.label(one.plane)
    for number, where in enumerate(ndimage.find_objects(labels), start=1):
        part = np.pad(labels[where] == number, 1)
        corner = one.corner + np.array([where[1].start - 1, where[0].start - 1])
        length, ends = _farthest(_hull(_rim(part) + corner), one.spacing)
        is_earlier = best is not None and one.index < best.index
        if best is None or length > best.length + (-SAME_MM if is_earlier else SAME_MM):
            best = _Longest(length, ends, part, corner, one.spacing, one.index)
    return best


def longest_3d(
    volume: Plane,
    *,
    origins_mm: Points,
    along_row: Points,
    along_column: Points,
    row_mm: float,
    column_mm: float,
    beyond_mm: tuple[float, float],
) -> float:
    """Longest diameter through the slices, of voxels that hang together; 0 where none is set.

    `volume` is bool[slices, rows, columns], of neighbouring slices; `origins_mm`, float[slices, 3], holds the
    centre of each one's first voxel. `beyond_mm` says how far before the first and after the last slice the
    next one lies (or would lie).
    """
    normal = np.cross(along_row, along_column)
    labels, _count = ndimage.label(volume)
    at_mm = origins_mm @ normal
    upward = 1.0 if len(at_mm) < 2 or at_mm[-1] >= at_mm[0] else -1.0
    gaps = np.concatenate(([beyond_mm[0]], np.abs(np.diff(at_mm)), [beyond_mm[1]]))
    most = 0.0
    for number, where in enumerate(ndimage.find_objects(labels), start=1):
        part = np.pad(labels[where] == number, ((1, 1), (0, 0), (0, 0)))
        clouds = []
        for index in range(1, len(part) - 1):
            slice_number = where[0].start + index - 1
            corner = np.array([where[2].start - 1, where[1].start - 1])
            flat = [(_rim(np.pad(part[index], 1)), 0.0)]
            for side, away in ((index - 1, -gaps[slice_number]), (index + 1, gaps[slice_number + 1])):
                bare = part[index] & ~part[side]
                if bare.any():
                    flat.append((_centres(np.pad(bare, 1)), upward * away / 2))
            for points, lift_mm in flat:
                columns_rows = _hull(points + corner)
                clouds.append(
                    origins_mm[slice_number]
                    + columns_rows[:, :1] * column_mm * along_row
                    + columns_rows[:, 1:] * row_mm * along_column
                    + lift_mm * normal
                )
        most = max(most, _widest(np.vstack(clouds)))
    return most


def _rim(part: Plane) -> Points:
    """(column, row) half way between set and unset voxels, the outermost of each row and column."""
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    width, height = part.shape[1], part.shape[0]
    left, right = part[rows].argmax(axis=1), width - 1 - part[rows, ::-1].argmax(axis=1)
    top, bottom = part[:, columns].argmax(axis=0), height - 1 - part[::-1, columns].argmax(axis=0)
    return np.concatenate(
        (
            np.column_stack((left - 0.5, rows)),
            np.column_stack((right + 0.5, rows)),
            np.column_stack((columns, top - 0.5)),
            np.column_stack((columns, bottom + 0.5)),
        )
    ).astype(np.float64)


def _centres(part: Plane) -> Points:
    """(column, row) of the outermost set voxels of each row."""
    rows = np.flatnonzero(part.any(axis=1))
    left = part[rows].argmax(axis=1)
    right = part.shape[1] - 1 - part[rows, ::-1].argmax(axis=1)
    return np.concatenate((np.column_stack((left, rows)), np.column_stack((right, rows)))).astype(np.float64)


def _hull(points: Points) -> Points:
    """Corners of the convex hull, sorted by column, then row (Andrew's monotone chain)."""
    ordered = sorted(set(map(tuple, points.tolist())))

    def chain(along: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for x, y in along:
            while len(kept) > 1 and (kept[-1][0] - kept[-2][0]) * (y - kept[-2][1]) <= (
                kept[-1][1] - kept[-2][1]
            ) * (x - kept[-2][0]):
                kept.pop()
            kept.append((x, y))
        return kept

    corners = set(chain(ordered)) | set(chain(ordered[::-1]))
    return np.array(sorted(corners))


def _farthest(points: Points, spacing: Points) -> tuple[float, Points]:
    """The first pair (in the order of the points) that no other exceeds."""
    mm = points * spacing
    lengths = np.linalg.norm(mm[:, None] - mm[None, :], axis=2)
    lengths[np.tril_indices(len(mm))] = -1
    first = int(np.flatnonzero(lengths.ravel() > lengths.max() - SAME_MM)[0])
    i, j = divmod(first, len(mm))
    return float(lengths[i, j]), points[[i, j]]


def _widest(points_mm: Points) -> float:
    """The longest distance between any two of these points, float[n, 3], not all on one plane."""
    points_mm = points_mm - points_mm[0]  # far from the origin a difference of squares loses digits
    corners = points_mm[ConvexHull(points_mm).vertices]
    squares = (corners**2).sum(axis=1)
    most = 0.0
    step = max(1, _PAIRS_AT_ONCE // len(corners))
    for start in range(0, len(corners), step):
        block = slice(start, start + step)
        apart = squares[block, None] + squares[None] - 2 * corners[block] @ corners.T
        most = max(most, float(apart.max()))
    return most**0.5


def _across(part: Plane, corner: Points, ends: Points, spacing: Points) -> tuple[float, Points]:
    """The longest way within the part at right angles to a diameter, and its two ends (column, row)."""
    starts, stops = _contour(part)
    starts, stops = (starts + corner) * spacing, (stops + corner) * spacing
    origin = ends[0] * spacing
    axis = (ends[1] - ends[0]) * spacing
    axis = axis / np.linalg.norm(axis)
    cross = np.array([-axis[1], axis[0]])
    s0, s1 = (starts - origin) @ axis, (stops - origin) @ axis
    t0, t1 = (starts - origin) @ cross, (stops - origin) @ cross
    best, at, span = 0.0, 0.0, (0.0, 0.0)
    # Between two corners of the rim the width changes evenly, so it is largest right before or after one.
    for s in np.unique(np.concatenate((s0 - SAME_MM, s0 + SAME_MM))):
        crossed = (s0 < s) != (s1 < s)
        if not crossed.any():
            continue
        share = (s - s0[crossed]) / (s1[crossed] - s0[crossed])
        t = np.sort(t0[crossed] + share * (t1[crossed] - t0[crossed]))
        widths = t[1::2] - t[::2]
        widest = int(widths.argmax())
        if widths[widest] > best + SAME_MM:
            best, at, span = float(widths[widest]), float(s), (t[2 * widest], t[2 * widest + 1])
    across = np.array([(origin + at * axis + t * cross) / spacing for t in span])
    return best, across


def _contour(part: Plane) -> tuple[Points, Points]:
    """The rim as pieces, from and to (column, row): through the points half way between set and unset voxels.

    `part` has a free border. Voxels that touch by a corner only are kept apart.
    """
    a, b = part[:-1, :-1], part[:-1, 1:]  # of each square of four centres: top left, top right
    d, c = part[1:, :-1], part[1:, 1:]  # bottom left, bottom right
    top, right, bottom, left = a != b, b != c, c != d, d != a
    all_four = top & right & bottom & left
    place = {"top": (0.5, 0.0), "right": (1.0, 0.5), "bottom": (0.5, 1.0), "left": (0.0, 0.5)}
    cuts = {"top": top, "right": right, "bottom": bottom, "left": left}
    starts, stops = [], []

    def piece(where: Plane, one: str, other: str) -> None:
        rows, columns = np.nonzero(where)
        corners = np.column_stack((columns, rows)).astype(np.float64)
        starts.append(corners + place[one])
        stops.append(corners + place[other])

    names = ("top", "right", "bottom", "left")
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            piece(cuts[one] & cuts[other] & ~all_four, one, other)
    piece(all_four & a, "top", "left")
    piece(all_four & a, "right", "bottom")
    piece(all_four & b, "top", "right")
    piece(all_four & b, "bottom", "left")
    return np.vstack(starts), np.vstack(stops)
