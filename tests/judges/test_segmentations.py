"""Segmentations on images of many kinds, judged by dciodvfy; those that others wrote, by highdicom."""

from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest

from annotations.exchange.objects import ObjectIdentity
from annotations.exchange.seg_frames import Segment
from annotations.exchange.seg_reader import read_seg
from annotations.exchange.seg_writer import write_seg
from annotations.exchange.source import FrameKey, SourceFrame, SourceSeries
from annotations.exchange.volumes import ConvertedSeries, Volume, VolumeIdentity
from annotations.measures import masks
from tests.judges.real_series import NEOPLASM, SERIES, drawn_on, source_of


@pytest.mark.parametrize("name", SERIES)
def test_what_is_written_is_valid_and_comes_back(
    name: str, test_data: Path, tmp_path: Path, dciodvfy
) -> None:
    files = sorted(path for path in test_data.glob(SERIES[name]) if path.is_file())
    source, header, classes = source_of(files)
    segments = drawn_on(source)
    written = write_seg(
        source=source,
        header=header,
        sop_classes=classes,
        segments=segments,
        identity=ObjectIdentity(("judge", name), datetime(2026, 11, 22), "Judged"),
    )
    file = tmp_path / "seg.dcm"
    file.write_bytes(written)
    assert dciodvfy(file) == []
    back = read_seg(pydicom.dcmread(BytesIO(written)), [source])
    assert [one.label for one in back.segments] == ["Tumour", "Oedema", "Node"]
    assert [one.planes for one in back.segments] == [one.planes for one in segments]


@pytest.mark.parametrize(("name", "modality"), [("brain1", "MR"), ("breast1", "MR")])
def test_converted_volumes_are_valid(
    name: str, modality: str, test_data: Path, tmp_path: Path, dciodvfy
) -> None:
    folder = test_data / "mr_brain1_pyradiomics" / "original"
    converted = ConvertedSeries.of(
        Volume.from_nrrd(folder / f"{name}_image.nrrd"),
        VolumeIdentity(name, f"N-{name}", modality, name, "Converted from a volume file"),
    )
    for file_name, content in list(converted.files())[:2]:
        (tmp_path / file_name).write_bytes(content)
        assert dciodvfy(tmp_path / file_name) == []
    seg = converted.segmentation(
        Volume.from_nrrd(folder / f"{name}_label.nrrd"),
        {1: Segment("Tumour", NEOPLASM, {})},
        at=datetime(2020, 10, 11),
    )
    (tmp_path / "seg.dcm").write_bytes(seg)
    assert dciodvfy(tmp_path / "seg.dcm") == []


# Written by others: dcmqi, pydicom's collection, a scanner's workstation -------------------------------


def liver(test_data: Path) -> SourceSeries:
    return source_of(sorted((test_data / "seg_sr_dcmqi" / "liver_ct").glob("*.dcm")))[0]


def voxels_of(planes: dict[FrameKey, bytes]) -> int:
    return sum(masks.voxel_count(runs) for runs in planes.values())


def test_dcmqis_overlapping_segments_are_read_as_highdicom_reads_them(test_data: Path) -> None:
    import highdicom as hd

    file = test_data / "seg_sr_dcmqi" / "seg" / "partial_overlaps.dcm"
    source = liver(test_data)
    back = read_seg(pydicom.dcmread(file), [source])
    seg = hd.seg.segread(file)
    uids = [uid for _, _, uid in seg.get_source_image_uids()]
    assert len(back.segments) == seg.number_of_segments == 5
    for segment in back.segments:
        pixels = seg.get_pixels_by_source_instance(
            source_sop_instance_uids=uids,
            segment_numbers=[segment.number],
            assert_missing_frames_are_empty=True,
            ignore_spatial_locations=True,
        )
        for index, uid in enumerate(uids):
            runs = segment.planes.get(FrameKey(uid, 1))
            mine = masks.decode(runs, 512, 512) if runs else np.zeros((512, 512), dtype=bool)
            np.testing.assert_array_equal(mine, pixels[index, :, :, 0] > 0)
        assert voxels_of(segment.planes) > 0


@pytest.mark.parametrize("name", ["liver_expb", "liver_j2k", "liver_rle", "liver_deflate"])
def test_encodings_of_the_same_segmentation_give_the_same_voxels(test_data: Path, name: str) -> None:
    source = liver(test_data)
    plain = read_seg(pydicom.dcmread(test_data / "seg_sr_dcmqi" / "seg" / "liver.dcm"), [source])
    other = pydicom.dcmread(test_data / "seg_sr_dcmqi" / "seg_compressed" / f"{name}.dcm")
    assert voxels_of(plain.segments[0].planes) > 1000
    assert read_seg(other, [source]).segments[0].planes == plain.segments[0].planes


def test_a_fractional_segmentation_without_references_lies_on_all_phases_of_a_contrast_series(
    test_data: Path,
) -> None:
    """It names no images, and three phases lie at each of its places, half a pixel off."""
    source, _, _ = source_of(sorted((test_data / "mr_breast_dce_ucsf08" / "image").glob("*.dcm")))
    dataset = pydicom.dcmread(next((test_data / "mr_breast_dce_ucsf08" / "seg").glob("*.dcm")))
    back = read_seg(dataset, [source])
    (segment,) = back.segments
    assert back.by_place
    assert back.notes[0].startswith("Fractional")
    assert len(segment.planes) == len(source.frames) == 129
    place = {
        tuple(np.round(group.PlanePositionSequence[0].ImagePositionPatient[:1], 2)): frame
        for group, frame in zip(
            dataset.PerFrameFunctionalGroupsSequence, dataset.pixel_array >= 127.5, strict=True
        )
    }
    for key, runs in segment.planes.items():
        image = source.frame_at[key]
        expected = place[tuple(np.round(image.position[:1], 2))]
        np.testing.assert_array_equal(masks.decode(runs, 256, 256), expected)


@pytest.mark.parametrize("name", ["sparse-labelmap-noppv", "sparse-labelmap-ppv5"])
def test_a_sparse_label_map_is_read_without_its_background(test_data: Path, name: str) -> None:
    """The images it names are not published; frames where its own say they lay stand for them."""
    dataset = pydicom.dcmread(test_data / "seg_sr_dcmqi" / "seg" / f"{name}.dcm")
    source = under(dataset)
    (segment,) = read_seg(dataset, [source]).segments
    assert (segment.label, segment.number) == ("Liver", 1)
    assert voxels_of(segment.planes) == int((dataset.pixel_array == 1).sum()) == 630


def under(dataset: pydicom.Dataset) -> SourceSeries:
    shared = dataset.SharedFunctionalGroupsSequence[0]
    spacing = shared.PixelMeasuresSequence[0].PixelSpacing
    frames = []
    for group in dataset.PerFrameFunctionalGroupsSequence:
        named = group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        frames.append(
            SourceFrame(
                key=FrameKey(named, 1),
                rows=dataset.Rows,
                columns=dataset.Columns,
                position=tuple(map(float, group.PlanePositionSequence[0].ImagePositionPatient)),
                orientation=tuple(map(float, shared.PlaneOrientationSequence[0].ImageOrientationPatient)),
                row_mm=float(spacing[0]),
                column_mm=float(spacing[1]),
                slope=1.0,
                intercept=0.0,
            )
        )
    uid = dataset.ReferencedSeriesSequence[0].SeriesInstanceUID
    reference = dataset.FrameOfReferenceUID
    return SourceSeries(uid, "1.2", reference, "CT", "CT", "HU", "MONOCHROME2", tuple(frames))
