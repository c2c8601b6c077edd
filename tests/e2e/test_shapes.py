"""Every drawing tool under a real mouse: what is drawn is what is stored, and the numbers are numpy's."""

import math

import numpy as np
import pytest

from tests.e2e.narrow import COLUMN_MM, ROW_MM
from tests.e2e.room import Room, read_of

SCALE = np.array([COLUMN_MM, ROW_MM])


def drawn(room: Room, kind: str, before: int) -> np.ndarray:
    """The points of the newest mark of a kind, (column, row) in mm, as the server has them."""
    room.saved(before + 1)
    mark = [m for m in room.stored()["annotations"] if m["value"] and m["value"]["kind"] == kind][-1]
    return np.array(mark["value"]["points_patient_mm"])[:, :2] - [10, 20]


def millimetres(room: Room, client: tuple[int, int]) -> np.ndarray:
    return room.voxel_of(client) * SCALE


def area_mm2(points: np.ndarray) -> float:
    x, y = points.T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def measured(room: Room, kind: str) -> dict:
    answer = room.context.request.get(f"/api/v1/reads/{room.read}/measurements/").json()
    return [mark for mark in answer if mark["kind"] == kind][-1]


def choose(room: Room, label: str, key: str) -> int:
    room.page.get_by_test_id(f"label-{label}").click()
    room.press(key)
    return room.saving()["number"]


def test_a_point_lies_where_the_mouse_clicked(room):
    before = choose(room, "point_of_interest", "p")
    pixel = room.client_of(50, 25)
    room.page.mouse.click(*pixel)
    assert drawn(room, "point", before)[0] == pytest.approx(millimetres(room, pixel), abs=0.01)


def test_a_polygon_has_its_corners_and_area(room):
    before = choose(room, "region_of_interest", "g")
    pixels = [room.client_of(*at) for at in ((110, 20), (150, 22), (160, 60), (120, 70))]
    for pixel in pixels:
        room.page.mouse.click(*pixel)
    room.press("Enter")
    corners = np.array([millimetres(room, pixel) for pixel in pixels])
    assert drawn(room, "polygon", before) == pytest.approx(corners, abs=0.01)
    assert measured(room, "polygon")["area_mm2"] == pytest.approx(area_mm2(corners), rel=1e-3)


def test_an_ellipse_has_the_area_of_its_axes(room):
    before = choose(room, "region_of_interest", "o")
    room.drag(room.client_of(20, 70), room.client_of(60, 85), room.client_of(80, 110))
    ends = drawn(room, "ellipse", before)
    first, second = np.linalg.norm(ends[1] - ends[0]), np.linalg.norm(ends[3] - ends[2])
    assert min(first, second) > 5
    assert measured(room, "ellipse")["area_mm2"] == pytest.approx(math.pi * first * second / 4, rel=1e-3)


def test_a_freehand_region_follows_the_hand(room):
    before = choose(room, "region_of_interest", "f")
    angles = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    pixels = [room.client_of(150 + 30 * math.cos(a), 85 + 15 * math.sin(a)) for a in angles]
    room.drag(*pixels)
    outline = drawn(room, "freehand", before)
    way = np.array([millimetres(room, pixel) for pixel in pixels])
    nearest = np.linalg.norm(outline[:, None] - way[None], axis=-1).min(axis=1)
    assert nearest.max() < 2.0  # the hand's own points lie about 2 mm apart
    assert measured(room, "freehand")["area_mm2"] == pytest.approx(area_mm2(way), rel=0.03)


def test_two_diameters_stand_at_right_angles(room):
    before = choose(room, "longest_diameter", "x")
    room.drag(room.client_of(30, 30), room.client_of(70, 40), room.client_of(90, 60))
    room.drag(room.client_of(70, 35), room.client_of(55, 50), room.client_of(40, 65))
    ends = drawn(room, "bidirectional", before)
    long, short = ends[1] - ends[0], ends[3] - ends[2]
    assert float(long @ short) == pytest.approx(0, abs=0.01 * np.linalg.norm(long) * np.linalg.norm(short))
    answer = measured(room, "bidirectional")
    assert answer["long_axis_mm"] == pytest.approx(float(np.linalg.norm(long)), abs=0.01)
    assert answer["short_axis_mm"] == pytest.approx(float(np.linalg.norm(short)), abs=0.01)


def test_cine_runs_through_the_slices_and_stops(demo, reader1):
    room = Room(reader1, read_of(demo, "reader1", "lung2")).open()
    begin = room.state()["shown"]
    room.press("c")
    room.page.wait_for_function("i => window.atlasRoom.state().shown !== i", arg=begin)
    seen = room.state()["shown"]
    room.page.wait_for_function("i => window.atlasRoom.state().shown !== i", arg=seen)
    room.press("c")
    room.page.wait_for_function("() => window.atlasRoom.state().shown === window.atlasRoom.state().wanted")
    rest = room.state()["shown"]
    room.page.wait_for_timeout(600)
    assert room.state()["shown"] == rest
    room.close()


def test_zoom_pan_and_window_answer_the_mouse_and_come_back_with_space(room):
    fitted = room.client_of(100, 60)
    window = room.state()["window"]
    x, y = fitted
    mouse = room.page.mouse
    room.press("w")
    room.drag((x, y), (x + 60, y + 40))
    assert room.state()["window"]["width"] != window["width"]
    assert room.state()["window"]["center"] != window["center"]
    mouse.move(x, y)
    mouse.down(button="middle")
    mouse.move(x + 50, y + 30)
    mouse.up(button="middle")
    assert room.client_of(100, 60) == pytest.approx((x + 50, y + 30), abs=1.5)
    mouse.move(x, y)
    mouse.down(button="right")
    mouse.move(x, y - 80)
    mouse.up(button="right")
    wide = room.client_of(140, 60)[0] - room.client_of(100, 60)[0]
    room.press("Space")
    assert room.client_of(100, 60) == pytest.approx(fitted, abs=1.5)
    assert room.client_of(140, 60)[0] - fitted[0] < wide
    assert room.state()["window"]["width"] == window["width"]
