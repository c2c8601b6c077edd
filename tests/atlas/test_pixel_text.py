"""Which images may hold text in their pixels, and finding it there."""

import logging

import numpy as np
import pytest
from PIL import Image

from atlas.dicom.pixel_text import Box, frames_to_search, may_hold_text, merged, renditions
from atlas.dicom.text_finder import find_text
from tests.atlas.slices import header
from tests.atlas.writing import NAME, drawn

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@pytest.mark.parametrize(
    "facts",
    [
        {"Modality": "US"},
        {"Modality": "MG"},
        {"Modality": "XA"},
        {"Modality": "RF"},
        {"Modality": "OT"},
        {"Modality": None},
        {"SOPClassUID": SECONDARY_CAPTURE},
        {"SOPClassUID": SECONDARY_CAPTURE + ".4"},
        {"BurnedInAnnotation": "YES"},
        {"ConversionType": "WSD"},
        {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "DOSE_INFO"]},
        {"PhotometricInterpretation": "RGB", "BitsAllocated": 8},
        {"PhotometricInterpretation": "PALETTE COLOR", "BitsAllocated": 8},
        {"Modality": "US", "BurnedInAnnotation": "NO"},
    ],
)
def test_pictures_of_screens_photographs_and_projections_may_hold_text(facts):
    assert may_hold_text(header(**facts))


@pytest.mark.parametrize(
    "facts",
    [
        {"Modality": "CT", "BitsAllocated": 16},
        {"Modality": "MR", "BitsAllocated": 16},
        {"Modality": "PT", "BitsAllocated": 16, "ImageType": ["ORIGINAL", "PRIMARY"]},
        {"Modality": "CT", "BitsAllocated": 16, "ImageType": ["DERIVED", "SECONDARY", "AXIAL", "MPR"]},
        {"Modality": "SEG", "BitsAllocated": 8, "BurnedInAnnotation": "YES"},
    ],
)
def test_slices_as_scanners_make_them_and_masks_may_not(facts):
    assert not may_hold_text(header(**facts))


def covers(boxes: list[Box], column: int, row: int) -> bool:
    return any(
        one.column <= column < one.column + one.columns and one.row <= row < one.row + one.rows
        for one in boxes
    )


def test_a_name_is_found_where_it_stands():
    boxes = find_text(drawn(at=(120, 100)))
    assert covers(boxes, 150, 112)
    assert not covers(boxes, 150, 200)
    assert not covers(boxes, 60, 112)


def test_a_name_is_found_in_twelve_bits_far_above_the_anatomy():
    words = drawn(at=(20, 30)) > 200
    anatomy = drawn("").astype(np.int16)
    assert covers(find_text(np.where(words, 4095, anatomy)), 60, 42)


def test_a_name_hardly_brighter_than_its_ground_is_found():
    words = drawn(at=(20, 30)) > 200
    array = np.zeros((240, 480), np.uint16)
    array[words] = 3  # of 65,535
    array[200:, 400:] = 60_000
    assert covers(find_text(array), 60, 42)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_name_that_stands_on_its_side_or_head_is_found(turns):
    array = np.rot90(drawn(at=(20, 100), rows=480, columns=480), turns)
    assert find_text(array)


def test_dark_words_on_a_light_ground_and_inverted_ones_are_found():
    assert covers(find_text(255 - drawn(at=(20, 30))), 60, 42)
    assert covers(find_text(255 - drawn(at=(20, 30)), inverted=True), 60, 42)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_small_words_on_a_picture_larger_than_a_tile_are_found(kind):
    array = np.zeros((2000, 2600), kind)
    array[1500:1740, 2000:2480] = drawn(at=(20, 100), size=20)
    boxes = find_text(array)
    assert covers(boxes, 2060, 1610)
    assert not covers(boxes, 300, 300)


@pytest.mark.parametrize("mark", ["R", "LMLO", "RCC"])
def test_marks_of_side_and_view_alone_are_no_finding(mark):
    assert find_text(drawn(mark, size=40)) == []


def test_a_mark_of_side_with_a_name_beside_it_is_a_finding():
    assert find_text(drawn("R  LINDQVIST", size=40))


@pytest.mark.parametrize("shape", [(64, 64), (9, 300), (240, 480, 3)])
def test_pictures_without_words_have_no_finding(shape):
    array = np.zeros(shape, np.uint8)
    assert find_text(array) == []
    array[2:5, 2:40] = 255
    assert find_text(array) == []


def test_what_the_model_reads_is_written_nowhere(caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        boxes = find_text(drawn())
    said = caplog.text + "".join(capfd.readouterr()) + repr(boxes)
    assert "LINDQVIST" in NAME
    assert "LINDQVIST" not in said
    assert "MARA" not in said


def test_lines_close_below_each_other_become_one_box():
    lines = [Box(0, 10, 10 + 18 * at, 100, 26) for at in range(4)]
    assert merged([*lines, Box(0, 300, 10, 50, 20)]) == [
        Box(0, 10, 10, 100, 80),
        Box(0, 300, 10, 50, 20),
    ]


def test_boxes_lie_inside_of_their_image():
    assert Box(0, 90, 5, 20, 10).within(100, 100) == Box(0, 90, 5, 10, 10)
    assert Box(0, 100, 5, 20, 10).within(100, 100) is None
    with pytest.raises(ValueError, match="at least one pixel"):
        Box(0, 1, 1, 0, 3)


def test_frames_are_searched_evenly_with_the_first_and_the_last():
    assert frames_to_search(3, 24) == [1, 2, 3]
    chosen = frames_to_search(1000, 24)
    assert (chosen[0], chosen[-1], len(chosen)) == (1, 1000, 24)


def test_a_picture_of_one_shade_has_nothing_to_look_at():
    assert renditions(np.full((50, 50), 7, np.int16)) == []
    assert len(renditions(np.asarray(Image.new("RGB", (20, 20))))) == 1
