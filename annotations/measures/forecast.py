"""When work will be done if it goes on as it went: the pace of the last weeks, drawn again and again."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 2000
SEED = 20260114
WEEKS_LOOKED_AT = 8
WEEKS_MOST = 520
"""Ten years: what isn't done by then has no date."""
LEVEL = 0.8


@dataclass(frozen=True)
class Forecast:
    """The day on which half of the draws are done, and the days that hold eight of ten."""

    day: datetime.date
    earliest: datetime.date
    latest: datetime.date
    a_week: float


def forecast(done_a_week: Sequence[int], left: int, today: datetime.date) -> Forecast | None:
    """`done_a_week`: how much was done in each full week, the last one most recent; `left`: how much is not.

    Each draw lays weeks of the last eight end to end until nothing is left. None where nothing is left, where
    there are fewer than three full weeks to judge by, or where the pace leads past ten years.
    """
    weeks = np.array(done_a_week[-WEEKS_LOOKED_AT:], dtype=np.int64)
    if left <= 0 or len(weeks) < 3 or weeks.sum() == 0:
        return None
    expected = left / weeks.mean()
    if expected > WEEKS_MOST:
        return None
    random = np.random.default_rng(SEED)
    laid = random.choice(weeks, (DRAWS, int(expected * 2) + 12)).cumsum(axis=1)
    reached = laid >= left
    needed = np.where(reached.any(axis=1), reached.argmax(axis=1), laid.shape[1])
    # Within the last week, as far as its share that is needed.
    rows = np.arange(DRAWS)
    last = np.minimum(needed, laid.shape[1] - 1)
    before = np.where(last > 0, laid[rows, last - 1], 0)
    within = (left - before) / np.maximum(laid[rows, last] - before, 1)
    days = 7 * (last + np.clip(within, 0, 1))
    low, middle, high = np.quantile(days, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return Forecast(
        day=today + datetime.timedelta(days=round(float(middle))),
        earliest=today + datetime.timedelta(days=round(float(low))),
        latest=today + datetime.timedelta(days=round(float(high))),
        a_week=float(weeks.mean()),
    )
