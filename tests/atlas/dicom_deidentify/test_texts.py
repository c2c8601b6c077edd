"""Free text: words of imaging stay, whatever else there is goes."""

import pytest

from atlas.dicom.deidentify.texts import cleaned, telling_words

KNOWN = telling_words(["Young^Jonathan", "NH-20931"])


@pytest.mark.parametrize(
    "text",
    [
        "CT THORAX W/O CONTRAST",
        "t2_tse_tra_fs 3mm",
        "5.0 B30f Thorax",
        "LIVER  PV PHASE 2.5 STD",
        "3 Plane Localizer",
        "no metastasis in the left lung",
        "MR breast, DCE, late phase",
        "",
    ],
)
def test_descriptions_of_images_stay_as_they_are(text):
    assert cleaned(text, KNOWN) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CT chest of Mr Smith", "CT chest of Mr"),
        ("CT chest Young", "CT chest"),
        ("nh-20931 liver", "liver"),
        ("brain 12.03.1975", "brain"),
        ("brain 12 03 75", "brain"),
        ("brain 12/75", "brain"),
        ("call 0171 2223344", ""),
        ("lung 4711", "lung"),
        ("Knie Müller", ""),
        ("j.smith@example.org liver", "liver"),
        ("Dr. Brown reading room 4", "room 4"),
        ("C:\\users\\jdoe", ""),
        ("胸部 CT", "CT"),
    ],
)
def test_names_numbers_and_dates_go(text, left):
    assert cleaned(text, KNOWN) == left


def test_sentences_show_where_something_went():
    said = "no lesion, Smith and Jones said 12.03.1975, in the liver"

    assert cleaned(said, KNOWN, mark=True) == "no lesion [...] and [...] in the liver"
    assert cleaned("Smith", KNOWN, mark=True) == ""
