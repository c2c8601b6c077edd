"""A DICOM Segmentation comes back voxel for voxel, on the images that were drawn on."""

from datetime import datetime
from io import BytesIO
from uuid import UUID

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from annotations.exchange.codes import Code
from annotations.exchange.objects import ObjectIdentity
from annotations.exchange.seg_frames import Segment
from annotations.exchange.seg_reader import read_seg
from annotations.exchange.seg_writer import write_seg
from annotations.exchange.source import ExchangeError, FrameKey, SourceSeries
from annotations.measures import masks
from tests.annotations.exchange.makers import header, oblique, series, sop_classes

NEOPLASM = Code("108369006", "SCT", "Neoplasm")
CONCEPT = ObjectIdentity(("project", 1, 314, "reader-1"), datetime(2026, 11, 22, 18, 12), "Tumour")

SERIES = {
    "axial": series(),
    "left-handed": series(step_mm=-2.5),
    "oblique": series(orientation=oblique()),
    "sagittal": series(orientation=(0, 1, 0, 0, 0, -1), step_mm=3.3),
    "multi-frame": series(multi_frame=True),
    "frames that aren't whole bytes": series(rows=23, columns=37),
    "without a place": series(),
}


def without_place(source: SourceSeries) -> SourceSeries:
    from dataclasses import replace

    frames = tuple(replace(frame, position=None, orientation=None) for frame in source.frames)
    return replace(source, frames=frames, frame_of_reference_uid="")


SERIES["without a place"] = without_place(SERIES["without a place"])


def blobs(source: SourceSeries, seed: int, on: range) -> dict[FrameKey, np.ndarray]:
    """Lopsided shapes, different on each slice, so that a flip, shift or swap of slices shows."""
    random = np.random.default_rng(seed)
    planes = {}
    for index in on:
        frame = source.frames[index]
        plane = np.zeros((frame.rows, frame.columns), dtype=bool)
        plane[2 + index : 9 + index, 3 : 12 + index] = True
        plane &= random.random(plane.shape) > 0.3
        plane[0, 1 + index] = True
        planes[frame.key] = plane
    return planes


def segment(label: str, planes: dict[FrameKey, np.ndarray], identity: int) -> Segment:
    encoded = {key: masks.encode(plane) for key, plane in planes.items()}
    return Segment(label, NEOPLASM, encoded, identity=UUID(int=identity), color="#f5a742")


def write(source: SourceSeries, segments: list[Segment]) -> bytes:
    return write_seg(
        source=source,
        header=header(source),
        sop_classes=sop_classes(source),
        segments=segments,
        identity=CONCEPT,
    )


def three_segments(source: SourceSeries) -> tuple[list[Segment], list[dict[FrameKey, np.ndarray]]]:
    """Two that overlap, and one that is empty."""
    first, second = blobs(source, 1, range(4)), blobs(source, 2, range(1, 6))
    shared = sum(int((first[key] & second[key]).sum()) for key in set(first) & set(second))
    assert shared > 20
    return (
        [segment("Tumour", first, 1), segment("Tumour 2", second, 2), segment("Node", {}, 3)],
        [first, second, {}],
    )


def decoded(source: SourceSeries, planes: dict[FrameKey, bytes]) -> dict[FrameKey, np.ndarray]:
    return {
        key: masks.decode(runs, source.frame_at[key].rows, source.frame_at[key].columns)
        for key, runs in planes.items()
    }


@pytest.mark.parametrize("name", SERIES)
def test_overlapping_and_empty_segments_come_back_voxel_for_voxel(name: str) -> None:
    source = SERIES[name]
    segments, drawn = three_segments(source)
    back = read_seg(pydicom.dcmread(BytesIO(write(source, segments))), [source])
    assert [each.label for each in back.segments] == ["Tumour", "Tumour 2", "Node"]
    assert back.segments[0].meaning == NEOPLASM
    for read, planes in zip(back.segments, drawn, strict=True):
        found = decoded(source, read.planes)
        assert set(found) == set(planes)
        for key, plane in planes.items():
            np.testing.assert_array_equal(found[key], plane)


@pytest.mark.parametrize("name", [name for name in SERIES if name != "without a place"])
def test_highdicom_reads_the_same_voxels_at_the_same_place_in_the_patient(name: str) -> None:
    """An independent reader, given no index: only positions and the SOP instances it finds inside."""
    source = SERIES[name]
    segments, drawn = three_segments(source)
    seg = hd.seg.Segmentation.from_dataset(pydicom.dcmread(BytesIO(write(source, segments))))
    assert seg.number_of_segments == 3
    for number, planes in enumerate(drawn, start=1):
        described = seg.get_segment_description(number)
        assert described.segment_label == segments[number - 1].label
        volume = np.asarray(seg.pixel_array)
        found = {}
        for index, group in enumerate(seg.PerFrameFunctionalGroupsSequence):
            if group.SegmentIdentificationSequence[0].ReferencedSegmentNumber == number:
                found[tuple(map(float, group.PlanePositionSequence[0].ImagePositionPatient))] = volume[index]
        expected = {source.frame_at[key].position: plane for key, plane in planes.items()}
        assert len(found) == len(expected)
        for place, plane in expected.items():
            nearest = min(found, key=lambda other: np.linalg.norm(np.subtract(other, place)))
            assert np.linalg.norm(np.subtract(nearest, place)) < 1e-6
            np.testing.assert_array_equal(found[nearest] > 0, plane)


def test_the_same_marks_give_the_same_bytes() -> None:
    source = SERIES["oblique"]
    assert write(source, three_segments(source)[0]) == write(source, three_segments(source)[0])


def test_another_release_or_series_gives_other_uids() -> None:
    source, other = series(), series(uid="1.2.4")
    segments = [segment("Tumour", {}, 1)]
    uids = {pydicom.dcmread(BytesIO(write(one, segments))).SOPInstanceUID for one in (source, other)}
    later = ObjectIdentity(("project", 2, 314, "reader-1"), CONCEPT.at, "Tumour")
    again = write_seg(
        source=source,
        header=header(source),
        sop_classes=sop_classes(source),
        segments=segments,
        identity=later,
    )
    uids.add(pydicom.dcmread(BytesIO(again)).SOPInstanceUID)
    assert len(uids) == 3


def test_a_segmentation_of_nothing_keeps_its_segments() -> None:
    source = series()
    back = read_seg(
        pydicom.dcmread(BytesIO(write(source, [segment("Tumour", {}, 1), segment("Node", {}, 2)]))), [source]
    )
    assert [(each.label, each.planes) for each in back.segments] == [("Tumour", {}), ("Node", {})]


def test_a_plane_on_a_foreign_image_is_refused() -> None:
    source = series()
    stray = {FrameKey("1.2.3.9.77", 1): masks.encode(np.ones((20, 30), dtype=bool))}
    with pytest.raises(ExchangeError, match=r"1\.2\.3\.9\.77, which is not in series 1\.2\.3"):
        write(source, [Segment("Tumour", NEOPLASM, stray)])


# Files that others wrote ---------------------------------------------------------------------------------


def forget_images(dataset: Dataset) -> Dataset:
    """As some tools write: no reference to any image, only places."""
    del dataset.ReferencedSeriesSequence
    for group in dataset.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence
    return dataset


@pytest.mark.parametrize("name", ["axial", "left-handed", "oblique", "multi-frame"])
def test_without_references_the_place_in_the_patient_decides_whatever_the_order_of_frames(name: str) -> None:
    source = SERIES[name]
    segments, drawn = three_segments(source)
    dataset = forget_images(pydicom.dcmread(BytesIO(write(source, segments))))
    order = list(range(len(dataset.PerFrameFunctionalGroupsSequence)))[::-1]
    pixels = dataset.pixel_array
    dataset.PerFrameFunctionalGroupsSequence = [dataset.PerFrameFunctionalGroupsSequence[i] for i in order]
    dataset.PixelData = np.packbits(pixels[order].ravel(), bitorder="little").tobytes()
    back = read_seg(dataset, [source])
    for read, planes in zip(back.segments, drawn, strict=True):
        found = decoded(source, read.planes)
        assert set(found) == set(planes)
        for key, plane in planes.items():
            np.testing.assert_array_equal(found[key], plane)


def test_a_plane_stored_mirrored_is_turned_back() -> None:
    """Same pixels in the patient, columns counted from the other side."""
    source = SERIES["oblique"]
    first = source.frames[0]
    planes = blobs(source, 1, range(4))
    dataset = pydicom.dcmread(BytesIO(write(source, [segment("Tumour", planes, 1)])))
    along_row = np.array(first.orientation[:3])
    shared = dataset.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    shared.ImageOrientationPatient = [*(-along_row), *first.orientation[3:]]
    for group in dataset.PerFrameFunctionalGroupsSequence:
        position = group.PlanePositionSequence[0]
        start = np.array(position.ImagePositionPatient, dtype=float)
        position.ImagePositionPatient = list(start + along_row * first.column_mm * (first.columns - 1))
    dataset.PixelData = np.packbits(dataset.pixel_array[:, :, ::-1].ravel(), bitorder="little").tobytes()
    found = decoded(source, read_seg(dataset, [source]).segments[0].planes)
    for key, plane in planes.items():
        np.testing.assert_array_equal(found[key], plane)


def test_a_plane_off_the_images_pixels_is_refused() -> None:
    source = series()
    dataset = pydicom.dcmread(BytesIO(write(source, [segment("Tumour", blobs(source, 1, range(2)), 1)])))
    dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [0.7, 0.8]
    with pytest.raises(ExchangeError, match="doesn't lie on its pixels"):
        read_seg(dataset, [source])


def test_two_series_at_the_same_place_are_not_guessed_between() -> None:
    early, late = series(uid="1.2.31"), series(uid="1.2.32")
    dataset = forget_images(
        pydicom.dcmread(BytesIO(write(early, [segment("Tumour", blobs(early, 1, range(2)), 1)])))
    )
    with pytest.raises(ExchangeError, match="fits several series at the same place"):
        read_seg(dataset, [early, late])


def test_another_frame_of_reference_is_refused() -> None:
    from dataclasses import replace

    source = series()
    dataset = forget_images(
        pydicom.dcmread(BytesIO(write(source, [segment("Tumour", blobs(source, 1, range(2)), 1)])))
    )
    with pytest.raises(ExchangeError, match="none has its frame of reference"):
        read_seg(dataset, [replace(source, frame_of_reference_uid="1.9")])


def test_fractions_count_from_one_half_on_and_that_is_noted() -> None:
    source = series()
    dataset = pydicom.dcmread(BytesIO(write(source, [segment("Tumour", blobs(source, 1, range(1)), 1)])))
    values = np.zeros((20, 30), dtype=np.uint8)
    values[4, 5:9] = [99, 100, 101, 200]
    dataset.SegmentationType, dataset.SegmentationFractionalType = "FRACTIONAL", "PROBABILITY"
    dataset.MaximumFractionalValue = 200
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelData = values.tobytes()
    back = read_seg(dataset, [source])
    (plane,) = decoded(source, back.segments[0].planes).values()
    assert sorted(np.flatnonzero(plane[4])) == [6, 7, 8]
    assert plane.sum() == 3
    assert back.notes == ("Fractional (probability): voxels of at least 50% were taken as inside.",)
