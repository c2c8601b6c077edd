"""Run-length encoded bit planes: what is drawn is what comes back, and nothing hostile gets in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from annotations.measures import masks

planes = arrays.arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 300)))


@given(planes)
@settings(max_examples=300, deadline=None)
def test_every_plane_comes_back_as_it_was_drawn(plane):
    runs = masks.encode(plane)
    assert np.array_equal(masks.decode(runs, *plane.shape), plane)
    assert masks.voxel_count(runs) == plane.sum()
    assert masks.is_empty(runs) == (not plane.any())


@given(st.binary(max_size=200), st.integers(1, 20), st.integers(1, 20))
@settings(max_examples=500, deadline=None)
def test_any_bytes_either_decode_to_the_right_size_or_are_refused_in_words(runs, rows, columns):
    try:
        masks.validate(runs, rows, columns)
    except masks.MaskError:
        with pytest.raises(masks.MaskError, match=r"\.$"):
            masks.decode(runs, rows, columns)
    else:
        plane = masks.decode(runs, rows, columns)
        assert plane.shape == (rows, columns)
        assert masks.voxel_count(runs) == plane.sum()


def test_runs_written_by_hand_lie_row_by_row_with_the_column_fastest():
    plane = np.zeros((2, 200), dtype=bool)
    plane[0, 150:] = True  # 150 zeros, 50 + 2 ones, 198 zeros
    plane[1, :2] = True
    assert masks.encode(plane) == bytes([0x96, 0x01, 0x34, 0xC6, 0x01])


def test_a_plane_that_begins_with_a_voxel_begins_with_an_empty_run():
    assert masks.encode(np.ones((1, 3), dtype=bool)) == bytes([0, 3])


def test_a_plane_without_voxels_is_one_run():
    assert masks.encode(np.zeros((3, 3), dtype=bool)) == bytes([9])
    assert masks.is_empty(bytes([9]))
    assert masks.is_empty(None)


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        (b"", "no runs"),
        (bytes([8]), "cover 8 pixels"),
        (bytes([5, 5]), "cover 10 pixels"),
        (bytes([10]), "longer than 3 × 3"),
        (bytes([0x89]), "cut off"),
        (bytes([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]), "longer than any plane"),
        (bytes([1]) * 12, "more runs"),
    ],
)
def test_runs_that_do_not_fit_are_refused_with_a_reason(runs, reason):
    with pytest.raises(masks.MaskError, match=reason):
        masks.validate(runs, 3, 3)


def test_a_plane_too_large_for_any_detector_takes_no_memory():
    with pytest.raises(masks.MaskError, match="can't be kept"):
        masks.decode(bytes([0xFF, 0xFF, 0xFF, 0xFF, 0x0F]), 65535, 65535)


def test_a_checkerboard_is_the_longest_a_plane_can_get():
    plane = np.indices((64, 64)).sum(axis=0) % 2 == 0
    runs = masks.encode(plane)
    assert len(runs) == 64 * 64 - 63 + 1  # neighbours across a row's end are equal
    masks.validate(runs, 64, 64)
