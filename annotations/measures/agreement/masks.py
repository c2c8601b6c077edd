"""Two masks of one grid: Dice, surface Dice, HD95, volumes.

A mask is bool[slices, rows, columns], a spacing the distance in mm between slices, rows and columns. Surface
voxels are set voxels with a face on one that isn't set, or on the rim of the image; distances run between
their centres. Both empty: the readers agree that nothing is there. That is no number, and counted apart.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from annotations.measures.agreement.voxels import Grid, Mask, Points, Voxels, bounds, together

PERCENTILE = 95
LEAF = 64  # points in a leaf of the tree: measured to be the fastest for surfaces far apart
THREADS_FROM = 5_000  # points to look up: fewer are done before threads have started


@dataclass(frozen=True)
class Overlap:
    """`dice` is None where both are empty. Counts are voxels."""

    dice: float | None
    first: int
    second: int
    both: int

    @property
    def both_empty(self) -> bool:
        return not self.first and not self.second

    @property
    def share_of_smaller(self) -> float:
        """How much of the smaller mask lies in the other; 0 where one is empty."""
        smaller = min(self.first, self.second)
        return self.both / smaller if smaller else 0.0


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """From each surface voxel of one mask to the nearest of the other, in mm: float[n] and float[m]."""

    first_to_second: Points
    second_to_first: Points


class MaskPair:
    """Two masks of one grid, cut out to the box that holds both. Raises ValueError for different shapes."""

    def __init__(self, first: Mask, second: Mask, spacing_mm: tuple[float, float, float]) -> None:
        if first.shape != second.shape or first.ndim != 3:
            raise ValueError(f"Masks of {first.shape} and {second.shape} voxels have no common grid.")
        self.spacing_mm = spacing_mm
        boxes = [box for box in (bounds(first), bounds(second)) if box is not None]
        where = tuple(
            slice(min(one.start for one in axis), max(one.stop for one in axis))
            for axis in zip(*boxes, strict=True)
        )
        self.first = first[where] if boxes else first[:0, :0, :0]
        self.second = second[where] if boxes else second[:0, :0, :0]

    @classmethod
    def of(cls, first: Voxels, second: Voxels, grid: Grid) -> "MaskPair":
        """Of two marks on one grid."""
        (one, other), _corner = together((first, second))
        return cls(one, other, grid.spacing_mm)

    @cached_property
    def overlap(self) -> Overlap:
        first, second = int(np.count_nonzero(self.first)), int(np.count_nonzero(self.second))
        both = int(np.count_nonzero(self.first & self.second))
        return Overlap(2 * both / (first + second) if first + second else None, first, second, both)

    @property
    def volumes_mm3(self) -> tuple[float, float]:
        voxel_mm3 = float(np.prod(self.spacing_mm))
        return self.overlap.first * voxel_mm3, self.overlap.second * voxel_mm3

    @cached_property
    def distances(self) -> SurfaceDistances | None:
        """None where a mask is empty: then there is nothing to measure to."""
        if not self.overlap.first or not self.overlap.second:
            return None
        return _distances(surface(self.first), surface(self.second), self.spacing_mm)

    def surface_dice(self, tolerance_mm: float) -> float | None:
        """The share of both surfaces that lies within the tolerance of the other; None where both are empty,
        0 where one is."""
        if self.overlap.both_empty:
            return None
        if self.distances is None:
            return 0.0
        near = [
            int(np.count_nonzero(way <= tolerance_mm))
            for way in (self.distances.first_to_second, self.distances.second_to_first)
        ]
        return sum(near) / (self.distances.first_to_second.size + self.distances.second_to_first.size)

    @property
    def hd95_mm(self) -> float | None:
        """The larger of the two directed 95th percentiles; None where a mask is empty."""
        if self.distances is None:
            return None
        return max(
            percentile_95(self.distances.first_to_second), percentile_95(self.distances.second_to_first)
        )


def overlap(first: Mask, second: Mask) -> Overlap:
    return MaskPair(first, second, (1.0, 1.0, 1.0)).overlap


def surface_dice(
    first: Mask, second: Mask, spacing_mm: tuple[float, float, float], tolerance_mm: float
) -> float | None:
    return MaskPair(first, second, spacing_mm).surface_dice(tolerance_mm)


def hd95_mm(first: Mask, second: Mask, spacing_mm: tuple[float, float, float]) -> float | None:
    return MaskPair(first, second, spacing_mm).hd95_mm


def surface(mask: Mask) -> Mask:
    """The set voxels with a face on an unset one, or on the rim of the box."""
    inner = np.zeros_like(mask)
    if min(mask.shape) > 2:
        core = (slice(1, -1),) * 3
        within = mask[core].copy()
        for axis in range(3):
            for side in (slice(None, -2), slice(2, None)):
                where = [slice(1, -1)] * 3
                where[axis] = side
                within &= mask[tuple(where)]
        inner[core] = within
    return mask & ~inner


def percentile_95(distances_mm: Points) -> float:
    """With linear interpolation between the two nearest ranks."""
    return float(np.percentile(distances_mm, PERCENTILE))


def _distances(first: Mask, second: Mask, spacing_mm: tuple[float, float, float]) -> SurfaceDistances:
    """Voxels that are on both surfaces are 0 from each other; only the others are looked up."""
    found: list[NDArray[np.float64]] = []
    for here, there in ((first, second), (second, first)):
        shared = int(np.count_nonzero(here & there))
        apart = np.argwhere(here & ~there) * np.array(spacing_mm)
        away = np.zeros(shared + len(apart))
        if len(apart):
            tree = KDTree(np.argwhere(there) * np.array(spacing_mm), leafsize=LEAF)
            away[shared:] = tree.query(apart, workers=-1 if len(apart) >= THREADS_FROM else 1)[0]
        found.append(away)
    return SurfaceDistances(found[0], found[1])
