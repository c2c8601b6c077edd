"""Phases are stepped through and never mixed; the next case opens in the same page, the last one is gone."""

import pytest
from playwright.sync_api import expect

from tests.atlas.slices import series
from tests.e2e.filled import AHEAD, fill
from tests.e2e.node import Node
from tests.e2e.room import Room, sign_in

PLACES = [(0, 0, 3.0 * step) for step in range(5)]


@pytest.fixture(scope="module")
def reads(node: Node, tmp_path_factory) -> tuple[Node, dict[str, str]]:
    phases = [{"AcquisitionNumber": 1 + at // 5, "EchoTime": None} for at in range(10)]
    return (
        node,
        fill(
            node,
            tmp_path_factory.mktemp("subjects"),
            {
                "contrast": series(PLACES * 2, each=phases, SeriesDescription="Dynamic"),
                "plain": series(PLACES, SeriesDescription="Plain"),
                "last": series(PLACES[:3], SeriesDescription="Last"),
            },
        ),
    )


@pytest.fixture
def room(reads, chromium):
    node, read_of = reads
    context = sign_in(chromium, node, "reader1")
    room = Room(context, read_of["contrast"]).open()
    yield room
    room.close()
    context.close()


def test_a_row_of_the_worklist_opens_in_the_same_page_and_back_leads_to_it(reads, chromium):
    node, read_of = reads
    with sign_in(chromium, node, "reader1") as context:
        page = context.new_page()
        page.goto("/worklist/")
        page.evaluate("() => { window.samePage = true }")
        # What the chosen row opens with comes while the list is still shown.
        page.wait_for_function(
            "() => performance.getEntriesByType('resource').some(({ name }) => name.includes('/pixels/'))"
        )
        page.locator(f"a[href='/reads/{read_of['plain']}/']").click()
        page.wait_for_function("() => window.atlasRoom?.state().shown !== null")
        assert page.evaluate("() => window.samePage")
        assert page.url.endswith(f"/reads/{read_of['plain']}/")
        assert page.title().startswith("Case ")
        assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
        assert page.locator("#worklist").count() == 0
        before = page.evaluate("() => window.atlasRoom.state().shown")
        page.keyboard.press("ArrowDown")
        page.wait_for_function("i => window.atlasRoom.state().shown === i + 1", arg=before)
        page.go_back()
        expect(page.get_by_role("heading", name="Your worklist")).to_be_visible(timeout=20_000)
        assert not page.evaluate("() => window.samePage ?? false")


def wait_for(room: Room, index: int) -> None:
    room.page.wait_for_function("i => window.atlasRoom.state().shown === i", arg=index)


def test_keys_wheel_and_bar_stay_in_the_phase_and_the_same_place_opens_in_the_next(room):
    phase = room.page.get_by_test_id("phase-0")
    place = room.page.get_by_test_id("place-0")
    expect(phase).to_contain_text("Acquisition 1")
    expect(phase).to_contain_text("1 of 2")
    room.press("End")
    wait_for(room, 4)
    room.press("ArrowDown")
    room.page.mouse.move(*room.client_of(3, 3))
    room.page.mouse.wheel(0, 120)
    expect(place).to_contain_text("5 / 5")
    room.press("Home")
    room.press("ArrowDown")
    wait_for(room, 1)

    room.press(".")
    wait_for(room, 6)
    expect(phase).to_contain_text("Acquisition 2")
    expect(place).to_contain_text("2 / 5")
    assert room.value_at(2, 0) == 6 * 100 + 2 - 1024  # the file's own pixels: the seventh that was written
    phase.get_by_role("button", name="Phase after").click()
    wait_for(room, 1)
    room.press(",")
    wait_for(room, 6)
    bar = room.page.get_by_test_id("slice-bar-0")
    box = bar.bounding_box()
    assert box
    room.page.mouse.click(box["x"] + 5, box["y"] + box["height"] - 2)
    wait_for(room, 9)
    expect(bar).to_have_attribute("aria-valuenow", "5")


def test_a_mark_in_another_phase_is_found_there(room):
    room.press(".")
    wait_for(room, 7)
    room.press("b")
    before = room.saving()["number"]
    room.drag(room.client_of(2, 2), room.client_of(3, 2))
    room.saved(before + 1)
    room.press(",")
    wait_for(room, 2)
    assert room.page.evaluate("() => window.atlasRoom.marks()[0].voxels") > 0
    room.page.get_by_test_id("finding").click()
    wait_for(room, 7)
    expect(room.page.get_by_test_id("phase-0")).to_contain_text("Acquisition 2")


def test_the_next_case_opens_in_the_same_page_and_the_last_one_is_gone(room, reads):
    read_of = reads[1]
    room.page.evaluate("() => { window.samePage = true }")
    stored = room.stored()
    assert len(stored["annotations"]) == 1, (
        f"The server has {stored}, the page {room.state()} {room.saving()}"
    )
    expect(room.page.get_by_test_id("finding")).to_have_count(1, timeout=20_000)
    room.saved()
    room.page.get_by_test_id("submit").click()
    room.page.get_by_test_id("submit").click()
    expect(room.page.get_by_test_id("next-case")).to_be_visible()
    room.page.wait_for_function(AHEAD, arg=room.state()["series"])
    room.page.wait_for_timeout(500)

    room.press("n")
    room.page.wait_for_url(lambda url: read_of["contrast"] not in url)
    opened = room.page.url.rstrip("/").rsplit("/", 1)[1]
    assert opened in (read_of["plain"], read_of["last"])
    assert room.page.evaluate("() => window.samePage === true")
    expect(room.page.get_by_text("Dynamic")).to_have_count(0)
    expect(room.page.get_by_test_id("phase-0")).to_have_count(0)
    expect(room.page.get_by_test_id("saving")).to_have_attribute("data-saving", "saved", timeout=15_000)
    assert room.marks() == []
    assert room.state()["read"] == "in_progress"

    # What is drawn now belongs to the read that is open.
    room.read = opened
    room.press("d")
    room.drag(room.client_of(1, 1), room.client_of(5, 4))
    room.saved(1)
    assert [mark["value"]["kind"] for mark in room.stored()["annotations"]] == ["length"]
    room.page.reload()
    room.wait_for_image()
    expect(room.page.get_by_test_id("finding")).to_have_count(1)
