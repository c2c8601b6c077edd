"""All that two readers marked under one label, compared: voxels place by place, lesions one by one.

A place is what has one space of millimetres: a frame of reference, or a series without position. Where two
readers chose different series of one place, the coarser mask is laid on the finer grid. Where what they chose
in a study shares no place at all, nothing can be compared there, and `not_compared` says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from annotations.measures.agreement.lesions import Lesion, Matching, match, pair_of
from annotations.measures.agreement.masks import MaskPair, percentile_95, surface
from annotations.measures.agreement.voxels import Grid, Points, finer, on_grid, union, volume_mm3

TOLERANCE_MM = 2.0
NO_COMMON_PLACE = (
    "In a study the readers marked different series, which share no frame of reference: "
    "what they marked there can't be compared."
)


@dataclass(frozen=True)
class LabelNumbers:
    """`dice`, `surface_dice` are None where neither marked a voxel, or nothing can be compared. `hd95_mm` is
    taken over the places where both did; `hd95_missing` counts those where one did.

    `matching` is by index in the two lists of lesions; what can't be compared is in none of its parts.
    `lesion_hd95_mm` follows its pairs.
    """

    dice: float | None
    surface_dice: float | None
    hd95_mm: float | None
    hd95_missing: int
    first_volume_mm3: float | None
    second_volume_mm3: float | None
    matching: Matching
    lesion_hd95_mm: tuple[float | None, ...]
    series_differ: bool
    not_compared: str
    places: tuple[dict[str, Any], ...]


@dataclass
class _Sums:
    """Over places, what the numbers of a label are made of. Sizes are mm³, voxels where there are none."""

    both: float = 0.0
    sizes: float = 0.0
    surface_near: int = 0
    surface_all: int = 0
    distances_mm: tuple[list[Points], list[Points]] = field(default_factory=lambda: ([], []))
    missing: int = 0


def compare(
    first: Sequence[Lesion], second: Sequence[Lesion], *, tolerance_mm: float = TOLERANCE_MM
) -> LabelNumbers:
    """Two readers on one label. In memory are, beside their lesions, the masks of one place at a time."""
    apart = _studies_without_common_place(first, second)
    here = [[at for at, one in enumerate(lesions) if one.study not in apart] for lesions in (first, second)]
    mine, theirs = _on_common_grids([first[at] for at in here[0]], [second[at] for at in here[1]])
    sums, places = _Sums(), []
    for place in sorted({(one.study, one.compared_at) for one in (*mine, *theirs) if one.grid}):
        chosen = [[one for one in all_ if (one.study, one.compared_at) == place] for all_ in (mine, theirs)]
        places.append(_compare_place(chosen[0], chosen[1], tolerance_mm, sums))
    found = match(mine, theirs)
    hd95 = (sums.distances_mm[0] and sums.distances_mm[1]) or None
    return LabelNumbers(
        dice=2 * sums.both / sums.sizes if sums.sizes else None,
        surface_dice=sums.surface_near / sums.surface_all if sums.surface_all else None,
        hd95_mm=None
        if hd95 is None
        else max(percentile_95(np.concatenate(way)) for way in sums.distances_mm),
        hd95_missing=sums.missing,
        first_volume_mm3=_volume_mm3(first),
        second_volume_mm3=_volume_mm3(second),
        matching=_by_index_in(found, here[0], here[1]),
        lesion_hd95_mm=tuple(_hd95_mm(mine[pair.first], theirs[pair.second]) for pair in found.pairs),
        series_differ=any(
            place["series"][0] != place["series"][1] for place in places if all(place["series"])
        ),
        not_compared=NO_COMMON_PLACE if apart else "",
        places=tuple(places),
    )


def _studies_without_common_place(first: Iterable[Lesion], second: Iterable[Lesion]) -> set[str]:
    """The studies where both marked something, and never in one space."""
    spaces: tuple[dict[str, set[str]], dict[str, set[str]]] = ({}, {})
    for lesions, own in zip((first, second), spaces, strict=True):
        for one in lesions:
            own.setdefault(one.study, set()).add(one.compared_at)
    both = spaces[0].keys() & spaces[1].keys()
    return {study for study in both if not spaces[0][study] & spaces[1][study]}


def _compare_place(
    first: Sequence[Lesion], second: Sequence[Lesion], tolerance_mm: float, sums: _Sums
) -> dict[str, Any]:
    [grid] = {one.grid for one in (*first, *second) if one.grid is not None}
    masks = [union(one.voxels for one in lesions if one.voxels) for lesions in (first, second)]
    pair = MaskPair.of(masks[0], masks[1], grid)
    voxel = float(np.prod(grid.spacing_mm)) if grid.is_in_mm else 1.0
    sums.both += pair.overlap.both * voxel
    sums.sizes += (pair.overlap.first + pair.overlap.second) * voxel
    numbers: dict[str, Any] = {"dice": pair.overlap.dice, "surface_dice": None, "hd95_mm": None}
    if grid.is_in_mm:
        numbers |= _compare_surfaces(pair, tolerance_mm, sums)
    return {"series": [_series(first), _series(second)], **numbers}


def _compare_surfaces(pair: MaskPair, tolerance_mm: float, sums: _Sums) -> dict[str, float | None]:
    distances = pair.distances
    if distances is None:
        sums.missing += 1
        sums.surface_all += sum(int(surface(one).sum()) for one in (pair.first, pair.second))
    else:
        for way, all_ways in zip(
            (distances.first_to_second, distances.second_to_first), sums.distances_mm, strict=True
        ):
            all_ways.append(way)
            sums.surface_near += int(np.count_nonzero(way <= tolerance_mm))
            sums.surface_all += way.size
    return {"surface_dice": pair.surface_dice(tolerance_mm), "hd95_mm": pair.hd95_mm}


def _on_common_grids(first: Sequence[Lesion], second: Sequence[Lesion]) -> tuple[list[Lesion], list[Lesion]]:
    """The same lesions, all those of a place on the finest of its grids."""
    finest: dict[tuple[str, str], Grid] = {}
    for one in (*first, *second):
        if one.grid is not None:
            place = (one.study, one.compared_at)
            finest[place] = finer(finest.get(place, one.grid), one.grid)

    def laid(one: Lesion) -> Lesion:
        if one.voxels is None or one.grid is None:
            return one
        grid = finest[one.study, one.compared_at]
        return replace(one, voxels=on_grid(one.voxels, one.grid, grid), grid=grid)

    return [laid(one) for one in first], [laid(one) for one in second]


def _series(lesions: Iterable[Lesion]) -> str:
    """The series that a reader marked at a place; empty for none, several with commas between."""
    return ",".join(sorted({one.series for one in lesions}))


def _volume_mm3(lesions: Sequence[Lesion]) -> float | None:
    """What lesions overlap counts once. None where no mask lies in millimetres."""
    grids = {one.grid.name: one.grid for one in lesions if one.grid is not None and one.grid.is_in_mm}
    if not grids:
        return None
    total = 0.0
    for name, grid in grids.items():
        own = union(one.voxels for one in lesions if one.voxels and one.grid and one.grid.name == name)
        total += volume_mm3(own, grid) or 0.0
    return total


def _hd95_mm(first: Lesion, second: Lesion) -> float | None:
    both = pair_of(first, second)
    return both[0].hd95_mm if both and both[1].is_in_mm else None


def _by_index_in(found: Matching, first: Sequence[int], second: Sequence[int]) -> Matching:
    """From indices among the lesions that could be compared to those in the whole lists."""
    return Matching(
        tuple(replace(pair, first=first[pair.first], second=second[pair.second]) for pair in found.pairs),
        tuple(first[at] for at in found.only_first),
        tuple(second[at] for at in found.only_second),
    )
