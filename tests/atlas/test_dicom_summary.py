"""What a series is said to show: plane, sides and views, phases in time."""

import pytest
from pydicom.dataset import Dataset

from atlas.archive import sealing
from atlas.dicom.summary import side_of, summary_of
from tests.atlas.mammograms import FOUR_VIEWS, mammogram, screening
from tests.atlas.slices import AXIAL, header, series
from tests.atlas.test_dicom_geometry import built

SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
PLACES = [(0, 0, z) for z in (0, 3, 6)]


def summary(files: list[bytes]) -> dict:
    return summary_of(built(files).manifest)


@pytest.mark.parametrize(("orientation", "plane"), [(AXIAL, "axial"), (SAGITTAL, "sagittal")])
def test_the_plane_of_a_stack_is_named(orientation, plane):
    assert summary(series([(0, 0, 0), (2, 0, 2)], orientation=orientation))["plane"] == plane


def test_images_of_several_views_in_one_series_are_told_apart_frame_by_frame():
    files = [
        mammogram(side, view, InstanceNumber=number, SeriesInstanceUID="1.2.3")
        for number, (side, view) in enumerate(FOUR_VIEWS, start=1)
    ]
    result = built(files)
    assert summary_of(result.manifest)["sides"] == [list(side) for side in FOUR_VIEWS]
    assert result.manifest["frames"]["laterality"] == ["R", "L", "R", "L"]
    assert result.manifest["frames"]["view"] == ["CC", "CC", "MLO", "MLO"]


def test_a_series_of_one_view_says_it_once():
    assert summary([screening()[3]])["sides"] == [["L", "MLO"]]


def test_a_series_that_says_nothing_of_side_or_view_has_none_and_its_manifest_stays_as_it_was():
    result = built(series(PLACES))
    assert summary_of(result.manifest)["sides"] == []
    assert "view" not in result.manifest["frames"]


def test_the_side_of_a_series_counts_where_its_images_name_none():
    assert summary(series(PLACES, Laterality="L"))["sides"] == [["L", ""]]


def test_a_view_may_be_given_by_its_code_alone():
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = (
        "399368009",
        "SCT",
        "medio-lateral oblique",
    )
    assert side_of(header(ImageLaterality="R", ViewCodeSequence=[code])) == ("R", "MLO")


@pytest.mark.parametrize("written", ["?", "RIGHT\\LEFT", ""])
def test_a_laterality_that_makes_no_sense_is_none(written):
    dataset = header()
    dataset.add_new("ImageLaterality", "CS", written)
    assert side_of(dataset) == ("", "")


def test_phases_in_time_count_and_b_values_do_not():
    times = [{"AcquisitionNumber": 1 + at // 3} for at in range(6)]
    assert summary(series(PLACES * 2, each=times))["phases"] == [[0, 3], [3, 3]]
    b_values = [{"DiffusionBValue": 50.0 if at < 3 else 800.0} for at in range(6)]
    assert summary(series(PLACES * 2, each=b_values, Modality="MR"))["phases"] == []
    assert summary(series(PLACES))["phases"] == []


def test_a_sealed_series_has_its_summary(take):
    one = sealing.seal(take(series(PLACES))[0].series_id)
    assert one.summary == {"plane": "axial", "sides": [], "phases": []}
