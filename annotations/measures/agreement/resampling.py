"""Bootstrap intervals over subjects, for many values at once.

The same draws as `bootstrap.interval` with the same seed, so the same intervals; but a subject that is drawn
twice is a weight of two, and a statistic is worked out for all values of a draw in one pass.
"""

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.measures.agreement.bootstrap import DRAWS, LEVEL, SEED, SUBJECTS_LEAST, Interval
from annotations.measures.agreement.raters import Level

_UNDEFINED_MOST = 0.1
type Floats = NDArray[np.float64]


class Draws:
    """Subjects drawn with replacement. `subjects` names the subject of each value, in the values' order."""

    def __init__(self, subjects: Sequence[Hashable], *, seed: int = SEED, draws: int = DRAWS) -> None:
        names = sorted(set(subjects), key=str)
        at = {name: place for place, name in enumerate(names)}
        self.count = len(names)
        self.place = np.array([at[subject] for subject in subjects], dtype=np.intp)
        self._seed, self._draws = seed, draws

    def interval(self, statistic: Callable[[Floats], float | None]) -> Interval | None:
        """Of a statistic that takes the weight of each value; None under 5 subjects, or where more than a
        tenth of the draws have no value."""
        if self.count < SUBJECTS_LEAST:
            return None
        random = np.random.default_rng(self._seed)
        found = []
        for _ in range(self._draws):
            drawn = random.integers(0, self.count, self.count)
            weights = np.bincount(drawn, minlength=self.count).astype(np.float64)[self.place]
            number = statistic(weights)
            if number is not None and np.isfinite(number):
                found.append(number)
        if len(found) < self._draws * (1 - _UNDEFINED_MOST):
            return None
        low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(low), float(high)


def median_interval(
    values: ArrayLike, subjects: Sequence[Hashable], *, seed: int = SEED, draws: int = DRAWS
) -> Interval | None:
    """Of the median of all values, float[n]."""
    numbers = np.asarray(values, dtype=np.float64)
    order = np.argsort(numbers, kind="stable")
    numbers = numbers[order]

    def median(weights: Floats) -> float | None:
        upto = np.cumsum(weights[order])
        total = upto[-1]
        if total == 0:
            return None
        # The two in the middle; of an odd number they are the same.
        low, high = np.searchsorted(upto, [(total - 1) // 2, total // 2], side="right")
        return float(numbers[low] + numbers[high]) / 2

    return Draws(subjects, seed=seed, draws=draws).interval(median)


def ratio_interval(
    above: ArrayLike,
    below: ArrayLike,
    subjects: Sequence[Hashable],
    *,
    seed: int = SEED,
    draws: int = DRAWS,
) -> Interval | None:
    """Of sum(above) / sum(below), both float[n]: a share, a mean (`below` all 1), F1."""
    parts = np.stack([np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)])

    def ratio(weights: Floats) -> float | None:
        top, bottom = parts @ weights
        return float(top / bottom) if bottom > 0 else None

    return Draws(subjects, seed=seed, draws=draws).interval(ratio)


def alpha_and_interval(
    counts: ArrayLike,
    subjects: Sequence[Hashable],
    *,
    level: Level = "nominal",
    seed: int = SEED,
    draws: int = DRAWS,
) -> tuple[float | None, Interval | None]:
    """Krippendorff's alpha and its interval. `counts`: int[units, categories in order], how many raters said
    what of each unit; units with fewer than two ratings don't count. Levels: nominal and ordinal."""
    table = np.asarray(counts, dtype=np.float64)
    rated = table.sum(axis=1) >= 2 if table.size else np.zeros(0, dtype=bool)
    table = table[rated]
    if not table.size:
        return None, None
    categories = table.shape[1]
    share = table / (table.sum(axis=1) - 1)[:, None]
    met = share[:, :, None] * table[:, None, :]
    met[:, np.arange(categories), np.arange(categories)] -= share
    met = met.reshape(len(table), -1)

    def alpha(weights: Floats) -> float | None:
        return _alpha((weights @ met).reshape(categories, categories), level)

    kept = [subject for subject, counted in zip(subjects, rated, strict=True) if counted]
    return alpha(np.ones(len(table))), Draws(kept, seed=seed, draws=draws).interval(alpha)


def _alpha(met: Floats, level: Level) -> float | None:
    totals = met.sum(axis=1)
    apart = 1 - np.eye(len(totals))
    if level == "ordinal":
        upto = np.cumsum(totals)
        between = upto[None, :] - upto[:, None] + totals[:, None] - (totals[:, None] + totals[None, :]) / 2
        between = np.triu(between, 1)
        apart = (between + between.T) ** 2
    expected = float(totals @ apart @ totals)
    if expected <= 0:
        return None
    return 1 - (totals.sum() - 1) * float((met * apart).sum()) / expected
