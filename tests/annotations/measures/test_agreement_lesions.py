"""Which lesion is which: the second case that docs/agreement.md works through by hand, and odd ones."""

from itertools import permutations

import numpy as np
import pytest

from annotations.measures.agreement.labels import compare
from annotations.measures.agreement.lesions import Lesion, centre_mm, match, match_many, overlap_of
from annotations.measures.agreement.voxels import Grid, Voxels

ROW = Grid(
    name="row",
    space="here",
    rows=1,
    columns=200,
    origins_mm=np.zeros((1, 3)),
    along_row=np.array([1.0, 0, 0]),
    along_column=np.array([0, 1.0, 0]),
    row_mm=1.0,
    column_mm=1.0,
)


def lesion(first: int, last: int, name: str = "", **more) -> Lesion:
    """The voxels from one column to another, both within, in a single row."""
    mask = np.zeros((1, 1, 200), dtype=bool)
    mask[0, 0, first : last + 1] = True
    voxels = Voxels.of(mask)
    return Lesion(
        identity=name or f"{first}-{last}",
        series="series",
        space="here",
        centroid_mm=centre_mm(ROW.centres_mm(voxels.indices)),
        voxels=voxels,
        grid=ROW,
        volume_mm3=float(voxels.count),
        longest_mm=float(voxels.count),
        **more,
    )


def measure(at: float, longest_mm: float, space: str = "here") -> Lesion:
    return Lesion(
        identity=f"m{at}", series="series", space=space, centroid_mm=(at, 0, 0), longest_mm=longest_mm
    )


def pairs(found) -> list[tuple[int, int]]:
    return [(pair.first, pair.second) for pair in found.pairs]


def test_the_lesions_of_the_docs_are_matched_as_worked_out_there():
    first = [lesion(0, 9), lesion(10, 13), lesion(100, 104)]
    second = [lesion(4, 12), lesion(0, 3)]
    found = match(first, second)
    assert pairs(found) == [(0, 1), (1, 0)]  # the greedy way would leave two of them alone
    assert found.pairs[0].overlap.dice == pytest.approx(8 / 14)
    assert found.pairs[1].overlap.dice == pytest.approx(6 / 13)
    assert (found.only_first, found.only_second) == ((2,), ())
    assert found.f1 == pytest.approx(0.8)


def test_lesions_that_only_touch_are_two():
    found = match([lesion(0, 20)], [lesion(20, 60)])
    assert found.pairs == ()


def test_a_measure_is_matched_with_the_mask_around_it():
    found = match([lesion(10, 29)], [measure(22.0, 18.0)])
    assert pairs(found) == [(0, 0)]
    assert found.pairs[0].overlap is None
    assert found.pairs[0].apart_mm == pytest.approx(2.5)


def test_a_measure_far_away_is_another_lesion():
    assert match([lesion(10, 29)], [measure(40.0, 8.0)]).pairs == ()


def test_measures_in_other_frames_of_reference_are_never_matched():
    assert match([measure(10, 8)], [measure(10, 8, space="elsewhere")]).pairs == ()


def test_of_several_within_reach_the_nearest_are_matched():
    found = match([measure(0, 30), measure(10, 30)], [measure(9, 30), measure(1, 30)])
    assert pairs(found) == [(0, 1), (1, 0)]


def test_neither_reader_having_a_lesion_is_no_number():
    assert match([], []).f1 is None
    assert match([lesion(0, 3)], []).f1 == 0.0


def test_one_lesion_of_four_readers_is_one_group():
    reads = [[lesion(0, 9), lesion(50, 59)], [lesion(1, 9)], [lesion(51, 60), lesion(0, 8)], []]
    groups = match_many(reads)
    assert [group.members for group in groups] == [(0, 0, 1, None), (1, None, 0, None)]
    assert [group.count for group in groups] == [3, 2]


def test_a_group_never_holds_two_lesions_of_one_reader():
    # The second reader saw one where the first saw two, the third agrees with the first.
    reads = [[lesion(0, 9), lesion(12, 21)], [lesion(0, 21)], [lesion(0, 9), lesion(12, 21)]]
    groups = match_many(reads)
    assert len(groups) == 2
    for group in groups:
        assert group.members[0] == group.members[2]
    assert sum(group.members[1] is not None for group in groups) == 1


def test_the_order_of_readers_changes_no_group():
    reads = [[lesion(0, 9), lesion(50, 59)], [lesion(1, 9)], [lesion(51, 60), lesion(0, 8)]]
    names = lambda order: {
        frozenset(
            reads[order[at]][index].identity for at, index in enumerate(group.members) if index is not None
        )
        for group in match_many([reads[at] for at in order])
    }
    assert names([0, 1, 2]) == names([2, 1, 0]) == names([1, 0, 2])


def test_a_label_is_compared_through_all_of_its_studies():
    before, after = {"study": "1"}, {"study": "2"}
    found = compare([lesion(0, 9, **before), lesion(0, 9, **after)], [lesion(0, 9, **before)])
    assert found.dice == pytest.approx(20 / 30)
    assert (found.hd95_mm, found.hd95_missing) == (0.0, 1)
    assert found.surface_dice == pytest.approx(20 / 30)
    assert len(found.places) == 2


def test_lesions_of_different_studies_are_never_one():
    found = compare([lesion(0, 9, study="1")], [lesion(0, 9, study="2")])
    assert found.dice == 0.0
    assert found.matching.pairs == ()


@pytest.mark.parametrize("seed", range(12))
def test_no_other_way_to_match_has_a_larger_sum_of_dice(seed):
    random = np.random.default_rng(seed)

    def some() -> list[Lesion]:
        starts = random.integers(0, 60, random.integers(1, 5))
        return [lesion(int(at), int(at + random.integers(3, 25))) for at in starts]

    first, second = some(), some()
    found = sum(pair.overlap.dice for pair in match(first, second).pairs if pair.overlap)
    dice = {
        (i, j): overlap.dice
        for i, one in enumerate(first)
        for j, other in enumerate(second)
        if (overlap := overlap_of(one, other)) and overlap.share_of_smaller >= 0.1
    }
    few, many = sorted((len(first), len(second)))
    ways = (zip(range(few), chosen, strict=True) for chosen in permutations(range(many), few))
    if len(first) > len(second):
        ways = (((j, i) for i, j in way) for way in ways)
    assert found == pytest.approx(max(sum(dice.get(pair, 0.0) for pair in way) for way in ways))
