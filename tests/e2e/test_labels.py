"""Labels that change while someone reads: the lead at the pages, the reader in the room, at once."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.atlas.slices import series
from tests.e2e.filled import fill
from tests.e2e.node import Node
from tests.e2e.room import PASSWORD
from tests.e2e.steps import Person, ReadingRoom, people_at

PROJECT = "/projects/odd/"


@pytest.fixture(scope="module")
def desk(node: Node, tmp_path_factory) -> tuple[Node, str]:
    """A node, and the read that the reader has there."""
    files = series([(0, 0, 3.0 * step) for step in range(5)])
    return node, fill(node, tmp_path_factory.mktemp("subjects"), {"underway": files})["underway"]


@pytest.fixture
def people(chromium: Browser, desk: tuple[Node, str]) -> Iterator[tuple[Person, Person]]:
    node, read = desk
    with people_at(chromium) as arrive:
        lead, reader = arrive(node), arrive(node, width=1366, height=768)
        lead.signs_in("lead", PASSWORD)
        reader.signs_in("reader1", PASSWORD)
        reader.goes_to(f"/reads/{read}/")
        yield lead, reader


def test_a_label_is_replaced_while_someone_draws_with_it(people: tuple[Person, Person]) -> None:
    lead, reader = people
    room = a_case_under_way(reader)
    labels_are_changed(lead)
    the_change_is_decided(lead)
    the_reader_goes_on(reader, room)
    assert not lead.errors
    assert not reader.errors


def a_case_under_way(reader: Person) -> ReadingRoom:
    room = ReadingRoom(reader)
    room.draws_length((1, 1), (6, 1))
    return room


def labels_are_changed(lead: Person) -> None:
    """The label there is goes; one with a coded term, found as it is typed, comes in its place."""
    page = lead.page
    lead.goes_to(f"{PROJECT}labels/edit/")
    place = page.locator(".label-rows tbody tr").count()
    former = page.locator(".label-rows tbody tr").filter(has=page.locator("input[value='Lesion']"))
    former.get_by_role("checkbox").last.check()
    row = page.get_by_role("row").filter(has=page.get_by_label(f"Name of label {place}"))
    row.locator("[data-pick=code] > summary").click()
    row.get_by_role("combobox").type("long ax")
    expect(row.get_by_role("option").first).to_contain_text("Long axis")
    page.keyboard.press("Enter")
    expect(row.get_by_label(f"Name of label {place}")).to_have_value("Long axis")
    expect(row.locator("[data-pick=code] .said")).to_have_text("Long axis SCT 103339001")
    lead.names_label(place, "Diameter", "Length", "Long and short axis")
    expect(row.locator("[data-pick=kinds] .said")).to_have_text("Length, Long and short axis")
    page.get_by_role("button", name="Save as version").click()
    lead.sees("What version 2 changes")


def the_change_is_decided(lead: Person) -> None:
    page = lead.page
    gone = page.get_by_role("row").filter(has_text="Lesion")
    expect(gone).to_contain_text("in 1 read")
    page.get_by_role("button", name="Put version 2 into use").click()
    lead.sees("Decide what becomes of the marks and answers below.")
    lead.errors.clear()  # Chromium says so when a page answers 400
    page.get_by_label("What becomes of Lesion").select_option(label="Becomes “Diameter”")
    page.get_by_role("button", name="Put version 2 into use").click()
    lead.sees("This is version 2.")


def the_reader_goes_on(reader: Person, room: ReadingRoom) -> None:
    page = reader.page
    expect(page.get_by_text("The labels changed to version 2.")).to_be_visible()
    expect(page.get_by_test_id("finding")).to_have_attribute("title", "Diameter 1, length: go there")
    room.draws_length((1, 4), (6, 4))
    assert {mark["label"] for mark in room.marks()} == {"diameter"}
    # Undo takes back the second mark, then, past the change of labels, the first.
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("finding")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("finding")).to_have_count(0)
    page.keyboard.press("Control+Shift+z")
    expect(page.get_by_test_id("finding")).to_have_attribute("title", "Diameter 1, length: go there")
    room.saved()
    page.get_by_test_id("tab-history").click()
    expect(page.get_by_test_id("gesture").filter(has_text="Labels, version 2")).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("finding")).to_have_attribute("title", "Diameter 1, length: go there")
