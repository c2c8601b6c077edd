"""One mask from those of several readers: any, all, at least so many of them, or STAPLE's estimate.

What the readers say of a voxel is one number, its pattern: bit 0 is set where the first reader set the voxel,
bit 1 for the second, and so on. Everything follows from how often each pattern occurs, so that STAPLE takes
no longer for a liver than for a nodule.

STAPLE: Warfield, Zou, Wells: Simultaneous truth and performance level estimation, IEEE TMI 23 (2004), without
a spatial prior. Its result depends on the field that is looked at; here that is the array that is passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Volume = NDArray[np.bool_]
type Patterns = NDArray[np.uint32]

VOTERS_MAX = 32
_FIRST_GUESS = 0.99999  # of sensitivity and specificity, before anything is known
_TABLE_VOTERS_MAX = 20
_ROUNDS_MAX = 10_000
_SETTLED = 1e-12  # when no estimate moves by more, it is done


@dataclass(frozen=True)
class Staple:
    """STAPLE's estimate of the truth, and of each reader against it.

    `mask` is bool in the shape of the patterns: where the truth is set with a probability of at least a half.
    `sensitivity` and `specificity` are in the order of the voters.
    """

    mask: Volume
    sensitivity: tuple[float, ...]
    specificity: tuple[float, ...]


def patterns_of(masks: Sequence[Volume]) -> Patterns:
    """What each reader says of each voxel; masks of one shape. Raises ValueError for none or over 32."""
    if not 0 < len(masks) <= VOTERS_MAX:
        raise ValueError(f"One to {VOTERS_MAX} masks make a consensus, not {len(masks)}.")
    patterns = np.zeros(masks[0].shape, dtype=np.uint32)
    for voter, mask in enumerate(masks):
        patterns |= mask.astype(np.uint32) << np.uint32(voter)
    return patterns


def at_least(patterns: Patterns, count: int) -> Volume:
    """Where at least so many readers set the voxel: 1 is the union, all of them the intersection."""
    return np.bitwise_count(patterns) >= count


def majority_of(voters: int) -> int:
    """How many are more than half."""
    return voters // 2 + 1


def voxels_by_votes(patterns: Patterns, voters: int) -> NDArray[np.int64]:
    """How many voxels were set by exactly 0, 1, …, all readers: int[voters + 1]."""
    return np.bincount(np.bitwise_count(patterns).ravel(), minlength=voters + 1)


def staple(patterns: Patterns, voters: int) -> Staple:
    """The truth that makes what the readers drew most likely, by expectation and maximisation.

    The prior of a voxel is the mean share of voxels that readers set. A reader of whom nothing can be told
    (no voxel is in the truth, or none outside) keeps 1.
    """
    kinds, counts = _counted(patterns, voters)
    said = (kinds[:, None] >> np.arange(voters, dtype=np.uint32)) & 1 == 1  # bool[kinds, voters]
    prior = float(counts @ said.sum(axis=1)) / (counts.sum() * voters)
    sensitivity = np.full(voters, _FIRST_GUESS)
    specificity = np.full(voters, _FIRST_GUESS)
    weights = _probability(said, prior, sensitivity, specificity)
    for _ in range(_ROUNDS_MAX):
        inside, outside = counts * weights, counts * (1 - weights)
        before = np.concatenate((sensitivity, specificity))
        sensitivity = _share(inside @ said, inside.sum())
        specificity = _share(outside @ ~said, outside.sum())
        weights = _probability(said, prior, sensitivity, specificity)
        if np.abs(np.concatenate((sensitivity, specificity)) - before).max() < _SETTLED:
            break
    mask = np.isin(patterns, kinds[weights >= 0.5], kind="table" if voters <= _TABLE_VOTERS_MAX else None)
    return Staple(mask, tuple(sensitivity.tolist()), tuple(specificity.tolist()))


def _counted(patterns: Patterns, voters: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Which patterns occur, and how often; counted in a table while that is small, as sorting takes
    longer."""
    if voters > _TABLE_VOTERS_MAX:
        return np.unique(patterns, return_counts=True)
    counts = np.bincount(patterns.ravel(), minlength=1 << voters)
    kinds = np.flatnonzero(counts)
    return kinds.astype(np.uint32), counts[kinds]


def _probability(
    said: NDArray[np.bool_],
    prior: float,
    sensitivity: NDArray[np.float64],
    specificity: NDArray[np.float64],
) -> NDArray[np.float64]:
    """That the truth is set, for each kind of voxel. In logarithms: many readers would leave no digits."""
    if prior in (0.0, 1.0):
        return np.full(len(said), prior)
    with np.errstate(divide="ignore"):
        set_there = np.where(said, np.log(sensitivity), np.log1p(-sensitivity)).sum(axis=1)
        set_not = np.where(said, np.log1p(-specificity), np.log(specificity)).sum(axis=1)
    ratio = np.log(1 - prior) - np.log(prior) + _difference(set_not, set_there)
    return 1 / (1 + np.exp(np.clip(ratio, -700, 700)))


def _difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of two sums of logarithms; where both are impossible, neither is likelier."""
    both = np.isneginf(first) & np.isneginf(second)
    return np.where(both, 0.0, np.where(both, 0.0, first) - np.where(both, 0.0, second))


def _share(part: NDArray[np.float64], whole: float) -> NDArray[np.float64]:
    return np.ones_like(part) if whole <= 0 else np.clip(part / whole, 0.0, 1.0)
