"""A real mouse draws in the room; every number is recomputed with numpy from the stored bytes."""

import numpy as np
import pytest

from tests.e2e.narrow import COLUMN_MM, COLUMNS, ROW_MM, ROWS
from tests.e2e.pixels import painted_by_hand, stored_file
from tests.e2e.room import Room, read_of


def test_a_length_is_right_to_the_hundredth_on_anisotropic_pixels(room):
    for start, end in (((40, 30), (140, 30)), ((60, 20), (60, 100)), ((20, 15), (170, 105))):
        room.press("d")
        pixels = room.client_of(*start), room.client_of(*end)
        drawn = np.array([room.voxel_of(pixel) for pixel in pixels])
        before = room.saving()["number"]
        room.drag(*pixels)
        room.saved(before + 1)
        expected_mm = float(np.linalg.norm((drawn[1] - drawn[0]) * [COLUMN_MM, ROW_MM]))
        mark = [m for m in room.stored()["annotations"] if m["value"] and m["value"]["kind"] == "length"][-1]
        ends = np.array(mark["value"]["points_patient_mm"])
        assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(expected_mm, abs=0.01)
        # Position of the first voxel, then columns along x and rows along y.
        assert ends[0][:2] == pytest.approx(
            [10 + drawn[0][0] * COLUMN_MM, 20 + drawn[0][1] * ROW_MM], abs=0.01
        )
        assert f"{expected_mm:.1f} mm" in room.page.get_by_test_id("findings").inner_text()


def test_values_under_the_mouse_are_those_of_the_file_on_every_slice(room):
    for index in (0, 2, 4):
        room.go_to_slice(index)
        for column, row in ((0, 0), (199, 119), (70, 33)):
            value = row * 10 + column + index * 1000 - 1024
            room.page.mouse.move(*room.client_of(column, row))
            assert room.value_at(column, row) == value
            if 0 < column < 199:  # at the corners the nearest pixel of the page may lie outside the image
                shown = room.page.get_by_test_id("value-0").inner_text()
                assert shown.replace("\u2212", "-").startswith(f"{value} ")


def test_a_stroke_paints_the_voxels_whose_centre_lies_within_the_brush(room):
    room.go_to_slice(3)
    room.press("b")
    radius_mm = room.state()["brushMm"]
    start, end = room.client_of(60, 40), room.client_of(120, 80)
    a, b = room.voxel_of(start), room.voxel_of(end)
    before = room.saving()["number"]
    room.drag(start, end)
    room.saved(before + 1)
    segment = next(mark for mark in room.marks() if mark["kind"] == "segment")
    plane = room.stored_plane(segment["id"], ROWS, COLUMNS)
    expected, unsure = painted_by_hand(a, b, radius_mm, ROWS, COLUMNS, ROW_MM, COLUMN_MM)
    assert expected.sum() > 500
    assert np.array_equal(plane | unsure, expected | unsure)
    assert segment["voxels"] == plane.sum()

    room.press("e")
    middle = room.client_of(90, 60)
    centre = room.voxel_of(middle)
    before = room.saving()["number"]
    room.drag(middle, middle)
    room.saved(before + 1)
    erased, unsure_too = painted_by_hand(centre, centre, radius_mm, ROWS, COLUMNS, ROW_MM, COLUMN_MM)
    unsure |= unsure_too
    plane = room.stored_plane(segment["id"], ROWS, COLUMNS)
    assert np.array_equal(plane | unsure, (expected & ~erased) | unsure)


def test_a_length_and_a_threshold_stroke_on_a_real_chest_ct(demo, reader1):
    """lung2: the numbers are recomputed from the DICOM bytes that the node stored."""
    room = Room(reader1, read_of(demo, "reader1", "lung2")).open()
    state = room.state()
    image = stored_file(demo, state["sop"])
    values = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
    row_mm, column_mm = map(float, image.PixelSpacing)
    rows, columns = values.shape
    for column, row in ((columns // 2, rows // 2), (columns // 3, rows // 4)):
        assert room.value_at(column, row) == values[row, column]

    room.press("d")
    pixels = room.client_of(columns * 0.4, rows * 0.4), room.client_of(columns * 0.6, rows * 0.55)
    drawn = np.array([room.voxel_of(pixel) for pixel in pixels])
    before = room.saving()["number"]
    room.drag(*pixels)
    room.saved(before + 1)
    length_mm = float(np.linalg.norm((drawn[1] - drawn[0]) * [column_mm, row_mm]))
    assert f"{length_mm:.1f} mm" in room.page.get_by_test_id("findings").inner_text()

    room.press("t")
    low, high = 30.0, 60.0
    room.page.get_by_test_id("range-low").fill(str(low))
    room.page.get_by_test_id("range-high").fill(str(high))
    room.page.get_by_test_id("range-high").press("Enter")
    radius_mm = room.state()["brushMm"]
    start, end = room.client_of(columns * 0.5, rows * 0.45), room.client_of(columns * 0.62, rows * 0.5)
    a, b = room.voxel_of(start), room.voxel_of(end)
    before = room.saving()["number"]
    room.drag(start, end)
    room.saved(before + 1)
    segment = next(mark for mark in room.marks() if mark["kind"] == "segment")
    near, unsure = painted_by_hand(a, b, radius_mm, rows, columns, row_mm, column_mm)
    expected = near & (values >= low) & (values <= high)
    plane = room.stored_plane(segment["id"], rows, columns)
    assert 0 < expected.sum() < near.sum()
    assert np.array_equal(plane | unsure, expected | unsure)
    room.close()
