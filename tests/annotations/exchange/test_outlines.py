"""Outlines become pixels: by their centres, without doubling or losing one between neighbours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import grid_points_in_poly

from annotations.exchange.derived import BIDIRECTIONAL, ELLIPSE, LENGTH, POINT
from annotations.exchange.outlines import as_plane, combined, drawn, filled


def square(first: float, last: float) -> np.ndarray:
    return np.array([[first, first], [last, first], [last, last], [first, last]])


def test_a_pixel_is_inside_where_its_centre_is():
    plane = filled(square(2.4, 4.6), 8, 9)
    assert plane.shape == (8, 9)
    assert np.argwhere(plane).tolist() == [[row, column] for row in (2, 3, 4) for column in (2, 3, 4)]


def test_outlines_that_share_an_edge_share_no_pixel_and_lose_none():
    left = np.array([[1.5, 1.5], [4.5, 1.5], [4.5, 6.5], [1.5, 6.5]])
    right = left + np.array([3, 0])
    whole = np.array([[1.5, 1.5], [7.5, 1.5], [7.5, 6.5], [1.5, 6.5]])
    assert not (filled(left, 9, 9) & filled(right, 9, 9)).any()
    np.testing.assert_array_equal(filled(left, 9, 9) | filled(right, 9, 9), filled(whole, 9, 9))


@given(
    st.lists(
        st.tuples(st.floats(-5, 35, allow_subnormal=False), st.floats(-5, 30, allow_subnormal=False)),
        min_size=3,
        max_size=12,
    )
)
def test_any_outline_is_filled_as_others_fill_it(points):
    """Offsets that no vertex has keep centres off the edges, where conventions differ."""
    polygon = np.round(np.array(points), 2) + np.array([0.00317, 0.00713])
    other = grid_points_in_poly((25, 30), (polygon - 0.5)[:, ::-1])
    np.testing.assert_array_equal(filled(polygon, 25, 30), other)


def test_what_lies_outside_the_image_is_cut_off():
    assert filled(square(-100, 100), 5, 6).all()
    assert not filled(square(50, 100), 5, 6).any()
    assert not filled(square(-100, -50), 5, 6).any()


def test_many_points_take_little_memory():
    angle = np.linspace(0, 2 * np.pi, 200_000)
    circle = 256 + 200 * np.column_stack((np.cos(angle), np.sin(angle)))
    assert filled(circle, 512, 512).sum() == pytest.approx(np.pi * 200**2, rel=1e-3)


def test_an_outline_within_another_is_a_hole_and_an_island_in_it_is_none():
    outer, hole, island = (filled(square(*ends), 30, 30) for ends in ((2, 28), (8, 22), (12, 18)))
    plane, took = combined([island, outer, hole], exclusive=False)
    np.testing.assert_array_equal(plane, (outer & ~hole) | island)
    assert took == {"holes"}


def test_outlines_that_overlap_in_part_are_joined_and_twins_count_once():
    one, two = filled(square(2, 12), 30, 30), filled(square(8, 20), 30, 30)
    plane, took = combined([one, two, one.copy()], exclusive=False)
    np.testing.assert_array_equal(plane, one | two)
    assert took == {"overlap"}


def test_exclusive_outlines_cancel_where_they_overlap():
    one, two = filled(square(2, 12), 30, 30), filled(square(8, 20), 30, 30)
    np.testing.assert_array_equal(combined([one, two], exclusive=True)[0], one ^ two)


def test_lines_touch_the_pixels_they_pass():
    assert np.argwhere(drawn(np.array([[1.5, 2.5], [4.5, 2.5]]), 6, 6)).tolist() == [
        [2, 1],
        [2, 2],
        [2, 3],
        [2, 4],
    ]
    assert drawn(np.array([[-1e30, 0], [np.inf, 2]]), 6, 6).sum() == 0


def test_each_kind_of_shape_can_be_shown():
    points = np.array([[4.5, 10.5], [16.5, 10.5], [10.5, 6.5], [10.5, 14.5]])
    ellipse = as_plane(ELLIPSE, points * 5, 100, 100)
    assert ellipse.sum() == pytest.approx(np.pi * 30 * 20, rel=0.01)
    cross = as_plane(BIDIRECTIONAL, points, 20, 20)
    assert cross.sum() == 13 + 9 - 1
    assert as_plane(LENGTH, points[:2], 20, 20).sum() == 13
    assert np.argwhere(as_plane(POINT, np.array([[3.5, 5.5]]), 20, 20)).tolist() == [
        [4, 3],
        [5, 2],
        [5, 3],
        [5, 4],
        [6, 3],
    ]
