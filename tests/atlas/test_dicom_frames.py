"""Frames as delivered, decoded, are the pixels that pydicom finds in the file, for every transfer syntax."""

import io
import os
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames

from atlas.dicom.decoding import CannotDecode, decode_frame, has_stray_bits
from atlas.dicom.describe import describe
from atlas.dicom.frames import NATIVE, read_ranges
from atlas.dicom.headers import DEFLATED, NotDicom, Unreadable, inflated, read_header

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
LOSSY_BY_OTHER_DECODER = {"JPGExtended.dcm"}  # pylibjpeg and libjpeg-turbo round differently
NOT_A_CODESTREAM = {"JPEG2000-embedded-sequence-delimiter.dcm"}


def images(*, compressed: bool = False) -> list[Path]:
    """Those of pydicom's own test files that hold frames; or of these the compressed ones."""
    found = []
    for path in sorted(BUNDLED.glob("*.dcm")):
        with path.open("rb") as file:
            try:
                header = read_header(file)
            except (NotDicom, Unreadable):
                continue
            is_compressed = header.transfer_syntax_uid not in NATIVE
            if path.name in NOT_A_CODESTREAM and not compressed:
                continue  # holds no image, only bytes that look like a delimiter
            if describe(file, header).frames and (is_compressed or not compressed):
                found.append(path)
    return found


def reference(path: Path) -> np.ndarray:
    """(frames, rows, columns[, 3]) as pydicom decodes them."""
    dataset = pydicom.dcmread(path, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    array = dataset.pixel_array
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        array = (pydicom.pixels.apply_color_lut(array, dataset) >> 8).astype(np.uint8)
    return array if int(dataset.get("NumberOfFrames") or 1) > 1 else array[None]


@pytest.mark.parametrize("path", images(), ids=lambda path: path.name)
def test_every_bundled_image_decodes_to_what_pydicom_finds(path):
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = read_header(file)
        frames = describe(file, header).frames
        content = inflated(file) if header.transfer_syntax_uid == DEFLATED else file
        try:
            expected = reference(path)
        except (ValueError, RuntimeError) as error:
            if "bytes of pixel data is less" in str(error):
                assert [frame.ranges for frame in frames] == [None]
                return
            expected = None  # pydicom's plugins decode no 12 bit JPEG; ours must
        for index, frame in enumerate(frames):
            array = decode_frame(header, frame.pixel, read_ranges(content, frame.ranges), index)
            if expected is None:
                assert header.transfer_syntax_uid == "1.2.840.10008.1.2.4.51"
                assert array.std() > 0
            elif path.name in LOSSY_BY_OTHER_DECODER:
                assert np.abs(array.astype(int) - expected[index]).max() <= 1
            else:
                np.testing.assert_array_equal(array, expected[index])


@pytest.mark.parametrize("path", images(compressed=True), ids=lambda path: path.name)
def test_the_bytes_of_compressed_frames_are_those_of_the_file(path):
    dataset = pydicom.dcmread(path, force=True)
    with path.open("rb") as file:
        header = read_header(file)
        frames = describe(file, header).frames
        count = int(dataset.get("NumberOfFrames") or 1)
        expected = list(generate_frames(dataset.PixelData, number_of_frames=count))
        assert [read_ranges(file, frame.ranges) for frame in frames] == expected


def test_the_lossless_pairs_of_wg04_give_the_uncompressed_pixels(test_data):
    compared = 0
    for path in sorted((test_data / "compressed_wg04").glob("*.dcm")):
        name, _, kind = path.stem.partition("_")
        original = path.with_name(f"{name}_UNC.dcm")
        if kind not in ("J2KR", "JLSL", "JPLL", "RLE") or not original.exists():
            continue
        arrays = []
        for each in (path, original):
            with each.open("rb") as file:
                header = read_header(file)
                frame = describe(file, header).frames[0]
                arrays.append(decode_frame(header, frame.pixel, read_ranges(file, frame.ranges)))
        np.testing.assert_array_equal(*arrays)
        compared += 1
    assert compared == 12


def test_twelve_bit_jpeg_extended_is_decoded_close_to_its_original(test_data):
    folder = test_data / "compressed_wg04"
    arrays = []
    for name in ("MR1_JPLY.dcm", "MR1_UNC.dcm"):
        with (folder / name).open("rb") as file:
            header = read_header(file)
            frame = describe(file, header).frames[0]
            arrays.append(decode_frame(header, frame.pixel, read_ranges(file, frame.ranges)).astype(int))
    assert describe_needs_decoding(folder / "MR1_JPLY.dcm")
    assert np.abs(arrays[0] - arrays[1]).mean() < 0.01 * arrays[1].max()


def describe_needs_decoding(path: Path) -> bool:
    with path.open("rb") as file:
        return describe(file, read_header(file)).frames[0].decode


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CT_small.dcm", False),
        ("MR_small_bigendian.dcm", True),
        ("image_dfl.dcm", True),
        ("SC_ybr_full_422_uncompressed.dcm", True),
        ("SC_rgb_jpeg_dcmtk.dcm", False),
        ("JPEG2000.dcm", False),
        ("JPGExtended.dcm", True),
        ("SC_jpeg_no_color_transform.dcm", True),
        ("SC_rgb_rle_2frame.dcm", False),
        ("J2K_pixelrep_mismatch.dcm", True),
        ("examples_palette.dcm", True),
    ],
)
def test_what_browsers_cannot_decode_is_decoded_here_and_nothing_else(name, expected):
    assert describe_needs_decoding(BUNDLED / name) is expected


def test_negative_values_of_twelve_bits_without_their_sign_are_noticed(test_data):
    """A browser reads 0x0FFF as 4095; the header says that it is -1."""
    with (test_data / "odd_mixed/pydicom_data/mlut_18.dcm").open("rb") as file:
        header = read_header(file)
        frame = describe(file, header).frames[0]
        encoded = read_ranges(file, frame.ranges)
        assert has_stray_bits(frame.pixel, encoded)
        dataset = pydicom.dcmread(test_data / "odd_mixed/pydicom_data/mlut_18.dcm")
        raw = np.frombuffer(dataset.PixelData, "<i2").reshape(dataset.Rows, dataset.Columns)
        signed = ((raw.astype(int) & 0xFFF) ^ 0x800) - 0x800
        np.testing.assert_array_equal(decode_frame(header, frame.pixel, encoded), signed)


def test_hostile_pixels_are_refused_with_a_sentence():
    path = BUNDLED / "JPEG2000.dcm"
    with path.open("rb") as file:
        header = read_header(file)
        frame = describe(file, header).frames[0]
        with pytest.raises(CannotDecode, match="can't be decoded"):
            decode_frame(header, frame.pixel, os.urandom(500))


def test_a_deflated_data_set_that_grows_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("atlas.dicom.headers.INFLATED_BYTES_MAX", 100_000)
    with pytest.raises(Unreadable, match="grows beyond"):
        read_header(io.BytesIO((BUNDLED / "image_dfl.dcm").read_bytes()))


@pytest.mark.parametrize("length", [0, 3, 131, 132, 140, 200, 400, 1000])
def test_a_file_cut_anywhere_is_refused_or_read_but_never_crashes(length):
    content = (BUNDLED / "CT_small.dcm").read_bytes()[:length]
    try:
        header = read_header(io.BytesIO(content))
    except (NotDicom, Unreadable):
        return
    assert describe(io.BytesIO(content), header).frames == []


def test_random_damage_never_crashes_the_reader():
    random = np.random.default_rng(20931)
    content = np.frombuffer((BUNDLED / "CT_small.dcm").read_bytes(), np.uint8)
    for _ in range(300):
        damaged = content.copy()
        at = random.integers(132, 6000, size=random.integers(1, 12))
        damaged[at] = random.integers(0, 256, size=len(at))
        file = io.BytesIO(damaged.tobytes())
        try:
            header = read_header(file)
        except (NotDicom, Unreadable):
            continue
        describe(file, header)
