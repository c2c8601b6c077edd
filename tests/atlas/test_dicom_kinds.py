"""Kinds of images beside stacks of CT and MR: floating-point maps, ultrasound, mammograms, films."""

import io

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ParametricMapStorage

from atlas.dicom.decoding import decode_frame, delivered_format, to_little_endian
from atlas.dicom.describe import describe
from atlas.dicom.frames import NoFrames, pixel_format, read_ranges
from atlas.dicom.headers import read_header
from atlas.dicom.manifest import build
from atlas.dicom.thumbnails import thumbnail
from tests.atlas.slices import header, part_10

UNPLACED = {"ImagePositionPatient": None, "ImageOrientationPatient": None, "PixelSpacing": None}


def item(**attributes) -> Dataset:
    found = Dataset()
    for keyword, value in attributes.items():
        setattr(found, keyword, value)
    return found


def described(dataset: Dataset, array: np.ndarray | None = None):
    content = io.BytesIO(part_10(dataset, np.zeros((4, 6), np.uint16) if array is None else array))
    return content, read_header(content), describe(content, read_header(content))


def float_map(values: np.ndarray, **attributes) -> Dataset:
    dataset = header(RescaleSlope=None, RescaleIntercept=None, **attributes)
    dataset.Rows, dataset.Columns = values.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    if values.dtype == np.float32:
        dataset.BitsAllocated, dataset.FloatPixelData = 32, values.tobytes()
    else:
        dataset.BitsAllocated, dataset.DoubleFloatPixelData = 64, values.tobytes()
    return dataset


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_floating_point_values_arrive_as_they_are_written(kind):
    values = np.linspace(-1.5, 3e8, 24).astype(kind).reshape(4, 6)
    values[0, 0] = np.nan
    content, head, found = described_map(float_map(values))
    [frame] = found.frames
    assert frame.pixel.floating
    assert not frame.decode  # the browser reads them as they stand
    array = decode_frame(head, frame.pixel, read_ranges(content, frame.ranges))
    np.testing.assert_array_equal(array, values)
    assert to_little_endian(array) == values.tobytes()
    delivered = delivered_format(array, frame.pixel)
    assert (delivered.floating, delivered.bits_allocated, delivered.signed) == (
        True,
        8 * kind().nbytes,
        False,
    )
    picture = thumbnail(
        array, window=(None, None), rescale=(1, 0), inverted=False, row_mm=None, column_mm=None
    )
    assert picture[:4] == b"RIFF"


def described_map(dataset: Dataset):
    content = io.BytesIO(part_10(dataset))
    return content, read_header(content), describe(content, read_header(content))


def test_a_parametric_map_has_the_values_and_units_of_the_real_world():
    mapping = item(
        RealWorldValueSlope=0.5,
        RealWorldValueIntercept=-2.0,
        MeasurementUnitsCodeSequence=[item(CodeValue="um2/s", CodingSchemeDesignator="UCUM")],
    )
    dataset = float_map(
        np.ones((3, 3), np.float32),
        SOPClassUID=ParametricMapStorage,
        Modality="MR",
        SharedFunctionalGroupsSequence=[item(RealWorldValueMappingSequence=[mapping])],
    )
    _, _, found = described_map(dataset)
    assert (found.frames[0].slope, found.frames[0].intercept) == (0.5, -2.0)
    assert found.units == "um2/s"


def test_a_map_with_several_values_a_pixel_is_told_and_not_shown():
    dataset = float_map(np.ones((3, 3), np.float32))
    dataset.SamplesPerPixel = 3
    content = io.BytesIO(part_10(dataset))
    with pytest.raises(NoFrames, match="3 values a pixel"):
        pixel_format(read_header(content))
    assert describe(content, read_header(content)).problem.startswith("Images with 3 values")


def region(row_cm: float, column_cm: float, *, space: int = 1, units: int = 3) -> Dataset:
    return item(
        RegionSpatialFormat=space,
        RegionDataType=1,
        PhysicalUnitsXDirection=units,
        PhysicalUnitsYDirection=units,
        PhysicalDeltaX=column_cm,
        PhysicalDeltaY=row_cm,
    )


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        ([region(0.02, 0.03)], (0.2, 0.3, "pixel")),
        ([region(0.02, 0.03), region(0.02, 0.03), region(1, 1, space=3, units=4)], (0.2, 0.3, "pixel")),
        ([region(0.02, 0.03), region(0.05, 0.05)], (None, None, "none")),
        ([region(1, 1, space=3, units=4)], (None, None, "none")),
        ([region(0, 0.03)], (None, None, "none")),
    ],
    ids=["one", "two alike and a curve", "two that differ", "a curve alone", "no height"],
)
def test_ultrasound_is_measured_by_its_regions_where_they_agree(regions, expected):
    _, _, found = described(header(Modality="US", SequenceOfUltrasoundRegions=regions, **UNPLACED))
    spacing = found.frames[0].spacing
    assert (spacing.row_mm, spacing.column_mm, spacing.source) == expected
    findings = build([found], found.frames).manifest["findings"]
    assert "ultrasound_regions" in {one["code"] for one in findings}


ENLARGED = [item(CodeValue="R-10242", ViewModifierCodeSequence=[item(CodeValue="R-102D6")])]


@pytest.mark.parametrize(
    ("attributes", "row_mm", "source"),
    [
        ({}, 0.1, "estimated"),
        ({"EstimatedRadiographicMagnificationFactor": 1.25}, 0.08, "estimated"),
        ({"DistanceSourceToDetector": 660, "DistanceSourceToPatient": 600}, 0.1 / 1.1, "estimated"),
        ({"ViewCodeSequence": ENLARGED}, 0.1, "imager"),
        ({"Modality": "DX"}, 0.1, "imager"),
    ],
    ids=["mammogram", "by its factor", "by its distances", "enlarged by nobody knows how much", "radiograph"],
)
def test_millimetres_on_a_mammogram_are_estimates(attributes, row_mm, source):
    facts = {"Modality": "MG", "ImagerPixelSpacing": [0.1, 0.1], **UNPLACED} | attributes
    _, _, found = described(header(**facts))
    assert found.frames[0].spacing.row_mm == pytest.approx(row_mm)
    assert found.frames[0].spacing.source == source
    findings = build([found], found.frames).manifest["findings"]
    assert (source == "estimated") == any(one["code"] == "estimated" for one in findings)


@pytest.mark.parametrize(
    ("attributes", "rate"),
    [
        ({}, None),
        ({"FrameTime": 40}, 25),
        ({"CineRate": 12, "FrameTime": 40}, 12),
        ({"RecommendedDisplayFrameRate": 30, "CineRate": 12}, 30),
        ({"FrameTime": 0}, None),
    ],
)
def test_a_film_says_how_fast_it_is_played(attributes, rate):
    _, _, found = described(header(**attributes))
    assert found.facts["images_a_second"] == rate
