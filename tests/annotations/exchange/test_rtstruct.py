"""RT Structure Sets: outlines in mm become voxels of the series they were drawn on, or say why not."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.filebase import DicomBytesIO
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage

from annotations.exchange.rtstruct_reader import read_rtstruct
from annotations.exchange.source import ExchangeError, SourceSeries
from annotations.measures import masks
from tests.annotations.exchange import makers


def outline(
    source: SourceSeries, slice_index: int, corners: Sequence, *, kind="CLOSED_PLANAR", named=True, off_mm=0.0
) -> Dataset:
    """`corners` are column and row from 0 at the centre of the first pixel."""
    frame = source.frames[slice_index]
    along_row, down_column, normal = frame.axes
    start = np.array(frame.position) + normal * off_mm
    points = [
        start + along_row * frame.column_mm * column + down_column * frame.row_mm * row
        for column, row in corners
    ]
    item = Dataset()
    item.ContourGeometricType = kind
    item.NumberOfContourPoints = len(points)
    item.ContourData = [f"{number:.6f}"[:16] for number in np.concatenate(points)]
    if named:
        image = Dataset()
        image.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        image.ReferencedSOPInstanceUID = frame.key.sop_instance_uid
        item.ContourImageSequence = [image]
    return item


def box(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def structure_set(
    regions: dict[str, list[Dataset]],
    *,
    series: str = "1.2.3",
    reference: str = makers.FRAME_OF_REFERENCE,
) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = RTStructureSetStorage, "1.2.9", "RTSTRUCT"
    named, study, one = Dataset(), Dataset(), Dataset()
    named.FrameOfReferenceUID = reference
    one.SeriesInstanceUID = series
    study.RTReferencedSeriesSequence = [one]
    named.RTReferencedStudySequence = [study]
    dataset.ReferencedFrameOfReferenceSequence = [named]
    dataset.StructureSetROISequence, dataset.ROIContourSequence = [], []
    for number, (name, outlines) in enumerate(regions.items(), start=1):
        roi, drawn = Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number * 10, name, reference
        drawn.ReferencedROINumber, drawn.ContourSequence = number * 10, outlines
        dataset.StructureSetROISequence.append(roi)
        dataset.ROIContourSequence.append(drawn)
    return dataset


def stored(dataset: Dataset) -> Dataset:
    """Written and read again: points are then raw text, as in a file."""
    stream = DicomBytesIO()
    dataset.ensure_file_meta()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dcmwrite(stream, dataset, enforce_file_format=True)
    stream.seek(0)
    return dcmread(stream)


def planes(read, number: int = 1) -> dict:
    source = read.source
    segment = next(one for one in read.segments if one.number == number)
    return {
        key: masks.decode(runs, source.frame_at[key].rows, source.frame_at[key].columns)
        for key, runs in segment.planes.items()
    }


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), makers.oblique(), (0, 1, 0, 0, 0, -1)])
@pytest.mark.parametrize("step_mm", [2.5, -2.5])
def test_outlines_fill_the_pixels_they_enclose(orientation, step_mm):
    source = makers.series(orientation=orientation, step_mm=step_mm)
    dataset = stored(structure_set({"Tumour": [outline(source, 2, box(3.4, 5.4, 8.6, 7.6))]}))
    read = read_rtstruct(dataset, [source])
    ((key, plane),) = planes(read).items()
    assert key == source.frames[2].key
    assert np.argwhere(plane).tolist() == [[r, c] for r in (6, 7) for c in (4, 5, 6, 7, 8)]
    assert (read.segments[0].label, read.notes, read.by_place) == ("Tumour", (), False)


def test_images_with_other_uids_are_found_by_series_and_plane():
    """A cropped copy of a series has instances of its own."""
    original = makers.series()
    copy = replace(
        original,
        frames=tuple(
            replace(frame, key=frame.key._replace(sop_instance_uid=f"9.9.{index}"))
            for index, frame in enumerate(original.frames)
        ),
    )
    twin = replace(makers.series(uid="7.7"), frames=makers.series(uid="7.7").frames)
    dataset = structure_set({"Tumour": [outline(original, 4, box(1, 1, 6, 6))]})
    read = read_rtstruct(dataset, [twin, copy])
    assert read.source is copy
    assert [key.sop_instance_uid for key in read.segments[0].planes] == ["9.9.4"]
    assert read.by_place
    assert "same series" in read.notes[0]


def test_without_any_name_the_place_decides_and_two_that_fit_are_not_guessed():
    source = makers.series()
    drawn = outline(source, 4, box(1, 1, 6, 6), named=False)
    dataset = structure_set({"Tumour": [drawn]}, series="")
    one, two = makers.series(uid="7.7"), makers.series(uid="8.8")
    assert read_rtstruct(dataset, [one]).source is one
    with pytest.raises(ExchangeError, match="fits several series at the same place"):
        read_rtstruct(dataset, [one, two])
    elsewhere = replace(one, frame_of_reference_uid="1.1")
    with pytest.raises(ExchangeError, match="none has its frame of reference"):
        read_rtstruct(dataset, [elsewhere])


def test_an_outline_that_names_its_image_is_not_given_to_another():
    first, second = makers.series(uid="7.7"), makers.series(uid="8.8")
    dataset = structure_set({"Tumour": [outline(second, 1, box(1, 1, 6, 6))]}, series="7.7")
    assert read_rtstruct(dataset, [first, second]).source is second


def test_holes_islands_and_parts_of_one_region():
    source = makers.series()
    rings = [box(1.6, 1.6, 17.6, 17.6), box(4.6, 4.6, 14.6, 14.6), box(7.6, 7.6, 11.6, 11.6)]
    dataset = structure_set({"Ring": [outline(source, 0, ring) for ring in rings]})
    read = read_rtstruct(dataset, [source])
    ((_, plane),) = planes(read).items()
    assert plane.sum() == 16 * 16 - 10 * 10 + 4 * 4
    assert "taken as holes" in read.notes[0]


def test_exclusive_outlines_cancel():
    source = makers.series()
    rings = [box(1.6, 1.6, 17.6, 17.6), box(4.6, 4.6, 24.6, 14.6)]
    drawn = [outline(source, 0, ring, kind="CLOSEDPLANAR_XOR") for ring in rings]
    read = read_rtstruct(structure_set({"Ring": drawn}), [source])
    ((_, plane),) = planes(read).items()
    assert plane.sum() == 16 * 16 + 20 * 10 - 2 * 13 * 10


def test_regions_overlap_freely_and_an_empty_one_is_kept():
    source = makers.series()
    regions = {
        "GTV": [outline(source, 1, box(2, 2, 8, 8))],
        "CTV": [outline(source, 1, box(1, 1, 10, 10)), outline(source, 2, box(2, 2, 8, 8))],
        "Speck": [outline(source, 1, box(2.2, 2.2, 2.4, 2.4))],
    }
    read = read_rtstruct(structure_set(regions), [source])
    assert [(one.number, one.label, len(one.planes)) for one in read.segments] == [
        (1, "GTV", 1),
        (2, "CTV", 2),
        (3, "Speck", 0),
    ]
    assert "“Speck” encloses the centre of no pixel." in read.notes


def test_an_outline_off_its_plane_is_shown_and_said_and_one_beyond_is_left_out():
    source = makers.series(step_mm=4.0)
    regions = {
        "Near": [outline(source, 1, box(2, 2, 8, 8), off_mm=1.2)],
        "Far": [outline(source, 5, box(2, 2, 8, 8), off_mm=9.0), outline(source, 4, box(2, 2, 8, 8))],
    }
    read = read_rtstruct(structure_set(regions), [source])
    assert list(planes(read)) == [source.frames[1].key]
    assert "Outlines of “Near” lie up to 1.2 mm off their images' planes." in read.notes
    assert "1 of the 2 outlines of “Far” lie on no image." in read.notes


def test_outlines_across_the_slices_are_not_shown():
    source = makers.series()
    upright = outline(source, 1, box(2, 2, 8, 8))
    numbers = np.array(upright.ContourData, dtype=float).reshape(-1, 3)
    numbers[2:] += source.frames[1].axes[2] * 20
    upright.ContourData = [f"{number:.5f}" for number in numbers.ravel()]
    with pytest.raises(ExchangeError, match="1 of the 1 outlines of “Plan” lie on no image"):
        read_rtstruct(structure_set({"Plan": [upright]}), [source])


def test_what_reaches_beyond_the_images_is_cut_and_said():
    source = makers.series()
    read = read_rtstruct(structure_set({"Big": [outline(source, 1, box(-50, -50, 7.6, 7.6))]}), [source])
    ((_, plane),) = planes(read).items()
    assert plane.sum() == 8 * 8
    assert "reaches beyond its images" in read.notes[0]


def test_points_and_open_lines_are_marks_not_regions():
    source = makers.series()
    regions = {
        "Isocentre": [outline(source, 1, [(4, 5)], kind="POINT")],
        "Catheter": [outline(source, 1, [(1, 1), (4, 5), (9, 5)], kind="OPEN_PLANAR")],
    }
    read = read_rtstruct(structure_set(regions), [source])
    assert read.segments == ()
    assert [(one.kind, one.label) for one in read.shapes] == [("point", "Isocentre"), ("line", "Catheter")]
    frame = source.frames[1]
    along_row, down_column, _ = frame.axes
    expected = np.array(frame.position) + along_row * frame.column_mm * 4 + down_column * frame.row_mm * 5
    np.testing.assert_allclose(read.shapes[0].points_patient_mm[0], expected, atol=1e-4)


@pytest.mark.parametrize("broken", ["1\\2", "1\\2\\nan", "a\\b\\c", "1e999\\0\\0"])
def test_points_that_are_none_are_refused(broken: str):
    source = makers.series()
    dataset = stored(structure_set({"Tumour": [outline(source, 2, box(1, 1, 5, 5))]}))
    contour = dataset.ROIContourSequence[0].ContourSequence[0]
    contour["ContourData"] = contour.get_item("ContourData")._replace(value=broken.encode())
    with pytest.raises(ExchangeError, match="points of an outline"):
        read_rtstruct(dataset, [source])


def test_one_without_outlines_says_so():
    with pytest.raises(ExchangeError, match="no outlines"):
        read_rtstruct(structure_set({"Empty": []}), [makers.series()])
