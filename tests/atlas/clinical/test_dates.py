"""Days as people write them; and their shift, which keeps intervals."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.clinical.dates import Day, order_of, parse
from atlas.clinical.errors import Wrong

DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 1, 1))
UNMISTAKABLE = [
    "%Y-%m-%d", "%Y-%m-%dT10:30:00Z", "%Y-%m-%d 10:30", "%Y%m%d", "%d.%m.%Y", "%d.%m.%Y 08:15", "%Y/%m/%d",
    "%d %b %Y", "%d-%B-%Y",
]  # fmt: skip


@given(DAYS, st.sampled_from(UNMISTAKABLE))
def test_a_day_is_the_same_however_it_is_written(day: datetime.date, form: str) -> None:
    assert parse(day.strftime(form)) == Day(day)


@given(DAYS)
def test_with_slashes_the_order_decides_and_is_never_guessed(day: datetime.date) -> None:
    assert parse(f"{day:%d/%m/%Y}", "dmy") == Day(day) or day.day <= 12
    if day.day > 12 or day.day == day.month:
        assert parse(f"{day:%d/%m/%Y}") == parse(f"{day:%m/%d/%Y}") == Day(day)
    else:
        assert parse(f"{day:%d/%m/%Y}", "dmy") == parse(f"{day:%m/%d/%Y}", "mdy") == Day(day)
        with pytest.raises(Wrong, match="Day or month first"):
            parse(f"{day:%d/%m/%Y}")


@given(DAYS, DAYS, st.integers(-3652, -1))
def test_moved_days_keep_their_distance(one: datetime.date, other: datetime.date, shift: int) -> None:
    assert (Day(other).moved(shift).day - Day(one).moved(shift).day) == other - one


@given(st.text(max_size=30))
def test_no_text_breaks_it_and_none_stands_in_its_sentences(text: str) -> None:
    said = ""
    try:
        parse(text)
    except Wrong as error:
        said = error.sentence
    assert len(text) < 4 or text not in said


@given(st.integers(15_000, 80_000))
def test_a_number_is_the_day_that_a_spreadsheet_means(number: int) -> None:
    assert parse(str(number)) == Day(datetime.date(1899, 12, 30) + datetime.timedelta(days=number))


@pytest.mark.parametrize(
    ("written", "day", "precision"),
    [
        ("2021-03", (2021, 3, 15), "month"),
        ("03/2021", (2021, 3, 15), "month"),
        ("00.03.2021", (2021, 3, 15), "month"),
        ("00.00.2021", (2021, 7, 1), "year"),
        ("2021", (2021, 7, 1), "year"),
    ],
)
def test_a_part_of_a_date_stands_for_its_middle(
    written: str, day: tuple[int, int, int], precision: str
) -> None:
    assert parse(written) == Day(datetime.date(*day), precision)


@pytest.mark.parametrize("written", ["", " ", "NA", "n/a", "-", "unknown"])
def test_nothing_is_no_date(written: str) -> None:
    assert parse(written) is None


@pytest.mark.parametrize(
    "written", ["2021-02-30", "31.04.2021", "2021-13", "1720-01-01", "soon", "12", "1.2", "0000-00-00"]
)
def test_what_is_no_date_is_refused(written: str) -> None:
    with pytest.raises(Wrong):
        parse(written)


def test_the_order_is_told_by_what_can_be_one_only() -> None:
    assert order_of(["01/02/2021", "25/02/2021"]) == "dmy"
    assert order_of(["01/02/2021", "02/25/2021"]) == "mdy"
    assert order_of(["01/02/2021"]) == ""
    assert order_of(["25/02/2021", "02/25/2021"]) == ""


def test_a_day_before_the_calendar_can_not_be_moved() -> None:
    with pytest.raises(Wrong):
        Day(datetime.date(1, 1, 5)).moved(-100)
