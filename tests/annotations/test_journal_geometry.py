"""Lengths, areas and volumes against values worked out by hand or by another road."""

from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import ellipe

from annotations.measures import geometry


def oblique(points_2d):
    """The same figure on a tilted plane somewhere in the patient."""
    row = np.array([0.6, 0.8, 0.0])
    column = np.array([0.48, -0.36, 0.8])
    points = np.asarray(points_2d, dtype=float)
    return points[:, :1] * row + points[:, 1:] * column + np.array([-120.5, 40.25, 900.0])


def test_a_length_is_the_straight_way_between_two_points_in_the_patient():
    assert geometry.length([[0, 0, 0], [2, 3, 6]]) == pytest.approx(7)


def test_image_points_become_millimetres_with_each_direction_s_own_spacing():
    points_mm = geometry.to_millimetres([[10.5, 20.5], [13.5, 20.5]], row_mm=0.4, column_mm=0.8)
    assert geometry.length(points_mm) == pytest.approx(3 * 0.8)
    points_mm = geometry.to_millimetres([[10.5, 20.5], [10.5, 23.5]], row_mm=0.4, column_mm=0.8)
    assert geometry.length(points_mm) == pytest.approx(3 * 0.4)


def test_the_longer_of_two_diameters_is_the_long_axis_however_they_were_drawn():
    cross = [[0, -3], [0, 3], [-5, 0], [5, 0]]
    assert geometry.bidirectional(cross) == geometry.Axes(long=10, short=6)


def test_an_ellipse_has_its_area_and_perimeter_on_any_plane():
    cross = oblique([[-5, 0], [5, 0], [0, -3], [0, 3]])
    assert geometry.ellipse_area(cross) == pytest.approx(pi * 15)
    assert geometry.ellipse_perimeter(cross) == pytest.approx(4 * 5 * ellipe(1 - 9 / 25), rel=1e-6)


def test_a_polygon_on_a_tilted_plane_keeps_its_area_and_perimeter():
    shape = [[0, 0], [4, 0], [4, 3], [2, 1], [0, 3]]  # an M: 12 minus a triangle of 4
    assert geometry.polygon_area(shape) == pytest.approx(8)
    assert geometry.polygon_area(oblique(shape)) == pytest.approx(8)
    assert geometry.perimeter(oblique(shape)) == pytest.approx(4 + 3 + 3 + 2 * 8**0.5)
    assert geometry.off_plane(oblique(shape)) == pytest.approx(0, abs=1e-9)


def test_a_vertex_off_the_plane_shows():
    square = oblique([[0, 0], [10, 0], [10, 10], [0, 10]])
    square[0] += np.cross([0.6, 0.8, 0.0], [0.48, -0.36, 0.8]) * 4
    assert geometry.off_plane(square) > 0.9


@given(arrays.arrays(np.float64, st.tuples(st.integers(3, 30), st.just(2)), elements=st.floats(-500, 500)))
def test_area_is_the_shoelace_formula_in_either_direction(points):
    x, y = points[:, 0], points[:, 1]
    shoelace = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert geometry.polygon_area(points) == pytest.approx(shoelace, abs=1e-4)
    assert geometry.polygon_area(points[::-1]) == pytest.approx(shoelace, abs=1e-4)
    assert geometry.polygon_area(oblique(points)) == pytest.approx(shoelace, abs=1e-4)


def test_a_mask_s_volume_counts_each_slice_with_the_space_it_stands_for():
    thickness = geometry.slice_thicknesses_mm([0.0, 2.0, 4.0, 9.0])
    assert thickness == pytest.approx([2.0, 2.0, 3.5, 5.0])
    volume = geometry.volume_ml([100, 50, 0, 10], row_mm=0.5, column_mm=0.8, thickness_mm=thickness)
    assert volume == pytest.approx((200 + 100 + 50) * 0.4 / 1000)


def test_frames_at_one_place_in_any_order_each_stand_for_it():
    assert geometry.slice_thicknesses_mm([3.0, 0.0, 3.0, 0.0, 8.0]) == pytest.approx([4, 3, 4, 3, 5])


def test_one_slice_alone_has_no_volume():
    with pytest.raises(geometry.GeometryError, match="no spacing"):
        geometry.slice_thicknesses_mm([12.0])


def test_slices_lie_along_the_normal_of_a_tilted_stack():
    orientation = [0.6, 0.8, 0, 0.48, -0.36, 0.8]
    normal = np.cross(orientation[:3], orientation[3:])
    origins = np.array([[7.0, -3.0, 2.0]]) + np.arange(4)[:, None] * 2.5 * normal
    assert np.diff(geometry.slice_positions_mm(origins, orientation)) == pytest.approx([2.5] * 3)


@pytest.mark.parametrize(
    ("figure", "points"),
    [
        (geometry.length, [[0, 0, 0]]),
        (geometry.bidirectional, [[0, 0], [1, 1]]),
        (geometry.polygon_area, [[0, 0, 0], [1, 1, 1]]),
        (geometry.length, [[0, 0, 0], [float("nan"), 0, 0]]),
        (geometry.length, [[0], [1]]),
    ],
)
def test_points_that_make_no_figure_are_refused_in_words(figure, points):
    with pytest.raises(geometry.GeometryError, match=r"\.$"):
        figure(points)
