"""A case opens as its protocol hangs it; its reader takes another; the time it takes is counted."""

import re

import pytest
from playwright.sync_api import expect
from pydicom.uid import generate_uid

from tests.atlas.mammograms import COLUMNS, FOUR_VIEWS, screening
from tests.atlas.slices import series
from tests.e2e.filled import fill
from tests.e2e.node import Node
from tests.e2e.room import Room, sign_in

PLACES = [(0, 0, 3.0 * step) for step in range(12)]


@pytest.fixture(scope="module")
def hung(node: Node, tmp_path_factory) -> tuple[Node, dict[str, str]]:
    now = series(PLACES, SeriesDescription="Chest thin", FrameOfReferenceUID=generate_uid())
    then = series(
        PLACES[:6], SeriesDescription="Chest thin", StudyDate="20251014", FrameOfReferenceUID=generate_uid()
    )
    subjects = {"breast": screening(), "chest": [*now, *then]}
    return node, fill(node, tmp_path_factory.mktemp("subjects"), subjects)


@pytest.fixture(scope="module")
def reader(hung, chromium):
    context = sign_in(chromium, hung[0], "reader1")
    yield context
    context.close()


@pytest.fixture
def open_room(hung, reader):
    rooms: list[Room] = []

    def open_room(subject: str) -> Room:
        rooms.append(Room(reader, hung[1][subject]).open())
        return rooms[-1]

    yield open_room
    for room in rooms:
        room.close()


def descriptions(room: Room) -> list[str]:
    """What the images on the screen show, row by row."""
    return room.page.evaluate("() => window.atlasRoom.hung().map(({ description }) => description)")


def wait_until_shown(room: Room, count: int) -> None:
    room.page.wait_for_function(
        "n => { const all = window.atlasRoom.hung();"
        " return all.length === n && all.every(({ shown }) => shown !== null) }",
        arg=count,
    )


def across(room: Room, pane: int, column: float) -> float:
    return room.page.evaluate("([c, p]) => window.atlasRoom.clientOfVoxel([c, 30], p)[0]", [column, pane])


def test_four_views_hang_right_beside_left_with_the_chest_walls_together(open_room):
    room = open_room("breast")
    wait_until_shown(room, 4)
    assert descriptions(room) == [f"{side} {view}" for side, view in FOUR_VIEWS]
    for right, left in ((0, 1), (2, 3)):
        wall_of_right, nipple_of_right = across(room, right, 0), across(room, right, COLUMNS)
        wall_of_left, nipple_of_left = across(room, left, 0), across(room, left, COLUMNS)
        assert nipple_of_right < wall_of_right < wall_of_left < nipple_of_left
        assert wall_of_left - wall_of_right < 60


def test_current_and_prior_scroll_together_until_the_reader_wants_one_image(open_room, hung):
    room = open_room("chest")
    wait_until_shown(room, 2)
    page = room.page
    assert page.evaluate("() => window.atlasRoom.hung().map(({ count }) => count)") == [12, 6]
    for _ in range(2):
        room.press("ArrowDown")
    page.wait_for_function("() => window.atlasRoom.hung()[1].shown === 4")

    def is_kept(answer) -> bool:
        return "/preferences/" in answer.url and answer.ok

    with page.expect_response(is_kept):
        room.press("Shift+H")
    wait_until_shown(room, 1)
    room.reload()
    wait_until_shown(room, 1)
    page.get_by_test_id("layout").click()
    expect(page.get_by_test_id("hang-1")).to_be_checked()
    page.get_by_test_id("hang-reset").click()
    wait_until_shown(room, 2)


def test_time_on_a_read_reaches_the_page_of_its_case_and_nobody_but_the_lead(open_room, hung, chromium):
    node, _ = hung
    room = open_room("breast")
    page = room.page
    page.mouse.move(*room.client_of(20, 20))
    page.wait_for_function("() => performance.now() > 2500")
    with page.expect_response(lambda answer: answer.url.endswith("/time/")) as told:
        page.evaluate("() => window.dispatchEvent(new Event('pagehide'))")
    assert told.value.status == 204
    context = sign_in(chromium, node, "lead")
    lead = context.new_page()
    lead.goto("/projects/odd/cases/1/")
    row = lead.get_by_role("row").filter(has_text="Reader1 Voss")
    expect(row.get_by_role("cell").nth(3)).to_have_text(re.compile(r"^\d+ s$"))
    context.close()
