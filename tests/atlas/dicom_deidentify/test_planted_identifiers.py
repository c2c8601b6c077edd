"""Forty-two identifiers of one patient, everywhere in a CT, a segmentation and a report: none survives."""

import io
from itertools import chain

import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from atlas.dicom.deidentify import OPTIONS, Profile
from tests.atlas.dicom_deidentify import planted
from tests.atlas.dicom_deidentify.rewritten import KEYS, done

EVERYTHING = Profile(frozenset(option.key for option in OPTIONS))
PROFILES = [
    pytest.param(Profile(), id="basic"),
    pytest.param(EVERYTHING, id="all options"),
    *(pytest.param(Profile(frozenset([option.key])), id=option.key) for option in OPTIONS),
]


def test_there_are_forty_two_and_the_files_hold_them_all():
    assert len(planted.IDENTIFIERS) == 42
    everywhere = (planted.ct_file() + planted.seg_file() + planted.sr_file()).lower()
    assert [
        name for name, text in planted.IDENTIFIERS.items() if text.lower().encode() not in everywhere
    ] == []


def survivors(file, profile):
    """Without the scanner's name where that is to stay."""
    meant = {"station", planted.IDENTIFIERS["station"].casefold()}
    kept = planted.survivors(done(file, profile))
    return [name for name in kept if name not in meant or "device_identity" not in profile.options]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
    ids=lambda syntax: syntax.name,
)
def test_none_survives_in_a_ct(profile, syntax):
    file = planted.ct_file(syntax=syntax)

    assert survivors(file, profile) == []


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("make", [planted.seg_file, planted.sr_file], ids=["SEG", "SR"])
def test_none_survives_in_what_was_derived(profile, make):
    assert survivors(make(), profile) == []


@pytest.fixture(scope="module")
def family():
    """Two slices, their segmentation and their report, each de-identified by itself."""
    files = [planted.ct_file(1), planted.ct_file(2), planted.seg_file(), planted.sr_file()]
    return [pydicom.dcmread(io.BytesIO(done(file, EVERYTHING))) for file in files]


def test_they_still_belong_to_one_patient_study_and_frame_of_reference(family):
    assert len({one.PatientID for one in family}) == 1
    assert len({one.StudyInstanceUID for one in family}) == 1
    assert len({one.FrameOfReferenceUID for one in family[:3]}) == 1
    assert family[0].PatientName == family[0].PatientID


def test_the_segmentation_still_points_to_its_slices_and_holds_its_masks(family):
    first, second, seg, _ = family
    slices = {first.SOPInstanceUID, second.SOPInstanceUID}

    referenced = seg.ReferencedSeriesSequence[0]
    assert referenced.SeriesInstanceUID == first.SeriesInstanceUID == second.SeriesInstanceUID
    assert {item.ReferencedSOPInstanceUID for item in referenced.ReferencedInstanceSequence} == slices
    of_frames = {
        frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        for frame in seg.PerFrameFunctionalGroupsSequence
    }
    assert of_frames == slices
    before = pydicom.dcmread(io.BytesIO(planted.seg_file()))
    assert (seg.pixel_array == before.pixel_array).all()
    assert [segment.SegmentNumber for segment in seg.SegmentSequence] == [1, 2]


def test_the_report_still_points_to_its_slice_and_keeps_its_measurement(family):
    first, _, seg, sr = family
    items = list(chain.from_iterable(_items(item) for item in sr.ContentSequence))

    images = [item for item in items if item.ValueType == "IMAGE"]
    assert {one.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for one in images} == {first.SOPInstanceUID}
    evidence = sr.CurrentRequestedProcedureEvidenceSequence[0]
    assert evidence.StudyInstanceUID == first.StudyInstanceUID
    numbers = [item.MeasuredValueSequence[0].NumericValue for item in items if item.ValueType == "NUM"]
    assert numbers == [12.5]
    drawn = next(item for item in items if item.ValueType == "SCOORD")
    assert list(drawn.GraphicData) == [2.0, 3.0, 8.0, 3.0, 8.0, 6.0, 2.0, 3.0]
    tracked = next(item for item in items if _name(item) == "112040")  # Tracking Unique Identifier
    assert seg.SegmentSequence[0].TrackingUID == tracked.UID


def test_texts_of_a_report_keep_the_words_of_imaging(family):
    items = list(chain.from_iterable(_items(item) for item in family[3].ContentSequence))
    said = {_name(item): item for item in items}

    assert said["121106"].TextValue == "daughter [...] lesion in the left lung"
    assert said["121030"].TextValue == "Removed"
    assert said["121029"].PersonName == "Removed"
    assert said["121031"].Date == "19000101"


def test_the_same_file_gives_the_same_bytes_and_another_secret_other_ones():
    file = planted.ct_file()

    assert done(file, EVERYTHING) == done(file, EVERYTHING)
    other = type(KEYS)(b"another secret of 32 bytes or so ")
    assert done(file, EVERYTHING, other) != done(file, EVERYTHING)


def _items(item):
    yield item
    for below in item.get("ContentSequence", []):
        yield from _items(below)


def _name(item):
    return item.ConceptNameCodeSequence[0].CodeValue if "ConceptNameCodeSequence" in item else ""
