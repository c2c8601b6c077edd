"""How images are shown: every kind of pixel read exactly, PET over CT, phases, smoothing, lens, histogram."""

import io
import re
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from playwright.sync_api import expect
from pydicom.uid import generate_uid

from atlas.dicom.describe import describe
from atlas.dicom.headers import NotDicom, Unreadable, read_header
from tests.atlas.slices import header, part_10, series
from tests.atlas.test_dicom_frames import BUNDLED, NOT_A_CODESTREAM, reference
from tests.e2e.filled import fill
from tests.e2e.node import Node
from tests.e2e.room import Room, sign_in

FRAMES_LOOKED_AT = 2
PARTS = 3  # rooms that the kinds are looked at in: one with sixty series opens slowly
PLACES = [(0.0, 0.0, 3.0 * step) for step in range(5)]
LOSSY = {"1.2.840.10008.1.2.4." + end for end in ("50", "51", "81", "91")}


def kinds_in(folder: Path, but: Collection[str]) -> dict[str, Path]:
    """The files of a folder that hold whole frames, by name; `but` names those that have them by half."""
    found = {}
    for path in sorted(folder.glob("*.dcm")):
        with path.open("rb") as file:
            try:
                frames = describe(file, read_header(file)).frames
            except (NotDicom, Unreadable):
                continue
        if path.name not in but and frames and all(one.ranges for one in frames):
            found[path.stem] = path
    return found


def kinds() -> dict[str, Path]:
    """pydicom's own test files."""
    return kinds_in(BUNDLED, NOT_A_CODESTREAM)


def told_apart(path: Path, folder: Path, study: str) -> Path:
    """The same image as a series of its own: many of the files share their UIDs."""
    dataset = pydicom.dcmread(path, force=True)
    list(dataset.iterall())  # read before it is written: one of them changes its encoding half-way
    dataset.pop("PatientAddress", None)
    dataset.StudyInstanceUID, dataset.SeriesDescription = study, path.stem
    dataset.SeriesInstanceUID, dataset.SOPInstanceUID = generate_uid(), generate_uid()
    target = folder / path.name
    dataset.save_as(target, enforce_file_format=False)
    return target


def made() -> dict[str, tuple[np.ndarray, bytes]]:
    """Kinds that pydicom brings no file of: by name the values, and the file."""
    random = np.random.default_rng(7)
    grey, found = random.integers(0, 256, (20, 30)), {}

    def keep(name: str, values: np.ndarray, **attributes: Any) -> None:
        dataset = header(SeriesDescription=name, RescaleSlope=None, RescaleIntercept=None)
        dataset.Rows, dataset.Columns = 20, 30
        facts = {
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": values.dtype.itemsize * 8,
            "BitsStored": values.dtype.itemsize * 8,
            "HighBit": values.dtype.itemsize * 8 - 1,
            "PixelRepresentation": int(values.dtype.kind == "i"),
            "PixelData": values.tobytes(),
        } | attributes
        for keyword, value in facts.items():
            if value is not None:
                setattr(dataset, keyword, value)
        if "PixelData" in dataset:
            dataset["PixelData"].VR = "OW"
        found[name] = (values, part_10(dataset))

    keep("8 bits signed", (grey - 128).astype(np.int8))
    keep("32 bits", (grey * 16777216 + grey).astype(np.uint32))
    keep("32 bits signed", ((grey - 128) * 16777216 + grey).astype(np.int32))
    keep("MONOCHROME1", grey.astype(np.uint16), PhotometricInterpretation="MONOCHROME1")
    none = {"PixelData": None, "BitsStored": None, "HighBit": None, "PixelRepresentation": None}
    single = (random.standard_normal((20, 30)) * 1e-3).astype(np.float32)
    keep("float", single, **none, FloatPixelData=single.tobytes())
    double = random.standard_normal((20, 30)) * 1e6
    keep("double", double, **none, DoubleFloatPixelData=double.tobytes())
    colours = random.integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    rgb = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    keep("RGB of 16 bits", colours, **rgb)
    planes = np.ascontiguousarray(colours.astype(np.uint8).transpose(2, 0, 1))
    keep("RGB by plane", planes, **rgb | {"PlanarConfiguration": 1})
    found["RGB by plane"] = (colours.astype(np.uint8), found["RGB by plane"][1])
    return found


def field(points: np.ndarray) -> np.ndarray:
    """SUV at patient points (..., 3) mm, linear so that interpolation is right to the last digit."""
    return 2 + points @ np.array([0.05, 0.02, 0.04])


def pet_on_ct() -> list[bytes]:
    """Five slices of CT, and a PET of another grid around them, in one frame of reference."""
    study = generate_uid()
    common = {"StudyInstanceUID": study, "FrameOfReferenceUID": "1.2.3.77"}
    files = []
    ct = {"SeriesInstanceUID": generate_uid(), "SeriesDescription": "CT", "SeriesNumber": 1}
    for at in range(5):
        pixels = (np.arange(40 * 50).reshape(40, 50) % 90 + 1000).astype(np.int16)
        place = {"ImagePositionPatient": [-20, -16, 10 + 3 * at], "InstanceNumber": at + 1}
        files.append(part_10(header(**common, **ct, **place), pixels))
    pet = {
        "SeriesInstanceUID": generate_uid(),
        "SeriesDescription": "PET",
        "SeriesNumber": 2,
        "Modality": "PT",
        "Units": "GML",
        "PixelSpacing": [4, 4],
        "RescaleSlope": 0.001,
        "RescaleIntercept": 0,
    }
    column, row = np.meshgrid(np.arange(16), np.arange(12))
    for at in range(8):
        place = [-30.0, -20.0, 5 + 3.27 * at]
        points = np.stack([place[0] + 4 * column, place[1] + 4 * row, np.full(column.shape, place[2])], -1)
        stored = np.rint(field(points) / 0.001).astype(np.int16)
        facts = {"ImagePositionPatient": place, "InstanceNumber": at + 1}
        files.append(part_10(header(**common | pet | facts), stored))
    return files


@pytest.fixture(scope="module")
def reads(node: Node, tmp_path_factory) -> tuple[Node, dict[str, str]]:
    folder: Path = tmp_path_factory.mktemp("files")

    studies = [generate_uid() for _ in range(PARTS)]
    files = [told_apart(path, folder, studies[at % PARTS]) for at, path in enumerate(kinds().values())]
    files += [content for _, content in made().values()]
    phases = [
        {"AcquisitionNumber": 1 + at // 5, "ContentDate": "20260114", "ContentTime": f"1015{at // 5 * 9:02d}"}
        for at in range(15)
    ]
    return (
        node,
        fill(
            node,
            tmp_path_factory.mktemp("subjects"),
            {
                **{f"kinds{part}": files[part::PARTS] for part in range(PARTS)},
                "petct": pet_on_ct(),
                "dynamic": series(PLACES * 3, each=phases, SeriesDescription="Dynamic"),
            },
        ),
    )


@pytest.fixture
def open_room(reads, chromium):
    node, read_of = reads
    context = sign_in(chromium, node, "reader1")
    rooms: list[Room] = []

    def open_room(subject: str) -> Room:
        rooms.append(Room(context, read_of[subject]).open())
        return rooms[-1]

    yield open_room
    for room in rooms:
        room.close()
    context.close()


def series_of(room: Room) -> dict[str, str]:
    """Public id of each series of the read, by its description."""
    read = room.context.request.get(f"/api/v1/reads/{room.read}/").json()
    return {one["description"]: one["id"] for study in read["studies"] for one in study["series"]}


def show(room: Room, series_id: str) -> None:
    room.page.get_by_test_id(f"series-{series_id}").click()
    room.page.wait_for_function(
        "id => window.atlasRoom.state().series === id && window.atlasRoom.valueAt([0, 0]) !== null",
        arg=series_id,
    )


def values_of(path: Path) -> tuple[np.ndarray, bool] | None:
    """(frames, rows, columns[, 3]) values as read on a screen, and whether decoders may differ a little."""
    dataset = pydicom.dcmread(path, force=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            values = reference(path).astype(float)
        except (ValueError, RuntimeError):
            return None
    if values.ndim == 3:
        shared = dataset.get("SharedFunctionalGroupsSequence") or [dataset]
        scale = (shared[0].get("PixelValueTransformationSequence") or [dataset])[0]
        slope, intercept = scale.get("RescaleSlope") or 1, scale.get("RescaleIntercept") or 0
        values = values * float(slope) + float(intercept)
    return values, dataset.file_meta.get("TransferSyntaxUID") in LOSSY


def colour_at(room: Room, column: float, row: float) -> np.ndarray:
    x, y = room.client_of(column, row)
    picture = room.page.screenshot(clip={"x": x - 1, "y": y - 1, "width": 3, "height": 3})
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), dtype=float).mean(axis=(0, 1))


def differences(room: Room, series_id: str, name: str, path: Path) -> list[str]:
    """What the room reads otherwise than the file says, at points of its first frames, as sentences."""
    generated = made()
    if name in generated:
        expected, is_lossy = generated[name][0].astype(float)[None], False
    else:
        decoded = values_of(path)
        if decoded is None:
            return []  # numpy has no decoder for 12 bit JPEG; that it shows at all is looked at by `show`
        expected, is_lossy = decoded
    show(room, series_id)
    rows, columns = expected.shape[1:3]
    random = np.random.default_rng(20931)
    points = [[int(random.integers(columns)), int(random.integers(rows))] for _ in range(60)]
    found = []
    for frame in range(min(FRAMES_LOOKED_AT, len(expected))):
        room.press("Home")
        for _ in range(frame):
            room.press("ArrowDown")
        room.page.wait_for_function(
            "i => window.atlasRoom.state().shown === i && window.atlasRoom.valueAt([0, 0]) !== null",
            arg=frame,
        )
        number = room.state()["frame"] - 1
        read = np.array(
            room.page.evaluate("points => points.map(at => window.atlasRoom.valueAt(at))", points)
        )
        right = np.array([np.atleast_1d(expected[number, row, column]) for column, row in points])
        away = np.abs(read - right)
        if (np.median(away) > 2) if is_lossy else (away.max() > 1e-6 * max(1, np.abs(right).max())):
            found.append(f"{name}, frame {frame}: {away.max():g} away")
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_every_kind_of_image_reads_the_values_of_its_file(open_room, part):
    """All transfer syntaxes and pixel formats of pydicom's test files, each value against numpy's."""
    room = open_room(f"kinds{part}")
    ids = series_of(room)
    paths, generated = kinds(), made()
    assert len(paths) > 40
    assert set(ids) == set([*paths, *generated][part::PARTS])
    wrong = [found for name in ids for found in differences(room, ids[name], name, paths.get(name, BUNDLED))]
    assert wrong == []


def test_a_pet_lies_over_its_ct_by_position_and_reads_in_suv(open_room):
    room = open_room("petct")
    ids = series_of(room)
    show(room, ids["CT"])
    before = colour_at(room, 40, 30)
    assert np.ptp(before) < 3  # grey
    room.press("0")
    bar = room.page.get_by_test_id("fusion-0")
    expect(bar).to_be_visible()
    expect(bar.get_by_role("combobox", name="Window of the upper series")).to_have_value("pt-suv-5")
    for column, row in ((3, 5), (25, 20), (44, 33)):
        x, y = room.client_of(column, row)
        room.page.mouse.move(x, y)
        text = room.page.get_by_test_id("fused-value-0").inner_text()
        number, units = re.match(r"([\d.]+) (\w+), interpolated", text).groups()  # type: ignore[union-attr]
        at = room.voxel_of((x, y))
        slice_mm = 10 + 3 * room.state()["shown"]
        point = np.array([-20 + 0.4 * at[0], -16 + 0.8 * at[1], slice_mm])
        assert units == "SUVbw"
        assert float(number) == pytest.approx(field(point), abs=0.006)
        assert "HU" in room.page.get_by_test_id("value-0").inner_text()
    red, _, blue = colour_at(room, 40, 30)
    assert red > blue + 40  # hot iron
    slider = room.page.get_by_test_id("fusion-opacity-0")
    slider.focus()
    for _ in range(10):
        slider.press("ArrowLeft")
    expect(slider).to_have_value("0")
    np.testing.assert_allclose(colour_at(room, 40, 30), before, atol=3)
    room.page.get_by_test_id("fusion-off-0").click()
    expect(bar).to_have_count(0)

    # From the PET's side it is the same picture: its CT opens below it.
    show(room, ids["PET"])
    room.press("0")
    expect(bar).to_be_visible()
    assert room.state()["series"] == ids["CT"]


def test_phases_slide_and_the_mean_of_an_outline_is_told_for_each(open_room):
    room = open_room("dynamic")
    phase = room.page.get_by_test_id("phase-0")
    expect(phase).to_contain_text("1 of 3")
    expect(room.page.get_by_test_id("show-curve-0")).to_be_disabled()
    room.press("o")
    room.drag(room.client_of(1.6, 1.6), room.client_of(3, 3), room.client_of(5.4, 4.4))
    room.saved(1)
    expect(room.page.get_by_test_id("finding")).to_have_count(1)
    room.press("w")
    room.page.get_by_test_id("show-curve-0").click()
    rows = room.page.get_by_test_id("curve-0").locator("tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(2)).to_contain_text("+0:18 min")
    means = [float(one.split("±")[0].split()[-1].replace("−", "-")) for one in rows.all_inner_texts()]
    assert means[1] - means[0] == pytest.approx(500)  # each phase is 500 above the one before
    assert means[2] - means[1] == pytest.approx(500)

    slider = room.page.get_by_test_id("phase-slider-0")
    slider.focus()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    expect(phase).to_contain_text("3 of 3")
    assert room.state()["shown"] == 12
    room.page.get_by_test_id("play-phases-0").click()
    room.page.wait_for_function("() => window.atlasRoom.state().shown === 2")  # round to the first
    expect(room.page.get_by_test_id("cine-rate")).to_contain_text("3 a second")
    room.press(">")
    expect(room.page.get_by_test_id("cine-rate")).to_contain_text("4 a second")
    room.page.get_by_test_id("play-phases-0").click()
    expect(room.page.get_by_test_id("cine-rate")).to_have_count(0)


def test_voxels_are_fields_when_they_are_not_smoothed_and_lens_and_histogram_come_and_go(open_room):
    room = open_room("dynamic")

    def within_a_voxel() -> float:
        return np.abs(colour_at(room, 3.35, 2) - colour_at(room, 2.65, 2)).max()

    assert within_a_voxel() > 1
    room.press("s")
    assert within_a_voxel() < 1
    room.press("s")

    room.page.mouse.move(*room.client_of(3, 3))
    room.page.keyboard.down("q")
    expect(room.page.get_by_test_id("lens-0")).to_be_visible()
    room.page.keyboard.up("q")
    expect(room.page.get_by_test_id("lens-0")).to_have_count(0)

    room.press("Shift+Z")
    panel = room.page.get_by_test_id("histogram-0")
    expect(panel).to_be_visible()
    box = panel.locator("svg").bounding_box()
    assert box
    width = room.state()["window"]["width"]
    room.drag(
        (round(box["x"] + box["width"] - 2), round(box["y"] + 30)),
        (round(box["x"] + box["width"] * 0.7), round(box["y"] + 30)),
    )
    assert room.state()["window"]["width"] < width
    room.press("Shift+Z")
