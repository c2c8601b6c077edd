"""How sure a number is: percentile bootstrap over subjects.

Subjects are drawn, not cases or lesions: what comes from one person hangs together. A seed makes the same
data give the same interval every time. `resampling` finds the same intervals faster.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

SUBJECTS_LEAST = 5
DRAWS = 1000
SEED = 20260114
LEVEL = 0.95
_UNDEFINED_MOST = 0.1  # share of draws in which a statistic may have no value

type Interval = tuple[float, float]


def interval[T](
    by_subject: Mapping[Hashable, Sequence[T]],
    statistic: Callable[[list[T]], float | None],
    seed: int = SEED,
    *,
    draws: int = DRAWS,
) -> Interval | None:
    """The 95 % interval of a statistic of all values; None under 5 subjects.

    `statistic` gets the values of the subjects that were drawn, those of a subject drawn twice twice. Draws
    for which it has no value don't count; where that is more than a tenth, there is no interval.
    """
    values = [by_subject[subject] for subject in sorted(by_subject, key=str) if len(by_subject[subject])]
    if len(values) < SUBJECTS_LEAST:
        return None
    random = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        drawn = random.integers(0, len(values), len(values)).tolist()
        number = statistic([value for at in drawn for value in values[at]])
        if number is not None and np.isfinite(number):
            found.append(number)
    return _between(np.array(found)) if len(found) >= draws * (1 - _UNDEFINED_MOST) else None


def _between(numbers: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(numbers, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
