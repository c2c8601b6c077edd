"""The tables say what the standard says, and every row of theirs is acted on."""

import csv
import json
from importlib.resources import files

import pytest
from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword

from atlas.dicom.deidentify import OPTIONS, Profile, profile_tables
from atlas.dicom.deidentify.rules import Act, by_type, rules_for

CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
TABLE = profile_tables.attributes()
BASIC = rules_for(Profile())


def test_there_are_all_rows():
    lines = list(csv.DictReader((files("atlas.dicom.deidentify") / "tables" / "attributes.csv").open()))

    # 621 rows of January 2025 less the one of private attributes, which is a rule; 35 were added until 2026c.
    assert sum(line["edition"] == "2025a" for line in lines) == 620
    assert sum(line["edition"] == "2026c" for line in lines) == 35
    assert len({line["tag"] for line in lines}) == 655


@pytest.mark.parametrize("action", ["D", "Z", "X", "U"])
def test_each_attribute_of_the_basic_profile_is_acted_on(action):
    expected = {"D": {Act.DUMMY}, "Z": {Act.EMPTY, Act.PATIENT}, "X": {Act.DROP}, "U": {Act.UID}}[action]
    of_data_sets = {
        tag: row for tag, row in TABLE.items() if 0x0008 <= tag >> 16 < 0x7FE0 or tag >> 16 > 0x7FE0
    }

    wrong = [
        f"{tag:08X}"
        for tag, row in of_data_sets.items()
        if row.basic == action and BASIC.get(tag, Act.DROP) not in expected
    ]
    assert wrong == []


def test_attributes_with_several_actions_are_decided_by_the_iod():
    several = [tag for tag, row in TABLE.items() if "/" in row.basic and row.basic != "X/Z/U*"]

    assert {BASIC[tag] for tag in several} == {Act.BY_TYPE, Act.PATIENT}
    moment = tag_for_keyword("AcquisitionDateTime")
    assert by_type(moment, CT, 0) is Act.DROP
    assert by_type(moment, ENHANCED_CT, 0) is Act.DUMMY
    content_date = tag_for_keyword("ContentDate")
    assert by_type(content_date, CT, 0) is Act.EMPTY
    assert by_type(content_date, ENHANCED_CT, 0) is Act.DUMMY
    assert by_type(moment, CT, tag_for_keyword("ContributingSourcesSequence")) is Act.DUMMY


def test_sequences_of_references_stay_with_new_uids():
    for keyword in ("ReferencedImageSequence", "SourceImageSequence"):
        assert BASIC[tag_for_keyword(keyword)] is Act.WALK


@pytest.mark.parametrize(
    "option", [option.key for option in OPTIONS if option.key not in ("clean_pixel_data", "safe_private")]
)
def test_an_option_changes_exactly_its_own_rows(option):
    chosen = rules_for(Profile(frozenset([option])))

    of_option = {tag for tag, row in TABLE.items() if option in row.options}
    changed = {tag for tag in chosen if chosen[tag] is not BASIC[tag]}
    outside = {tag for tag in changed - of_option if tag in TABLE}
    assert outside <= {0x00700006}  # the text of a drawing, of which the later rows have no columns
    assert of_option & changed


def test_dates_that_the_table_forgot_are_dealt_with():
    for tag, act in BASIC.items():
        if dictionary_has_tag(tag) and dictionary_VR(tag) in ("DA", "DT") and tag not in TABLE:
            assert act is Act.DROP
            assert rules_for(Profile(frozenset(["dates"])))[tag] is Act.DATE


def test_no_name_of_a_person_stays():
    names = [tag for tag in BASIC if dictionary_has_tag(tag) and dictionary_VR(tag) == "PN"]

    assert len(names) > 20
    assert {BASIC[tag] for tag in names} <= {Act.DROP, Act.EMPTY, Act.DUMMY, Act.BY_TYPE, Act.PATIENT}


def test_the_table_is_the_standards(test_data):
    source = json.loads(
        (test_data / "standards" / "ps3.15_confidentiality_profile_attributes.json").read_text()
    )
    columns = {
        "rtnUIDsOpt": "uids",
        "rtnDevIdOpt": "device_identity",
        "rtnInstIdOpt": "institution_identity",
        "rtnPatCharsOpt": "patient_characteristics",
        "rtnLongFullDatesOpt": "full_dates",
        "rtnLongModifDatesOpt": "dates",
        "cleanDescOpt": "clean_descriptors",
        "cleanStructContOpt": "clean_structured_content",
        "cleanGraphOpt": "clean_graphics",
    }
    compared = 0
    for entry in source:
        if not entry["id"].isalnum() or "x" in entry["id"]:
            continue
        row = TABLE[int(entry["id"], 16)]
        assert row.basic == entry["basicProfile"], entry["name"]
        assert row.options == {key: entry[name] for name, key in columns.items() if name in entry}, entry[
            "name"
        ]
        compared += 1
    assert compared == 617
