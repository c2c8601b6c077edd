"""Counts for the bars of a data card: nobody can be picked out of them, and nobody is lost."""

from hypothesis import given
from hypothesis import strategies as st

from annotations.cohort.card.bins import FEWEST, OTHER, Histogram, rows_of, safe_rows_of

AGES = list(range(10, 100, 10))


def of(values: list[float], bounds: list[float]) -> Histogram:
    found = Histogram(bounds)
    for value in values:
        found.add(value)
    return found


def test_a_bin_holds_its_lower_bound_and_not_its_upper() -> None:
    found = of([4.9, 5, 9.99, 10, 31, 400], [5, 10, 30])
    assert found.rows() == [("<5", 1), ("5", 2), ("10", 1), ("30", 2)]


def test_empty_bins_are_told_between_others_and_not_outside() -> None:
    assert of([12, 35], AGES).rows() == [("10", 1), ("20", 0), ("30", 1)]
    assert of([], AGES).rows() == []


def test_small_neighbours_are_joined() -> None:
    found = of([20] * 2 + [30] * 4 + [40] * 7 + [50] * 1 + [60] * 5 + [91] * 2, AGES)
    assert found.safe_rows() == [("20–39", 6), ("40–49", 7), ("≥50", 8)]


def test_a_single_value_of_whole_numbers_is_called_by_itself() -> None:
    assert of([1] * 5 + [2] * 6, [1, 2, 3]).safe_rows() == [("1", 5), ("2", 6)]


def test_of_names_the_rare_ones_are_one() -> None:
    assert safe_rows_of({"NO": 40, "DE": 12, "FR": 3, "ES": 2}) == [("NO", 40), ("DE", 12), ("FR, ES", 5)]
    assert safe_rows_of({"NO": 40, "DE": 12, "FR": 3}) == [("NO", 40), ("DE, FR", 15)]
    assert safe_rows_of({"NO": 40, **dict.fromkeys(("DE", "ES", "FR", "IT"), 2)}) == [("NO", 40), (OTHER, 8)]
    assert safe_rows_of({"F": 9}) == [("F", 9)]
    assert safe_rows_of({"F": 3, "M": 3}) == [("F, M", 6)]
    assert safe_rows_of({"F": 3, "M": 1}) == []


def test_beyond_a_number_of_bars_the_rest_is_one() -> None:
    assert rows_of({"a": 5, "b": 4, "c": 1, "d": 2, "e": 0}, 3) == [("a", 5), ("b", 4), (OTHER, 3)]


@given(st.lists(st.integers(0, 120)))
def test_no_bar_of_a_scale_is_small_and_all_are_counted(values: list[int]) -> None:
    rows = of(values, AGES).safe_rows()
    assert all(n >= FEWEST for _, n in rows)
    assert sum(n for _, n in rows) == (len(values) if len(values) >= FEWEST else 0)
    assert len({word for word, _ in rows}) == len(rows)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 12)))
def test_no_bar_of_names_is_small_and_all_are_counted(counts: dict[str, int]) -> None:
    rows = safe_rows_of(counts)
    total = sum(counts.values())
    assert all(n >= FEWEST for _, n in rows)
    assert sum(n for _, n in rows) == (total if total >= FEWEST else 0)
