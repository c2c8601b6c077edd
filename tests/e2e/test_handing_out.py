"""Who reads what, as people see it: a case whose time runs out while someone draws, and an act on many cases
that a lead takes back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from tests.e2e import filled
from tests.e2e.node import Node
from tests.e2e.room import PASSWORD, Room, sign_in

SUBJECTS = ("ONE", "TWO", "THREE")

MORE = """
from accounts import permissions
from accounts.models import User
from annotations.models import Read
from annotations.reading import designs
from atlas.models import Project

project, lead = Project.objects.get(), User.objects.get(username="lead")
lead.set_password("{password}")
lead.save()
second = User.objects.create_user(username="reader2", email="reader2@hospital.example", password="{password}",
                                  first_name="Second", last_name="Voss")
permissions.grant(user=second, role="reader", scope=project)
designs.write_design(by=lead, project=project, rules=designs.Rules(self_service=True, lease_hours=24))
Read.objects.all().delete()
"""

RUN_OUT = """
from datetime import timedelta
from django.utils import timezone
from annotations.models import Read
Read.objects.filter(public_id={read!r}).update(lease_until=timezone.now() - timedelta(minutes=5))
"""

STANDING = """
from annotations.models import Read
for read in Read.objects.filter(case__subject__pseudonym={subject!r}).order_by("pk"):
    print(read.reader.username, read.state, read.last_edit_number)
"""


@pytest.fixture(scope="module")
def hospital(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Three cases that nobody reads, two readers who may take them, and a lead."""
    folder = tmp_path_factory.mktemp("images")
    filled.fill(node, folder / "in", {name: [image(folder / f"{name}.dcm")] for name in SUBJECTS})
    node.python(MORE.format(password=PASSWORD))
    return node


@pytest.fixture
def arrives(chromium: Browser, hospital: Node) -> Iterator[Callable[[str], BrowserContext]]:
    opened: list[BrowserContext] = []

    def arrive(name: str) -> BrowserContext:
        opened.append(sign_in(chromium, hospital, name))
        return opened[-1]

    yield arrive
    for context in opened:
        context.close()


def image(file: Path) -> Path:
    """A CT image of a study of its own."""
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(dataset, keyword, generate_uid())
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(file)
    return file


def takes(context: BrowserContext) -> Room:
    """With the key for the next case, as nothing else waits."""
    page = context.new_page()
    page.goto("/worklist/")
    expect(page.get_by_role("button", name="Take the next case")).to_be_visible()
    page.get_by_role("button", name="Take the next case").click()
    page.wait_for_url("**/reads/*/")
    read = page.url.rstrip("/").rsplit("/", 1)[1]
    page.close()
    return Room(context, read).open()


def paint(room: Room, *, down: int = 0) -> None:
    room.press("b")
    box = room.page.get_by_test_id("viewport-0").bounding_box()
    assert box is not None
    x, y = round(box["x"] + box["width"] / 2), round(box["y"] + box["height"] / 2) + down
    room.drag((x - 60, y), (x, y), (x + 60, y))


def voxels(room: Room) -> int:
    return sum(mark["voxels"] for mark in room.marks() if mark["kind"] == "segment")


def test_a_lease_runs_out_while_someone_draws_and_nothing_is_lost(hospital, arrives) -> None:
    first = arrives("reader1")
    room = takes(first)
    paint(room)
    room.saved(1)

    # The line breaks, the reader goes on drawing, and their time runs out.
    first.set_offline(True)
    hospital.python(RUN_OUT.format(read=room.read))
    paint(room, down=60)
    expect(room.page.get_by_test_id("saving")).to_have_attribute("data-saving", "offline", timeout=20_000)
    drawn = voxels(room)

    # Another takes the case, and learns nothing of the first.
    second = arrives("reader2")
    others = takes(second)
    assert others.read != room.read
    expect(others.page.get_by_test_id("ran-out")).to_have_count(0)
    assert others.marks() == []
    paint(others, down=-40)
    others.saved(1)

    # Back again, the first is told, and keeps all that they drew.
    first.set_offline(False)
    expect(room.page.get_by_test_id("ran-out")).to_contain_text("All that you drew is kept", timeout=30_000)
    expect(room.page.get_by_test_id("ran-out")).not_to_contain_text("Second")
    room.saved(2)
    assert voxels(room) == drawn
    assert len(room.stored()["annotations"]) >= 1
    standing = hospital.python(STANDING.format(subject="ONE")).split()
    assert standing[0::3] == ["reader1", "reader2"]
    assert standing[1::3] == ["in_progress", "in_progress"]

    # Both hand in: the extra read is kept.
    for one in (room, others):
        one.page.get_by_test_id("submit").click()
        one.page.get_by_test_id("submit").click()  # sure
        expect(one.page.get_by_test_id("locked")).to_be_visible(timeout=20_000)
        one.close()
    assert hospital.python(STANDING.format(subject="ONE")).split()[1::3] == ["submitted", "submitted"]


def test_a_lead_assigns_many_cases_by_mouse_and_takes_it_back(hospital, arrives) -> None:
    page = arrives("lead").new_page()
    page.goto("/projects/odd/cases/?state=unassigned")
    page.get_by_label("Choose all cases of this page").check()
    expect(page.locator("[data-chosen-count=case]")).to_have_text("2 cases chosen")
    page.locator("#assign").get_by_label("Second Voss").check()
    page.locator("#assign").get_by_role("button", name="Assign").click()
    expect(page.get_by_role("status").filter(has_text="2 reads assigned.")).to_be_visible()

    # Their worklist hears of it by itself.
    reader = arrives("reader2").new_page()
    reader.goto("/worklist/?group=next")
    expect(reader.locator("tr[data-read]")).to_have_count(2)

    page.goto("/projects/odd/cases/")
    page.locator("#acts").get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("status").filter(has_text="2 changes undone.")).to_be_visible()
    expect(reader.locator("tr[data-read]")).to_have_count(0, timeout=15_000)
    assert "group=next" in reader.url
