"""Order, gaps, tilt, spacing: from synthetic series with known geometry, and from real odd ones."""

import io
import math
from pathlib import Path

import numpy as np
import pytest

from atlas.dicom.describe import describe
from atlas.dicom.headers import read_header
from atlas.dicom.manifest import Built, build
from tests.atlas.slices import header, part_10, pixels, series


def built(files: list[bytes]) -> Built:
    descriptions = []
    for at, content in enumerate(files):
        file = io.BytesIO(content)
        descriptions.append(describe(file, read_header(file), str(at)))
    return build(descriptions, [frame for one in descriptions for frame in one.frames])


def codes(result: Built) -> list[str]:
    return [finding["code"] for finding in result.manifest["findings"]]


def test_slices_are_sorted_by_position_whatever_their_instance_numbers_say():
    result = built(series([(0, 0, z) for z in (7.5, 0, 2.5, 5)]))
    columns = result.manifest["frames"]
    assert [place[2] for place in columns["position"]] == [0, 2.5, 5, 7.5]
    assert columns["instance_number"] == [3, 2, 1, 4]
    assert codes(result) == []
    assert result.manifest["geometry"] == "patient"


def test_rows_and_columns_of_anisotropic_pixels_are_not_swapped():
    result = built(series([(0, 0, 0), (0, 0, 1)], PixelSpacing=[0.8, 0.4]))
    assert result.manifest["spacing"] == {"row_mm": 0.8, "column_mm": 0.4, "source": "pixel"}


def test_a_left_handed_acquisition_is_sorted_along_its_own_normal():
    """Columns run to the patient's front: the normal points down, so the order is from high to low."""
    flipped = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
    result = built(series([(0, 0, z) for z in (0, 3, 6, 9)], orientation=flipped))
    assert [place[2] for place in result.manifest["frames"]["position"]] == [9, 6, 3, 0]
    assert result.manifest["orientation"] == list(flipped)
    assert codes(result) == []


def test_an_oblique_series_is_sorted_along_its_normal_and_has_no_finding():
    angle = math.radians(30)
    row, column = (1.0, 0.0, 0.0), (0.0, math.cos(angle), math.sin(angle))
    normal = np.cross(row, column)
    places = [tuple(normal * step * 3.0) for step in (2, 0, 1, 3)]
    result = built(series(places, orientation=(*row, *column)))
    along = [float(np.dot(normal, place)) for place in result.manifest["frames"]["position"]]
    assert along == pytest.approx([0, 3, 6, 9])
    assert codes(result) == []


def test_gantry_tilt_is_found_with_its_angle():
    """Positions run along the table, the normal is tilted against it."""
    angle = math.radians(12)
    orientation = (1.0, 0.0, 0.0, 0.0, math.cos(angle), -math.sin(angle))
    result = built(series([(0, 0, 5.0 * step) for step in range(6)], orientation=orientation))
    assert codes(result) == ["gantry_tilt"]
    assert "12.0°" in result.manifest["findings"][0]["sentence"]
    assert "volume" in result.manifest["findings"][0]["spoils"]


def test_missing_slices_are_counted_and_placed():
    result = built(series([(0, 0, z) for z in (0, 2, 4, 10, 12, 14)]))
    assert codes(result) == ["missing_slices"]
    assert result.manifest["findings"][0]["sentence"] == "2 slices are missing: after image 3."


def test_uneven_spacing_is_found_and_rounded_positions_are_not():
    assert codes(built(series([(0, 0, z) for z in (0, 3, 6, 10.4, 13.4)]))) == ["uneven_spacing"]
    assert codes(built(series([(0, 0, z) for z in (0, 3.27, 6.5, 9.8, 13.1)]))) == []


def test_a_slice_sent_twice_under_two_uids_is_a_duplicate():
    assert codes(built(series([(0, 0, z) for z in (0, 3, 3, 6)]))) == ["duplicate_slices"]


def test_phases_of_one_place_are_shown_phase_by_phase():
    places = [(0, 0, z) for z in (0, 3, 6)] * 2
    each = [{"AcquisitionNumber": 1 + at // 3} for at in range(6)]
    result = built(series(places, each=each))
    assert [place[2] for place in result.manifest["frames"]["position"]] == [0, 3, 6, 0, 3, 6]
    assert result.manifest["frames"]["instance_number"] == [6, 5, 4, 3, 2, 1]
    assert codes(result) == ["phases"]
    assert result.manifest["phases"] == [
        {"label": "Acquisition 1", "first": 0, "count": 3},
        {"label": "Acquisition 2", "first": 3, "count": 3},
    ]


def test_a_localizer_among_the_slices_is_mixed_orientation_with_its_own_override():
    sagittal = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]
    each = [{}, {}, {}, {"ImageOrientationPatient": sagittal}]
    result = built(series([(0, 0, 0), (0, 0, 3), (0, 0, 6), (9, 0, 0)], each=each))
    assert codes(result) == ["mixed_orientation"]
    assert result.manifest["overrides"] == {"3": {"orientation": sagittal}}


def test_a_projection_tells_detector_millimetres_until_someone_calibrated_it():
    plain = {
        "Modality": "DX",
        "ImagePositionPatient": None,
        "ImageOrientationPatient": None,
        "PixelSpacing": None,
    }
    at_detector = built([part_10(header(**plain, ImagerPixelSpacing=[0.15, 0.15]), pixels(0))])
    assert at_detector.manifest["spacing"]["source"] == "imager"
    assert codes(at_detector) == ["projection"]
    plain["PixelSpacing"] = [0.1, 0.1]
    calibrated = built(
        [
            part_10(
                header(**plain, ImagerPixelSpacing=[0.15, 0.15], PixelSpacingCalibrationType="FIDUCIAL"),
                pixels(0),
            )
        ]
    )
    assert calibrated.manifest["spacing"] == {"row_mm": 0.1, "column_mm": 0.1, "source": "pixel"}
    assert codes(calibrated) == []


def test_without_spacing_there_are_no_millimetres():
    result = built([part_10(header(PixelSpacing=None, Modality="SC"), pixels(0))])
    assert result.manifest["spacing"] == {"row_mm": None, "column_mm": None, "source": "none"}
    assert result.manifest["findings"][0]["spoils"] == ["millimetres"]


@pytest.mark.parametrize(
    "orientation",
    [[0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0], [9, 0, 0, 0, 9, 0]],
    ids=["zero", "not square", "not unit"],
)
def test_an_orientation_that_is_none_leaves_the_image_without_place(orientation):
    result = built(series([(0, 0, 0), (0, 0, 3)], orientation=orientation))
    assert result.manifest["geometry"] == "image"
    assert result.manifest["frames"]["position"] is None


def test_truncated_pixels_are_left_out_and_named():
    files = series([(0, 0, 0), (0, 0, 3), (0, 0, 6)])
    result = built([files[0], files[1][:-10], files[2]])
    assert len(result.frames) == 2
    assert "truncated" in codes(result)


def test_an_enhanced_image_takes_each_frames_place_from_its_functional_group():
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    def group(name: str, **attributes) -> Dataset:
        inner, outer = Dataset(), Dataset()
        for keyword, value in attributes.items():
            setattr(inner, keyword, value)
        setattr(outer, name, Sequence([inner]))
        return outer

    dataset = header(ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None)
    shared = group("PixelMeasuresSequence", PixelSpacing=[0.9, 0.5])
    shared.update(group("PlaneOrientationSequence", ImageOrientationPatient=[1, 0, 0, 0, 1, 0]))
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        [group("PlanePositionSequence", ImagePositionPatient=[0, 0, z]) for z in (6, 0, 3)]
    )
    result = built([part_10(dataset, np.stack([pixels(number) for number in range(3)]))])
    assert result.manifest["frames"]["frame"] == [2, 3, 1]
    assert [place[2] for place in result.manifest["frames"]["position"]] == [0, 3, 6]
    assert result.manifest["spacing"] == {"row_mm": 0.9, "column_mm": 0.5, "source": "pixel"}


def real(folder: Path) -> Built:
    return built([path.read_bytes() for path in sorted(folder.rglob("*.dcm"))])


def test_a_real_tilted_gantry_is_found(test_data):
    assert "gantry_tilt" in codes(real(test_data / "odd_mixed/dicom2nifti/gantry_tilt_ct"))


def test_a_real_unevenly_spaced_series_is_found(test_data):
    found = codes(real(test_data / "odd_mixed/dicom2nifti/uneven_spacing_ct"))
    assert {"uneven_spacing", "missing_slices"} & set(found)


def test_a_real_chest_ct_and_a_real_pet_have_no_findings(test_data):
    assert codes(real(test_data / "ct_chest_lidc_0314/image")) == []
    pet = real(test_data / "petct_mr_sts_001/PET")
    assert codes(pet) == []
    assert len(pet.frames) == 267


def test_a_real_left_handed_brain_is_in_order(test_data):
    result = real(test_data / "mr_brain1_pyradiomics/converted_dicom")
    z = [place[2] for place in result.manifest["frames"]["position"]]
    assert len(z) == 25
    assert z == sorted(z, reverse=True)  # its columns run to the front, so its normal points down
