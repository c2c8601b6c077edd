"""When a project will be done at its pace."""

import datetime

import pytest

from annotations.measures.forecast import forecast

TODAY = datetime.date(2026, 3, 2)


def test_an_even_pace_has_one_day():
    told = forecast([10] * 8, 40, TODAY)
    assert told is not None
    assert told.day == told.earliest == told.latest == datetime.date(2026, 3, 30)
    assert told.a_week == 10


def test_part_of_a_week_counts_as_its_share():
    told = forecast([10] * 4, 5, TODAY)
    assert told is not None
    assert told.day == TODAY + datetime.timedelta(days=4)


def test_an_uneven_pace_has_an_interval_around_its_day():
    told = forecast([0, 20, 5, 15, 0, 20, 10, 10], 200, TODAY)
    assert told is not None
    assert told.earliest < told.day < told.latest
    assert abs((told.day - TODAY).days - 140) <= 7


def test_only_the_last_eight_weeks_count():
    assert forecast([500, *[10] * 8], 40, TODAY) == forecast([10] * 8, 40, TODAY)


@pytest.mark.parametrize(
    ("weeks", "left"), [([10, 10], 5), ([0, 0, 0, 0], 5), ([10] * 8, 0), ([1, 0, 0, 0, 0, 0, 0, 0], 5000)]
)
def test_without_a_pace_there_is_no_day(weeks, left):
    assert forecast(weeks, left, TODAY) is None
