"""Four readers of the LIDC nodule, settled in the browser; what the screen says, SimpleITK says apart."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from playwright.sync_api import expect

from annotations.measures import masks
from tests.e2e import adjudicated
from tests.e2e.adjudicated import ADJUDICATOR, Segment
from tests.e2e.node import Node
from tests.e2e.room import Room, sign_in

READERS = ("reader1", "reader2", "reader3", "reader4")
SIDE = 512
REFERENCE = """
import base64, json
from annotations.models import ReferenceStandard
from annotations.reading.journal import state_at
reference = ReferenceStandard.objects.get()
found = state_at(reference.submission.read, reference.submission.edit_number)
print(json.dumps([[one.sop_instance_uid, base64.b64encode(one.runs).decode()] for one in found.planes]))
"""


def inside(outline: np.ndarray) -> np.ndarray:
    """bool[512, 512]: the pixels whose centres the outline (column, row) goes around, and those on it."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    found = np.zeros((SIDE, SIDE), dtype=bool)
    for (x, y), (next_x, next_y) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y == next_y:
            continue
        between = (rows >= min(y, next_y)) & (rows < max(y, next_y))
        found ^= between & (columns < x + (rows - y) * (next_x - x) / (next_y - y))
    at = outline.astype(int)
    found[at[:, 1], at[:, 0]] = True
    return found


@pytest.fixture(scope="module")
def sops(test_data) -> list[str]:
    """Of the chest CT, from the feet up."""
    files = [pydicom.dcmread(file, stop_before_pixels=True) for file in images(test_data)]
    return [str(one.SOPInstanceUID) for one in sorted(files, key=lambda one: one.ImagePositionPatient[2])]


def images(test_data: Path) -> list[Path]:
    return sorted((test_data / "ct_chest_lidc_0314" / "image").iterdir())


@pytest.fixture(scope="module")
def read(test_data, sops) -> list[np.ndarray]:
    """bool[slices, rows, columns] of each reader."""
    readers = json.loads((test_data / "ct_chest_lidc_0314" / "readers.json").read_text())
    volumes = []
    for one in readers["annotations"]:
        volume = np.zeros((len(sops), SIDE, SIDE), dtype=bool)
        # What an outline leaves out lies within one that takes in.
        for contour in sorted(one["contours"], key=lambda contour: not contour["inclusion"]):
            plane = volume[sops.index(contour["sop_instance_uid"])]
            around = inside(np.array(contour["col_row"], float))
            plane[around] = contour["inclusion"]
        volumes.append(volume)
    return volumes


@pytest.fixture(scope="module")
def node(test_data, sops, read, tmp_path_factory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("lidc")
    with Node() as node:
        adjudicated.prepare(
            node, folder / "in", {"LIDC": images(test_data)}, readers=READERS, dice_below=0.95
        )
        marked = {
            name: [Segment({sop: plane for sop, plane in zip(sops, volume, strict=True) if plane.any()})]
            for name, volume in zip(READERS, read, strict=True)
        }
        adjudicated.hand_in(node, folder, "LIDC", marked)
        yield node


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Dice, by SimpleITK."""
    judge = sitk.LabelOverlapMeasuresImageFilter()
    judge.Execute(*(sitk.GetImageFromArray(each.astype(np.uint8)) for each in (one, other)))
    return judge.GetDiceCoefficient()


def test_the_majority_of_four_real_readers_becomes_the_reference_standard(
    node, chromium, read, sops, test_data
):
    context = sign_in(chromium, node, ADJUDICATOR)
    room = Room(context, taken(context, node)).open()
    page = room.page
    majority = np.sum(read, axis=0) >= 3
    page.get_by_test_id("take-majority").check()
    page.wait_for_function("n => window.atlasRoom.adjudication().previewed === n", arg=int(majority.sum()))

    found = [pydicom.dcmread(file, stop_before_pixels=True) for file in images(test_data)]
    step_mm = np.diff(sorted(float(one.ImagePositionPatient[2]) for one in found))
    assert np.ptp(step_mm) < 0.01
    voxel_mm3 = float(np.prod(found[0].PixelSpacing)) * float(step_mm[0])
    shown = page.get_by_test_id("taken-volume").inner_text().replace(",", "")
    assert abs(float(shown) - majority.sum() * voxel_mm3) < 1

    letters = {one["read"]: one["letter"] for one in facts(room)["readers"]}
    for name, volume in zip(READERS, read, strict=True):
        letter = letters[own(node, name)]
        row = page.get_by_test_id("differences").locator(f'tbody tr:has(button b:text-is("{letter}"))')
        said = row.get_by_role("cell").all_inner_texts()
        assert float(said[5]) == pytest.approx(overlap(volume, majority), abs=0.0051)
        assert abs(float(said[3].replace(",", "")) - volume.sum() * voxel_mm3) < 1

    page.get_by_test_id("reason").fill("Three of the four.")
    room.press("Enter")
    room.press("n")
    expect(page.get_by_test_id("settled")).to_have_text("1 of 1 settled", timeout=30_000)
    page.get_by_test_id("submit").click()
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("is-reference")).to_be_visible()

    made = np.zeros_like(majority)
    for sop, runs in json.loads(node.python(REFERENCE)):
        made[sops.index(sop)] = masks.decode(base64.b64decode(runs), SIDE, SIDE)
    assert np.array_equal(made, majority)
    room.close()
    context.close()


def taken(context, node: Node) -> str:
    """The adjudication of the case, taken by whoever is signed in."""
    token = next(one["value"] for one in context.cookies() if one["name"].endswith("csrftoken"))
    answer = context.request.post(
        "/api/v1/projects/odd/cases/1/adjudication/",
        data={},
        headers={"X-CSRFToken": token, "Referer": node.base_url},
    )
    assert answer.status == 201, answer.text()
    return answer.json()["read"]


def facts(room: Room) -> dict:
    return room.page.evaluate("() => window.atlasRoom.adjudication()")


def own(node: Node, name: str) -> str:
    return node.python(
        "from annotations.models import Read\n"
        f"print(Read.objects.get(reader__username={name!r}, kind='read').public_id)"
    ).strip()
