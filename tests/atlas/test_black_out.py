"""Painting over rectangles: nothing of them is left, everything else is as it was. pydicom decodes both."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from atlas.dicom.black_out import CannotPaint, black_out, mark_clean
from atlas.dicom.pixel_text import Box
from tests.atlas.writing import drawn, ultrasound

BOX = Box(0, 12, 4, 20, 9)
FILES = [
    "MR_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "image_dfl.dcm",
    "examples_palette.dcm",
    "examples_rgb_color.dcm",
    "examples_ybr_color.dcm",
    "examples_jpeg2k.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "ExplVR_BigEnd.dcm",
]


def file_of(name: str) -> bytes:
    return Path(str(get_testdata_file(name))).read_bytes()


def painted(content: bytes, boxes: list[Box]) -> tuple[Dataset, bytes]:
    target = io.BytesIO()
    black_out(io.BytesIO(content), boxes, target)
    return pydicom.dcmread(io.BytesIO(target.getvalue())), target.getvalue()


def planes(dataset: Dataset) -> np.ndarray:
    """(frames, rows, columns, samples)"""
    return dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)


@pytest.mark.parametrize("name", FILES)
def test_a_box_becomes_one_dark_colour_on_every_frame_and_the_rest_stays(name):
    before = pydicom.dcmread(io.BytesIO(file_of(name)))
    after, _ = painted(file_of(name), [BOX])
    old, new = planes(before), planes(after)
    assert old.shape == new.shape
    inside = np.zeros(old.shape[1:3], bool)
    inside[4:13, 12:32] = True
    assert np.array_equal(old[:, ~inside], new[:, ~inside])
    for plane in new:
        assert len(np.unique(plane[inside], axis=0)) == 1
    assert new[:, inside].max() <= old[:, inside].max()


@pytest.mark.parametrize("name", FILES)
def test_the_header_says_what_was_done_and_keeps_who_it_is(name):
    before = pydicom.dcmread(io.BytesIO(file_of(name)))
    after, content = painted(file_of(name), [BOX])
    assert after.BurnedInAnnotation == "NO"
    assert [code.CodeValue for code in after.DeidentificationMethodCodeSequence] == ["113101"]
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "PatientID", "WindowCenter", "RescaleSlope"):
        assert after.get(keyword) == before.get(keyword)
    assert after.file_meta.MediaStorageSOPInstanceUID == before.SOPInstanceUID
    assert content[:128] == bytes(128)
    assert len(after.PixelData) % 2 == 0


def test_lossy_pixels_stay_named_lossy_when_they_are_stored_uncompressed():
    after, _ = painted(file_of("SC_rgb_jpeg_dcmtk.dcm"), [BOX])
    assert after.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert after.LossyImageCompression == "01"
    assert (after.PhotometricInterpretation, after.PlanarConfiguration) == ("RGB", 0)


def test_a_box_of_one_frame_leaves_the_others_alone():
    frames = np.stack([drawn(), drawn(), drawn()])
    after, _ = painted(ultrasound(frames), [Box(2, 0, 0, 480, 80)])
    new = after.pixel_array
    assert np.array_equal(new[[0, 2]], frames[[0, 2]])
    assert len(np.unique(new[1, :80])) == 1
    assert np.array_equal(new[1, 80:], frames[1, 80:])


def test_bits_without_padding_between_frames_are_painted_bit_by_bit():
    frames = np.zeros((3, 5, 7), np.uint8)
    frames[:, 1:4, 1:6] = 1
    dataset = pydicom.dcmread(io.BytesIO(ultrasound(frames)))
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    dataset.PixelData = np.packbits(frames.reshape(-1), bitorder="little").tobytes() + b"\0"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    after, _ = painted(buffer.getvalue(), [Box(2, 2, 1, 3, 2)])
    expected = frames.copy()
    expected[1, 1:3, 2:5] = 0
    assert np.array_equal(after.pixel_array, expected)


def test_pictures_of_the_old_pixels_go_with_them():
    dataset = pydicom.dcmread(io.BytesIO(ultrasound(drawn())))
    icon = Dataset()
    icon.Rows = icon.Columns = icon.BitsAllocated = 8
    icon.PixelData = b"SECRET!!" * 8
    dataset.IconImageSequence = Sequence([icon])
    dataset.add_new(0x00280107, "US", 235)  # Largest Image Pixel Value
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    after, content = painted(buffer.getvalue(), [BOX])
    assert b"SECRET!!" not in content
    assert "IconImageSequence" not in after
    assert "LargestImagePixelValue" not in after


@pytest.mark.parametrize("is_implicit", [False, True])
def test_other_methods_stay_named_and_the_code_is_added_once(is_implicit):
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "113100", "DCM"
    code.CodeMeaning = "Basic Application Confidentiality Profile"
    dataset = pydicom.dcmread(io.BytesIO(ultrasound(drawn())))
    dataset.DeidentificationMethodCodeSequence = Sequence([code])
    if is_implicit:
        dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"
    buffer = io.BytesIO()
    dataset.save_as(buffer, implicit_vr=is_implicit, little_endian=True, enforce_file_format=True)
    _, once = painted(buffer.getvalue(), [BOX])
    twice, _ = painted(once, [BOX])
    codes = [one.CodeValue for one in twice.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101"]


def test_an_image_without_text_is_marked_and_keeps_its_bytes():
    content = file_of("examples_jpeg2k.dcm")
    target = io.BytesIO()
    assert mark_clean(io.BytesIO(content), target) == "1.2.840.10008.1.2.4.90"
    before, after = pydicom.dcmread(io.BytesIO(content)), pydicom.dcmread(io.BytesIO(target.getvalue()))
    assert after.PixelData == before.PixelData
    assert after.BurnedInAnnotation == "NO"
    assert [code.CodeValue for code in after.DeidentificationMethodCodeSequence] == ["113101"]


@pytest.mark.parametrize(
    ("content", "boxes", "why"),
    [
        (lambda: ultrasound(drawn()), [Box(0, 480, 0, 5, 5)], "outside of the image"),
        (lambda: ultrasound(drawn())[:-5000], [BOX], "cut off"),
        (lambda: b"no image at all", [BOX], "can't be read"),
        (lambda: file_of("rtplan.dcm"), [], "how many rows"),
    ],
)
def test_what_cannot_be_painted_says_why(content, boxes, why):
    with pytest.raises(CannotPaint, match=why):
        black_out(io.BytesIO(content()), boxes, io.BytesIO())
