"""The tools for outlines, angles, arrows and boxes under a real mouse; changing what was drawn."""

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.narrow import COLUMN_MM, COLUMNS, ROW_MM, ROWS
from tests.e2e.room import Room

SCALE = np.array([COLUMN_MM, ROW_MM])


def value_of(room: Room, annotation: str) -> dict | None:
    marks = room.stored()["annotations"]
    return next((mark["value"] for mark in marks if mark["id"] == annotation), None)


def chosen(room: Room) -> str:
    return room.state()["selected"]


def after(room: Room, act: Callable[[], object]) -> dict:
    """The chosen mark's value once an act is saved."""
    before = room.saving()["number"]
    act()
    room.saved(before + 1)
    value = value_of(room, chosen(room))
    assert value is not None
    return value


def drawn(room: Room, label: str, key: str, act: Callable[[], object]) -> dict:
    room.page.get_by_test_id(f"label-{label}").click()
    room.press(key)
    return after(room, act)


def in_plane_mm(value: dict) -> np.ndarray:
    """(along columns, along rows) in mm from the first voxel."""
    return np.array(value["points_patient_mm"])[:, :2] - [10, 20]


def measured(room: Room, annotation: str) -> dict:
    answer = room.context.request.get(f"/api/v1/reads/{room.read}/measurements/").json()
    return next(mark for mark in answer if mark["annotation"] == annotation)


def clicks(room: Room, *voxels: tuple[float, float], end: str | None = "Enter") -> np.ndarray:
    """Clicks at voxels, then a key; where the clicks were, in mm."""
    pixels = [room.client_of(*voxel) for voxel in voxels]
    for pixel in pixels:
        room.page.mouse.click(*pixel)
    if end:
        room.press(end)
    return np.array([room.voxel_of(pixel) for pixel in pixels]) * SCALE


def area_mm2(points: np.ndarray) -> float:
    x, y = points.T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def told(room: Room) -> list[float]:
    """Mean, deviation, lowest, highest value and voxels of the chosen mark, as the room says them."""
    text = room.page.get_by_test_id("chosen").inner_text().replace("\n", " ")
    found = re.search(r"(\d+) ± (\d+) HU.*?(\d+) – (\d+) HU\D*(\d+)", text)
    assert found, text
    return [float(number) for number in found.groups()]


def values_in_circle(room: Room, points_mm: np.ndarray) -> list[float]:
    """The same by numpy, from the circle's centre and a point on its rim."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    away = np.hypot(columns * COLUMN_MM - points_mm[0, 0], rows * ROW_MM - points_mm[0, 1])
    inside = away <= np.hypot(*(points_mm[1] - points_mm[0])) + 1e-9
    values = (rows * 10 + columns)[inside] + room.value_at(0, 0)
    return [values.mean(), values.std(), values.min(), values.max(), inside.sum()]


def test_each_tool_draws_what_the_mouse_drew_and_a_reload_changes_nothing(room):
    region, remark = "region_of_interest", "remark"
    centre, rim = room.client_of(35, 25), room.client_of(50, 32)
    circle = drawn(room, region, "Shift+O", lambda: room.drag(centre, room.client_of(40, 28), rim))
    arm = (room.voxel_of(rim) - room.voxel_of(centre)) * SCALE
    numbers = measured(room, chosen(room))
    assert circle["kind"] == "circle"
    assert numbers["diameter_mm"] == pytest.approx(2 * np.linalg.norm(arm), abs=0.02)
    assert numbers["area_mm2"] == pytest.approx(math.pi * arm @ arm, rel=1e-3)

    assert told(room) == pytest.approx(values_in_circle(room, in_plane_mm(circle)), abs=0.51)

    rectangle = drawn(
        room,
        region,
        "Shift+R",
        lambda: room.drag(room.client_of(70, 10), room.client_of(80, 20), room.client_of(95, 40)),
    )
    corners = in_plane_mm(rectangle)
    assert measured(room, chosen(room))["area_mm2"] == pytest.approx(area_mm2(corners), rel=1e-6)
    assert np.ptp(corners, axis=0) == pytest.approx([25 * COLUMN_MM, 30 * ROW_MM], abs=0.4)

    at: list[np.ndarray] = []
    curve = drawn(
        room,
        region,
        "Shift+G",
        lambda: at.append(clicks(room, (110, 15), (140, 12), (150, 40), (120, 45))),
    )
    assert in_plane_mm(curve) == pytest.approx(at[0], abs=0.01)
    assert measured(room, chosen(room))["area_mm2"] > area_mm2(at[0])  # it bulges beyond its corners

    wire = drawn(room, region, "Shift+F", lambda: clicks(room, (20, 70), (60, 70), (60, 100), (20, 100)))
    steps = np.diff(in_plane_mm(wire) / SCALE, axis=0)
    assert np.abs(steps).max() < 1.6  # from voxel to voxel, not only from click to click
    assert measured(room, chosen(room))["area_mm2"] == pytest.approx(40 * 30 * COLUMN_MM * ROW_MM, rel=0.2)

    angle = drawn(
        room, remark, "Shift+D", lambda: at.append(clicks(room, (90, 60), (80, 80), (110, 80), end=None))
    )
    first, second = at[1][0] - at[1][1], at[1][2] - at[1][1]
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert angle["kind"] == "angle"
    assert measured(room, chosen(room))["angle_deg"] == pytest.approx(
        math.degrees(math.acos(cosine)), abs=0.05
    )

    def two_lines() -> None:
        room.drag(room.client_of(100, 90), room.client_of(110, 91), room.client_of(140, 92))
        room.drag(room.client_of(100, 110), room.client_of(110, 108), room.client_of(140, 100))

    assert drawn(room, remark, "Shift+C", two_lines)["kind"] == "cobb"
    assert 20 < measured(room, chosen(room))["angle_deg"] < 50

    before = room.saving()["number"]
    room.press("Shift+A")
    room.drag(room.client_of(165, 30), room.client_of(175, 25), room.client_of(185, 20))
    room.page.get_by_test_id("arrow-text").fill("Calcified rim")
    room.press("Enter")
    room.saved(before + 2)
    assert value_of(room, chosen(room))["note"] == "Calcified rim"

    kept = room.stored()["annotations"]
    text = sorted(room.page.get_by_test_id("mark-text").all_inner_texts())
    room.reload()
    assert room.stored()["annotations"] == kept
    room.page.wait_for_function(
        "n => document.querySelectorAll('[data-testid=mark-text]').length === n", arg=len(text)
    )
    shown = sorted(room.page.get_by_test_id("mark-text").all_inner_texts())
    # The last one drawn is no longer chosen, and says less.
    assert [line.split("\n")[0] for line in shown] == [line.split("\n")[0] for line in text]


def test_corners_come_and_go_and_a_polygon_moves_as_a_whole(room):
    at: list[np.ndarray] = []
    drawn(
        room,
        "region_of_interest",
        "g",
        lambda: at.append(clicks(room, (110, 50), (150, 50), (150, 80), (110, 80))),
    )
    polygon, shape = chosen(room), at[0]
    middle, out = room.client_of(130, 50), room.client_of(130, 40)
    more = after(room, lambda: room.drag(middle, room.client_of(130, 45), out))
    assert len(more["points_patient_mm"]) == 5
    assert in_plane_mm(more)[1] == pytest.approx(room.voxel_of(out) * SCALE, abs=0.01)

    def take_away() -> None:
        room.page.keyboard.down("Alt")
        room.page.mouse.click(*out)
        room.page.keyboard.up("Alt")

    assert in_plane_mm(after(room, take_away)) == pytest.approx(shape, abs=0.01)

    start, end = room.client_of(125, 80), room.client_of(140, 90)
    moved = after(room, lambda: room.drag(start, room.client_of(130, 85), end))
    by = (room.voxel_of(end) - room.voxel_of(start)) * SCALE
    assert in_plane_mm(moved) == pytest.approx(shape + by, abs=0.01)
    nudged = after(room, lambda: room.press("Control+Shift+ArrowRight"))
    assert in_plane_mm(nudged) == pytest.approx(shape + by + [COLUMN_MM, 0], abs=0.01)

    number = room.saving()["number"]
    room.press("Control+z")
    room.saved(number + 1)
    assert in_plane_mm(value_of(room, polygon)) == pytest.approx(shape + by, abs=0.01)


def test_a_copy_lies_on_the_next_slice_and_what_is_locked_stays(room):
    ends = room.client_of(30, 50), room.client_of(60, 55), room.client_of(90, 60)
    first = drawn(room, "longest_diameter", "d", lambda: room.drag(*ends))
    original, index = chosen(room), room.state()["shown"]
    copy = after(room, lambda: room.press("Control+ArrowDown"))
    room.page.wait_for_function("i => window.atlasRoom.state().shown === i", arg=index + 1)
    assert chosen(room) != original
    assert copy["sop"] == room.state()["sop"]
    assert in_plane_mm(copy) == pytest.approx(in_plane_mm(first), abs=1e-6)
    assert [point[2] for point in copy["points_patient_mm"]] == [3 * (index + 1)] * 2

    assert after(room, lambda: room.press("Shift+L"))["locked"] is True
    number = room.saving()["number"]
    room.press("w")
    room.drag(ends[0], ends[1], room.client_of(30, 90))  # a handle, were it not locked
    room.press("Backspace")
    room.page.get_by_text("This finding is locked").wait_for()
    assert room.saving()["number"] == number
    assert value_of(room, chosen(room)) == copy | {"locked": True}

    room.press("Shift+V")
    room.page.locator(f"[data-testid=mark-text][data-annotation='{chosen(room)}']").wait_for(state="detached")
    room.press("Shift+V")
    room.page.locator(f"[data-testid=mark-text][data-annotation='{chosen(room)}']").wait_for()


def test_a_box_reaches_to_other_slices_and_shows_on_each_of_them(room):
    room.go_to_slice(2)
    path = [room.client_of(*voxel) for voxel in ((20, 20), (40, 30), (60, 40))]
    drawn(room, "region_of_interest", "Shift+B", lambda: room.drag(*path))
    box = chosen(room)
    sides = [(path[2][i] - path[0][i]) for i in (0, 1)]
    per_voxel = [room.client_of(100, 0)[0] - room.client_of(0, 0)[0], room.client_of(0, 100)[1]]
    per_voxel[1] -= room.client_of(0, 0)[1]
    width, height = (abs(side) / px * 100 for side, px in zip(sides, per_voxel, strict=True))
    numbers = measured(room, box)
    assert numbers["width_mm"] == pytest.approx(width * COLUMN_MM, rel=0.02)
    assert numbers["height_mm"] == pytest.approx(height * ROW_MM, rel=0.02)
    assert numbers["depth_mm"] == pytest.approx(3)

    room.go_to_slice(4)
    after(room, lambda: room.press("Shift+E"))
    numbers = measured(room, box)
    assert numbers["depth_mm"] == pytest.approx(9)
    assert numbers["volume_ml"] == pytest.approx(numbers["width_mm"] * numbers["height_mm"] * 9 / 1000)
    tag = room.page.locator(f"[data-testid=mark-text][data-annotation='{box}']")
    for index, there in ((4, True), (3, True), (2, True), (1, False)):
        room.go_to_slice(index)
        tag.wait_for(state="attached" if there else "detached")


def test_a_tool_from_the_menu_stays_in_the_bar(room):
    page = room.page
    page.get_by_test_id("more-measure").click()
    page.get_by_test_id("tool-rectangle").click()
    assert room.state()["tool"] == "rectangle"
    expect(page.get_by_test_id("tool-rectangle")).to_have_attribute("aria-pressed", "true")
    room.press("w")
    expect(page.get_by_test_id("tool-rectangle")).to_be_visible()
