"""The measures of agreement, judged by those who have no part in them: SimpleITK and MONAI for masks,
statsmodels, krippendorff and pingouin for raters, SciPy for intervals.

Tolerances: exact (1e-9) where both count in double precision; MONAI counts in single precision (1e-6), and so
do SimpleITK's and MONAI's distances (1e-4 mm). Intervals are drawn at random: 0.01.
"""

from collections.abc import Iterator
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
import pingouin
import pydicom
import pytest
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa
from statsmodels.stats.weightstats import DescrStatsW

from annotations.measures.agreement import bootstrap, raters, resampling
from annotations.measures.agreement.masks import MaskPair
from tests.judges.agreement import asking_simpleitk
from tests.judges.agreement.asking_monai import Monai, NoMonai

EXACT, SINGLE, DISTANCE_MM = 1e-9, 1e-6, 1e-4
SPACINGS = [(1.0, 1.0, 1.0), (5.0, 0.7, 0.7), (1.25, 0.6, 0.9)]
TOLERANCES_MM = [0.5, 2.0]

type Masks = tuple[np.ndarray, np.ndarray]


def _ball(shape: tuple[int, int, int], centre, radii) -> np.ndarray:
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    away = sum(((at - c) / r) ** 2 for at, c, r in zip(axes, centre, radii, strict=True))
    return np.asarray(away <= 1)


def made_masks() -> Iterator[tuple[str, Masks]]:
    """Balls that overlap, lie apart and meet the rim; islands; noise; single voxels; flat ones."""
    random = np.random.default_rng(5)
    shape = (24, 40, 36)
    ball = _ball(shape, (12, 20, 18), (8, 10, 9))
    yield "overlap", (ball, _ball(shape, (13, 22, 17), (7, 11, 9)))
    yield "apart", (_ball(shape, (5, 8, 8), (4, 5, 5)), _ball(shape, (18, 30, 28), (4, 5, 6)))
    yield "one within the other", (ball, _ball(shape, (12, 20, 18), (3, 4, 4)))
    yield "at the rim", (_ball(shape, (0, 0, 0), (8, 9, 9)), _ball(shape, (2, 1, 3), (8, 9, 9)))
    yield "the same", (ball, ball.copy())
    yield "islands", (ball | _ball(shape, (3, 35, 5), (2, 3, 3)), ball)
    yield "noise", (random.random(shape) < 0.3, random.random(shape) < 0.3)
    single = np.zeros(shape, dtype=bool)
    single[4, 5, 6] = True
    yield "one voxel", (single, ball)
    flat = np.zeros(shape, dtype=bool)
    flat[7] = ball[12]
    yield "one slice", (flat, np.roll(flat, 2, axis=1))


MADE = dict(made_masks())


def ours(masks: Masks, spacing_mm, tolerance_mm: float) -> dict[str, float | None]:
    pair = MaskPair(*masks, spacing_mm)
    return {
        "dice": pair.overlap.dice,
        "surface_dice": pair.surface_dice(tolerance_mm),
        "hd95_mm": pair.hd95_mm,
    }


def assert_simpleitk_agrees(masks: Masks, spacing_mm, tolerance_mm: float) -> None:
    theirs = asking_simpleitk.numbers(*asking_simpleitk.cut_out(*masks), spacing_mm, tolerance_mm)
    found = ours(masks, spacing_mm, tolerance_mm)
    assert found["dice"] == pytest.approx(theirs["dice"], abs=EXACT)
    assert found["surface_dice"] == pytest.approx(theirs["surface_dice"], abs=EXACT)
    assert found["hd95_mm"] == pytest.approx(theirs["hd95_mm"], abs=DISTANCE_MM)


def assert_monai_agrees(monai: Monai, masks: Masks, spacing_mm, tolerance_mm: float) -> None:
    theirs = monai.numbers(monai.keep(*masks, spacing_mm, tolerance_mm))
    found = ours(masks, spacing_mm, tolerance_mm)
    assert found["dice"] == pytest.approx(theirs["dice"], abs=SINGLE)
    assert found["surface_dice"] == pytest.approx(theirs["surface_dice"], abs=SINGLE)
    assert found["hd95_mm"] == pytest.approx(theirs["hd95_mm"], abs=DISTANCE_MM)


@pytest.fixture(scope="module")
def monai() -> Iterator[Monai]:
    try:
        with Monai() as asked:
            yield asked
    except NoMonai as reason:
        pytest.fail(f"MONAI could not be asked. {reason}", pytrace=False)


@pytest.fixture(scope="module")
def nodule(test_data: Path) -> tuple[list[np.ndarray], tuple[float, float, float]]:
    """One nodule of a chest CT as four radiologists drew it, read by pydicom alone."""
    file = pydicom.dcmread(test_data / "ct_chest_lidc_0314" / "seg_readers.dcm")
    pixels = file.pixel_array.astype(bool)
    where = []
    for frame in file.PerFrameFunctionalGroupsSequence:
        place = frame.PlanePositionSequence[0].ImagePositionPatient
        where.append((int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber), float(place[2])))
    heights = sorted({height for _, height in where})
    readers = [np.zeros((len(heights), *pixels.shape[1:]), dtype=bool) for _ in range(4)]
    for (segment, height), plane in zip(where, pixels, strict=True):
        if segment <= 4:
            readers[segment - 1][heights.index(height)] = plane
    measures = file.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    row_mm, column_mm = map(float, measures.PixelSpacing)
    return readers, (float(measures.SpacingBetweenSlices), row_mm, column_mm)


PAIRS_OF_FOUR = [(first, second) for first in range(4) for second in range(first + 1, 4)]


# Masks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spacing_mm", SPACINGS, ids=str)
@pytest.mark.parametrize("name", MADE)
def test_simpleitk_measures_made_masks_alike(name, spacing_mm):
    for tolerance_mm in TOLERANCES_MM:
        assert_simpleitk_agrees(MADE[name], spacing_mm, tolerance_mm)


@pytest.mark.parametrize("spacing_mm", SPACINGS, ids=str)
@pytest.mark.parametrize("name", MADE)
def test_monai_measures_made_masks_alike(monai, name, spacing_mm):
    for tolerance_mm in TOLERANCES_MM:
        assert_monai_agrees(monai, MADE[name], spacing_mm, tolerance_mm)


@pytest.mark.parametrize(("first", "second"), PAIRS_OF_FOUR)
def test_simpleitk_measures_four_radiologists_alike(nodule, first, second):
    readers, spacing_mm = nodule
    for tolerance_mm in TOLERANCES_MM:
        assert_simpleitk_agrees((readers[first], readers[second]), spacing_mm, tolerance_mm)


@pytest.mark.parametrize(("first", "second"), PAIRS_OF_FOUR)
def test_monai_measures_four_radiologists_alike(monai, nodule, first, second):
    readers, spacing_mm = nodule
    for tolerance_mm in TOLERANCES_MM:
        assert_monai_agrees(monai, (readers[first], readers[second]), spacing_mm, tolerance_mm)


# Raters -----------------------------------------------------------------------------------------


def said(seed: int, *, of: int = 5, subjects: int = 40, readers: int = 2) -> np.ndarray:
    """Ratings from 1, int[readers, subjects]: a truth that each of them misses now and then."""
    random = np.random.default_rng(seed)
    truth = random.integers(1, of + 1, subjects)
    missed = random.integers(-1, 2, (readers, subjects))
    return np.clip(truth + missed, 1, of)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_statsmodels_finds_the_same_kappa(seed, weights):
    first, second = said(seed)
    table = np.zeros((5, 5))
    np.add.at(table, (first - 1, second - 1), 1)
    theirs = cohens_kappa(table, wt=None if weights == "none" else weights, return_results=False)
    found = raters.cohen_kappa(first.tolist(), second.tolist(), categories=range(1, 6), weights=weights)
    assert found == pytest.approx(theirs, abs=EXACT)


@pytest.mark.parametrize("readers", [2, 3, 6])
def test_statsmodels_finds_the_same_fleiss_kappa(readers):
    ratings = said(readers, readers=readers)
    counts = np.array([[(subject == one).sum() for one in range(1, 6)] for subject in ratings.T])
    assert raters.fleiss_kappa(counts) == pytest.approx(fleiss_kappa(counts), abs=EXACT)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
@pytest.mark.parametrize("missing", [0.0, 0.2, 0.6])
def test_krippendorff_finds_the_same_alpha_with_readers_missing(level, missing):
    ratings = said(9, readers=4, subjects=60).astype(float)
    ratings[np.random.default_rng(1).random(ratings.shape) < missing] = np.nan
    theirs = krippendorff.alpha(ratings, level_of_measurement=level)
    ours = [[None if np.isnan(value) else int(value) for value in reader] for reader in ratings]
    found = raters.krippendorff_alpha(ours, level=level, categories=range(1, 6))
    assert found == pytest.approx(theirs, abs=EXACT)


@pytest.mark.parametrize(("subjects", "readers"), [(5, 2), (30, 2), (30, 4)])
def test_pingouin_finds_the_same_icc(subjects, readers):
    random = np.random.default_rng(subjects * readers)
    truth = random.uniform(8, 60, subjects)
    diameters_mm = truth[:, None] + random.normal(0, 3, (subjects, readers)) + np.arange(readers)
    table = pd.DataFrame(
        [(subject, reader, value) for (subject, reader), value in np.ndenumerate(diameters_mm)],
        columns=["subject", "reader", "value"],
    )
    theirs = pingouin.intraclass_corr(table, targets="subject", raters="reader", ratings="value")
    # Two-way random effects, absolute agreement, one rater: Shrout and Fleiss call it ICC(2,1).
    [expected] = theirs.loc[theirs["Type"].isin(["ICC(A,1)", "ICC2"]), "ICC"]
    assert raters.icc_2_1(diameters_mm) == pytest.approx(expected, abs=EXACT)


def test_statsmodels_finds_the_same_bias_and_limits():
    random = np.random.default_rng(4)
    first = random.uniform(8, 60, 25)
    second = first + random.normal(1.5, 2, 25)
    theirs = DescrStatsW(second - first, ddof=1)
    found = raters.bland_altman(first, second)
    assert found.bias == pytest.approx(theirs.mean, abs=EXACT)
    assert (found.low, found.high) == pytest.approx(
        (theirs.mean - 1.96 * theirs.std, theirs.mean + 1.96 * theirs.std), abs=EXACT
    )


# Intervals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("statistic", [np.mean, np.median], ids=lambda one: one.__name__)
def test_scipy_finds_the_same_interval(statistic):
    values = np.random.default_rng(8).beta(8, 2, 60)
    drawn = stats.bootstrap(
        (values,), statistic, n_resamples=9999, method="percentile", rng=np.random.default_rng(3)
    )
    by_subject = {subject: [float(value)] for subject, value in enumerate(values)}
    found = bootstrap.interval(by_subject, lambda of: float(statistic(of)), draws=9999)
    theirs = (drawn.confidence_interval.low, drawn.confidence_interval.high)
    assert found == pytest.approx(theirs, abs=0.01)
    fast = {
        "mean": lambda: resampling.ratio_interval(values, np.ones(60), range(60), draws=9999),
        "median": lambda: resampling.median_interval(values, range(60), draws=9999),
    }
    assert fast[statistic.__name__]() == pytest.approx(theirs, abs=0.01)
