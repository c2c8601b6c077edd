"""Fast intervals over subjects are those of the plain bootstrap, draw for draw."""

from statistics import median

import numpy as np
import pytest

from annotations.measures.agreement.bootstrap import interval
from annotations.measures.agreement.raters import krippendorff_alpha
from annotations.measures.agreement.resampling import alpha_and_interval, median_interval, ratio_interval


def some_values(subjects: int, seed: int = 3) -> tuple[list[float], list[int]]:
    """One to three values a subject."""
    random = np.random.default_rng(seed)
    names = [name for name in range(subjects) for _ in range(random.integers(1, 4))]
    return random.random(len(names)).round(2).tolist(), names


def by_subject(values: list, names: list[int]) -> dict[int, list]:
    found: dict[int, list] = {}
    for value, name in zip(values, names, strict=True):
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("subjects", [5, 17, 40])
def test_the_median_has_the_interval_of_the_plain_bootstrap(subjects):
    values, names = some_values(subjects)
    assert median_interval(values, names) == pytest.approx(interval(by_subject(values, names), median))


def test_a_ratio_has_the_interval_of_the_plain_bootstrap():
    values, names = some_values(23)
    pairs = [(value, 1.0 + value) for value in values]

    def ratio(drawn: list) -> float:
        return sum(top for top, _ in drawn) / sum(bottom for _, bottom in drawn)

    expected = interval(by_subject(pairs, names), ratio)
    assert ratio_interval(*zip(*pairs, strict=True), names) == pytest.approx(expected)


@pytest.mark.parametrize("level", ["nominal", "ordinal"])
def test_alpha_is_krippendorffs_and_its_interval_the_plain_bootstraps(level):
    random = np.random.default_rng(8)
    truth = random.integers(0, 4, 30)
    said = [
        [
            None if random.random() < 0.2 else int(np.clip(value + random.integers(-1, 2), 0, 3))
            for value in truth
        ]
        for _ in range(3)
    ]
    counts = np.zeros((30, 4))
    for rater in said:
        for unit, value in enumerate(rater):
            if value is not None:
                counts[unit, value] += 1
    names = [f"{unit:02}" for unit in range(30)]
    found, between = alpha_and_interval(counts, names, level=level, draws=200)
    assert found == pytest.approx(krippendorff_alpha(said, level=level, categories=[0, 1, 2, 3]))
    columns = {name: [column] for name, column in zip(names, zip(*said, strict=True), strict=True)}
    rated = {name: one for name, one in columns.items() if sum(v is not None for v in one[0]) >= 2}
    expected = interval(
        rated,
        lambda drawn: krippendorff_alpha(
            list(zip(*drawn, strict=True)), level=level, categories=[0, 1, 2, 3]
        ),
        draws=200,
    )
    assert between == pytest.approx(expected)


def test_four_subjects_have_no_interval():
    assert median_interval([0.1, 0.2, 0.3, 0.4, 0.5], [1, 2, 3, 4, 4]) is None
    assert ratio_interval([1, 1, 1, 1], [2, 2, 2, 2], "abcd") is None
    assert alpha_and_interval([[2, 0], [0, 2]], "ab") == (1.0, None)


def test_nothing_rated_twice_has_no_alpha():
    assert alpha_and_interval([[1, 0], [0, 1]], "ab") == (None, None)
    assert alpha_and_interval([], []) == (None, None)
