"""Review as talk and as a diff, and a finding outside the question, each person at their own browser."""

import os
import re
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.narrow import narrow_case
from tests.e2e.room import PASSWORD
from tests.e2e.steps import Person, ReadingRoom

HATCHED = """([colour, [left, top, right, bottom]]) => {
    const canvas = document.querySelector('[data-testid=changes-0]');
    const box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width;
    const x = (left - box.left) * ratio, y = (top - box.top) * ratio;
    const {data} = canvas.getContext('2d').getImageData(x, y, (right - left) * ratio, (bottom - top) * ratio);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
        const [r, g, b, a] = data.slice(i, i + 4);
        if (a > 200 && (colour === 'green' ? g > r + 60 : r > g + 60)) count += 1;
    }
    return count;
}"""


@pytest.fixture
def seated(arrive, demo):
    """A function: this account, signed in at a browser of its own."""

    def sit(username: str) -> Person:
        person = arrive(demo)
        person.signs_in(username, PASSWORD)
        return person

    return sit


def at_the_read(person: Person, read: str) -> ReadingRoom:
    person.goes_to(f"/reads/{read}/")
    return ReadingRoom(person)


def picture(page: Page, name: str) -> None:
    """For whoever wants to look: PICTURES_TO names a folder."""
    if folder := os.environ.get("PICTURES_TO"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_two_rounds_of_review_are_talked_over_and_seen_as_a_diff(seated, demo, tmp_path):
    read = narrow_case(demo, tmp_path, f"review-{uuid4().hex[:6]}")
    reader, reviewer = seated("reader1"), seated("reviewer")
    drawn = at_the_read(reader, read)
    drawn.go_to_slice(2)
    tumour = drawn.paints((60, 50), (90, 50))
    drawn.submits()

    # The first round goes back with reasons, a question on the image and no other word.
    seen = at_the_read(reviewer, read)
    seen.shows_voxels(tumour, voxels(drawn, tumour))
    expect(reviewer.page.get_by_test_id("changes")).to_have_count(0)
    seen.go_to_slice(3)
    seen.pins_comment("Does it reach this slice?", (80, 52))
    reviewer.page.get_by_test_id("return").click()
    reviewer.page.get_by_test_id("reason-outline").check()
    reviewer.page.get_by_test_id("reason-missed").check()
    picture(reviewer.page, "return")
    reviewer.page.get_by_test_id("return").click()

    # The reader sees what is wrong, answers, and changes it: wider on the one side, less on the other.
    drawn.shows_state("Returned, round 2")
    drawn.wait_for_image()
    expect(reader.page.get_by_test_id("reasons")).to_have_text("A lesion was missedAn outline is off")
    thread = reader.page.get_by_test_id("thread")
    expect(thread).to_contain_text("Does it reach this slice?")
    thread.get_by_test_id("start-reply").click()
    reader.page.get_by_test_id("reply-text").fill("No: that is a vessel.")
    reader.page.get_by_test_id("send-reply").click()
    expect(thread.get_by_test_id("reply")).to_contain_text("that is a vessel")
    expect(reviewer.page.get_by_test_id("reply")).to_contain_text("that is a vessel")  # by itself
    expect(reader.page.get_by_test_id("changes")).to_contain_text("Nothing is different")
    reader.page.locator(f"[data-testid=finding][data-annotation='{tumour}']").click()
    drawn.go_to_slice(2)
    assert drawn.paints((100, 50), (110, 50)) == tumour
    drawn.chooses_tool("eraser")
    before = drawn.saving()["number"]
    drawn.drag(drawn.client_of(58, 50), drawn.client_of(62, 50))
    drawn.saved(before + 1)
    expect(reader.page.get_by_test_id("change")).to_contain_text("removed on 1 slice", timeout=10_000)
    thread.get_by_test_id("settle").click()
    drawn.press("w")
    picture(reader.page, "reader")
    drawn.submits()

    # The reviewer sees the difference on the image, and in the panel the way there.
    seen.shows_state("Submitted, round 2")
    change = reviewer.page.get_by_test_id("change")
    expect(change).to_contain_text("Tumour, segment")
    expect(reviewer.page.get_by_test_id("changes")).to_contain_text("Changed since round 1")
    seen.go_to_slice(0)
    change.click()
    reviewer.page.wait_for_function("() => window.atlasRoom.state().shown === 2")
    assert hatched(seen, "green", (100, 45), (115, 55)) > 20
    assert hatched(seen, "red", (52, 45), (62, 55)) > 20
    assert hatched(seen, "green", (66, 47), (84, 53)) == 0  # as it was
    picture(reviewer.page, "diff")
    reviewer.page.get_by_test_id("changes-shown").click()
    expect(reviewer.page.get_by_test_id("changes-0")).to_have_count(0)
    reviewer.page.keyboard.press("Shift+T")
    expect(reviewer.page.get_by_test_id("changes-0")).to_have_count(1)

    # Not settled after all: reopened, answered, settled for good; then accepted, which is asked twice.
    reviewer.page.get_by_role("button", name="1 settled").click()
    reviewer.page.get_by_test_id("reopen").click()
    expect(reviewer.page.get_by_test_id("settle")).to_be_visible()
    reviewer.page.get_by_test_id("start-reply").click()
    reviewer.page.get_by_test_id("reply-text").fill("Agreed.")
    reviewer.page.get_by_test_id("send-reply").click()
    expect(reviewer.page.get_by_test_id("reply")).to_have_count(2)
    reviewer.page.get_by_test_id("settle").click()
    seen.accepts()
    drawn.shows_state(re.compile("^Accepted"))


def test_a_finding_outside_the_question_reaches_the_data_manager_and_the_answer_comes_back(
    seated, demo, tmp_path
):
    read = narrow_case(demo, tmp_path, f"incidental-{uuid4().hex[:6]}")
    reader, manager = seated("reader1"), seated("manager")
    manager.goes_to("/incidental/")
    manager.sees("Nothing waits for you")
    room = at_the_read(reader, read)
    room.go_to_slice(1)
    reader.page.get_by_test_id("tell-incidental").click()
    reader.page.get_by_test_id("incidental-text").fill("Clot in the left pulmonary artery.")
    reader.page.get_by_test_id("incidental-urgent").check()
    picture(reader.page, "tell")
    reader.page.get_by_test_id("incidental-point").click()
    reader.page.mouse.click(*room.client_of(150, 40))
    expect(reader.page.get_by_test_id("incidental-text")).to_have_value("Clot in the left pulmonary artery.")
    reader.sees("At a point on slice 2")
    reader.page.get_by_test_id("send-incidental").click()
    expect(reader.page.get_by_test_id("told")).to_contain_text("Sent to the data managers")
    assert room.marks() == []

    manager.sees("Clot in the left pulmonary artery.")  # by itself
    manager.sees(re.compile("slice 2 of 5"))
    shown = manager.page.locator("article img")
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("image => image.naturalWidth") > 0
    pin = manager.page.locator("article .where use").bounding_box()
    image = manager.page.locator("article .where").bounding_box()
    assert pin is not None
    assert image is not None
    assert image["x"] < pin["x"] < image["x"] + image["width"]
    picture(manager.page, "incidental")
    manager.clicks("I have seen it")
    expect(reader.page.get_by_test_id("told")).to_contain_text("Seen by a data manager")
    manager.page.get_by_label("What was done about it").fill("Told the ward at 10:15.")
    manager.clicks("Answer")
    manager.sees("Nothing waits for you")
    expect(reader.page.get_by_test_id("told")).to_contain_text("Told the ward at 10:15.")
    picture(reader.page, "told")


def test_the_lead_reads_what_happened_in_words(seated, demo):
    lead = seated("lead")
    lead.goes_to("/projects/")
    lead.clicks("Tumours of brain, breast and lung")
    lead.clicks("Audit")
    expect(lead.page.locator("table.trail")).to_contain_text("handed the read in, round 1")
    picture(lead.page, "audit")
    lead.page.locator("select[name=kind]").select_option(label="Decided")
    lead.clicks("Show")
    assert "kind=decided" in lead.page.url
    lead.sees(re.compile("accepted the read, round"))
    rows = lead.page.locator("table.trail tbody tr:not(.group)")
    assert "opened the case" not in "".join(rows.all_inner_texts())
    with lead.page.expect_download() as coming:
        lead.clicks("Download these lines")
    text = Path(coming.value.path()).read_text()
    assert text.splitlines()[0] == "at,who,what,case,read of,read,verb"
    assert len(text.splitlines()) > rows.count() // 2


def voxels(room: ReadingRoom, annotation: str) -> int:
    return room.page.evaluate("id => window.atlasRoom.voxels(id)", annotation)


def hatched(room: ReadingRoom, colour: str, first: tuple[int, int], last: tuple[int, int]) -> int:
    """How many pixels between two voxels are hatched in this colour."""
    area = [*room.client_of(*first), *room.client_of(*last)]
    return room.page.evaluate(HATCHED, [colour, area])
