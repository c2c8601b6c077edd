"""Which lesion of one reader is which of another's, and what follows: F1, false positives, differences.

Lesions are matched by overlap first: the assignment with the largest sum of Dice (Hungarian method). Those
left over are matched by the distance of their centres, where one lies within half the longer diameter of the
other, or within `near_mm`. What then has no partner is unmatched. Those of two time points never match.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from annotations.measures.agreement.masks import MaskPair, Overlap
from annotations.measures.agreement.voxels import Grid, Voxels, finer, on_grid

NEAR_MM = 5.0
OVERLAP_LEAST = 0.1  # of the smaller of two: less is two lesions that touch


@dataclass(frozen=True, eq=False)
class Lesion:
    """One lesion as one reader marked it.

    `identity` is its annotation, `annotations` all that belong to it (a measure inside a segment); `study` is
    the time point, `series` what it was marked on. `voxels` lie on `grid`; both are None for a lesion of
    measures only. `centroid_mm` is in patient mm of `space`: a frame of reference, or for images without
    position one image, and then (column, row, 0). `place` is that frame of reference, or the whole series
    without position. `volume_mm3` and `longest_mm` are None where the images don't give them. `category` is
    the mark's state, `answers` what was answered about it by question.
    """

    identity: str
    series: str
    space: str
    centroid_mm: tuple[float, float, float]
    voxels: Voxels | None = None
    grid: Grid | None = None
    volume_mm3: float | None = None
    longest_mm: float | None = None
    category: str = "present"
    answers: Mapping[str, Any] = field(default_factory=dict)
    annotations: tuple[str, ...] = ()
    short_mm: float | None = None
    study: str = ""

    place: str = ""

    @property
    def compared_at(self) -> str:
        """What must be the same for two lesions to be compared at all; see `agreement.labels`."""
        return self.place or self.space


@dataclass(frozen=True)
class Pair:
    """Two lesions that are one; `overlap` is None where they weren't compared by voxel: measures, other
    frames of reference, or boxes that lie apart."""

    first: int
    second: int
    overlap: Overlap | None
    apart_mm: float


@dataclass(frozen=True)
class Matching:
    """By index in the lists that were matched."""

    pairs: tuple[Pair, ...]
    only_first: tuple[int, ...]
    only_second: tuple[int, ...]

    @property
    def f1(self) -> float | None:
        """2 matched / (lesions of both); None where neither has any."""
        total = 2 * len(self.pairs) + len(self.only_first) + len(self.only_second)
        return 2 * len(self.pairs) / total if total else None


@dataclass(frozen=True)
class Group:
    """One lesion through all readers: of each read, in order, its lesion's index; None where it has none."""

    members: tuple[int | None, ...]

    @property
    def count(self) -> int:
        return sum(member is not None for member in self.members)


def pair_of(first: Lesion, second: Lesion) -> tuple[MaskPair, Grid] | None:
    """Both lesions' voxels on one grid, the finer where they lie on different series; None where that can't
    be: one has no voxels, or they share no frame of reference."""
    if first.voxels is None or second.voxels is None or first.grid is None or second.grid is None:
        return None
    if first.grid.name == second.grid.name:
        return MaskPair.of(first.voxels, second.voxels, first.grid), first.grid
    if first.grid.space != second.grid.space:
        return None
    grid = finer(first.grid, second.grid)
    voxels = [on_grid(one.voxels, one.grid, grid) for one in (first, second) if one.voxels and one.grid]
    return MaskPair.of(voxels[0], voxels[1], grid), grid


def overlap_of(first: Lesion, second: Lesion) -> Overlap | None:
    """None where they can't be compared by voxel; see `pair_of`."""
    if _lie_apart(first, second):
        return None
    both = pair_of(first, second)
    return both[0].overlap if both else None


def match(first: Sequence[Lesion], second: Sequence[Lesion], *, near_mm: float = NEAR_MM) -> Matching:
    """The lesions of two readers, of one label."""
    dice = np.zeros((len(first), len(second)))
    overlaps: dict[tuple[int, int], Overlap | None] = {}
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            found = overlap_of(one, other) if one.study == other.study else None
            overlaps[i, j] = found
            if found is not None and found.dice and found.share_of_smaller >= OVERLAP_LEAST:
                dice[i, j] = found.dice
    chosen = [(i, j) for i, j in zip(*linear_sum_assignment(-dice), strict=True) if dice[i, j] > 0]
    taken_first, taken_second = {i for i, _ in chosen}, {j for _, j in chosen}
    rows = [i for i in range(len(first)) if i not in taken_first]
    columns = [j for j in range(len(second)) if j not in taken_second]
    chosen += _nearest(first, second, rows, columns, near_mm)
    pairs = tuple(
        Pair(int(i), int(j), overlaps[i, j], _apart(first[i], second[j])) for i, j in sorted(chosen)
    )
    matched_first, matched_second = {p.first for p in pairs}, {p.second for p in pairs}
    return Matching(
        pairs,
        tuple(i for i in range(len(first)) if i not in matched_first),
        tuple(j for j in range(len(second)) if j not in matched_second),
    )


def match_many(reads: Sequence[Sequence[Lesion]], *, near_mm: float = NEAR_MM) -> list[Group]:
    """The lesions of all readers as groups, each with one lesion of a reader at most.

    Every two readers are matched; the strongest pairs join first, and none joins two lesions of one reader.
    Groups come in the order in which the readers, one after another, name their lesions.
    """
    edges = []
    for one, other in combinations(range(len(reads)), 2):
        for pair in match(reads[one], reads[other], near_mm=near_mm).pairs:
            dice = (pair.overlap.dice if pair.overlap else 0.0) or 0.0
            edges.append((-dice, pair.apart_mm, (one, pair.first), (other, pair.second)))
    groups = {(at, index): {at: index} for at, read in enumerate(reads) for index in range(len(read))}
    for _dice, _apart_mm, one_key, other_key in sorted(edges):
        mine, theirs = groups[one_key], groups[other_key]
        if mine is theirs or mine.keys() & theirs.keys():
            continue
        mine |= theirs
        for member in theirs.items():
            groups[member] = mine
    seen: set[int] = set()
    found = []
    for group in groups.values():
        if id(group) not in seen:
            seen.add(id(group))
            found.append(Group(tuple(group.get(at) for at in range(len(reads)))))
    return found


def centre_mm(points_mm: ArrayLike) -> tuple[float, float, float]:
    """The mean of points, float[n, 3]."""
    mean = np.asarray(points_mm, dtype=np.float64).mean(axis=0)
    return float(mean[0]), float(mean[1]), float(mean[2])


def _lie_apart(first: Lesion, second: Lesion) -> bool:
    """Whether the boxes of two masks on one grid don't touch: so it is for most pairs of many lesions."""
    if first.voxels is None or second.voxels is None or first.grid is None or second.grid is None:
        return False
    if first.grid.name != second.grid.name:
        return False
    low = np.maximum(first.voxels.corner, second.voxels.corner)
    return not bool((low < np.minimum(first.voxels.end, second.voxels.end)).all())


def _apart(first: Lesion, second: Lesion) -> float:
    return float(np.linalg.norm(np.subtract(first.centroid_mm, second.centroid_mm)))


def _nearest(
    first: Sequence[Lesion], second: Sequence[Lesion], rows: list[int], columns: list[int], near_mm: float
) -> list[tuple[int, int]]:
    """As many as can be matched within reach, and of all ways to do so the one with the shortest sum."""
    if not rows or not columns:
        return []
    far = 1e9
    costs = np.full((len(rows), len(columns)), far)
    for a, i in enumerate(rows):
        for b, j in enumerate(columns):
            if (first[i].study, first[i].space) == (second[j].study, second[j].space):
                reach = max(near_mm, (first[i].longest_mm or 0) / 2, (second[j].longest_mm or 0) / 2)
                apart = _apart(first[i], second[j])
                if apart <= reach:
                    costs[a, b] = apart
    chosen = zip(*linear_sum_assignment(costs), strict=True)
    return [(rows[a], columns[b]) for a, b in chosen if costs[a, b] < far]
