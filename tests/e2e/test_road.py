"""The road of one read, each at their own browser: drawn, returned, changed, accepted, released."""

import hashlib
import io
import json
import zipfile
from urllib.parse import urlsplit

import highdicom as hd
import httpx
import pydicom
import pytest
from playwright.sync_api import expect

from tests.e2e.room import PASSWORD
from tests.e2e.steps import ReadingRoom

PROJECT = "Tumours of brain, breast and lung"
CASE = "Breast MR"  # reader2's alone
STAY = "document.body.dataset.here = 'still'"  # gone after a reload


@pytest.fixture
def seated(arrive, demo):
    """A function: this account, signed in at a browser of its own."""

    def sit(username: str):
        person = arrive(demo)
        person.signs_in(username, PASSWORD)
        return person

    return sit


def test_a_read_is_returned_changed_accepted_and_released_voxel_for_voxel(seated, demo):
    reader, reviewer, lead = seated("reader2"), seated("reviewer"), seated("lead")

    # The first round, while the lead looks on.
    drawn = reader.opens_case(CASE)
    number = int(reader.page.locator("h1").inner_text().removeprefix("Case "))
    lead.goes_to(f"/reads/{drawn.read}/")
    watched = ReadingRoom(lead)
    lead.sees("Marks open when it is submitted")
    tumour = drawn.paints((15, 60), (25, 60))
    assert watched.marks() == []
    drawn.submits()
    expect(reader.page.get_by_test_id("locked")).to_contain_text("can't be changed")
    watched.shows_state("Submitted")
    watched.shows_voxels(tumour, voxels(drawn, tumour))
    lead.goes_to("/projects/")
    lead.clicks(PROJECT)
    lead.clicks("Cases")
    lead.page.wait_for_load_state()
    lead.page.evaluate(STAY)
    expect(lead.row(CASE)).to_contain_text("Submitted")

    # The review.
    seen = reviewer.opens_case(CASE)
    seen.shows_people("TZ")
    drawn.shows_people("AO")
    assert voxels(drawn, tumour) > 0
    seen.shows_voxels(tumour, voxels(drawn, tumour))
    seen.go_to_slice(4)
    seen.pins_comment("The lesion reaches this slice too.", (20, 64))
    reviewer.page.wait_for_load_state()
    reviewer.page.evaluate(STAY)
    seen.returns("One slice is missing.")
    expect(lead.row(CASE)).to_contain_text("Returned")

    # The reader's page learns of it, and takes marks again.
    drawn.shows_state("Returned, round 2")
    drawn.wait_for_image()
    reader.sees("One slice is missing.")
    reader.sees("The lesion reaches this slice too.")
    expect(reader.page.get_by_test_id("locked")).to_have_count(0)
    reader.page.get_by_test_id("comment").click()
    drawn.page.wait_for_function("() => window.atlasRoom.state().shown === 4")
    expect(reader.page.locator(".pinat")).to_have_text("1")
    reader.page.locator(f"[data-testid=finding][data-annotation='{tumour}']").click()
    drawn.go_to_slice(4)
    assert drawn.paints((18, 64), (22, 64)) == tumour
    button = reader.page.get_by_test_id("submit")
    expect(button).to_have_attribute("aria-disabled", "true")
    reader.sees("1 comment not settled")
    reader.clicks("Settle")
    drawn.submits()
    in_the_room = voxels(drawn, tumour)

    # The reviewer's page, open all the while, has the new round.
    seen.shows_state("Submitted, round 2")
    assert voxels(seen, tumour) == in_the_room  # there before the verdict is asked for
    seen.accepts()
    for page in (lead.page, reviewer.page):
        assert page.evaluate("document.body.dataset.here") == "still"

    # Nothing moves the read any more.
    drawn.shows_state("Accepted, round 2")
    expect(lead.row(CASE)).to_contain_text("Accepted")
    nothing_changes(drawn, tumour, in_the_room)

    release = the_lead_freezes(lead)
    archive, root = the_scientist_fetches(demo.base_url, release)
    the_segmentation_is_the_same(archive, root, number, in_the_room)


def voxels(room, annotation: str) -> int:
    return room.page.evaluate("id => window.atlasRoom.voxels(id)", annotation)


def nothing_changes(room, annotation: str, count: int) -> None:
    """Neither by hand nor by the API."""
    expect(room.page.get_by_test_id("locked")).to_contain_text("It can't be changed any more.")
    expect(room.page.get_by_test_id("tool-brush")).to_have_count(0)
    room.press("b")
    room.drag(room.client_of(10, 40), room.client_of(30, 40))
    room.press("Backspace")
    room.press("Control+z")
    before = room.stored()
    assert voxels(room, annotation) == count

    def post(path: str, body: dict):
        cookies = {cookie["name"]: cookie["value"] for cookie in room.context.cookies()}
        csrf = {"X-CSRFToken": cookies["csrftoken"], "Referer": room.page.url}
        return room.context.request.post(f"/api/v1/reads/{room.read}/{path}/", data=body, headers=csrf)

    edit = {
        "id": "6b1f0a52-8f4c-4a0e-9a51-3c1b6f3a9f01",
        "group": "6b1f0a52-8f4c-4a0e-9a51-3c1b6f3a9f02",
        "inverts": None,
        "at": "2026-01-01T00:00:00Z",
        "object": {"annotation": annotation},
        "seen": next(one["version"] for one in before["annotations"] if one["id"] == annotation),
        "value": None,
    }
    tab = "6b1f0a52-8f4c-4a0e-9a51-3c1b6f3a9f03"
    answer = post("edits", {"tab": tab, "edits": [edit]})
    assert answer.status == 200, answer.text()
    [result] = answer.json()["results"]
    assert result["status"] == "parked"
    assert "accepted" in result["reason"]
    assert post("submit", {"number": before["number"]}).status == 409
    assert room.stored() == before


def the_lead_freezes(lead) -> str:
    """Freezes a release and watches its files being written; returns its path."""
    told: list[dict] = []
    hear = lambda text: told.append(json.loads(text))
    lead.page.on("websocket", lambda socket: socket.on("framereceived", hear))
    lead.clicks("Releases")
    lead.clicks("Freeze a release")
    lead.fills(title="With the breast")
    lead.page.get_by_role("button", name="Freeze").click()
    lead.sees("is frozen; its files are being written")
    lead.page.wait_for_load_state()
    lead.page.evaluate(STAY)
    lead.sees("What will you use it for?", timeout_s=60)
    assert lead.page.evaluate("document.body.dataset.here") == "still"
    steps = [(one["done"], one["total"]) for one in told if one["type"] == "release"]
    assert steps, "the page was told of no progress"
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1] >= 2  # with the demo's own
    return urlsplit(lead.page.url).path


def the_scientist_fetches(node: str, release: str) -> tuple[zipfile.ZipFile, str]:
    """By token, without a browser: the manifest, a file in two ranges, the archive in two."""
    with httpx.Client(base_url=f"{node}/api/v1", timeout=30) as scientist:
        made = scientist.post("/tokens/", json={"username": "scientist", "password": PASSWORD})
        assert made.status_code == 201, made.text
        assert scientist.get(f"{release}manifest/").status_code == 401
        scientist.headers["Authorization"] = f"Bearer {made.json()['token']}"
        files = scientist.get(f"{release}manifest/").raise_for_status().json()["files"]
        assert scientist.get(f"{release}archive/").status_code == 403  # nobody asked yet what it is for
        scientist.post(f"{release}use/", json={"purpose": "To find tumours."}).raise_for_status()
        largest = max(files, key=lambda file: file["size"])
        whole = in_two_ranges(scientist, largest["url"], largest["size"] // 2)
        assert (hashlib.sha256(whole).hexdigest(), len(whole)) == (largest["sha256"], largest["size"])
        archive = zipfile.ZipFile(io.BytesIO(in_two_ranges(scientist, f"{release}archive/", 1000)))
    assert archive.testzip() is None
    [manifest] = [name for name in archive.namelist() if name.endswith("/manifest.json")]
    root = manifest.removesuffix("manifest.json")
    assert sorted(root + file["path"] for file in files) == sorted(archive.namelist())
    for file in files:
        assert hashlib.sha256(archive.read(root + file["path"])).hexdigest() == file["sha256"]
    return archive, root


def in_two_ranges(client: httpx.Client, url: str, first: int) -> bytes:
    """As a download that broke off after `first` bytes and goes on, if the file is still the same."""
    start = client.get(url, headers={"Range": f"bytes=0-{first - 1}"})
    rest = client.get(url, headers={"Range": f"bytes={first}-", "If-Range": start.headers["etag"]})
    assert (start.status_code, rest.status_code) == (206, 206)
    assert len(start.content) == first
    assert start.headers["content-range"] == f"bytes 0-{first - 1}/{first + len(rest.content)}"
    return start.content + rest.content


def the_segmentation_is_the_same(archive: zipfile.ZipFile, root: str, number: int, count: int) -> None:
    """As pydicom and highdicom read it."""
    [path] = [
        name
        for name in archive.namelist()
        if name.startswith(f"{root}cases/{number:04d}/") and "/seg/" in name
    ]
    plain = pydicom.dcmread(io.BytesIO(archive.read(path)))
    assert [segment.SegmentLabel for segment in plain.SegmentSequence] == ["Tumour"]
    assert int(plain.pixel_array.astype(bool).sum()) == count
    volume = hd.seg.segread(io.BytesIO(archive.read(path))).get_volume(combine_segments=False)
    assert int(volume.array.astype(bool).sum()) == count
