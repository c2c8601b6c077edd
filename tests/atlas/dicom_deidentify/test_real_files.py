"""Every file that pydicom ships, and headers broken at random: rewritten whole, or refused."""

import io
import tracemalloc
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from atlas.dicom.deidentify import OPTIONS, Profile, Refused, deidentify
from atlas.dicom.headers import NotDicom, Unreadable, read_header
from atlas.dicom.parts import take_apart
from tests.atlas.dicom_deidentify import planted
from tests.atlas.dicom_deidentify.rewritten import KEYS, done, whole

FILES = sorted(Path(pydicom.data.__file__).parent.joinpath("test_files").glob("*.dcm"))
EVERYTHING = Profile(frozenset(option.key for option in OPTIONS))
WITH_PIXELS = [
    "CT_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "image_dfl.dcm",
    "SC_rgb_rle_2frame.dcm",
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.parametrize("profile", [Profile(), EVERYTHING], ids=["basic", "all options"])
def test_a_file_comes_out_whole_or_is_refused_with_a_sentence(path, profile):
    try:
        result = deidentify(io.BytesIO(path.read_bytes()), profile, KEYS)
    except (NotDicom, Unreadable, Refused) as refusal:
        _require_sentence(refusal)
        return
    new = whole(result)
    header = read_header(io.BytesIO(new))

    assert len(new) == header.size == result.header.size
    for fact in (
        "transfer_syntax_uid",
        "pixel_keyword",
        "pixel_vr",
        "pixel_offset",
        "pixel_length",
        "body_offset",
    ):
        assert getattr(result.header, fact) == getattr(header, fact), fact
    assert result.header.dataset.keys() == header.dataset.keys()
    again = take_apart(io.BytesIO(new))  # our own output has no rubbish, and nothing private in it
    assert not again.has_rubbish
    private = [element for element in again.elements if element[0] >> 16 & 1]
    assert not private or profile is EVERYTHING


def _require_sentence(refusal):
    assert str(refusal)[0].isupper()
    assert str(refusal).endswith(".")


@pytest.mark.parametrize("name", WITH_PIXELS)
def test_pixels_are_the_same_bytes_and_decode_to_the_same_values(name):
    path = get_testdata_file(name)
    original = pydicom.dcmread(path)
    original.PatientID = "7718204"
    buffer = io.BytesIO()
    original.save_as(buffer)

    result = pydicom.dcmread(io.BytesIO(done(buffer.getvalue(), EVERYTHING)))

    assert result.PixelData == original.PixelData
    assert (result.pixel_array == original.pixel_array).all()


PLANTED = planted.ct_file()
HEADER_END = PLANTED.index(b"\xe0\x7f\x10\x00")


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(st.integers(132, HEADER_END + 12), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 3),
)
def test_a_header_broken_at_random_is_rewritten_or_refused(changes, cut):
    broken = bytearray(PLANTED)
    for at, value in changes:
        broken[at] = value
    broken = broken[: len(broken) // (cut or 1)] if cut > 1 else broken
    try:
        result = deidentify(io.BytesIO(bytes(broken)), EVERYTHING, KEYS)
    except (NotDicom, Unreadable, Refused):
        return
    new = whole(result)
    assert len(new) == result.header.size
    assert len(new) <= len(broken) + 4096
    read_header(io.BytesIO(new))


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=300))
def test_rubbish_behind_a_good_beginning_never_does_harm(rubbish):
    start = PLANTED[: PLANTED.index(b"\x08\x00\x20\x00")]
    try:
        deidentify(io.BytesIO(start + rubbish), Profile(), KEYS)
    except (NotDicom, Unreadable, Refused):
        return


def test_a_length_of_gigabytes_takes_no_memory():
    at = PLANTED.index(b"\x29\x00\x03\x10OB\x00\x00") + 8
    huge = PLANTED[:at] + (0xFFFFFF00).to_bytes(4, "little") + PLANTED[at + 4 :]

    tracemalloc.start()
    with pytest.raises(Unreadable, match="0029,1003"):
        deidentify(io.BytesIO(huge), Profile(), KEYS)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 2_000_000


@pytest.mark.parametrize("profile", [Profile(), EVERYTHING], ids=["basic", "all options"])
def test_every_file_of_the_judges_is_rewritten_or_refused(test_data, profile):
    outcomes = {"rewritten": 0, "refused": 0, "no dicom": 0}
    for path in sorted(test_data.rglob("*")):
        if not path.is_file():
            continue
        try:
            result = deidentify(io.BytesIO(path.read_bytes()), profile, KEYS)
        except NotDicom:
            outcomes["no dicom"] += 1
        except (Unreadable, Refused):
            outcomes["refused"] += 1
        else:
            outcomes["rewritten"] += 1
            new = whole(result)
            header = read_header(io.BytesIO(new))
            assert header.size == len(new)
            dataset = pydicom.dcmread(io.BytesIO(new), force=True)
            assert dataset.PatientID == KEYS.subject(result.original.patient_id, result.original.issuer)
            dataset.walk(lambda _, element: element.value)
    assert outcomes["rewritten"] > 700
    assert outcomes["refused"] < 50


def test_structure_sets_of_a_real_patient_still_meet_their_images(test_data):
    patient = test_data / "petct_mr_sts_001"
    read = [
        (pydicom.dcmread(path), pydicom.dcmread(io.BytesIO(done(path.read_bytes(), EVERYTHING))))
        for folder in ("CT_cropped", "CT_cropped_rtstruct")
        for path in sorted((patient / folder).glob("*.dcm"))
    ]
    structures = [(before, after) for before, after in read if before.Modality == "RTSTRUCT"]
    assert structures

    for before, after in structures:
        told_before, told_after = _references(before), _references(after)
        assert told_before
        assert told_after == {KEYS.uid(uid) for uid in told_before}
        shapes = [
            contour.ContourData
            for dataset in (before, after)
            for roi in dataset.ROIContourSequence
            for contour in roi.ContourSequence
        ]
        assert shapes[: len(shapes) // 2] == shapes[len(shapes) // 2 :]
    frames = {after.FrameOfReferenceUID for before, after in read if before.Modality == "CT"}
    assert frames <= set.union(*(_references(after) for _, after in structures))
    assert len({after.PatientID for _, after in read}) == 1


def _references(dataset):
    """Every UID in it that names an object, as RTSTRUCTs point: series, images, frames of reference."""
    found = set()

    def look(_, element):
        if element.VR == "UI" and element.keyword.startswith(
            ("ReferencedSOPInst", "SeriesInst", "FrameOfRef")
        ):
            found.add(str(element.value))

    dataset.walk(look)
    return found - {str(dataset.SeriesInstanceUID)}
