"""Files that were de-identified before they arrive: what still identifies is named, its value never."""

import io

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from atlas.dicom.deidentify import OPTIONS, Profile, check
from atlas.dicom.headers import read_header
from tests.atlas.dicom_deidentify import planted
from tests.atlas.dicom_deidentify.rewritten import done
from tests.atlas.slices import header, part_10


def said_of(file: bytes) -> list[str]:
    return check(io.BytesIO(file), read_header(io.BytesIO(file)))


def ct(**attributes) -> bytes:
    return part_10(header(**attributes))


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        ({"PatientName": "Kowalczyk^Bronislava"}, "Patient's Name (0010,0010) holds a name."),
        ({"ReferringPhysicianName": "Ostrowski^M"}, "Referring Physician's Name (0008,0090) holds a name."),
        ({"PatientBirthDate": "19410317"}, "Patient's Birth Date (0010,0030) holds a date."),
        ({"OtherPatientIDs": "HOSP-1"}, "Other Patient IDs (0010,1000) holds a value."),
        ({"PatientAddress": "14 Quillback Crescent"}, "Patient's Address (0010,1040) holds a value."),
        ({"PatientAge": "093Y"}, "Patient's Age (0010,1010) is above 90 years."),
        ({"PatientIdentityRemoved": "NO"}, "Patient Identity Removed (0012,0062) says NO"),
    ],
)
def test_what_identifies_is_named_without_its_value(attributes, named):
    (sentence,) = said_of(ct(**attributes))

    assert sentence.startswith(named)
    assert sentence.endswith(".")
    assert not any(str(value) in sentence for value in attributes.values() if value != "NO")


def test_a_name_in_a_sequence_is_found():
    item = Dataset()
    item.PersonName = "Vandermolen^Aleida"

    (sentence,) = said_of(ct(ContentSequence=Sequence([item])))
    assert sentence.startswith("Person Name (0040,A123)")


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"PatientName": "NH-20931"},
        {"PatientName": "NH-20931^^"},
        {"PatientName": "Anonymous"},
        {"PatientName": "REMOVED"},
        {"PatientName": "08^Breast-MRI", "PatientBirthDate": "19410101", "PatientAge": "090Y"},
        {"PatientName": "", "ReferringPhysicianName": "", "PatientBirthDate": "", "OtherPatientIDs": ""},
        {"OperatorsName": "^^^", "PatientAddress": "n/a"},
    ],
)
def test_pseudonyms_and_placeholders_pass(attributes):
    assert said_of(ct(**attributes)) == []


@pytest.mark.parametrize("options", [[], [option.key for option in OPTIONS]], ids=["basic", "all options"])
@pytest.mark.parametrize("make", [planted.ct_file, planted.seg_file, planted.sr_file])
def test_what_atlas_de_identified_passes_and_what_it_was_made_from_does_not(make, options):
    file = make()

    assert len(said_of(file)) >= 3
    assert said_of(done(file, Profile.of(options))) == []


def test_collections_that_were_de_identified_by_others_pass(test_data):
    for folder in (
        "ct_chest_lidc_0314",
        "mr_breast_dce_ucsf08",
        "petct_mr_sts_001",
        "mr_longitudinal_crc_06489",
    ):
        images = sorted((test_data / folder).rglob("*.dcm"))[::10]
        assert images
        for path in images:
            assert said_of(path.read_bytes()) == [], path.name


def test_images_with_names_in_them_are_told(test_data):
    for name in ("RGB_IMAGE.dcm", "ctbrain1.dcm"):
        said = said_of((test_data / "burned_in_text" / name).read_bytes())
        assert any(sentence.startswith("Patient's Name") for sentence in said)
        assert any(sentence.startswith("Patient's Birth Date") for sentence in said)
