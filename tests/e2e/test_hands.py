"""Commands by name and by keys of one's own, the tour for whoever is new, the reader's language, fingers."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.atlas.slices import series
from tests.e2e.filled import fill
from tests.e2e.node import Node
from tests.e2e.room import Room, sign_in


@pytest.fixture(scope="module")
def desk(node: Node, tmp_path_factory) -> tuple[Node, str]:
    files = series([(0, 0, 3.0 * step) for step in range(9)])
    return node, fill(node, tmp_path_factory.mktemp("subjects"), {"hands": files})["hands"]


@pytest.fixture
def context(desk, chromium) -> Iterator[BrowserContext]:
    context = sign_in(chromium, desk[0], "reader1", has_touch=True)
    yield context
    context.close()


@pytest.fixture
def room(desk, context) -> Iterator[Room]:
    room = Room(context, desk[1]).open()
    room.page.wait_for_function("() => window.atlasRoom.state().editing === 'here'")
    yield room
    room.close()


def kept(room: Room) -> dict:
    return room.context.request.get("/api/v1/me/preferences/").json()


def test_whoever_is_new_is_shown_around_once(desk, chromium) -> None:
    node, read = desk
    context = sign_in(chromium, node, "reader1")
    context.add_init_script("localStorage.removeItem('atlas.tour')")
    room = Room(context, read).open()
    tour = room.page.get_by_test_id("dialog-tour")
    expect(tour).to_be_visible(timeout=30_000)
    for _ in range(4):
        room.page.keyboard.press("Enter")
    expect(tour).to_contain_text("5 of 5")
    with room.page.expect_response(lambda answer: "/me/preferences/" in answer.url and answer.ok):
        room.press("Escape")
    expect(tour).to_have_count(0)
    room.reload()
    room.page.wait_for_function("() => window.atlasRoom.state().editing === 'here'")
    expect(tour).to_have_count(0)
    room.close()
    context.close()


def test_a_command_is_found_by_a_few_letters_and_run(room: Room) -> None:
    page = room.page
    room.press("Control+k")
    page.get_by_test_id("palette").fill("last sl")
    expect(page.get_by_role("option").first).to_contain_text("Last slice")
    room.press("Enter")
    page.wait_for_function("() => window.atlasRoom.state().shown === 8")
    room.press("Control+k")
    page.get_by_test_id("palette").fill("redo")
    expect(page.get_by_role("option").first).to_contain_text("Nothing to redo.")
    room.press("Escape")
    expect(page.get_by_test_id("dialog-palette")).to_have_count(0)


def test_a_key_of_ones_own_is_there_again(room: Room) -> None:
    page = room.page
    room.press("Control+,")
    page.get_by_role("searchbox").fill("last slice")
    row = page.locator("li[data-command='move.last']")
    row.get_by_role("button", name="Another key for: Last slice").click()
    room.press("d")
    expect(row).to_contain_text("D is taken by: Length.")
    with page.expect_response(lambda answer: "/me/preferences/" in answer.url and answer.ok):
        page.get_by_test_id("take-key").click()
    room.press("Escape")
    room.reload()
    page.wait_for_function("() => window.atlasRoom.state().editing === 'here'")
    room.press("d")
    page.wait_for_function("() => window.atlasRoom.state().shown === 8")
    assert room.state()["tool"] == "window"
    room.press("Control+,")
    with page.expect_response(lambda answer: "/me/preferences/" in answer.url and answer.ok):
        page.get_by_test_id("reset-keys").click()
    assert "keys" not in kept(room)
    room.press("Escape")
    expect(page.get_by_test_id("dialog-preferences")).to_have_count(0)
    room.press("d")
    page.wait_for_function("() => window.atlasRoom.state().tool === 'length'")


def test_the_room_changes_its_language(room: Room) -> None:
    page = room.page
    room.press("Control+,")
    page.get_by_role("button", name="Language and layout").click()
    with page.expect_navigation():
        page.get_by_test_id("language").select_option("es")
    room.wait_for_image()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.get_by_test_id("submit")).to_have_text("Entregar la lectura")
    room.press("Control+,")
    page.get_by_role("button", name="Idioma y disposición").click()
    with page.expect_navigation():
        page.get_by_test_id("language").select_option("en")
    room.wait_for_image()
    expect(page.get_by_test_id("submit")).to_have_text("Submit read")


def test_fingers_pan_and_zoom_and_scroll(room: Room) -> None:
    page = room.page
    hand = room.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    def apart() -> float:
        left, right = room.client_of(0, 0), room.client_of(4, 0)
        return right[0] - left[0]

    box = page.get_by_test_id("viewport-0").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = apart()
    touch("touchStart", (x - 50, y))
    touch("touchStart", (x - 50, y), (x + 50, y))
    touch("touchMove", (x - 100, y), (x + 100, y))
    touch("touchEnd")
    page.wait_for_function(
        "was => { const at = c => window.atlasRoom.clientOfVoxel([c, 0])[0];"
        " return at(4) - at(0) > 1.8 * was }",
        arg=before,
    )
    assert room.marks() == []
    shown = room.state()["shown"]
    edge = box["x"] + box["width"] - 36  # beside the slice bar
    touch("touchStart", (edge, y))
    touch("touchMove", (edge, y + 13))
    touch("touchMove", (edge, y + 26))
    touch("touchEnd")
    page.wait_for_function("n => window.atlasRoom.state().shown === n", arg=shown + 2)
