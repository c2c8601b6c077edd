"""COCO's outlines: run lengths by its own algorithm, boxes, areas, closed lines in pixels."""

from uuid import UUID

import numpy as np
import pytest

from annotations.exchange.coco import (
    closed_line,
    compressed,
    outline_of_plane,
    outline_of_points,
    run_lengths,
)
from annotations.exchange.marks import Mark
from annotations.exchange.slice_png import Shades, eight_bits, png
from annotations.exchange.source import ExchangeError
from tests.annotations.exchange.makers import oblique, series

SOURCE = series(orientation=oblique(), row_mm=0.5, column_mm=1.25)
FRAME = SOURCE.frames[2]


def expanded(text: str, rows: int, columns: int) -> np.ndarray:
    """A mask out of COCO's text, letter by letter, as its own decoder goes about it."""
    counts: list[int] = []
    at = 0
    while at < len(text):
        number, shift, more = 0, 0, True
        while more:
            letter = ord(text[at]) - 48
            number |= (letter & 0x1F) << (5 * shift)
            more = bool(letter & 0x20)
            at += 1
            shift += 1
            if not more and letter & 0x10:
                number |= -1 << (5 * shift)
        counts.append(number + counts[-2] if len(counts) > 2 else number)
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return flat.reshape((rows, columns), order="F")


def noise(share: float) -> np.ndarray:
    return np.random.default_rng(3).random((37, 53)) < share


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.97, 1.0])
def test_run_lengths_lead_back_to_the_mask(share: float) -> None:
    plane = noise(share)
    assert plane.any()
    np.testing.assert_array_equal(expanded(compressed(run_lengths(plane)), 37, 53), plane)


def test_run_lengths_go_down_the_columns_and_begin_with_zeros() -> None:
    plane = np.zeros((3, 4), dtype=bool)
    plane[1:, 1] = True
    assert run_lengths(plane).tolist() == [4, 2, 6]
    plane[0, 0] = True
    assert run_lengths(plane).tolist() == [0, 1, 3, 2, 6]


def test_the_text_is_cocos() -> None:
    """Letters worked out by hand: 40 is 8 and more, then 1; -3 is 29 with its sign."""
    assert compressed([40, 2]) == "X12"
    assert compressed([6, 5, 4, 2]) == "654M"


def test_box_and_area_of_a_mask() -> None:
    plane = np.zeros((20, 30), dtype=bool)
    plane[4:9, 11:13] = True
    plane[6, 20] = True
    outline = outline_of_plane(plane)
    assert outline["bbox"] == [11, 4, 10, 5]
    assert outline["area"] == 11
    assert outline["segmentation"]["size"] == [20, 30]


def test_a_mask_without_a_pixel_has_no_outline() -> None:
    with pytest.raises(ExchangeError, match="without a pixel"):
        outline_of_plane(np.zeros((4, 4), dtype=bool))


def test_box_and_area_of_a_closed_line() -> None:
    outline = outline_of_points(np.array([[2.0, 3.0], [8.0, 3.0], [8.0, 5.5], [2.0, 5.5]]))
    assert outline["bbox"] == [2, 3, 6, 2.5]
    assert outline["area"] == 15
    assert outline["segmentation"] == [[2, 3, 8, 3, 8, 5.5, 2, 5.5]]


def patient(column: float, row: float) -> list[float]:
    """Where (column, row) lies, the centre of the first pixel being (0.5, 0.5)."""
    along_row, down_column, _ = FRAME.axes
    position = np.array(FRAME.position)
    return (position + (column - 0.5) * 1.25 * along_row + (row - 0.5) * 0.5 * down_column).tolist()


def mark(kind: str, **place) -> Mark:
    value = {"kind": kind, "label": "tumour", "sop": FRAME.key.sop_instance_uid, "frame": 1} | place
    return Mark(UUID(int=1), value, {"key": "tumour", "name": "Tumour"}, SOURCE)


def test_a_polygon_in_the_patient_lies_on_its_pixels() -> None:
    corners = [(3.0, 4.0), (11.5, 4.0), (7.25, 15.0)]
    drawn = mark("polygon", points_patient_mm=[patient(*corner) for corner in corners])
    np.testing.assert_allclose(closed_line(drawn, FRAME), corners, atol=1e-9)


def test_a_polygon_on_an_image_without_place_stays_as_it_is() -> None:
    corners = [[3.0, 4.0], [11.5, 4.0], [7.25, 15.0]]
    np.testing.assert_array_equal(closed_line(mark("polygon", points_image=corners), FRAME), corners)


def test_a_circle_in_the_patient_is_an_ellipse_on_pixels_that_are_not_square() -> None:
    drawn = mark("circle", points_patient_mm=[patient(12, 10), patient(16, 10)])  # 5 mm
    line = closed_line(drawn, FRAME)
    assert np.ptp(line, axis=0).tolist() == pytest.approx([2 * 5 / 1.25, 2 * 5 / 0.5], rel=1e-3)
    assert line.mean(axis=0).tolist() == pytest.approx([12, 10])
    assert outline_of_points(line)["area"] == pytest.approx(np.pi * 25 / (1.25 * 0.5), rel=2e-3)


def test_an_ellipse_reaches_the_ends_of_its_axes() -> None:
    ends = [[4.0, 10.0], [16.0, 10.0], [10.0, 7.0], [10.0, 13.0]]
    line = closed_line(mark("ellipse", points_image=ends), FRAME)
    assert line.min(axis=0).tolist() == pytest.approx([4, 7], abs=0.01)
    assert line.max(axis=0).tolist() == pytest.approx([16, 13], abs=0.01)


def test_a_window_makes_shades_of_rescaled_values() -> None:
    shades = Shades(-160, 240)
    values = np.array([[0, 864, 1064, 1264, 4095]], dtype=np.uint16)
    assert shades.of(values, 1.0, -1024.0).tolist() == [[0, 0, 128, 255, 255]]
    assert Shades(-160, 240, is_inverted=True).of(values, 1.0, -1024.0).tolist() == [[255, 255, 127, 0, 0]]


def test_colours_of_sixteen_bits_keep_their_upper_half() -> None:
    assert eight_bits(np.array([[[0, 256, 65535]]], dtype=np.uint16)).tolist() == [[[0, 1, 255]]]


def test_the_same_picture_gives_the_same_bytes() -> None:
    picture = (noise(0.5) * 200).astype(np.uint8)
    assert png(picture) == png(picture.copy())
