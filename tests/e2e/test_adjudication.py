"""Three readers disagree; it is settled in the browser, and numpy makes the reference standard apart."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from pydicom.uid import generate_uid

from annotations.measures import masks
from tests.atlas.slices import header, part_10
from tests.e2e import adjudicated
from tests.e2e.adjudicated import ADJUDICATOR, Segment
from tests.e2e.room import PASSWORD
from tests.e2e.steps import ReadingRoom

SLICES, SIDE, SLICE_MM, PIXEL_MM = 14, 96, 2.5, 0.8
SUBJECT = "THREE"
READERS = ("reader1", "reader2", "reader3")
LARGE, SMALL = (6, 48, 40), (9, 30, 70)  # slice, row, column
MALIGNANCY = {
    "key": "malignancy",
    "text": "Malignancy",
    "of": "annotation",
    "only": [],
    "type": "choice",
    "options": [{"key": str(n), "name": str(n), "code": None} for n in range(1, 6)],
    "unit": "",
    "least": None,
    "most": None,
    "required": False,
    "when": None,
}


def ball(centre: tuple[int, int, int], radius_mm: float) -> np.ndarray:
    """bool[slices, rows, columns]"""
    away = np.indices((SLICES, SIDE, SIDE)) - np.array(centre).reshape(3, 1, 1, 1)
    step = np.array([SLICE_MM, PIXEL_MM, PIXEL_MM]).reshape(3, 1, 1, 1)
    return np.linalg.norm(away * step, axis=0) <= radius_mm


READ = {
    "reader1": [ball(LARGE, 9.0), ball(SMALL, 5.0)],
    "reader2": [ball((6, 48, 44), 9.0), ball(SMALL, 5.0)],
    "reader3": [ball((6, 50, 41), 10.5)],  # has not seen the small one
}
ANSWERS = {"reader1": ["3", "2"], "reader2": ["5", "2"], "reader3": ["3"]}


def lung(folder: Path) -> list[Path]:
    """A stack with two soft balls in it, first image first."""
    folder.mkdir()
    values = np.where(ball(LARGE, 9.5) | ball(SMALL, 5.0), 40, -820)
    values = values + np.random.default_rng(8).normal(0, 25, values.shape)
    study, series = generate_uid(), generate_uid()
    files = []
    for index, plane in enumerate(np.round(values + 1024).clip(0, 4095).astype(np.uint16)):
        image = header(
            StudyInstanceUID=study,
            SeriesInstanceUID=series,
            PatientID=SUBJECT,
            SeriesDescription="Thorax",
            ImagePositionPatient=[-40, -30, SLICE_MM * index],
            SliceThickness=SLICE_MM,
            InstanceNumber=index + 1,
            PixelSpacing=[PIXEL_MM, PIXEL_MM],
        )
        files.append(folder / f"{index:02}.dcm")
        files[-1].write_bytes(part_10(image, plane))
    return files


def segment(volume: np.ndarray, sops: list[str], answer: str) -> Segment:
    planes = {sop: plane for sop, plane in zip(sops, volume, strict=True) if plane.any()}
    return Segment(planes, {"malignancy": answer})


@pytest.fixture(scope="module")
def node(node, tmp_path_factory):
    """A node whose readers have handed in what they see of one case."""
    folder = tmp_path_factory.mktemp("three")
    files = lung(folder / "made")
    adjudicated.prepare(
        node, folder / "in", {SUBJECT: files}, readers=READERS, questions=[MALIGNANCY], dice_below=0.9
    )
    sops = node.python(SOPS).split()
    marked = {
        name: [segment(volume, sops, said) for volume, said in zip(found, ANSWERS[name], strict=True)]
        for name, found in READ.items()
    }
    adjudicated.hand_in(node, folder, SUBJECT, marked)
    return node


SOPS = """
from atlas.models import Instance
for one in Instance.objects.order_by("instance_number"):
    print(one.sop_instance_uid)
"""
JOURNALS = """
import hashlib, json
from annotations.models import Edit
edits = Edit.objects.filter(read__kind="read").order_by("pk").values_list("pk", "number", "value", "runs")
print(hashlib.sha256(repr([tuple(map(str, edit)) for edit in edits]).encode()).hexdigest())
"""
REFERENCE = """
import base64, json
from annotations.models import ReferenceStandard
from annotations.reading.journal import state_at
reference = ReferenceStandard.objects.get()
found = state_at(reference.submission.read, reference.submission.edit_number)
print(json.dumps({
    "how": reference.how,
    "origins": {str(one.annotation_id): one.value["origin"] for one in found.annotations},
    "planes": [[str(one.annotation_id), one.sop_instance_uid, base64.b64encode(one.runs).decode()]
               for one in found.planes],
    "answers": [[one.value["answer"], one.value["value"]] for one in found.answers],
}))
"""


def begins_from_the_worklist(person) -> ReadingRoom:
    person.goes_to("/worklist/")
    person.page.get_by_role("button", name="Adjudicate case 1").click()
    return ReadingRoom(person)


def facts(room: ReadingRoom) -> dict:
    return room.page.evaluate("() => window.atlasRoom.adjudication()")


def is_on(room: ReadingRoom, lesion: int, state: str = "open") -> None:
    room.page.wait_for_function(
        "([n, state]) => { const a = window.atlasRoom.adjudication();"
        " return a && !a.busy && a.lesion === n && a.state === state }",
        arg=[lesion, state],
    )


def gives_reason(room: ReadingRoom, text: str) -> None:
    room.page.get_by_test_id("reason").fill(text)
    room.press("Enter")


def test_what_three_readers_disagree_about_is_settled_by_majority_by_a_read_and_by_hand(node, arrive):
    before = node.python(JOURNALS)
    person = arrive(node)
    person.signs_in(ADJUDICATOR, PASSWORD)
    room = begins_from_the_worklist(person)
    page = room.page
    expect(page.get_by_test_id("settled")).to_have_text("0 of 2 settled")
    is_on(room, 1)
    readers = facts(room)["readers"]
    assert [reader["letter"] for reader in readers] == ["A", "B", "C"]
    assert sorted(len(reader["marks"]) for reader in readers) == [1, 2, 2]
    assert not page.get_by_text("Reader1").count(), "readers are letters here"

    # Letters switch lines; what isn't decided can't be accepted, and is told.
    room.press("b")
    assert [reader["shown"] for reader in facts(room)["readers"]] == [True, False, True]
    room.press("b")
    room.press("n")
    expect(page.get_by_test_id("accept-lesion")).to_have_attribute("aria-disabled", "true")
    is_on(room, 1)

    large = [READ[name][0] for name in READERS]
    majority = np.sum(large, axis=0) >= 2
    page.get_by_test_id("take-union").check()
    page.wait_for_function(
        "n => window.atlasRoom.adjudication().previewed === n", arg=int(np.any(large, axis=0).sum())
    )
    page.get_by_test_id("take-majority").check()
    page.wait_for_function("n => window.atlasRoom.adjudication().previewed === n", arg=int(majority.sum()))
    page.get_by_test_id("answer-malignancy").select_option(label="5")
    gives_reason(room, "Two of three follow the edge.")
    room.press("n")
    expect(page.get_by_test_id("settled")).to_have_text("1 of 2 settled")
    is_on(room, 2)

    # The small one: as one of those who saw it drew it.
    expect(page.get_by_test_id("disagreements")).to_contain_text("has not marked it")
    drawer = next(member["letter"] for member in facts(room)["readers"] if len(member["marks"]) == 2)
    page.get_by_test_id(f"take-{drawer}").click()
    gives_reason(room, "Seen in two planes.")
    room.press("n")
    is_on(room, 2, "settled")
    expect(page.get_by_test_id("settled")).to_have_text("2 of 2 settled")

    # Back to the large one: a voxel is erased by hand.
    page.get_by_test_id("lesion-1").click()
    is_on(room, 1, "settled")
    [result] = facts(room)["result"]
    assert page.evaluate("id => window.atlasRoom.voxels(id)", result) == int(majority.sum())
    room.press("Shift+E")
    page.wait_for_function("() => window.atlasRoom.state().tool === 'brush'")
    room.press("e")
    for _ in range(8):
        room.press("[")
    number = room.saving()["number"]
    slice_, row, column = LARGE
    while room.state()["shown"] != slice_:
        room.press("ArrowDown" if room.state()["shown"] < slice_ else "ArrowUp")
        page.wait_for_function("() => { const s = window.atlasRoom.state(); return s.shown === s.wanted }")
    page.mouse.click(*room.client_of(column, row))
    room.saved(number + 1)
    page.get_by_test_id("stop-editing").click()
    edited = page.evaluate("id => window.atlasRoom.voxels(id)", result)
    assert 0 < int(majority.sum()) - edited < 12
    expect(page.get_by_text("Settled, then edited by hand.")).to_be_visible()

    page.get_by_test_id("submit").click()
    page.get_by_test_id("submit").click()  # asks once more
    expect(page.get_by_test_id("is-reference")).to_be_visible()
    room.shows_state("Accepted")

    reference = json.loads(node.python(REFERENCE))
    assert reference["how"] == "adjudicated"
    assert reference["origins"][result] == {"from": "adjudication"}
    sops = node.python(SOPS).split()
    made = {annotation: np.zeros((SLICES, SIDE, SIDE), dtype=bool) for annotation in reference["origins"]}
    for annotation, sop, runs in reference["planes"]:
        made[annotation][sops.index(sop)] = masks.decode(base64.b64decode(runs), SIDE, SIDE)
    away = made.pop(result) ^ majority
    assert away.sum() == int(majority.sum()) - edited
    assert away[slice_].sum() == away.sum(), "the eraser took from the slice shown only"
    assert away[LARGE]
    [small] = made.values()
    assert np.array_equal(small, READ["reader1"][1])
    assert ["malignancy", "5"] in reference["answers"]
    assert node.python(JOURNALS) == before, "the reads stay as they were submitted"
