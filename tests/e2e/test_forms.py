"""Questions, states of labels, proposals and the history of a read, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.node import Node
from tests.e2e.room import Room, read_of, sign_in

QUESTIONS = """
from annotations.models import LabelSchema, Read
from annotations.reading.questions import checked_questions
read = Read.objects.select_related("schema").get(public_id=READ)
labels = [label | {"required": label["key"] == "longest_diameter"} for label in read.schema.labels]
questions = [
    {"text": "Sure", "of": "case", "type": "choice", "options": [{"name": "Yes"}, {"name": "No"}],
     "required": True},
    {"text": "Size in mm", "of": "annotation", "only": ["tumour"], "type": "number", "unit": "mm",
     "least": 1, "most": 200, "required": True},
]
# Before the first version: the other reads of the demo keep theirs, and so do those that are yet to come.
read.schema = LabelSchema.objects.create(
    project=read.schema.project, version=0, labels=labels, created_by=read.schema.created_by,
    questions=checked_questions(questions, labels=labels, used_keys=()),
)
read.save()
"""


@pytest.fixture(scope="module")
def read(demo: Node) -> str:
    """A read of the demo that asks two questions, and for one label."""
    public_id = read_of(demo, "reader2", "lung1")
    demo.python(QUESTIONS.replace("READ", repr(public_id)))
    return public_id


@pytest.fixture
def room(chromium: Browser, demo: Node, read: str) -> Iterator[Room]:
    context = sign_in(chromium, demo, "reader2")
    room = Room(context, read).open()
    yield room
    room.close()
    context.close()


def test_what_is_missing_is_a_way_there_and_answers_are_saved_and_undone_like_marks(
    room: Room, tmp_path: Path
) -> None:
    page = room.page
    missing = page.get_by_test_id("missing").get_by_role("button")
    expect(missing).to_have_text(["Longest diameter: required, not marked", "Sure"])
    expect(page.get_by_test_id("submit")).to_have_attribute("aria-disabled", "true")

    # A proposal, taken over: then its question is asked, too.
    page.get_by_test_id("copy-imported").first.click()
    expect(page.get_by_test_id("finding")).to_have_count(1)
    expect(page.get_by_test_id("verdict")).to_contain_text("Accepted as it came")
    expect(missing.last).to_have_text("Size in mm: Tumour 1")
    page.get_by_test_id("case-longest_diameter-absent").click()
    expect(missing).to_have_text(["Sure", "Size in mm: Tumour 1"])

    # The link goes to the field; Enter in a field leaves it, and what it says is saved.
    missing.last.click()
    size = page.get_by_test_id("question-size_in_mm").get_by_role("textbox")
    expect(size).to_be_focused()
    size.fill("900")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("At most 200.")
    size.fill("31.5")
    page.keyboard.press("Enter")
    expect(missing).to_have_text(["Sure"])
    page.get_by_test_id("question-sure").get_by_role("button", name="Yes").click()
    expect(missing).to_have_count(0)
    room.saved()
    said = {one["value"]["answer"]: one["value"]["value"] for one in room.stored()["answers"]}
    assert said == {"proposal": "accepted", "state": "absent", "size_in_mm": 31.5, "sure": "yes"}

    # Undo, across a reload.
    room.reload()
    room.press("Control+z")
    expect(missing).to_have_text(["Sure"])
    room.press("Control+Shift+Z")
    expect(missing).to_have_count(0)
    room.saved()

    # One key states the chosen label.
    page.get_by_test_id("label-region_of_interest").click()
    room.press("Shift+N")
    expect(page.get_by_test_id("case-region_of_interest-absent")).to_have_attribute("aria-pressed", "true")
    room.saved()
    page.screenshot(path=tmp_path / "answers.png")


def test_the_read_as_it_stood_is_looked_at_and_a_deleted_mark_comes_back(room: Room, tmp_path: Path) -> None:
    page = room.page
    if not room.marks():
        page.get_by_test_id("copy-imported").first.click()
    expect(page.get_by_test_id("finding")).to_have_count(1)
    room.saved()
    [mark] = room.marks()
    page.get_by_test_id("finding").click()
    page.get_by_test_id("delete").click()
    expect(page.get_by_test_id("finding")).to_have_count(0)
    room.saved()

    page.get_by_test_id("tab-history").click()
    gestures = page.get_by_test_id("gesture")
    expect(gestures.first).to_contain_text("Tumour, segment deleted")
    gestures.nth(1).click()
    expect(page.get_by_test_id("past")).to_be_visible()
    page.wait_for_function("id => window.atlasRoom.voxels(id) > 0", arg=mark["id"])
    assert room.marks() == [mark]
    page.screenshot(path=tmp_path / "past.png")
    before = room.saving()["number"]
    room.press("b")  # nothing can be drawn there
    assert room.state()["tool"] != "brush"

    page.get_by_test_id("restore").click()
    expect(page.get_by_test_id("past")).to_have_count(0)
    page.wait_for_function("n => window.atlasRoom.saving().number > n", arg=before)
    room.saved()
    room.reload()
    page.wait_for_function("id => window.atlasRoom.voxels(id) > 0", arg=mark["id"])
    assert room.marks() == [mark]


def test_what_was_kept_aside_is_shown_and_put_in_when_its_reader_says_so(room: Room) -> None:
    page = room.page
    if not room.marks():
        page.get_by_test_id("copy-imported").first.click()
    expect(page.get_by_test_id("finding")).to_have_count(1)
    room.saved()
    [mark] = room.stored()["annotations"]
    # As from another computer that had not seen the latest change.
    stale = {
        "id": "5b3a1f6e-0c8f-4d55-9d9c-3a0c7f1b6a11",
        "group": "5b3a1f6e-0c8f-4d55-9d9c-3a0c7f1b6a12",
        "at": "2026-11-22T10:00:00Z",
        "object": {"annotation": mark["id"]},
        "seen": mark["version"] - 1,
        "value": mark["value"] | {"note": "Written on the train"},
    }
    csrf = page.locator("#room").get_attribute("data-csrf") or ""
    answer = room.context.request.post(
        f"/api/v1/reads/{room.read}/edits/", data={"edits": [stale]}, headers={"X-CSRFToken": csrf}
    )
    assert answer.json()["results"][0]["status"] == "conflict"
    room.reload()
    parked = page.get_by_test_id("parked")
    expect(parked).to_contain_text("Tumour, segment")
    page.get_by_test_id("take-parked").click()
    expect(parked).to_have_count(0)
    room.saved()
    assert room.stored()["annotations"][0]["value"]["note"] == "Written on the train"
    room.reload()
    expect(page.get_by_test_id("proposals")).to_be_visible()
    expect(parked).to_have_count(0)
