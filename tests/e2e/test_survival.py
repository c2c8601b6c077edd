"""Nothing drawn is lost: killed servers, reloads, lost networks, second tabs and second machines."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.room import Room, read_of, sign_in


@pytest.fixture
def reader1(chromium, demo):
    context = sign_in(chromium, demo, "reader1")
    yield context
    context.close()


def segment_of(room: Room) -> dict:
    return next(mark for mark in room.marks() if mark["kind"] == "segment")


def paint(room: Room, *, down: int = 0) -> None:
    """One stroke across the middle of the image, `down` pixels of the page lower."""
    box = room.page.get_by_test_id("viewport-0").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + down
    room.drag((round(x) - 60, round(y)), (round(x), round(y)), (round(x) + 60, round(y)))


def test_a_server_killed_between_stroke_and_acknowledgement_loses_nothing(demo, reader1):
    room = Room(reader1, read_of(demo, "reader1", "breast1")).open()
    room.press("b")
    paint(room)
    room.saved(1)
    voxels = segment_of(room)["voxels"]

    demo.crash()  # web, worker and database at once
    paint(room, down=60)
    saving = room.page.get_by_test_id("saving")
    expect(saving).to_have_attribute("data-saving", "offline", timeout=20_000)
    expect(saving).to_have_text(re.compile("kept on this computer"))
    more = segment_of(room)["voxels"]
    assert more > voxels

    demo.start()
    room.saved()
    assert len(room.stored()["planes"]) == 1
    room.reload()
    assert segment_of(room)["voxels"] == more
    room.close()


def test_a_stroke_that_was_never_acknowledged_survives_closing_the_page(demo, reader1):
    room = Room(reader1, read_of(demo, "reader1", "breast1")).open()
    number = room.saving()["number"]
    room.press("b")
    demo.kill()  # in mid-stroke the server goes; whether the first try reached it doesn't matter
    reader1.set_offline(True)
    paint(room, down=-80)
    expect(room.page.get_by_test_id("saving")).to_have_attribute("data-saving", "offline", timeout=20_000)
    voxels = segment_of(room)["voxels"]
    room.close()

    reader1.set_offline(False)
    demo.wait_until_ready()
    again = Room(reader1, room.read).open()
    again.saved(number + 1)
    assert segment_of(again)["voxels"] == voxels
    again.close()


def test_undo_and_redo_work_across_a_reload(demo, reader1):
    room = Room(reader1, read_of(demo, "reader1", "breast1")).open()
    room.saved()
    before = sum(mark["voxels"] for mark in room.marks())
    number = room.saving()["number"]
    room.press("b")
    paint(room, down=120)
    room.saved(number + 1)
    after = sum(mark["voxels"] for mark in room.marks())
    assert after > before

    room.reload()
    room.saved()
    room.press("Control+z")
    room.saved(number + 2)
    assert sum(mark["voxels"] for mark in room.marks()) == before
    room.reload()
    room.saved()
    room.press("Control+Shift+z")
    room.saved(number + 3)
    assert sum(mark["voxels"] for mark in room.marks()) == after
    room.close()


def test_a_second_tab_follows_and_takes_over_when_the_first_closes(demo, reader1):
    read = read_of(demo, "reader1", "lung1")
    first = Room(reader1, read).open()
    second = Room(reader1, read).open()
    expect(second.page.get_by_test_id("other-tab")).to_be_visible()
    first.page.bring_to_front()
    first.press("b")
    paint(first)
    first.saved()
    voxels = segment_of(first)["voxels"]
    second.page.wait_for_function(
        "n => window.atlasRoom.marks().some(mark => mark.voxels === n)", arg=voxels, timeout=15_000
    )
    first.close()
    expect(second.page.get_by_test_id("other-tab")).to_be_hidden(timeout=15_000)
    second.page.bring_to_front()
    second.press("b")
    paint(second, down=70)
    second.saved()
    assert segment_of(second)["voxels"] > voxels
    second.close()


def test_one_reader_on_two_machines_is_asked_when_both_changed_the_same_slice(demo, chromium):
    read = read_of(demo, "reader2", "lung1")
    here, there = sign_in(chromium, demo, "reader2"), sign_in(chromium, demo, "reader2")
    mine = Room(here, read).open()
    mine.press("b")
    paint(mine)
    mine.saved()
    theirs = Room(there, read).open()
    theirs.saved()
    assert segment_of(theirs)["voxels"] == segment_of(mine)["voxels"]

    here.set_offline(True)
    paint(mine, down=60)
    expect(mine.page.get_by_test_id("saving")).to_have_attribute("data-saving", "offline", timeout=20_000)
    drawn_offline = segment_of(mine)["voxels"]
    segment = segment_of(theirs)
    theirs.page.evaluate("() => 0")
    theirs.press("b")
    paint(theirs, down=-60)
    theirs.saved()
    drawn_there = segment_of(theirs)
    assert drawn_there["id"] == segment["id"]

    here.set_offline(False)
    expect(mine.page.get_by_test_id("saving")).to_have_attribute("data-saving", "conflict", timeout=30_000)
    mine.page.get_by_test_id("keep-mine").first.click()
    mine.saved()
    assert segment_of(mine)["voxels"] == drawn_offline
    theirs.page.wait_for_function(
        "n => window.atlasRoom.marks().some(mark => mark.voxels === n)", arg=drawn_offline, timeout=15_000
    )
    mine.close()
    theirs.close()
    here.close()
    there.close()
