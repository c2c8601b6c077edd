"""What scanner made a series is noted when it is sealed, as far as de-identification leaves it."""

import pytest
from django.core.management import call_command
from pydicom.dataset import Dataset as Header
from pydicom.sequence import Sequence

from atlas.archive import sealing
from atlas.dicom.scanners import Scanner, maker_named, scanner_of
from atlas.models import Dataset, Series
from tests.atlas.slices import header, series

MADE_BY = {"Manufacturer": "SIEMENS", "ManufacturerModelName": "Biograph 64", "SliceThickness": "2.5"}
NOTED = Scanner("Siemens", "Biograph 64", 2.5, 0.8)


def noted(one: Series) -> Scanner:
    one.refresh_from_db()
    return Scanner(one.manufacturer, one.model_name, one.slice_thickness_mm, one.pixel_spacing_mm)


@pytest.mark.parametrize("door", ["already_done", "at_the_door"])
def test_a_sealed_series_says_what_scanner_made_it(take, dataset, door: str) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(deidentification=door)
    dataset.refresh_from_db()
    outcomes = take(series([(0, 0, 0), (0, 0, 5)], **MADE_BY), dataset)
    assert noted(sealing.seal(outcomes[0].series_id)) == NOTED


def test_series_that_were_sealed_before_are_noted_by_a_command(take, capsys) -> None:
    outcomes = take(series([(0, 0, 0), (0, 0, 5)], **MADE_BY))
    sealed = sealing.seal(outcomes[0].series_id)
    Series.objects.update(manufacturer="", model_name="", slice_thickness_mm=None, pixel_spacing_mm=None)
    call_command("note_scanners")
    assert noted(sealed) == NOTED
    assert "1 series were looked at" in capsys.readouterr().out


def test_a_multi_frame_image_tells_in_its_functional_groups() -> None:
    measures = Header()
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.7], 3
    group = Header()
    group.PixelMeasuresSequence = Sequence([measures])
    made = header(PixelSpacing=None, SharedFunctionalGroupsSequence=Sequence([group]))
    assert scanner_of(made) == Scanner("", "", 3.0, 0.7)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("SIEMENS", "Siemens"),
        ("Siemens Healthineers", "Siemens"),
        ("GE MEDICAL SYSTEMS", "GE"),
        ("  Philips   Medical Systems ", "Philips"),
        ("TOSHIBA_MEC", "Toshiba"),
        ("Generic Scanners", "Generic Scanners"),
        ("A\nB", "A B"),
        ("", ""),
    ],
)
def test_a_manufacturer_has_one_name(written: str, name: str) -> None:
    assert maker_named(written) == name


@pytest.mark.parametrize("thickness", ["-1", "0", "1e9", ""])
def test_what_can_not_be_a_thickness_is_left_out(thickness: str) -> None:
    assert scanner_of(header(SliceThickness=thickness or None)).slice_thickness_mm is None
