"""Where the voxels of a mark lie: a grid in the patient, and the part of it that a mark fills.

Axes come in the order slice, row, column everywhere, in arrays as in spacings. Positions are patient
millimetres (LPS).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

type Mask = NDArray[np.bool_]
type Points = NDArray[np.float64]

ALONG = 1e-3  # by what the cosine of two directions may fall short of 1 where they count as the same


@dataclass(frozen=True, eq=False)
class Grid:
    """The voxels of one stack of frames, in display order.

    Grids of one `name` have the same voxels; those of one `space` (a frame of reference) the same
    millimetres. `origins_mm`, float[slices, 3], holds the centre of each frame's first voxel; `along_row` and
    `along_column` are unit vectors: where columns grow, and where rows grow. `row_mm` lies between two rows,
    `column_mm` between two columns. Without `is_in_mm` the images say no spacing: all is in pixels then.
    """

    name: str
    space: str
    rows: int
    columns: int
    origins_mm: Points
    along_row: Points
    along_column: Points
    row_mm: float
    column_mm: float
    is_in_mm: bool = True

    @property
    def normal(self) -> Points:
        normal = np.cross(self.along_row, self.along_column)
        return normal / np.linalg.norm(normal)

    @cached_property
    def positions_mm(self) -> Points:
        """Of each slice along the normal, float[slices]."""
        return self.origins_mm @ self.normal

    @cached_property
    def slice_mm(self) -> float:
        """The usual distance between neighbouring slices; 1 where there is only one."""
        steps = np.abs(np.diff(self.positions_mm))
        return float(np.median(steps)) if steps.size and np.median(steps) > 0 else 1.0

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Between slices, between rows, between columns."""
        return self.slice_mm, self.row_mm, self.column_mm

    @cached_property
    def thicknesses_mm(self) -> Points:
        """How much of the body each slice stands for: half the way to either neighbour, float[slices]."""
        steps = np.abs(np.diff(self.positions_mm))
        if not steps.size:
            return np.array([self.slice_mm])
        return (np.concatenate((steps[:1], steps)) + np.concatenate((steps, steps[-1:]))) / 2

    def centres_mm(self, indices: NDArray[np.integer]) -> Points:
        """int[n, 3] of (slice, row, column) to patient mm, float[n, 3]."""
        at = np.asarray(indices)
        return (
            self.origins_mm[at[:, 0]]
            + at[:, 1:2] * self.row_mm * self.along_column
            + at[:, 2:3] * self.column_mm * self.along_row
        )

    def nearest(self, points_mm: Points) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The voxels that hold these points, int[n, 3], and which points lie in the grid at all, bool[n]."""
        depth = points_mm @ self.normal
        order = np.argsort(self.positions_mm, kind="stable")
        sorted_mm = self.positions_mm[order]
        right = np.clip(np.searchsorted(sorted_mm, depth), 1, max(len(order) - 1, 1))
        if len(order) == 1:
            at = np.zeros(len(points_mm), dtype=np.int64)
        else:
            left_nearer = np.abs(depth - sorted_mm[right - 1]) <= np.abs(sorted_mm[right] - depth)
            at = order[np.where(left_nearer, right - 1, right)].astype(np.int64)
        off = points_mm - self.origins_mm[at]
        row = np.rint((off @ self.along_column) / self.row_mm).astype(np.int64)
        column = np.rint((off @ self.along_row) / self.column_mm).astype(np.int64)
        inside = (row >= 0) & (row < self.rows) & (column >= 0) & (column < self.columns)
        inside &= np.abs(off @ self.normal) <= self.thicknesses_mm[at] / 2 + 1e-6
        return np.column_stack((at, row, column)), inside


@dataclass(frozen=True, eq=False)
class Voxels:
    """The set voxels of a mark: `mask`, bool[slices, rows, columns], cut out of its grid at `corner`."""

    corner: tuple[int, int, int]
    mask: Mask

    @property
    def count(self) -> int:
        return int(np.count_nonzero(self.mask))

    @property
    def end(self) -> tuple[int, int, int]:
        """One past the last slice, row and column."""
        first, second, third = (c + n for c, n in zip(self.corner, self.mask.shape, strict=True))
        return first, second, third

    @property
    def indices(self) -> NDArray[np.int64]:
        """(slice, row, column) of each set voxel on the grid, int[n, 3]."""
        return np.argwhere(self.mask) + np.array(self.corner)

    def holds(self, index: Sequence[int]) -> bool:
        """Whether the voxel (slice, row, column) of the grid is set."""
        at = tuple(int(i) - c for i, c in zip(index, self.corner, strict=True))
        inside = all(0 <= i < n for i, n in zip(at, self.mask.shape, strict=True))
        return inside and bool(self.mask[at])

    @classmethod
    def of(cls, mask: Mask, corner: tuple[int, int, int] = (0, 0, 0)) -> "Voxels":
        """Cut out to what is set; an empty mask becomes one of no voxel."""
        where = bounds(mask)
        if where is None:
            return cls(corner, np.zeros((0, 0, 0), dtype=np.bool_))
        first = tuple(c + part.start for c, part in zip(corner, where, strict=True))
        return cls((first[0], first[1], first[2]), np.ascontiguousarray(mask[where]))

    @classmethod
    def of_indices(cls, indices: NDArray[np.integer]) -> "Voxels":
        """From (slice, row, column) of each voxel, int[n, 3]."""
        if not len(indices):
            return cls((0, 0, 0), np.zeros((0, 0, 0), dtype=np.bool_))
        low, high = indices.min(axis=0), indices.max(axis=0)
        mask = np.zeros(tuple(high - low + 1), dtype=np.bool_)
        mask[tuple((indices - low).T)] = True
        return cls((int(low[0]), int(low[1]), int(low[2])), mask)


def bounds(mask: Mask) -> tuple[slice, slice, slice] | None:
    """The smallest box that holds all set voxels; None where none is set."""
    in_slice = mask.any(axis=(1, 2))
    slices = np.flatnonzero(in_slice)
    if not slices.size:
        return None
    low, high = int(slices[0]), int(slices[-1]) + 1
    plane = mask[low:high].any(axis=0)
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    return (
        slice(low, high),
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )


def together(parts: Iterable[Voxels]) -> tuple[list[Mask], tuple[int, int, int]]:
    """Marks of one grid in one box that holds them all: bool[slices, rows, columns] each, and its corner."""
    parts = list(parts)
    filled = [part for part in parts if part.mask.size]
    if not filled:
        return [np.zeros((0, 0, 0), dtype=np.bool_) for _ in parts], (0, 0, 0)
    low = np.min([part.corner for part in filled], axis=0)
    high = np.max([part.end for part in filled], axis=0)
    found = []
    for part in parts:
        box: Mask = np.zeros(tuple(high - low), dtype=np.bool_)
        if part.mask.size:
            at = np.array(part.corner) - low
            box[tuple(slice(a, a + n) for a, n in zip(at, part.mask.shape, strict=True))] = part.mask
        found.append(box)
    return found, (int(low[0]), int(low[1]), int(low[2]))


def union(parts: Iterable[Voxels]) -> Voxels:
    """All voxels that any of these marks of one grid sets."""
    parts = [part for part in parts if part.mask.size]
    if len(parts) == 1:
        return parts[0]
    boxes, corner = together(parts)
    return Voxels(corner, np.logical_or.reduce(boxes)) if boxes else Voxels.of(np.zeros((0, 0, 0), np.bool_))


def volume_mm3(voxels: Voxels, grid: Grid) -> float | None:
    """Each slice with the thickness that it stands for; None where the images say no millimetres."""
    if not grid.is_in_mm:
        return None
    counts = voxels.mask.sum(axis=(1, 2))
    thicknesses = grid.thicknesses_mm[voxels.corner[0] : voxels.corner[0] + len(counts)]
    return float(counts @ thicknesses) * grid.row_mm * grid.column_mm


def on_grid(voxels: Voxels, grid: Grid, target: Grid) -> Voxels:
    """A mark on the grid of another series of the same space: of each voxel there, the nearest here.

    Where the target is coarser, thin parts can be lost; so compare on the finer of two grids.
    """
    if grid.name == target.name or not voxels.count:
        return voxels
    if grid.space != target.space:
        raise ValueError("Marks of different spaces can't be laid on one grid.")
    corners = _corners_mm(voxels, grid)
    depth = corners @ target.normal
    near = (target.positions_mm >= depth.min() - target.slice_mm) & (
        target.positions_mm <= depth.max() + target.slice_mm
    )
    take = _taken_straight if _is_parallel(grid, target) else _taken
    found = []
    for at in np.flatnonzero(near).tolist():  # slice by slice: bounded memory
        off = corners - target.origins_mm[at]
        rows = _within(off @ target.along_column / target.row_mm, target.rows)
        columns = _within(off @ target.along_row / target.column_mm, target.columns)
        plane = take(voxels, grid, target, at, rows, columns)
        inside = np.argwhere(plane)
        corner = np.array([rows.start, columns.start])
        found.append(np.column_stack((np.full(len(inside), at), inside + corner)))
    return Voxels.of_indices(np.concatenate(found) if found else np.zeros((0, 3), dtype=np.int64))


def _corners_mm(voxels: Voxels, grid: Grid) -> Points:
    """Of the box of a mark, half a voxel outward, float[8, 3]."""
    first, last = voxels.corner[0], voxels.end[0] - 1
    found = []
    for at, side in ((first, -1), (first, 1), (last, -1), (last, 1)):
        middle = grid.origins_mm[at] + side * grid.thicknesses_mm[at] / 2 * grid.normal
        for row in (voxels.corner[1] - 0.5, voxels.end[1] - 0.5):
            for column in (voxels.corner[2] - 0.5, voxels.end[2] - 0.5):
                across = column * grid.column_mm * grid.along_row
                found.append(middle + row * grid.row_mm * grid.along_column + across)
    return np.array(found)


def _within(places: Points, count: int) -> range:
    """The indices of 0 to count that lie between the outermost of these."""
    return range(max(0, int(np.floor(places.min()))), min(count, int(np.ceil(places.max())) + 1))


def _is_parallel(grid: Grid, target: Grid) -> bool:
    """Whether rows run along rows and columns along columns, forwards or backwards."""
    return all(
        abs(float(one @ other)) > 1 - ALONG**2
        for one, other in ((grid.along_row, target.along_row), (grid.along_column, target.along_column))
    )


def _taken_straight(
    voxels: Voxels, grid: Grid, target: Grid, at: int, rows: range, columns: range
) -> NDArray[np.bool_]:
    """What `_taken` gives, where every row of the target lies along one row here."""
    plane = np.zeros((len(rows), len(columns)), dtype=np.bool_)
    depth = float(target.origins_mm[at] @ grid.normal)
    here = int(np.abs(grid.positions_mm - depth).argmin())
    local = here - voxels.corner[0]
    reaches = abs(float(grid.positions_mm[here]) - depth) <= grid.thicknesses_mm[here] / 2 + 1e-6
    if not reaches or not 0 <= local < voxels.mask.shape[0]:
        return plane
    off = target.origins_mm[at] - grid.origins_mm[here]
    taken, kept = [], []
    for axis, indices, step_mm, direction, own_mm, own in (
        (1, rows, target.row_mm, target.along_column, grid.row_mm, grid.along_column),
        (2, columns, target.column_mm, target.along_row, grid.column_mm, grid.along_row),
    ):
        places = (off @ own + np.array(indices) * step_mm * float(direction @ own)) / own_mm
        from_corner = np.rint(places).astype(np.int64) - voxels.corner[axis]
        valid = (from_corner >= 0) & (from_corner < voxels.mask.shape[axis])
        taken.append(from_corner[valid])
        kept.append(valid)
    plane[np.ix_(*kept)] = voxels.mask[local][np.ix_(*taken)]
    return plane


def _taken(
    voxels: Voxels, grid: Grid, target: Grid, at: int, rows: range, columns: range
) -> NDArray[np.bool_]:
    """Of each voxel of one slice of the target, whether the nearest here is set, bool[rows, columns]."""
    indices = np.stack(np.meshgrid([at], rows, columns, indexing="ij"), axis=-1).reshape(-1, 3)
    here, inside = grid.nearest(target.centres_mm(indices))
    local = here - np.array(voxels.corner)
    inside &= ((local >= 0) & (local < np.array(voxels.mask.shape))).all(axis=1)
    plane = np.zeros(len(indices), dtype=np.bool_)
    plane[inside] = voxels.mask[tuple(local[inside].T)]
    return plane.reshape(len(rows), len(columns))


def finer(first: Grid, second: Grid) -> Grid:
    """The grid with the smaller voxels; the first where they are as large."""
    return second if np.prod(second.spacing_mm) < np.prod(first.spacing_mm) * (1 - 1e-9) else first
