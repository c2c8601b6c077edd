"""What the quality gate says of values, calibration and cut-off pixels, and what it switches off."""

import io
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from atlas.dicom.describe import describe
from atlas.dicom.headers import read_header
from atlas.dicom.suv import suv_of
from tests.atlas.slices import header, part_10, pixels, series
from tests.atlas.test_dicom_geometry import built, codes

COMPUTED_RADIOGRAPH = "dicomdirtests/77654033/CR1/6154"


def finding(result, code: str) -> dict:
    return next(one for one in result.manifest["findings"] if one["code"] == code)


def test_a_rescale_slope_that_is_no_number_is_named_and_its_units_are_off():
    files = series([(0, 0, 0), (0, 0, 3)])
    slope = b"\x28\x00\x53\x10DS"
    spoilt = [
        content[: content.index(slope) + 8] + b"x" + content[content.index(slope) + 9 :] for content in files
    ]
    said = finding(built(spoilt), "ill_formed")
    assert "Rescale Slope" in said["sentence"]
    assert said["spoils"] == ["units"]


def test_a_wrong_value_representation_is_named_even_where_the_value_can_be_read():
    dataset = header()
    dataset[0x00201041] = DataElement(0x00201041, "DS", "1.5")
    dataset[0x00200013] = DataElement(0x00200013, "LO", "7")  # Instance Number is an IS
    said = finding(built([part_10(dataset, pixels(0))]), "ill_formed")
    assert "Instance Number" in said["sentence"]
    assert said["spoils"] == []


def test_a_well_formed_series_has_nothing_to_say():
    assert codes(built(series([(0, 0, 0), (0, 0, 3), (0, 0, 6)]))) == []


def test_the_names_of_attributes_are_told_and_never_their_values():
    dataset = header()
    dataset[0x00081030] = DataElement(0x00081030, "SH", "Meier")
    said = finding(built([part_10(dataset, pixels(0))]), "ill_formed")
    assert "Study Description" in said["sentence"]
    assert "Meier" not in said["sentence"]


def test_compressed_pixels_without_their_end_may_be_cut_off():
    content = Path(get_testdata_file("JPEG2000.dcm")).read_bytes()
    assert "ends_early" not in codes(built([content]))
    end = content.rindex(b"\xff\xd9")
    assert "ends_early" in codes(built([content[:end] + b"\0\0" + content[end + 2 :]]))


def test_a_real_radiograph_that_nobody_calibrated_spoils_millimetres():
    result = built([Path(get_testdata_file(COMPUTED_RADIOGRAPH)).read_bytes()])
    assert result.manifest["spacing"] == {"row_mm": 0.1, "column_mm": 0.1, "source": "imager"}
    assert result.manifest["pixel"]["photometric"] == "MONOCHROME1"
    assert finding(result, "projection")["spoils"] == ["millimetres"]


@pytest.mark.parametrize(("factor", "source"), [("1.25", "estimated"), ("0.5", "imager"), ("90", "imager")])
def test_a_projection_that_estimates_its_magnification_has_estimates_if_the_factor_is_possible(
    factor, source
):
    dataset = dcmread(get_testdata_file(COMPUTED_RADIOGRAPH))
    dataset.EstimatedRadiographicMagnificationFactor = factor
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    spacing = built([buffer.getvalue()]).manifest["spacing"]
    assert spacing["source"] == source
    assert spacing["row_mm"] == pytest.approx(0.08 if source == "estimated" else 0.1)


# SUV --------------------------------------------------------------------------------------------


def pet(**changes) -> Dataset:
    drug = Dataset()
    drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = 400e6, 6586.2
    drug.RadiopharmaceuticalStartTime = "090000"
    dataset = header(
        Modality="PT",
        Units="BQML",
        CorrectedImage=["ATTN", "DECY"],
        DecayCorrection="START",
        PatientWeight=80,
        SeriesDate="20260114",
        SeriesTime="100000",
        AcquisitionDate="20260114",
        AcquisitionTime="100000",
        RadiopharmaceuticalInformationSequence=Sequence([drug]),
    )
    for keyword, value in changes.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    return dataset


def test_the_factor_is_weight_by_the_dose_that_is_left_when_the_scan_begins():
    left = 400e6 * 0.5 ** (3600 / 6586.2)
    assert suv_of(pet()).factor == pytest.approx(80_000 / left)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PatientWeight": None}, "weight"),
        ({"Units": "CNTS"}, "not activity"),
        ({"CorrectedImage": ["DECY"]}, "attenuation"),
        ({"DecayCorrection": "NONE"}, "decay"),
        ({"SeriesTime": "083000"}, "times of injection"),
        ({"Units": "GML", "SUVType": "LBM"}, "another kind (LBM)"),
    ],
    ids=["weight", "counts", "attenuation", "decay", "clock", "lean body mass"],
)
def test_without_a_sure_factor_the_series_says_why_there_is_no_suv(changes, words):
    result = built([part_10(pet(**changes), pixels(0))])
    assert result.manifest["suv_factor"] is None
    said = finding(result, "no_suv")
    assert words in said["sentence"]
    assert said["spoils"] == ["suv"]


def test_suv_by_body_weight_that_the_scanner_computed_is_taken_as_it_is():
    assert suv_of(pet(Units="GML")).factor == 1.0


def test_an_image_that_is_no_pet_needs_no_suv():
    assert "no_suv" not in codes(built(series([(0, 0, 0)])))


# Real files ---------------------------------------------------------------------------------------


def test_every_odd_real_file_is_described_or_refused_with_a_sentence(test_data):
    from atlas.dicom.headers import NotDicom, Unreadable

    described, refusals = 0, []
    for path in sorted((test_data / "odd_mixed").rglob("*")):
        if not path.is_file():
            continue
        with path.open("rb") as file:
            try:
                found = describe(file, read_header(file), path.name)
            except (NotDicom, Unreadable) as error:
                refusals.append(str(error))
                continue
        described += 1
        for one in built([path.read_bytes()]).manifest["findings"] if found.facts else []:
            assert one["sentence"].rstrip(")").endswith(("image", "images", "left out", ".")), one
    assert described > 45
    assert all(sentence.endswith(".") for sentence in refusals)


def test_a_real_number_of_frames_that_is_no_number_is_named(test_data):
    content = (test_data / "odd_mixed/pydicom/badVR.dcm").read_bytes()
    assert "Number of Frames" in finding(built([content]), "ill_formed")["sentence"]


def test_images_without_position_carry_the_letters_that_their_file_writes():
    plain = {"Modality": "DX", "ImagePositionPatient": None, "ImageOrientationPatient": None}
    files = [
        part_10(header(**plain, InstanceNumber=at, PatientOrientation=letters), pixels(at))
        for at, letters in enumerate((["L", "F"], ["L", "F"], ["A", "F"], ["<b>", "F"]))
    ]
    manifest = built(files).manifest
    assert manifest["letters"] == ["L", "F"]
    assert manifest["overrides"]["2"]["letters"] == ["A", "F"]
    assert manifest["overrides"]["3"]["letters"] is None
    assert "0" not in manifest["overrides"]


def test_where_directions_are_known_no_letters_are_needed():
    assert built(series([(0, 0, 0), (0, 0, 3)], PatientOrientation=["R", "F"])).manifest["letters"] is None
