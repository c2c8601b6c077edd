"""DICOM JSON says what pydicom reads in the same files, and holds bulk data by address only."""

import io
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_files
from pydicom.dataset import Dataset
from pydicom.misc import is_dicom

from atlas.dicom.headers import NotDicom, Unreadable
from atlas.dicom.json_model import INLINE_BYTES_MAX, PLACEHOLDER, Writer
from atlas.dicom.rendering import Viewport, Window, rendered
from tests.atlas.slices import header, part_10

BROKEN = {
    "rtplan_truncated.dcm",
    "emri_small_jpeg_2k_lossless_too_short.dcm",
    "bad_sequence.dcm",
    "badVR.dcm",
}
FILES = [
    Path(name)
    for name in get_testdata_files("*.dcm")
    if Path(name).name not in BROKEN and "dicomdirtests" not in name and is_dicom(name)
]


def written(content: bytes) -> dict:
    return json.loads(Writer().write(io.BytesIO(content)).replace(PLACEHOLDER, b"http://node"))


def comparable(told: dict) -> dict:
    """Without what may be told in two ways: group lengths, bulk data, empty values, blanks around words."""
    found = {}
    for tag, element in told.items():
        values = [value for value in element.get("Value", []) if value not in (None, "", {})]
        if tag.endswith("0000") or tag == "00080001" or "BulkDataURI" in element or "InlineBinary" in element:
            continue
        if not values or element["vr"] == "UN":
            continue
        found[tag] = [
            comparable(value)
            if element["vr"] == "SQ"
            else {kind: name.strip("^ ") for kind, name in value.items()}
            if isinstance(value, dict)
            else value.strip()
            if isinstance(value, str)
            else value
            for value in values
        ]
    return {tag: values for tag, values in found.items() if values not in ([{}], [{"Alphabetic": ""}])}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_of_pydicom_is_described_as_pydicom_reads_it(path):
    described = pydicom.dcmread(path).to_json_dict(1024, lambda element: "x", suppress_invalid_tags=True)
    expected = json.loads(json.dumps(described))
    ours, theirs = comparable(written(path.read_bytes())), comparable(expected)
    missing_there = set(ours) - set(theirs)  # pydicom leaves sequences out whose items it can't convert
    assert {tag: values for tag, values in ours.items() if tag not in missing_there} == theirs


def test_what_all_instances_share_is_told_of_each_of_them_and_addresses_are_their_own():
    writer = Writer()
    files = [part_10(header(InstanceNumber=number), np.zeros((4, 4), np.int16)) for number in range(3)]
    told = [json.loads(writer.write(io.BytesIO(file)).replace(PLACEHOLDER, b"")) for file in files]
    for number, one in enumerate(told):
        assert one["00200013"]["Value"] == [number]
        assert one["00081030"]["Value"] == ["CT chest"]
        assert one["7FE00010"]["BulkDataURI"] == f"/instances/{one['00080018']['Value'][0]}/bulkdata/7FE00010"


def test_names_keep_their_scripts_and_odd_bytes_break_nothing():
    dataset = header()
    dataset.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    dataset.PatientName = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    told = written(part_10(dataset))["00100010"]["Value"]
    assert told == [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}]
    hostile = part_10(header(StudyDescription='"\\\x01</script>'))
    assert "\x01" in written(hostile)["00081030"]["Value"][-1]
    assert PLACEHOLDER not in Writer().write(io.BytesIO(hostile))


def test_numbers_that_json_cannot_hold_are_left_empty():
    dataset = header()
    dataset.add_new(0x00189087, "FD", [float("nan"), float("inf"), 1.5])
    told = written(part_10(dataset))
    assert told["00189087"]["Value"] == [None, None, 1.5]


def test_short_values_are_held_inline_and_long_ones_by_address():
    dataset = header()
    dataset.add_new(0x00281201, "OW", bytes(INLINE_BYTES_MAX))
    dataset.add_new(0x00281202, "OW", bytes(INLINE_BYTES_MAX + 2))
    told = written(part_10(dataset))
    assert "InlineBinary" in told["00281201"]
    assert told["00281202"]["BulkDataURI"].endswith("/bulkdata/00281202")


@pytest.mark.parametrize("content", [b"", b"nothing", part_10(header())[:200]])
def test_what_is_no_dicom_is_refused(content):
    with pytest.raises((NotDicom, Unreadable)):
        Writer().write(io.BytesIO(content))


def test_a_header_is_whole_again_when_read_from_its_json():
    dataset = header(PatientName="A^B", ImageType=["ORIGINAL", "PRIMARY"])
    content = part_10(dataset)
    assert Dataset.from_json(json.dumps(written(content))) == pydicom.dcmread(io.BytesIO(content))


def test_a_window_is_applied_as_the_standard_computes_it():
    array = np.arange(-100, 156, dtype=np.int16).reshape(16, 16)
    for shape, low, high in (("linear", 10 - 0.5 - 49.5, 10 - 0.5 + 49.5), ("linear-exact", -40, 60)):
        window = Window(10, 100, shape)
        png = rendered(array, media_type="image/png", window=window, rescale=(1, 0), is_inverted=False)
        shades = np.asarray(Image.open(io.BytesIO(png))).astype(float)
        expected = np.clip((array - low) / (high - low), 0, 1) * 255
        assert np.abs(shades - expected).max() <= 1
    sigmoid = rendered(
        array, media_type="image/png", window=Window(10, 100, "sigmoid"), rescale=(1, 0), is_inverted=True
    )
    shades = np.asarray(Image.open(io.BytesIO(sigmoid)))
    assert shades[array == 10][0] in (127, 128)
    assert shades[0, 0] > 250


def test_a_picture_fits_its_viewport_and_turns_over_where_asked():
    array = np.zeros((10, 20, 3), np.uint8)
    array[:, :5] = 255

    def shown(viewport):
        png = rendered(
            array, media_type="image/png", window=None, rescale=(1, 0), is_inverted=False, viewport=viewport
        )
        return np.asarray(Image.open(io.BytesIO(png)).convert("L"))

    assert shown(Viewport(40, 40)).shape == (20, 40)
    assert shown(Viewport(20, 10, (0, 0, 20, 10)))[0, 0] == 255
    assert shown(Viewport(20, 10, (0, 0, -20, 10)))[0, -1] == 255
    assert shown(Viewport(8, 8, (19, 9, 99999, 99999))).shape == (8, 8)
