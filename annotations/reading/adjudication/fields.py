"""The voxels of one lesion as all its readers drew it, on one grid: merges and comparisons are made of
them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from annotations.measures import consensus, masks
from annotations.measures.agreement.lesions import Lesion
from annotations.measures.agreement.voxels import Grid, Mask, Voxels, on_grid, together
from annotations.measures.consensus import Patterns
from annotations.reading.frames import Frames
from annotations.reading.journal import PlaneOfMark

type FrameName = tuple[str, int]

ABOUT_IT = 1  # voxels around the lesion that STAPLE looks at, too


@dataclass(frozen=True, eq=False)
class Field:
    """`votes` are the readers who say of each voxel whether it belongs to the lesion, in the order of
    letters.

    They are those who segmented it, and those who don't have it at all and so set none. Who only measured it
    abstains. `patterns`, uint32[slices, rows, columns], is cut out of the grid at `corner` and holds, bit by
    bit, who set a voxel: see `measures.consensus`.
    """

    grid: Grid
    votes: tuple[str, ...]
    patterns: Patterns
    corner: tuple[int, int, int]

    @property
    def series(self) -> str:
        return self.grid.name.split("/")[0]

    @property
    def first_frame(self) -> int:
        """The number of the grid's first slice among the frames of its series."""
        return int(self.grid.name.rsplit("/", 1)[1].split("-")[0])

    @property
    def most(self) -> int:
        """How many votes are at least half of them."""
        return (len(self.votes) + 1) // 2

    def of_reader(self, reader: str) -> Mask:
        return self.patterns >> np.uint32(self.votes.index(reader)) & np.uint32(1) == 1

    def at_least(self, count: int) -> Mask:
        return consensus.at_least(self.patterns, count)

    @cached_property
    def staple(self) -> consensus.Staple:
        found = consensus.staple(np.pad(self.patterns, ABOUT_IT), len(self.votes))
        inner = (slice(ABOUT_IT, -ABOUT_IT),) * 3
        return consensus.Staple(found.mask[inner], found.sensitivity, found.specificity)

    # Numbers ------------------------------------------------------------------------------------

    @cached_property
    def voxel_mm3(self) -> NDArray[np.float64] | None:
        """Of the voxels of each slice, float[slices]; None where the images have no millimetres."""
        if not self.grid.is_in_mm:
            return None
        depth = self.grid.thicknesses_mm[self.corner[0] : self.corner[0] + self.patterns.shape[0]]
        return depth * self.grid.row_mm * self.grid.column_mm

    def volume_mm3(self, mask: Mask) -> float | None:
        if self.voxel_mm3 is None:
            return None
        return float(mask.sum(axis=(1, 2)) @ self.voxel_mm3)

    def volumes_by_votes_mm3(self) -> list[float] | None:
        """Of the voxels that at least 1, 2, …, all set."""
        if self.voxel_mm3 is None:
            return None
        votes = np.bitwise_count(self.patterns).reshape(len(self.patterns), -1)
        counts = np.stack([np.bincount(each, minlength=len(self.votes) + 1) for each in votes])
        by_votes = self.voxel_mm3 @ counts
        return np.cumsum(by_votes[::-1])[::-1][1:].tolist()

    def planes(self, mask: Mask, frames: Frames) -> list["Plane"]:
        """The mask as it is kept, a plane for each slice with a voxel in it."""
        names = list(frames.grids)[self.first_frame :]
        found = []
        for at in np.flatnonzero(mask.any(axis=(1, 2))):
            name = names[self.corner[0] + int(at)]
            grid = frames.grids[name]
            whole = np.zeros((grid.rows, grid.columns), dtype=np.bool_)
            top, left = self.corner[1:]
            whole[top : top + mask.shape[1], left : left + mask.shape[2]] = mask[at]
            found.append(Plane(*name, masks.encode(whole), grid.rows, grid.columns))
        return found


@dataclass(frozen=True)
class Plane:
    """One slice of a result: not in any journal yet."""

    sop_instance_uid: str
    frame_number: int
    runs: bytes
    rows: int
    columns: int

    @classmethod
    def of(cls, plane: PlaneOfMark) -> "Plane":
        return cls(plane.sop_instance_uid, plane.frame_number, bytes(plane.runs), plane.rows, plane.columns)


def field_of(lesions: Mapping[str, Lesion], readers: Sequence[str]) -> Field | None:
    """`lesions` by reader, `readers` all in the order of letters. None where nobody drew voxels, or where two
    drew them on images that share no millimetres.

    The grid is that of the series that most drew on, of as many the finer one.
    """
    drawn = {reader: placed for reader, one in lesions.items() if (placed := _placed(one)) is not None}
    if not drawn:
        return None
    grid = _most_used([own for _, own in drawn.values()])
    if any(own.name != grid.name and own.space != grid.space for _, own in drawn.values()):
        return None
    votes = tuple(reader for reader in readers if reader in drawn or reader not in lesions)
    nothing = Voxels.of(np.zeros((0, 0, 0), dtype=np.bool_))
    parts = [on_grid(*drawn[reader], grid) if reader in drawn else nothing for reader in votes]
    boxes, corner = together(parts)
    return Field(grid, votes, consensus.patterns_of(boxes), corner)


def _placed(lesion: Lesion) -> tuple[Voxels, Grid] | None:
    return None if lesion.voxels is None or lesion.grid is None else (lesion.voxels, lesion.grid)


def _most_used(grids: Sequence[Grid]) -> Grid:
    used: dict[str, list[Grid]] = {}
    for grid in grids:
        used.setdefault(grid.name, []).append(grid)
    return max(used.values(), key=lambda same: (len(same), -float(np.prod(same[0].spacing_mm))))[0]
