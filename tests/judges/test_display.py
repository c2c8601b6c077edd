"""Real PET over real CT against scipy's interpolation; every real kind of file against pydicom's numbers."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from playwright.sync_api import expect
from pydicom.uid import generate_uid
from scipy.ndimage import map_coordinates

from tests.e2e.filled import fill
from tests.e2e.node import Node
from tests.e2e.room import Room, sign_in
from tests.e2e.test_display import differences, kinds_in, series_of, show, told_apart

FOLDERS = ("compressed_wg04", "odd_mixed/pydicom", "odd_mixed/pydicom_data")
# Cut off, each in its way: what is left of their last frame is no image.
NO_CODESTREAM = {"JPEG2000-embedded-sequence-delimiter.dcm", "emri_small_jpeg_2k_lossless_too_short.dcm"}


def real_kinds(test_data: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in FOLDERS:
        found |= kinds_in(test_data / folder, NO_CODESTREAM)
    return found


@pytest.fixture(scope="module")
def real(test_data, tmp_path_factory) -> Iterator[tuple[Node, dict[str, str]]]:
    folder, study = tmp_path_factory.mktemp("kinds"), generate_uid()
    sarcoma = test_data / "petct_mr_sts_001"
    with Node() as node:
        yield (
            node,
            fill(
                node,
                tmp_path_factory.mktemp("subjects"),
                {
                    "petct": [
                        *sorted((sarcoma / "CT_cropped").glob("*.dcm")),
                        *sorted((sarcoma / "PET").glob("*.dcm"))[180:],
                    ],
                    "kinds": [told_apart(path, folder, study) for path in real_kinds(test_data).values()],
                },
            ),
        )


@pytest.fixture
def open_room(real, chromium):
    context = sign_in(chromium, real[0], "reader1")
    rooms: list[Room] = []

    def open_room(subject: str) -> Room:
        rooms.append(Room(context, real[1][subject]).open())
        return rooms[-1]

    yield open_room
    for room in rooms:
        room.close()
    context.close()


def suv_factor(image: pydicom.Dataset) -> float:
    drug = image.RadiopharmaceuticalInformationSequence[0]

    def seconds(clock: str) -> float:
        return int(clock[:2]) * 3600 + int(clock[2:4]) * 60 + float(clock[4:])

    delay = seconds(image.SeriesTime) - seconds(drug.RadiopharmaceuticalStartTime)
    left = float(drug.RadionuclideTotalDose) * 0.5 ** (delay / float(drug.RadionuclideHalfLife))
    return float(image.PatientWeight) * 1000 / left


def test_a_real_pet_reads_on_its_ct_what_interpolation_by_position_gives(open_room, test_data):
    """At points of several slices; the PET's slices lie 3.19 to 3.29 mm apart."""
    folder = test_data / "petct_mr_sts_001"
    pet = [pydicom.dcmread(path) for path in (folder / "PET").glob("*.dcm")]
    pet.sort(key=lambda one: float(one.ImagePositionPatient[2]))
    depths = [float(one.ImagePositionPatient[2]) for one in pet]
    factor = suv_factor(pet[0])
    cts = {one.SOPInstanceUID: one for one in map(pydicom.dcmread, (folder / "CT_cropped").glob("*.dcm"))}
    slices: dict[int, np.ndarray] = {}

    def suv(number: int) -> np.ndarray:
        if number not in slices:
            image = pet[number]
            slope, intercept = float(image.RescaleSlope), float(image.RescaleIntercept)
            slices[number] = (image.pixel_array * slope + intercept) * factor
        return slices[number]

    room = open_room("petct")
    [ct] = [one for name, one in series_of(room).items() if "CT" in name]
    show(room, ct)
    if (
        not room.page.get_by_test_id("fused-0").is_visible()
        or not room.page.get_by_test_id("fusion-0").is_visible()
    ):
        room.press("0")
    expect(room.page.get_by_test_id("fusion-0")).to_be_visible()
    compared = 0
    for index in (5, 20, 41):
        room.go_to_slice(index)
        image = cts[room.state()["sop"]]
        origin = np.array([float(one) for one in image.ImagePositionPatient])
        spacing = np.array([float(image.PixelSpacing[1]), float(image.PixelSpacing[0])])
        room.page.wait_for_timeout(300)
        for voxel in ((40, 60), (100, 100), (150, 130), (80, 170)):
            x, y = room.client_of(*voxel)
            room.page.mouse.move(x, y)
            place = room.voxel_of((x, y))
            point = origin + np.append(place * spacing, 0)
            expect(room.page.get_by_test_id("fused-value-0")).to_be_visible()
            text = room.page.get_by_test_id("fused-value-0").inner_text()
            found = float(re.match(r"[\d.]+", text).group())  # type: ignore[union-attr]
            below = int(np.searchsorted(depths, point[2], side="right")) - 1
            part = (point[2] - depths[below]) / (depths[below + 1] - depths[below])
            corner = np.array([float(one) for one in pet[below].ImagePositionPatient])
            at = (point[:2] - corner[:2]) / float(pet[below].PixelSpacing[0])
            values = [
                map_coordinates(suv(number), [[at[1]], [at[0]]], order=1)[0] for number in (below, below + 1)
            ]
            assert found == pytest.approx(values[0] * (1 - part) + values[1] * part, abs=0.0051)
            compared += found > 0.1
    assert compared > 6


def test_every_real_kind_of_image_reads_the_values_of_its_file(open_room, test_data):
    paths = real_kinds(test_data)
    assert len(paths) > 45
    room = open_room("kinds")
    ids = series_of(room)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = [found for name, path in paths.items() for found in differences(room, ids[name], name, path)]
    assert not wrong, "\n".join(wrong)
