"""Several images: chosen in a grid, dragged in, swapped, enlarged, linked; where one cuts the other."""

import pytest
from playwright.sync_api import expect

from tests.atlas.slices import series
from tests.e2e.filled import fill
from tests.e2e.node import Node
from tests.e2e.room import Room, sign_in

CORONAL = (1, 0, 0, 0, 0, -1)
AXIAL_STEP_MM = 3.0
PRIOR_AWAY_MM = 1000.0


def axial(count: int, *, away_mm: float = 0, **common) -> list[bytes]:
    return series([(0, 0, away_mm + AXIAL_STEP_MM * at) for at in range(count)], **common)


@pytest.fixture(scope="module")
def reads(node: Node, tmp_path_factory) -> tuple[Node, dict[str, str]]:
    study = "1.2.826.0.1.3680043.8.498.1"
    one = axial(12, StudyInstanceUID=study, SeriesDescription="Axial", SeriesNumber=1)
    one += series(
        [(0, step, 32) for step in range(4)],
        orientation=CORONAL,
        StudyInstanceUID=study,
        SeriesDescription="Coronal",
        SeriesNumber=2,
    )
    two = axial(20, SeriesDescription="Axial", StudyDate="20261112", FrameOfReferenceUID="1.2.3.5")
    two += axial(
        14,
        away_mm=PRIOR_AWAY_MM,
        SeriesDescription="Axial",
        StudyDate="20260813",
        FrameOfReferenceUID="1.2.3.6",
    )
    subjects = {"one": one, "followed": two}
    return node, fill(node, tmp_path_factory.mktemp("subjects"), subjects)


@pytest.fixture
def open_room(reads, chromium):
    node, read_of = reads
    context = sign_in(chromium, node, "reader1")
    opened: list[Room] = []

    def open_(subject: str) -> Room:
        opened.append(Room(context, read_of[subject]).open())
        return opened[-1]

    yield open_
    for room in opened:
        room.close()
    context.close()


def wait_for(room: Room, pane: int, **facts) -> None:
    """Until an image shows this: `shown`, `series`."""
    room.page.wait_for_function(
        "([pane, facts]) => { const now = window.atlasRoom.state(pane);"
        " return now.shown !== null && Object.entries(facts).every(([name, value]) => now[name] === value) }",
        arg=[pane, facts],
    )


def state(room: Room, pane: int) -> dict:
    return room.page.evaluate("pane => window.atlasRoom.state(pane)", pane)


def middle_of(room: Room, pane: int) -> tuple[float, float]:
    box = room.page.get_by_test_id(f"viewport-{pane}").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_second_image_is_dragged_in_shows_the_line_where_it_is_cut_and_changes_places(open_room):
    room = open_room("one")
    page = room.page
    first = state(room, 0)["series"]
    page.get_by_test_id("layout").click()
    page.get_by_test_id("layout-1x2").click()
    expect(page.get_by_test_id("viewport-1")).to_contain_text("Drag a series here")
    page.locator(".thumbs button", has_text="Coronal").drag_to(page.get_by_test_id("viewport-1"))
    page.wait_for_function("first => ![null, first].includes(window.atlasRoom.state(1).series)", arg=first)
    wait_for(room, 1)
    second = state(room, 1)["series"]

    # The axial image becomes the hand's: in the coronal one its slice is a line at its height.
    page.mouse.click(*middle_of(room, 0))
    room.press("Home")
    for _ in range(10):
        room.press("ArrowDown")
    wait_for(room, 0, shown=10)
    line = page.get_by_test_id("cross-line-1").locator("line").last
    expect(line).to_be_attached()
    height = page.evaluate("mm => window.atlasRoom.clientOf([0, 1, mm], 1)", 10 * AXIAL_STEP_MM)[1]
    box = page.get_by_test_id("viewport-1").bounding_box()
    assert box
    for end in ("y1", "y2"):
        assert float(line.get_attribute(end) or "nan") == pytest.approx(height - box["y"], abs=1)

    page.get_by_test_id("pane-tag-0").drag_to(page.get_by_test_id("viewport-1"))
    wait_for(room, 0, series=second)
    wait_for(room, 1, series=first, shown=10)
    assert room.state()["pane"] == 1  # the hand stays with its image

    page.mouse.dblclick(*middle_of(room, 1))
    expect(page.get_by_test_id("viewport-0")).to_be_hidden()
    page.mouse.dblclick(*middle_of(room, 1))
    expect(page.get_by_test_id("viewport-0")).to_be_visible()

    room.press("Control+9")
    expect(page.locator("[data-testid^=viewport-]")).to_have_count(9)
    wait_for(room, 1, series=first, shown=10)
    room.press("Shift+ArrowDown")
    assert room.state()["pane"] == 4
    page.locator(".thumbs button", has_text="Axial").click()
    wait_for(room, 4, series=first)  # the same series twice
    room.press("Control+1")
    expect(page.locator("[data-testid^=viewport-]")).to_have_count(1)


def test_a_prior_goes_along_by_the_difference_that_the_hand_gave_it(open_room):
    room = open_room("followed")
    page = room.page
    wait_for(room, 0)
    room.press("Control+1")
    page.locator(".thumbs").first.locator("button").click()
    page.get_by_test_id("compare").click()
    expect(page.get_by_test_id("link-note-1")).to_have_text("linked")
    wait_for(room, 0)
    wait_for(room, 1)
    assert state(room, 1)["series"] != state(room, 0)["series"]

    here, there = state(room, 0)["wanted"], state(room, 1)["wanted"]
    for _ in range(3):
        room.press("ArrowDown")
    wait_for(room, 0, shown=here + 3)
    wait_for(room, 1, shown=there + 3)

    # With Alt the wheel moves one image alone; the difference is kept from then on.
    page.mouse.move(*middle_of(room, 1))
    page.keyboard.down("Alt")
    page.mouse.wheel(0, -120)
    page.keyboard.up("Alt")
    wait_for(room, 1, shown=there + 2)
    assert state(room, 0)["wanted"] == here + 3
    page.mouse.wheel(0, -120)
    wait_for(room, 1, shown=there + 1)
    wait_for(room, 0, shown=here + 2)

    page.get_by_test_id("layout").click()
    page.get_by_test_id("link-window").check()
    page.get_by_test_id("link-sight").check()
    room.press("Escape")
    expect(page.get_by_test_id("link-sight")).to_be_hidden()
    room.press("2")
    page.wait_for_function("() => [0, 1].every(pane => window.atlasRoom.state(pane).window.width === 1500)")

    # The prior has fewer slices: at the end it says how far away its last one is.
    page.mouse.click(*middle_of(room, 0))
    room.press("End")
    wait_for(room, 1, shown=13)
    expect(page.get_by_test_id("link-note-1")).to_contain_text("no slice here")
