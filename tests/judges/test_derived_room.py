"""A structure set from a planning system, in the reading room: outlined on the PET, and copied whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.room import Room, assigned, sign_in

SUBJECT = "STS_001"


@pytest.fixture(scope="module")
def read(demo, test_data: Path) -> str:
    folder = test_data / "petct_mr_sts_001"
    demo.manage("import_dicom", str(folder / "PET_rtstruct"), "--dataset", "lung-ct")  # before its images
    return assigned(demo, folder / "PET", dataset="lung-ct", subject=SUBJECT, reader="reader1")


@pytest.fixture
def room(chromium, demo, read: str) -> Iterator[Room]:
    context = sign_in(chromium, demo, "reader1")
    room = Room(context, read).open()
    yield room
    room.close()
    context.close()


def test_outlines_are_shown_on_their_slices_and_copied_as_segments(room: Room, tmp_path: Path) -> None:
    page = room.page
    rows = page.locator(".imp")
    assert [text.split("Imported")[0].strip() for text in rows.locator("p .sub").all_inner_texts()] == [
        "“GTV_Mass”.",
        "“GTV_Edema”.",
    ]
    assert "43 slices" in rows.nth(1).inner_text()
    imported = page.evaluate(
        "async (read) => (await (await fetch(`/api/v1/reads/${read}/`)).json()).imported", room.read
    )
    mass = next(one for one in imported if one["name"] == "GTV_Mass")
    slices = page.evaluate(
        "async ([read, id]) => (await (await fetch(`/api/v1/reads/${read}/imported/${id}/`)).json()).slices",
        [room.read, mass["id"]],
    )
    order = page.evaluate(
        "async () => (await (await fetch(`/api/v1/series/${window.atlasRoom.state().series}/manifest/`))"
        ".json()).frames.sop"
    )
    middle = sorted(order.index(one["sop"]) for one in slices)[len(slices) // 2]
    room.go_to_slice(middle)
    blank = page.locator("canvas.masks").first.screenshot()
    rows.nth(0).get_by_test_id("outline-imported").click()
    page.wait_for_timeout(500)
    outlined = page.locator("canvas.masks").first.screenshot()
    page.screenshot(path=str(tmp_path / "outlined.png"))
    assert outlined != blank
    before = room.saving()["number"]
    rows.nth(0).get_by_test_id("copy-imported").click()
    room.saved(before + 1 + len(slices))
    found = page.evaluate(
        "async (read) => (await (await fetch(`/api/v1/reads/${read}/measurements/`)).json())", room.read
    )
    assert [(one["kind"], one["voxels"], one["slices"]) for one in found] == [("segment", 5095, 31)]
    page.screenshot(path=str(tmp_path / "copied.png"))
