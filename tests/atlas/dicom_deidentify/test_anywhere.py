"""The patient's name in any attributes, at any depth, of any profile: it never survives."""

import io

import pydicom
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from atlas.dicom.deidentify import OPTIONS, Profile
from tests.atlas.dicom_deidentify.rewritten import done
from tests.atlas.slices import header, part_10

TEXTS = {"LO", "SH", "ST", "LT", "UT", "UC", "PN", "CS", "AE"}
TAGS = sorted(
    tag for tag, entry in DicomDictionary.items() if entry[0] in TEXTS and 0x0008 <= tag >> 16 < 0x7FE0
)
SEQUENCES = sorted(tag for tag, entry in DicomDictionary.items() if entry[0] == "SQ" and tag >> 16 >= 0x0008)
PROFILES = st.sets(st.sampled_from([option.key for option in OPTIONS])).map(
    lambda keys: Profile(frozenset(keys))
)
SENTENCES = st.sampled_from(["{}", "CT of {} axial", "liver {}", "seen by Dr {} yesterday", "{}\\{}"])


@st.composite
def data_sets(draw, depth: int = 0) -> Dataset:
    dataset = Dataset()
    for tag in draw(st.sets(st.sampled_from(TAGS), min_size=1, max_size=12)):
        if tag not in (0x00080005, 0x00100020):
            text = draw(SENTENCES).replace("{}", "Kowalczyk")
            vr = DicomDictionary[tag][0]
            if vr in ("CS", "SH", "AE"):
                text = "KOWALCZYK"
            dataset.add(DataElement(tag, vr, text))
    private = dataset.private_block(0x0011, "A SCANNER", create=True)
    private.add_new(0x01, "LO", "Kowalczyk")
    if depth < 3:
        for tag in draw(st.sets(st.sampled_from(SEQUENCES), max_size=3)):
            items = draw(st.lists(data_sets(depth=depth + 1), min_size=1, max_size=2))
            dataset.add(DataElement(tag, "SQ", Sequence(items)))
    return dataset


@settings(max_examples=150, deadline=None)
@given(data_sets(), PROFILES)
def test_a_name_never_survives(stuffed, profile):
    dataset = header()
    for element in stuffed:
        if element.tag not in dataset and element.keyword not in ("EncapsulatedDocument",):
            dataset.add(element)
    dataset.PatientName = "Kowalczyk^Bronislava"

    result = done(part_10(dataset), profile)

    assert b"kowalczyk" not in result.lower()
    pydicom.dcmread(io.BytesIO(result)).walk(lambda _, element: element.value)
