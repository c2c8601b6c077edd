"""Agreement of raters: the third case that docs/agreement.md works through by hand, and published ones."""

import numpy as np
import pytest

from annotations.measures.agreement.bootstrap import interval
from annotations.measures.agreement.raters import (
    bland_altman,
    cohen_kappa,
    fleiss_kappa,
    icc_2_1,
    krippendorff_alpha,
)
from annotations.measures.agreement.resampling import ratio_interval

FIRST, SECOND = [1, 1, 2, 3, 3], [1, 2, 2, 3, 2]
DIAMETERS = [(10, 12), (20, 20), (30, 33), (40, 41)]
# Fleiss' example of 1971: 14 raters, 10 subjects, 5 categories.
FLEISS = [
    *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
    *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
]
# Shrout and Fleiss' example of 1979: 6 subjects, 4 judges.
SHROUT = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_the_scores_of_the_docs_have_the_kappa_worked_out_there():
    assert cohen_kappa(FIRST, SECOND, categories=[1, 2, 3]) == pytest.approx(0.32 / 0.72)
    assert cohen_kappa(FIRST, SECOND, categories=[1, 2, 3], weights="quadratic") == pytest.approx(2 / 3)


def test_the_scores_of_the_docs_have_the_alpha_worked_out_there():
    with_one_left_out = [[*FIRST, None], [*SECOND, 1]]
    assert krippendorff_alpha(with_one_left_out) == pytest.approx(1 - 0.4 / (66 / 90))


def test_the_diameters_of_the_docs_have_the_numbers_worked_out_there():
    first, second = zip(*DIAMETERS, strict=True)
    found = bland_altman(first, second)
    assert (found.n, found.bias) == (4, 1.5)
    assert (found.low, found.high) == pytest.approx((-1.030, 4.030), abs=5e-4)
    assert icc_2_1(DIAMETERS) == pytest.approx(0.98961, abs=5e-6)


def test_published_examples_come_out_as_published():
    assert fleiss_kappa(FLEISS) == pytest.approx(0.2099, abs=5e-5)
    assert icc_2_1(SHROUT) == pytest.approx(0.2898, abs=5e-5)


def test_raters_who_never_vary_have_no_kappa():
    assert cohen_kappa([1, 1], [1, 1], categories=[1, 2]) is None
    assert cohen_kappa([], [], categories=[1, 2]) is None
    assert fleiss_kappa([[3, 0], [3, 0]]) is None
    assert krippendorff_alpha([[1, 1], [1, 1]]) is None
    assert krippendorff_alpha([[1, None], [None, 2]]) is None
    assert krippendorff_alpha([]) is None
    assert icc_2_1([[5, 5], [5, 5]]) is None


def test_a_subject_that_a_rater_left_out_does_not_count():
    assert icc_2_1([*SHROUT, [3, np.nan, 4, 5]]) == pytest.approx(icc_2_1(SHROUT))
    assert icc_2_1([[1.0, np.nan]]) is None


def test_what_is_no_rating_is_refused():
    with pytest.raises(ValueError, match="no categories"):
        cohen_kappa([1], [9], categories=[1, 2])
    with pytest.raises(ValueError, match="no categories"):
        krippendorff_alpha([[1, 9]], categories=[1, 2])
    with pytest.raises(ValueError, match="same subjects"):
        cohen_kappa([1], [1, 2], categories=[1, 2])
    with pytest.raises(ValueError, match="same number of raters"):
        fleiss_kappa([[2, 0], [1, 0]])


def test_one_difference_has_a_bias_and_no_limits():
    found = bland_altman([10], [12])
    assert (found.bias, found.low, found.high) == (2.0, None, None)
    assert bland_altman([], []) is None


def interval_of_mean(by_subject, seed=7, **more):
    """As the pages work it out: every value with its subject."""
    subjects = [subject for subject, values in by_subject.items() for _ in values]
    values = [value for values in by_subject.values() for value in values]
    return ratio_interval(values, np.ones(len(values)), subjects, seed=seed, **more)


def test_there_is_no_interval_under_five_subjects():
    four = {subject: [0.5, 0.9] for subject in "abcd"}
    assert interval(four, np.mean) is None
    assert interval(four | {"e": []}, np.mean) is None
    assert interval(four | {"e": [0.1]}, np.mean) is not None
    assert interval_of_mean(four) is None
    assert interval_of_mean(four | {"e": [0.1]}) is not None


def test_an_interval_is_the_same_every_time_and_in_any_order():
    values = {subject: [subject / 10, 0.5] for subject in range(12)}
    again = dict(reversed(values.items()))
    assert interval(values, np.mean, 7) == interval(again, np.mean, 7)
    assert interval_of_mean(values, 7) == interval_of_mean(again, 7)


def test_subjects_are_drawn_and_not_their_cases():
    """Ten cases of each subject say no more than one of each: as wide; cases alone would be narrower."""
    random = np.random.default_rng(3)
    means = random.random(20)
    one = {subject: [mean] for subject, mean in enumerate(means)}
    ten = {subject: [mean] * 10 for subject, mean in enumerate(means)}
    assert interval_of_mean(one) == pytest.approx(interval_of_mean(ten))
    as_cases = {(subject, case): [mean] for subject, mean in enumerate(means) for case in range(10)}
    low, high = interval_of_mean(ten)
    narrow_low, narrow_high = interval_of_mean(as_cases)
    assert narrow_high - narrow_low < (high - low) / 2


def test_an_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(11)
    held = 0
    for trial in range(200):
        drawn = {subject: [float(value)] for subject, value in enumerate(random.normal(0.8, 0.1, 40))}
        low, high = interval_of_mean(drawn, trial, draws=400)
        held += low <= 0.8 <= high
    assert 0.88 <= held / 200 <= 0.99


def test_a_statistic_without_value_in_many_draws_has_no_interval():
    values = {subject: [(1, 1)] for subject in range(6)} | {6: [(2, 1)]}
    kappa = lambda said: cohen_kappa(*zip(*said, strict=True), categories=[1, 2])
    assert interval(values, kappa) is None
