"""Counts for bars: numbers into bins, and small groups of people joined with others.

Cards are shown to people who don't have the data. So no bar about persons counts fewer than `FEWEST`: of an
ordered scale it is joined with its neighbours, of names with the other rare ones. All that is counted stays
in the sum, so no bar can be told by subtraction.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise

FEWEST = 5
OTHER = "other"
NAMED_MOST = 3

type Rows = list[tuple[str, int]]


class Histogram:
    """Counts numbers by lower bounds, ascending; what lies under the first counts in a bin of its own."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = list(bounds)
        self.counts = [0] * (len(bounds) + 1)

    def add(self, value: float) -> None:
        self.counts[bisect_right(self.bounds, value)] += 1

    @property
    def n(self) -> int:
        return sum(self.counts)

    def bins(self) -> list[tuple[float | None, float | None, int]]:
        """(from, below, how many), from the first that counts anything to the last."""
        edges: list[float | None] = [None, *self.bounds, None]
        found = [(low, high, n) for (low, high), n in zip(pairwise(edges), self.counts, strict=True)]
        some = [place for place, (_, _, n) in enumerate(found) if n]
        return found[some[0] : some[-1] + 1] if some else []

    def rows(self) -> Rows:
        """One bar a bin, called by where it begins."""
        return [(_begins(low, high), n) for low, high, n in self.bins()]

    def safe_rows(self) -> Rows:
        """One bar for neighbours that are at least `FEWEST` together; none where all are fewer."""
        joined: list[tuple[float | None, float | None, int]] = []
        for low, high, n in self.bins():
            if joined and joined[-1][2] < FEWEST:
                joined[-1] = (joined[-1][0], high, joined[-1][2] + n)
            else:
                joined.append((low, high, n))
        if len(joined) > 1 and joined[-1][2] < FEWEST:
            _, high, n = joined.pop()
            joined[-1] = (joined[-1][0], high, joined[-1][2] + n)
        return [(_reaches(low, high), n) for low, high, n in joined] if self.n >= FEWEST else []


def _begins(low: float | None, high: float | None) -> str:
    return f"{low:g}" if low is not None else f"<{high:g}"


def _reaches(low: float | None, high: float | None) -> str:
    """Of whole numbers; the upper bound is not in the bin."""
    if low is None:
        return f"<{high:g}" if high is not None else "all"
    if high is None:
        return f"≥{low:g}"
    return f"{low:g}" if high - low == 1 else f"{low:g}–{high - 1:g}"


def rows_of(counts: Mapping[str, int], most: int | None = None) -> Rows:
    """The most frequent first; beyond `most` bars the rare ones are one."""
    rows = sorted(((word, n) for word, n in counts.items() if n), key=lambda row: (-row[1], row[0]))
    if most is None or len(rows) <= most:
        return rows
    return [*rows[: most - 1], (OTHER, sum(n for _, n in rows[most - 1 :]))]


def safe_rows_of(counts: Mapping[str, int]) -> Rows:
    """As `rows_of`; those under `FEWEST` are one, joined by the next rarest where they are too few still. It
    is called by all of them, or “other” where they are many."""
    rows = rows_of(counts)
    often = [row for row in rows if row[1] >= FEWEST]
    rare = rows[len(often) :]
    while often and rare and sum(n for _, n in rare) < FEWEST:
        rare.insert(0, often.pop())
    together = sum(n for _, n in rare)
    if together >= FEWEST:
        often.append((", ".join(word for word, _ in rare) if len(rare) <= NAMED_MOST else OTHER, together))
    return often
