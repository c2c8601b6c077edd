"""A radiologist's hands on a real chest CT: the LIDC nodule is painted, and numpy counts its voxels apart."""

import csv
import io
import json
import tempfile
import time
import zipfile

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.pixels import unpack_bits

from tests.e2e.pixels import painted_by_hand, stored_file
from tests.e2e.room import PASSWORD, Room, assigned, sign_in

SUBJECT = "LIDC-IDRI-0314"


@pytest.fixture(scope="module")
def read(demo, test_data) -> str:
    folder = test_data / "ct_chest_lidc_0314"
    demo.manage(
        "import_dicom", str(folder / "seg_readers.dcm"), str(folder / "image"), "--dataset", "lung-ct"
    )
    return assigned(demo, folder / "image", dataset="lung-ct", subject=SUBJECT, reader="reader1")


@pytest.fixture
def room(chromium, demo, read):
    context = sign_in(chromium, demo, "reader1")
    room = Room(context, read).open()
    yield room
    room.close()
    context.close()


def nodule(test_data) -> tuple[str, np.ndarray]:
    """The image on which reader 1 drew the largest outline, and the outline's points (column, row)."""
    readers = json.loads((test_data / "ct_chest_lidc_0314" / "readers.json").read_text())
    largest = max(readers["annotations"][0]["contours"], key=lambda contour: len(contour["col_row"]))
    return largest["sop_instance_uid"], np.array(largest["col_row"], dtype=float)


def test_a_length_and_a_brush_stroke_across_the_lidc_nodule_are_exact(demo, room, test_data):
    sop, outline = nodule(test_data)
    image = stored_file(demo, sop)
    values = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
    row_mm, column_mm = map(float, image.PixelSpacing)
    order = room.page.evaluate(
        "async () => (await (await fetch(`/api/v1/series/${window.atlasRoom.state().series}/manifest/`))"
        ".json()).frames.sop"
    )
    room.go_to_slice(order.index(sop))
    assert room.state()["sop"] == sop

    left, right = outline[outline[:, 0].argmin()], outline[outline[:, 0].argmax()]
    centre = outline.mean(axis=0).round()
    column, row = map(int, centre)
    assert room.value_at(column, row) == values[row, column]

    room.press("d")
    pixels = room.client_of(*left), room.client_of(*right)
    drawn = np.array([room.voxel_of(pixel) for pixel in pixels])
    before = room.saving()["number"]
    room.drag(*pixels)
    room.saved(before + 1)
    length_mm = float(np.linalg.norm((drawn[1] - drawn[0]) * [column_mm, row_mm]))
    assert length_mm > 8
    assert f"{length_mm:.1f} mm" in room.page.get_by_test_id("findings").inner_text()

    room.press("b")
    radius_mm = room.state()["brushMm"]
    start, end = room.client_of(column - 4, row - 2), room.client_of(column + 4, row + 2)
    a, b = room.voxel_of(start), room.voxel_of(end)
    before = room.saving()["number"]
    room.drag(start, end)
    room.saved(before + 1)
    segment = next(mark for mark in room.marks() if mark["kind"] == "segment")
    expected, unsure = painted_by_hand(a, b, radius_mm, *values.shape, row_mm, column_mm)
    plane = room.stored_plane(segment["id"], *values.shape)
    assert expected.sum() > 100
    assert np.array_equal(plane | unsure, expected | unsure)
    assert segment["voxels"] == plane.sum()


def test_what_was_painted_in_the_browser_leaves_in_the_release(chromium, demo, room, read):
    """Submitted, accepted, frozen, downloaded; SimpleITK and pydicom find the same voxels and millimetres."""
    segment = next(mark for mark in room.marks() if mark["kind"] == "segment")
    sop = next(plane["sop"] for plane in room.stored()["planes"] if plane["annotation"] == segment["id"])
    image = stored_file(demo, sop)
    plane = room.stored_plane(segment["id"], image.Rows, image.Columns, sop)
    room.saved()
    room.page.get_by_test_id("submit").click()
    room.page.get_by_test_id("submit").click()  # it asks once more
    room.page.get_by_test_id("locked").wait_for()
    demo.python(
        "from accounts.models import User\n"
        "from annotations.cohort import releases\n"
        "from annotations.reading import review\n"
        "from atlas.models import Project\n"
        "reviewer, lead = (User.objects.get(username=name) for name in ('reviewer', 'lead'))\n"
        f"review.judge(user=reviewer, read_id={read!r}, verdict='accept', round=1)\n"
        "choice = releases.Choice(title='Nodule', licence='CC BY 3.0')\n"
        "releases.freeze(by=lead, project=Project.objects.get(), choice=choice)\n"
    )
    api = chromium.new_context(base_url=demo.base_url).request
    token = api.post("/api/v1/tokens/", data={"username": "scientist", "password": PASSWORD}).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    root = "/api/v1/projects/tumours-of-brain-breast-and-lung/releases/2/"
    deadline = time.monotonic() + 60
    while (release := api.get(root, headers=bearer).json())["state"] != "ready":
        assert time.monotonic() < deadline, release
        time.sleep(0.5)
    assert api.post(root + "use/", headers=bearer, data={"purpose": "To judge it"}).ok
    archive = api.get(root + "archive/", headers=bearer)
    assert archive.status == 200
    with zipfile.ZipFile(io.BytesIO(archive.body())) as files:
        assert files.testzip() is None
        names = files.namelist()
        found = 0
        for name in names:
            if "/seg/" not in name or not name.endswith(".dcm"):
                continue
            seg = pydicom.dcmread(io.BytesIO(files.read(name)))
            frames = unpack_bits(seg.PixelData)[: seg.Rows * seg.Columns * seg.NumberOfFrames]
            frames = frames.reshape(seg.NumberOfFrames, seg.Rows, seg.Columns)
            for frame, groups in zip(frames, seg.PerFrameFunctionalGroupsSequence, strict=True):
                source = groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
                if source == sop:
                    assert np.array_equal(frame.astype(bool), plane)
                    found += 1
        assert found == 1
        table = next(name for name in names if name.endswith("/tables/measurements.csv"))
        lengths = [
            float(row["length_mm"])
            for row in csv.DictReader(io.TextIOWrapper(files.open(table), "utf-8"))
            if row.get("kind") == "length"
        ]
        assert len(lengths) == 1
        sizes = {}
        for name in names:
            if name.endswith(".nii.gz"):
                volume = sitk.GetArrayFromImage(_volume(files.read(name)))
                if volume.shape[1:] == plane.shape and "masks/" in name:
                    sizes[name] = int(np.count_nonzero(volume))
        assert list(sizes.values()) == [int(plane.sum())]


def _volume(data: bytes) -> sitk.Image:
    with tempfile.NamedTemporaryFile(suffix=".nii.gz") as file:
        file.write(data)
        file.flush()
        return sitk.ReadImage(file.name)
