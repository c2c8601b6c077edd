"""Agreement of raters on categories and on numbers.

Every function gives None where its number isn't defined: too few subjects, or nothing that varies. A subject
is a case, a lesion or a question, whatever is rated.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Weights = Literal["none", "linear", "quadratic"]
type Level = Literal["nominal", "ordinal", "interval", "ratio"]

LIMITS = 1.96  # standard deviations on either side of the bias hold 95 of 100 differences


def cohen_kappa(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    *,
    categories: Sequence[Hashable],
    weights: Weights = "none",
) -> float | None:
    """Of two raters on the same subjects. `categories` are in their order, which weights depend on.

    None where both always give one and the same category. Raises ValueError for lists of different length
    and for a rating that is no category.
    """
    order = {category: at for at, category in enumerate(categories)}
    if len(first) != len(second):
        raise ValueError("Two raters rate the same subjects.")
    unknown = (set(first) | set(second)) - set(order)
    if unknown:
        raise ValueError(f"These are no categories: {sorted(map(str, unknown))}.")
    if not first:
        return None
    table = np.zeros((len(order), len(order)))
    for one, other in zip(first, second, strict=True):
        table[order[one], order[other]] += 1
    table /= len(first)
    apart = np.abs(np.subtract.outer(np.arange(len(order)), np.arange(len(order)))).astype(np.float64)
    penalty = {"none": (apart > 0).astype(np.float64), "linear": apart, "quadratic": apart**2}[weights]
    expected = float((penalty * np.outer(table.sum(axis=1), table.sum(axis=0))).sum())
    return 1 - float((penalty * table).sum()) / expected if expected > 0 else None


def fleiss_kappa(counts: ArrayLike) -> float | None:
    """Of any number of raters, the same for each subject: int[subjects, categories], how many chose what.

    None where all ratings are of one category. Raises ValueError for subjects with other numbers of raters.
    """
    table = np.asarray(counts, dtype=np.float64)
    if not table.size:
        return None
    raters = table.sum(axis=1)
    if table.ndim != 2 or (raters != raters[0]).any():
        raise ValueError("Fleiss' kappa needs the same number of raters for each subject.")
    if raters[0] < 2:
        return None
    observed = ((table**2).sum(axis=1) - raters) / (raters * (raters - 1))
    expected = float(((table.sum(axis=0) / table.sum()) ** 2).sum())
    return (float(observed.mean()) - expected) / (1 - expected) if expected < 1 else None


def krippendorff_alpha(
    ratings: Sequence[Sequence[Hashable | None]],
    *,
    level: Level = "nominal",
    categories: Sequence[Hashable] | None = None,
) -> float | None:
    """Of any number of raters: for each rater, what was said of each subject, None where nothing was.

    `categories` gives the order of an ordinal level; without it values are sorted. Intervals and ratios
    need numbers. A subject with one rating counts for nothing. None where no subject has two ratings, or all
    are the same. Raises ValueError for a rating that is no category.
    """
    said = {value for rater in ratings for value in rater if value is not None}
    order = list(categories) if categories is not None else sorted(said)  # type: ignore[type-var]
    if said - set(order):
        raise ValueError(f"These are no categories: {sorted(map(str, said - set(order)))}.")
    at = {value: index for index, value in enumerate(order)}
    subjects = len(ratings[0]) if ratings else 0
    counts = np.zeros((subjects, len(order)))
    for rater in ratings:
        for subject, value in enumerate(rater):
            if value is not None:
                counts[subject, at[value]] += 1
    counts = counts[counts.sum(axis=1) >= 2]
    if not counts.size:
        return None
    raters = counts.sum(axis=1)
    # How often two ratings of one subject were this and that: the table of coincidences.
    met = (counts / (raters - 1)[:, None]).T @ counts - np.diag((counts / (raters - 1)[:, None]).sum(axis=0))
    totals = met.sum(axis=1)
    apart = _apart(order, totals, level)
    expected = float((np.outer(totals, totals) * apart).sum()) - float((totals * np.diag(apart)).sum())
    if expected <= 0:
        return None
    return 1 - (totals.sum() - 1) * float((met * apart).sum()) / expected


def _apart(order: Sequence[Hashable], totals: NDArray[np.float64], level: Level) -> NDArray[np.float64]:
    """The squared distance between every two categories."""
    if level == "nominal":
        return 1 - np.eye(len(order))
    if level == "ordinal":
        upto = np.cumsum(totals)
        between = upto[None, :] - upto[:, None] + totals[:, None]  # from one to the other, both counted
        between = np.triu(between - (totals[:, None] + totals[None, :]) / 2, 1)
        return (between + between.T) ** 2
    values = np.array(order, dtype=np.float64)
    difference = values[:, None] - values[None, :]
    if level == "interval":
        return difference**2
    total = values[:, None] + values[None, :]
    return np.divide(difference, total, out=np.zeros_like(difference), where=total != 0) ** 2


def icc_2_1(values: ArrayLike) -> float | None:
    """ICC(2,1): two-way random effects, absolute agreement, a single rater. float[subjects, raters].

    Subjects that a rater left out (NaN) don't count. None with fewer than two subjects or raters, or where
    nothing varies.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2:
        return None
    table = table[~np.isnan(table).any(axis=1)]
    n, k = table.shape
    if n < 2 or k < 2:
        return None
    grand = table.mean()
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    between_subjects = k * float(((rows - grand) ** 2).sum()) / (n - 1)
    between_raters = n * float(((columns - grand) ** 2).sum()) / (k - 1)
    rest = table - rows[:, None] - columns[None, :] + grand
    residual = float((rest**2).sum()) / ((n - 1) * (k - 1))
    below = between_subjects + (k - 1) * residual + k * (between_raters - residual) / n
    return (between_subjects - residual) / below if below > 0 else None


@dataclass(frozen=True)
class BlandAltman:
    """Differences second - first, in the unit of the values. `low` and `high` hold 95 of 100 of them; None
    with fewer than two subjects."""

    n: int
    bias: float
    sd: float | None
    low: float | None
    high: float | None


def bland_altman(first: ArrayLike, second: ArrayLike) -> BlandAltman | None:
    """Of two raters' numbers for the same subjects; None without any."""
    away = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    if not away.size:
        return None
    bias = float(away.mean())
    if away.size < 2:
        return BlandAltman(1, bias, None, None, None)
    sd = float(away.std(ddof=1))
    return BlandAltman(int(away.size), bias, sd, bias - LIMITS * sd, bias + LIMITS * sd)
