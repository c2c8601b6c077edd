"""Real images of kinds that reading rooms get wrong, in Chromium; pydicom and numpy say what is right."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from playwright.sync_api import expect
from pydicom.data import get_testdata_file

from tests.e2e.filled import AHEAD, fill
from tests.e2e.node import Node
from tests.e2e.room import Room, sign_in

RADIOGRAPH = str(get_testdata_file("dicomdirtests/77654033/CR1/6154"))


@pytest.fixture(scope="module")
def odd(test_data, tmp_path_factory) -> Iterator[tuple[Node, dict[str, str]]]:
    odd = test_data / "odd_mixed" / "dicom2nifti"
    with Node() as node:
        yield (
            node,
            fill(
                node,
                tmp_path_factory.mktemp("odd"),
                {
                    "fine": sorted((odd / "non_square_pixels_mr").glob("*.dcm")),
                    "dce": sorted((test_data / "mr_breast_dce_ucsf08/image").glob("*.dcm")),
                    "pet": sorted((test_data / "petct_mr_sts_001/PET").glob("*.dcm"))[100:130],
                    "radiograph": [Path(RADIOGRAPH)],
                    "colour": sorted((odd / "rgb_mr").glob("*.dcm")),
                    "enhanced": sorted((odd / "enhanced_philips_mr").glob("*.dcm")),
                    "tilted": sorted((odd / "gantry_tilt_ct").glob("*.dcm")),
                },
            ),
        )


@pytest.fixture(scope="module")
def reader(odd, chromium):
    context = sign_in(chromium, odd[0], "reader1")
    yield context
    context.close()


@pytest.fixture
def open_room(odd, reader):
    rooms = []

    def open_room(subject: str) -> Room:
        rooms.append(Room(reader, odd[1][subject]).open())
        return rooms[-1]

    yield open_room
    for room in rooms:
        room.close()


def files(folder: Path) -> dict[str, pydicom.Dataset]:
    found = [pydicom.dcmread(path) for path in sorted(folder.glob("*.dcm"))]
    return {dataset.SOPInstanceUID: dataset for dataset in found}


def cursor_on(room: Room, column: int, row: int) -> str:
    """What the corner of the image says of the voxel under the mouse."""
    room.page.mouse.move(*room.client_of(column, row))
    return room.page.get_by_test_id("value-0").inner_text()


def grey_at(room: Room, column: int, row: int) -> float:
    """How bright the middle of a voxel is on the screen, 0 to 255."""
    x, y = room.client_of(column, row)
    picture = room.page.screenshot(clip={"x": x - 1, "y": y - 1, "width": 3, "height": 3})
    return float(np.asarray(Image.open(io.BytesIO(picture)).convert("L")).mean())


def test_a_contrast_study_is_scrolled_phase_by_phase(open_room, test_data):
    images = files(test_data / "mr_breast_dce_ucsf08/image")
    room = open_room("dce")
    phase = room.page.get_by_test_id("phase-0")
    expect(phase).to_contain_text("Phase 1, +0:00 min")
    room.press("Home")
    for _ in range(60):
        room.press("ArrowDown")
    room.page.wait_for_function("() => window.atlasRoom.state().shown === 42")
    expect(room.page.get_by_test_id("place-0")).to_contain_text("43 / 43")

    places, times = set(), []
    for _ in range(3):
        shown = room.state()
        image = images[shown["sop"]]
        places.add(tuple(map(float, image.ImagePositionPatient)))
        times.append(float(image.ContentTime))
        room.page.wait_for_function("() => window.atlasRoom.valueAt([100, 120]) !== null")
        assert room.value_at(100, 120) == image.pixel_array[120, 100]
        room.press(".")
        room.page.wait_for_function("sop => window.atlasRoom.state().sop !== sop", arg=shown["sop"])
        room.page.wait_for_function(
            "() => window.atlasRoom.state().shown === window.atlasRoom.state().wanted"
        )
    assert len(places) == 1
    assert times == sorted(set(times))
    expect(phase).to_contain_text("Phase 1")  # round and round


def test_a_pet_is_read_in_suv_by_body_weight_with_two_decimals(open_room, test_data):
    images = files(test_data / "petct_mr_sts_001/PET")
    room = open_room("pet")
    image = images[room.state()["sop"]]
    drug = image.RadiopharmaceuticalInformationSequence[0]

    def seconds(clock: str) -> float:
        return int(clock[:2]) * 3600 + int(clock[2:4]) * 60 + float(clock[4:])

    delay = seconds(image.SeriesTime) - seconds(drug.RadiopharmaceuticalStartTime)
    left = float(drug.RadionuclideTotalDose) * 0.5 ** (delay / float(drug.RadionuclideHalfLife))
    factor = float(image.PatientWeight) * 1000 / left
    activity = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
    row, column = map(int, np.unravel_index(activity.argmax(), activity.shape))
    suv = activity[row, column] * factor
    assert room.value_at(column, row) == pytest.approx(suv, rel=1e-9)
    assert cursor_on(room, column, row) == f"{suv:.2f} SUVbw"

    room.press("2")
    assert room.state()["window"]["preset"] == "pt-suv-5"
    # 0 is black, 5 white, in between in proportion: at the places that differ least from their neighbours.
    suvs = activity * factor
    neighbours = sliding_window_view(suvs, (3, 3))
    spread = np.ptp(neighbours, axis=(2, 3)) / suvs[1:-1, 1:-1].clip(0.5)
    spread[(suvs[1:-1, 1:-1] < 0.6) | (suvs[1:-1, 1:-1] > 3)] = np.inf
    for at in spread.ravel().argsort()[:5]:
        row, column = (int(one) + 1 for one in np.unravel_index(at, spread.shape))
        assert grey_at(room, column, row) == pytest.approx(suvs[row, column] / 5 * 255, abs=10)


def test_a_radiograph_is_white_where_its_file_says_low_and_measured_in_pixels(open_room):
    image = pydicom.dcmread(RADIOGRAPH)
    values = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
    room = open_room("radiograph")
    low, high = (
        tuple(map(int, np.unravel_index(at, values.shape))) for at in (values.argmin(), values.argmax())
    )
    assert room.value_at(low[1], low[0]) == pytest.approx(values[low])
    assert values[high] > values[low] + 100
    assert grey_at(room, low[1], low[0]) > grey_at(room, high[1], high[0])  # MONOCHROME1
    room.press("i")
    assert grey_at(room, low[1], low[0]) < grey_at(room, high[1], high[0])
    room.press("i")

    expect(room.page.get_by_test_id("tool-length")).to_have_attribute(
        "title",
        "Length (D). In pixels: A projection that nobody calibrated: its spacing is that at the detector, "
        "where everything is larger. Lengths and areas can only be told in pixels.",
    )
    room.press("d")
    start, end = room.client_of(3, 5), room.client_of(12, 5)
    pixels = float(np.linalg.norm(room.voxel_of(end) - room.voxel_of(start)))
    before = room.saving()["number"]
    room.drag(start, end)
    room.saved(before + 1)
    text = room.page.get_by_test_id("findings").inner_text()
    assert f"{pixels:.1f} px" in text
    assert "mm" not in text
    [measured] = room.context.request.get(f"/api/v1/reads/{room.read}/measurements/").json()
    assert measured["length_px"] == pytest.approx(pixels, abs=1e-6)
    assert "length_mm" not in measured
    assert not measured["estimated"]


def test_a_colour_image_shows_its_own_colours_and_takes_no_range_brush(open_room, test_data):
    images = files(test_data / "odd_mixed/dicom2nifti/rgb_mr")
    room = open_room("colour")
    stored = images[room.state()["sop"]].pixel_array
    for column, row in ((10, 12), (40, 30), (25, 50)):
        assert (
            room.page.evaluate("at => window.atlasRoom.valueAt(at)", [column, row])
            == stored[row, column].tolist()
        )
    red, green, blue = stored[30, 40]
    assert cursor_on(room, 40, 30) == f"R {red} G {green} B {blue}"
    expect(room.page.get_by_test_id("tool-threshold")).to_be_disabled()
    expect(room.page.get_by_test_id("tool-threshold")).to_have_attribute(
        "title",
        "Brush within a range of values. This tool is off here: "
        "a colour image has no single value to paint by.",
    )


def test_frames_of_an_enhanced_image_are_each_their_own(open_room, test_data):
    [image] = files(test_data / "odd_mixed/dicom2nifti/enhanced_philips_mr").values()
    pixels = image.pixel_array
    room = open_room("enhanced")
    for index in range(len(pixels)):
        room.go_to_slice(index)
        room.page.wait_for_function("() => window.atlasRoom.valueAt([7, 9]) !== null")
        frame = room.state()["frame"]
        groups = image.PerFrameFunctionalGroupsSequence[frame - 1]
        transform = groups.PixelValueTransformationSequence[0]
        value = pixels[frame - 1, 9, 7] * float(transform.RescaleSlope) + float(transform.RescaleIntercept)
        assert room.value_at(7, 9) == pytest.approx(value, rel=1e-9)


def test_fine_values_are_visible_and_told_with_their_decimals(open_room, test_data):
    """All values lie within a quarter of a unit: a window of one unit would show a grey field."""
    images = files(test_data / "odd_mixed/dicom2nifti/non_square_pixels_mr")
    room = open_room("fine")
    image = images[room.state()["sop"]]
    stored = np.frombuffer(image.PixelData, "<i2" if image.PixelRepresentation else "<u2")
    values = stored.reshape(image.Rows, image.Columns) * float(image.RescaleSlope) + float(
        image.RescaleIntercept
    )
    assert np.ptp(values) < 1
    assert cursor_on(room, 20, 10) == f"{values[10, 20]:.3f}"
    darkest, brightest = (
        grey_at(room, *map(int, reversed(np.unravel_index(at, values.shape))))
        for at in (values.argmin(), values.argmax())
    )
    assert brightest - darkest > 120


def test_a_tilted_gantry_is_told_and_no_volume_is(open_room):
    room = open_room("tilted")
    expect(room.page.get_by_test_id("viewport-0")).to_contain_text("The gantry was tilted")
    title = room.page.get_by_test_id("tool-brush").get_attribute("title")
    assert "No volume in mL" in (title or "")


def test_the_next_case_shows_its_first_image_without_asking_for_pixels(open_room, odd):
    """Submitted, then N: the images around the one that opens are here already."""
    reads = odd[1]
    room = open_room("fine")
    room.saved()
    room.page.get_by_test_id("submit").click()
    room.page.get_by_test_id("submit").click()
    expect(room.page.get_by_test_id("next-case")).to_be_visible()
    room.page.wait_for_function(AHEAD, arg=room.state()["series"])
    room.page.wait_for_timeout(2000)  # until those around it are here, too
    asked: list[str] = []
    room.page.on("request", lambda request: asked.append(request.url) if "/pixels/" in request.url else None)
    before = room.state()["sop"]
    room.press("n")
    room.page.wait_for_function(
        "sop => window.atlasRoom.state().sop && window.atlasRoom.state().sop !== sop", arg=before
    )
    took_ms = room.page.evaluate(
        "() => performance.getEntriesByName('atlas-shown').at(-1).startTime"
        " - performance.getEntriesByName('atlas-next-case').at(-1).startTime"
    )
    print(f"next case: first image after {took_ms:.0f} ms")
    assert took_ms < 1000  # 200 ms is the aim, which `make bench` holds to; here others may share the cores
    read = room.page.url.rstrip("/").rsplit("/", 1)[1]
    assert read in set(reads.values()) - {room.read}
    frame = room.state()["shown"]
    assert not [url for url in asked if covers(url, frame)]
    room.page.wait_for_selector("[data-testid=saving][data-saving=saved]")
    assert room.page.title().startswith("Case ")
    room.page.go_back()
    room.page.wait_for_selector("[data-testid=locked]")  # the submitted case again


def covers(url: str, frame: int) -> bool:
    first, _, last = url.rsplit("/", 1)[1].partition("-")
    return int(first) <= frame <= int(last or first)
