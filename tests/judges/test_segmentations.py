"""Segmentations on images of many kinds, judged by dciodvfy; those that others wrote, by highdicom."""

from datetime import datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID

import numpy as np
import pydicom
import pytest

from annotations.exchange.codes import Code
from annotations.exchange.seg_reader import read_seg
from annotations.exchange.seg_writer import SegIdentity, Segment, write_seg
from annotations.exchange.source import ExchangeError, FrameKey, SourceSeries
from annotations.exchange.volumes import ConvertedSeries, Volume, VolumeIdentity
from annotations.measures import masks
from atlas.dicom.describe import describe
from atlas.dicom.headers import read_header
from atlas.dicom.manifest import build

NEOPLASM = Code("108369006", "SCT", "Neoplasm")


def source_of(files: list[Path]) -> tuple[SourceSeries, pydicom.Dataset, dict[str, str]]:
    """Described as the archive describes it, without storing it."""
    descriptions, classes = [], {}
    for path in files:
        with path.open("rb") as file:
            descriptions.append(describe(file, read_header(file)))
        header = pydicom.dcmread(path, stop_before_pixels=True)
        classes[str(header.SOPInstanceUID)] = str(header.SOPClassUID)
    frames = [frame for description in descriptions for frame in description.frames]
    manifest = build(descriptions, frames).manifest
    source = SourceSeries.from_manifest(manifest, study_instance_uid=str(header.StudyInstanceUID))
    return source, header, classes


def drawn_on(source: SourceSeries) -> list[Segment]:
    """Two that overlap on the middle slices, and an empty one."""
    middle = len(source.frames) // 2
    on = source.frames[max(0, middle - 2) : middle + 2]
    first, second = {}, {}
    for index, frame in enumerate(on):
        plane = np.zeros((frame.rows, frame.columns), dtype=bool)
        plane[3 + index : 11, 5 : 9 + index] = True
        first[frame.key] = masks.encode(plane)
        second[frame.key] = masks.encode(np.roll(plane, 2, axis=1))
    return [
        Segment("Tumour", NEOPLASM, first, identity=UUID(int=1), color="#f5a742"),
        Segment("Oedema", Code("79654002", "SCT", "Edema"), second, identity=UUID(int=2)),
        Segment(
            "Node", Code("node", "99ATLAS", "Lymph node"), {}, description="Absent: looked, nothing there"
        ),
    ]


SERIES = {
    "CT, axial": "ct_chest_lidc_0314/image/*.dcm",
    "MR, left-handed": "mr_brain1_pyradiomics/converted_dicom/image/*.dcm",
    "MR, sagittal, three phases at each place": "mr_breast_dce_ucsf08/image/*.dcm",
    "MR, oblique": "mr_longitudinal_crc_06489/study_1959-12-09/*.dcm",
    "PET": "petct_mr_sts_001/PET/*.dcm",
    "MR, enhanced multi-frame": "odd_mixed/dicom2nifti/enhanced_philips_mr/*",
    "CT, tilted gantry": "odd_mixed/dicom2nifti/gantry_tilt_ct/*",
    "XA, without a place": "compressed_wg04/XA1_JPLY.dcm",
}


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
        identity=SegIdentity(("judge", name), datetime(2026, 11, 22), "Judged"),
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


def test_a_fractional_segmentation_without_references_to_a_contrast_series_is_not_guessed(
    test_data: Path,
) -> None:
    """Three phases lie at each place; it names the images of one, or else none is chosen."""
    source, _, _ = source_of(sorted((test_data / "mr_breast_dce_ucsf08" / "image").glob("*.dcm")))
    dataset = pydicom.dcmread(next((test_data / "mr_breast_dce_ucsf08" / "seg").glob("*.dcm")))
    named = {
        str(image.ReferencedSOPInstanceUID)
        for group in dataset.PerFrameFunctionalGroupsSequence
        for derivation in group.get("DerivationImageSequence", [])
        for image in derivation.get("SourceImageSequence", [])
    }
    if named & set(source.frames_of_instance):
        back = read_seg(dataset, [source])
        assert {key.sop_instance_uid for key in back.segments[0].planes} <= named
        assert back.notes[0].startswith("Fractional")
    else:
        with pytest.raises(ExchangeError):
            read_seg(dataset, [source])
