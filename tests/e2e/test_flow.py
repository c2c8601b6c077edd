"""How a project reads, by its pages and in the room: the rule in words, the unaided read, who leaves."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.atlas.slices import series
from tests.e2e.filled import fill
from tests.e2e.node import Node
from tests.e2e.room import PASSWORD
from tests.e2e.steps import Person, ReadingRoom, people_at

PROJECT = "/projects/odd/"
IMPORTED = """
from annotations.models import ImportedSegment
from atlas.models import Series
series = Series.objects.get()
ImportedSegment.objects.create(series=series, source_series=series, source_sop_instance_uid="1.2.3",
    segment_number=1, label="Lesion", origin="Drawn by an algorithm.")
"""


@pytest.fixture(scope="module")
def desk(node: Node, tmp_path_factory) -> tuple[Node, str]:
    """A node, and the read that the reader has there; a segment came with its images."""
    files = series([(0, 0, 3.0 * step) for step in range(5)])
    read = fill(node, tmp_path_factory.mktemp("subjects"), {"odd": files})["odd"]
    node.python(IMPORTED)
    return node, read


@pytest.fixture
def people(chromium: Browser, desk: tuple[Node, str]) -> Iterator[tuple[Person, Person]]:
    node, _ = desk
    with people_at(chromium) as arrive:
        lead, reader = arrive(node), arrive(node, width=1366, height=768)
        lead.signs_in("lead", PASSWORD)
        reader.signs_in("reader1", PASSWORD)
        yield lead, reader


def test_from_a_design_to_a_reader_who_leaves(desk: tuple[Node, str], people: tuple[Person, Person]) -> None:
    lead, reader = people
    the_lead_writes_the_design(lead)
    room = the_reader_locks_the_unaided_read(reader, desk[1])
    the_reader_leaves_in_mid_read(lead, reader, room)
    assert not lead.errors


def the_lead_writes_the_design(lead: Person) -> None:
    page = lead.page
    lead.goes_to(f"{PROJECT}reading/")
    said = page.locator("#said")
    expect(said).to_contain_text("One reader reads each case.")
    page.get_by_role("spinbutton", name="Readers of a case").fill("2")
    expect(said).to_contain_text("Adjudicate where Dice is under 0.80, a lesion is unmatched")
    page.get_by_role("spinbutton", name="Dice is under").fill("0.65")
    page.get_by_label("longest diameters are apart by more than").fill("4")
    expect(said).to_contain_text("Dice is under 0.65")
    expect(said).to_contain_text("longest diameters are more than 4 mm apart")
    page.get_by_role("spinbutton", name="Dice is under").fill("7")
    expect(said).to_contain_text("A Dice above 0, at most 1")
    page.get_by_role("spinbutton", name="Dice is under").fill("0.65")
    page.get_by_label("After the own read").check()
    expect(said).to_contain_text("once the reader has locked their own read")
    expect(said).to_contain_text("Not saved yet.")
    page.get_by_role("button", name="Save").click()
    lead.sees("Saved. Cases are read like this from now on.")
    expect(page.get_by_role("spinbutton", name="Readers of a case")).to_have_value("2")


def the_reader_locks_the_unaided_read(reader: Person, read: str) -> ReadingRoom:
    page = reader.page
    reader.goes_to(f"/reads/{read}/")
    room = ReadingRoom(reader)
    room.draws_length((1, 2), (6, 8))
    expect(page.get_by_test_id("proposals")).to_have_count(0)
    lock = page.get_by_test_id("lock-unaided")
    expect(lock).to_have_attribute("aria-disabled", "false")
    lock.click()
    lock.click()
    expect(page.get_by_test_id("unaided")).to_contain_text("Own read locked at edit 1")
    expect(page.get_by_test_id("proposals")).to_contain_text("Drawn by an algorithm.")
    return room


def the_reader_leaves_in_mid_read(lead: Person, reader: Person, room: ReadingRoom) -> None:
    """The lead takes the role away while the reader has the room open: they are told, nothing is lost."""
    room.draws_length((2, 3), (5, 9))
    lead.goes_to(f"{PROJECT}members/")
    lead.page.get_by_label("Take the role Reader from Reader1 Voss").click()
    expect(reader.page.get_by_text("What you drew is kept")).to_be_visible(timeout=15_000)
    lead.goes_to(f"{PROJECT}cases/1/")
    row = lead.page.get_by_role("row").filter(has_text="Reader1")
    expect(row).to_contain_text("Set aside")
    expect(row.get_by_role("button", name="Take up again")).to_be_visible()
    # The browser itself notes each refusal; that the reader is refused is what was asked for.
    reader.errors[:] = [error for error in reader.errors if "403" not in error]
