"""What may be told of a count, and what can't be worked out from what is told."""

import random
import statistics
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network.disclosure import (
    LIMIT_STEPS,
    MODULUS,
    NOISE_MOST,
    NOISE_SD,
    Cell,
    Magnitude,
    Policy,
    disclose,
    disclose_middle,
    disclose_table,
    is_few,
    limit_of,
    rest_of,
    sum_of,
)

POLICY = Policy(10)
KEYS = st.integers(0, MODULUS - 1)
SURELY = POLICY.minimum + LIMIT_STEPS - 1


@pytest.fixture(autouse=True)
def nothing_counted_yet() -> None:
    """Nothing here needs a database."""


def of(subjects: Sequence[int]) -> Cell:
    """A cell of these subjects; each has a key of its own and as many images as its number says."""
    keys = [random.Random(one).getrandbits(64) for one in subjects]
    images = [1 + one % 50 for one in subjects]
    return Cell(
        len(subjects), sum(keys) % MODULUS, {"images": Magnitude(sum(images), max(images, default=0))}
    )


@given(st.integers(0, 9), KEYS)
def test_fewer_than_the_minimum_and_none_are_the_same(subjects: int, key: int) -> None:
    told = disclose(Cell(subjects, key, {"images": Magnitude(100 * subjects, 100)}), POLICY)
    assert (told.subjects, told.magnitudes) == (None, {"images": None})


@given(st.integers(SURELY, 10_000), KEYS)
def test_what_is_told_is_near_and_never_below_the_minimum(subjects: int, key: int) -> None:
    told = disclose(Cell(subjects, key), POLICY).subjects
    assert told is not None
    assert told >= POLICY.minimum
    assert abs(told - subjects) <= NOISE_MOST


@given(st.integers(10, 1000), KEYS, st.integers(0, 40))
def test_a_higher_minimum_tells_nothing_below_it(subjects: int, key: int, more: int) -> None:
    told = disclose(Cell(subjects, key), Policy(10 + more)).subjects
    assert told is None or told >= 10 + more


@given(st.lists(st.integers(0, 10**6), min_size=12, max_size=60, unique=True), st.randoms())
def test_the_same_subjects_are_told_the_same_however_they_are_put_together(
    subjects: list[int], chance: random.Random
) -> None:
    whole = of(subjects)
    shuffled = subjects[:]
    chance.shuffle(shuffled)
    cut = chance.randrange(len(subjects))
    assert disclose(of(shuffled), POLICY) == disclose(whole, POLICY)
    parts = sum_of([of(shuffled[:cut]), of(shuffled[cut:])])
    assert (parts.subjects, parts.key) == (whole.subjects, whole.key)
    rest = rest_of(whole, of(shuffled[:cut]))
    assert (rest.subjects, rest.key) == (len(subjects) - cut, of(shuffled[cut:]).key)


def test_noise_has_no_direction_and_the_deviation_it_says() -> None:
    noise = [(disclose(Cell(1000, key), POLICY).subjects or 0) - 1000 for key in _keys(20_000)]
    assert abs(statistics.fmean(noise)) < 0.1
    assert abs(statistics.pstdev(noise) - NOISE_SD) < 0.15
    assert max(noise) <= NOISE_MOST
    assert min(noise) >= -NOISE_MOST


def test_the_limit_differs_from_cell_to_cell() -> None:
    """So that nobody who knows nine of a cell learns of the tenth."""
    limits = {limit_of(key, POLICY) for key in _keys(100)}
    assert limits == {10, 11, 12}


def test_images_move_by_as_much_as_one_subject_may_bring() -> None:
    """Someone with most of the images is as hidden as everybody else."""
    told = [
        disclose(Cell(100, key, {"images": Magnitude(50_000, 20_000)}), POLICY).magnitudes["images"] or 0
        for key in _keys(5000)
    ]
    assert 18_000 < statistics.pstdev(told) < 23_000
    even = [
        disclose(Cell(100, key, {"studies": Magnitude(100, 1)}), POLICY).magnitudes["studies"] or 0
        for key in _keys(5000)
    ]
    assert 2.7 < statistics.pstdev(even) < 3.3, "one study each: as hidden as the number of subjects"


def _keys(count: int) -> list[int]:
    chance = random.Random(4)
    return [chance.getrandbits(64) for _ in range(count)]


# Tables ------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8), st.integers(0, 30))
@settings(max_examples=300)
def test_what_a_partition_hides_is_never_a_few(sizes: list[int], unlisted: int) -> None:
    """Neither one hidden cell nor all hidden ones together can be had by subtraction from the total."""
    cells, total = _partition(sizes, unlisted)
    told = disclose_table(cells, total, POLICY, is_partition=True)
    whole = disclose(total, POLICY).subjects
    if whole is None:
        assert set(told.values()) == {None}
        return
    for name, one in told.items():
        if one is None:
            continue
        assert 10 <= one <= whole
        if is_few(rest_of(total, cells[name]), POLICY):
            assert one == whole, "what all but a few are in is told as the total"
    hidden = [cells[name] for name, one in told.items() if one is None]
    unlisted_cell = rest_of(total, sum_of(list(cells.values())))
    if (hidden or unlisted) and len(hidden) < len(cells) and whole not in told.values():
        assert not is_few(sum_of([*hidden, unlisted_cell]), POLICY)


@given(st.lists(st.integers(0, 60), min_size=2, max_size=6), st.data())
@settings(max_examples=200)
def test_nobody_and_a_few_look_the_same_in_a_partition(sizes: list[int], data: st.DataObject) -> None:
    """One cell is emptied of its few: which cells are told stays as it was, but for limits that differ."""
    few = data.draw(st.integers(1, 9))
    cells, _ = _partition([*sizes, few], 0)
    name = str(len(sizes))
    others = {key: cell for key, cell in cells.items() if key != name}
    sure = [cell for cell in others.values() if cell.subjects < 10 or cell.subjects > SURELY]
    if len(sure) < len(others) or abs(sum(cell.subjects for cell in others.values()) - 10) <= 25:
        return
    if any(
        10 - few <= sum(c.subjects for c in others.values()) - cell.subjects <= SURELY
        for cell in others.values()
    ):
        return
    hidden = sum(cell.subjects for cell in others.values() if cell.subjects < 10)
    if 10 - few <= hidden <= SURELY:
        return
    with_few = disclose_table(cells, sum_of(list(cells.values())), POLICY, is_partition=True)
    emptied = {**others, name: Cell(0, 0)}
    without = disclose_table(emptied, sum_of(list(others.values())), POLICY, is_partition=True)
    assert {key for key, one in with_few.items() if one is None} == {
        key for key, one in without.items() if one is None
    }


def test_the_smallest_is_hidden_with_the_one_that_it_would_uncover() -> None:
    cells, total = _partition([100, 50, 4], 0)
    told = disclose_table(cells, total, POLICY, is_partition=True)
    assert told["2"] is None
    assert told["1"] is None
    assert told["0"] is not None


def test_what_nearly_all_have_is_told_as_all() -> None:
    """Or the few that lack it could be had by subtraction."""
    for few in (0, 3, 9):
        cells, total = _partition([40, few], 0)
        for is_partition in (True, False):
            told = disclose_table(cells, total, POLICY, is_partition=is_partition)
            assert told == {"0": disclose(total, POLICY).subjects, "1": None}


def _partition(sizes: Sequence[int], unlisted: int) -> tuple[dict[str, Cell], Cell]:
    cells, first = {}, 0
    for at, size in enumerate(sizes):
        cells[str(at)] = of(range(first, first + size))
        first += size
    return cells, of(range(first + unlisted))


# Medians -----------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1), max_size=60))
def test_a_median_is_of_enough_and_within_them(values: list[float]) -> None:
    told = disclose_middle(values, POLICY)
    if len(values) < 20:
        assert told is None
    else:
        assert told is not None
        assert min(values) <= told <= max(values)


def test_a_median_is_nobodys_own() -> None:
    """One value in the middle moves it by a tenth at most."""
    values = [0.1] * 12 + [0.9] * 12
    changed = [0.1] * 11 + [0.9] * 13
    assert (
        abs((disclose_middle(values, POLICY) or 0) - (disclose_middle(changed, POLICY) or 0))
        <= 0.8 / 10 + 1e-9
    )
