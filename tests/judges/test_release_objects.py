"""Segmentations, label maps, structure sets and reports on real series of many kinds, judged by dciodvfy,
dcmqi, plastimatch and highdicom."""

import json
import shutil
import subprocess
import sys
from datetime import datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom import Dataset

from annotations.exchange.codes import Code
from annotations.exchange.labelmap_writer import layers, write_label_map
from annotations.exchange.objects import ObjectIdentity, reference
from annotations.exchange.rtstruct_reader import read_rtstruct
from annotations.exchange.rtstruct_writer import Region, outlines_of_mask, write_rtstruct
from annotations.exchange.seg_frames import Segment
from annotations.exchange.seg_reader import read_seg
from annotations.exchange.seg_writer import write_seg
from annotations.exchange.source import FrameKey, SourceSeries
from annotations.exchange.sr_shapes_writer import Figure
from annotations.exchange.sr_writer import STATES, Evaluation, Group, SegmentReference, write_sr
from annotations.measures import masks
from annotations.measures.figures import angle_deg, figure
from tests.judges.real_series import (
    NEOPLASM,
    SERIES,
    files_of,
    hard_on,
    source_of,
    with_a_frame_of_reference,
)

IDENTITY = ObjectIdentity(("judge",), datetime(2026, 11, 22, 9, 30), "Judged")
TILTED = "CT, tilted gantry"
SIDEWAYS = "MR, sagittal, three phases at each place"
UNEVEN = "CT, unevenly spaced"
NOT_SQUARE = "MR, pixels that are not square"
PLACED = ["CT, axial", "MR, left-handed", SIDEWAYS, "MR, oblique", "PET", NOT_SQUARE]

type Real = tuple[SourceSeries, Dataset, dict[str, str], list[Path]]


def real(name: str, test_data: Path, tmp_path: Path) -> Real:
    files = files_of(name, test_data)
    if name in (TILTED, UNEVEN, NOT_SQUARE):
        files = with_a_frame_of_reference(files, tmp_path / "images with a frame of reference")
    return *source_of(files), files


def program(name: str) -> str:
    """Of the environment, or of the system."""
    own = Path(sys.executable).with_name(name)
    found = str(own) if own.exists() else shutil.which(name)
    if not found:
        pytest.fail(f"{name} is not here: scripts/judges.sh says where to get it.", pytrace=False)
    return found


def run(*command: str | Path) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=300)
    report = done.stdout + done.stderr
    assert done.returncode == 0, report[-2000:]
    return report


def voxels_of(segment: Segment) -> int:
    return sum(masks.voxel_count(runs) for runs in segment.planes.values())


def places_of(source: SourceSeries, planes: dict[FrameKey, bytes]) -> np.ndarray:
    """The centres of voxels in patient mm, float[n, 3], sorted."""
    found = [np.zeros((0, 3))]
    for key, runs in planes.items():
        frame = source.frame_at[key]
        along_row, down_column, _ = frame.axes
        rows, columns = np.nonzero(masks.decode(runs, frame.rows, frame.columns))
        steps = np.outer(columns * frame.column_mm, along_row) + np.outer(rows * frame.row_mm, down_column)
        found.append(np.array(frame.position) + steps)
    return in_order(np.concatenate(found))


def in_order(points: np.ndarray) -> np.ndarray:
    return points[np.lexsort(np.round(points, 1).T)]


def places_in(image: sitk.Image, value: int) -> np.ndarray:
    """The same, from a volume that another tool has made of it."""
    slices, rows, columns = np.nonzero(sitk.GetArrayFromImage(image) == value)
    index = np.column_stack((columns, rows, slices)).astype(float)
    turn = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    return in_order(np.array(image.GetOrigin()) + index @ turn.T)


# Segmentations and label maps ---------------------------------------------------------------------


def seg_of(one: Real, segments: list[Segment]) -> bytes:
    source, header, classes, _ = one
    return write_seg(source=source, header=header, sop_classes=classes, segments=segments, identity=IDENTITY)


def label_map_of(one: Real, layer: list[Segment], number: int, *, is_compressed: bool) -> bytes:
    source, header, classes, _ = one
    return write_label_map(
        source=source,
        header=header,
        sop_classes=classes,
        segments=layer,
        identity=IDENTITY,
        layer=number,
        is_compressed=is_compressed,
    )


def through_dcmqi(raw: bytes, folder: Path) -> tuple[dict[int, sitk.Image], list[dict]]:
    """Volumes by the number of the file, and what it says of segments."""
    folder.mkdir()
    (folder / "it.dcm").write_bytes(raw)
    tool = program("segimage2itkimage")
    run(tool, "--inputDICOM", folder / "it.dcm", "--outputDirectory", folder, "--outputType", "nrrd")
    said = json.loads((folder / "meta.json").read_text())["segmentAttributes"]
    volumes = {int(path.stem): sitk.ReadImage(str(path)) for path in folder.glob("*.nrrd")}
    return volumes, [segment for group in said for segment in group]


@pytest.mark.parametrize("name", PLACED)
def test_dcmqi_finds_every_segment_where_it_lies_in_the_patient(
    name: str, test_data: Path, tmp_path: Path
) -> None:
    one = real(name, test_data, tmp_path)
    source = one[0]
    segments = hard_on(source)
    volumes, said = through_dcmqi(seg_of(one, segments), tmp_path / "out")
    assert [segment["SegmentLabel"] for segment in said] == [segment.label for segment in segments]
    assert [segment["TrackingUniqueIdentifier"] for segment in said] == [f"2.25.{n}" for n in range(1, 6)]
    assert len(volumes) == 5
    for number, segment in enumerate(segments, start=1):
        found = places_in(volumes[number], number)
        assert len(found) == voxels_of(segment)
        # An uneven series has one step for all in an ITK volume: off by what the images are off.
        allowed_mm = 0.1 if name == "PET" else 0.01
        np.testing.assert_allclose(found, places_of(source, dict(segment.planes)), atol=allowed_mm)


@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize("name", PLACED)
def test_dcmqi_finds_the_same_in_the_layers_of_a_label_map(
    name: str, is_compressed: bool, test_data: Path, tmp_path: Path
) -> None:
    one = real(name, test_data, tmp_path)
    source = one[0]
    segments = hard_on(source)
    seen = {}
    for number, layer in enumerate(layers(segments), start=1):
        raw = label_map_of(one, layer, number, is_compressed=is_compressed)
        volumes, said = through_dcmqi(raw, tmp_path / f"layer {number}")
        (volume,) = volumes.values()
        for segment in said:
            seen[segment["SegmentLabel"]] = places_in(volume, segment["labelID"])
    for segment in segments:
        allowed_mm = 0.1 if name == "PET" else 0.01
        wanted = places_of(source, dict(segment.planes))
        np.testing.assert_allclose(seen[segment.label], wanted, atol=allowed_mm)


@pytest.mark.parametrize("name", SERIES)
def test_highdicom_finds_every_voxel_on_its_image(name: str, test_data: Path, tmp_path: Path) -> None:
    one = real(name, test_data, tmp_path)
    source = one[0]
    segments = hard_on(source)
    if any(len(frames) > 1 for frames in source.frames_of_instance.values()):
        by_source = lambda seg, keys, **more: seg.get_pixels_by_source_frame(
            source_sop_instance_uid=keys[0].sop_instance_uid,
            source_frame_numbers=[key.frame_number for key in keys],
            **more,
        )
    else:
        by_source = lambda seg, keys, **more: seg.get_pixels_by_source_instance(
            source_sop_instance_uids=[key.sop_instance_uid for key in keys], **more
        )
    made = [(hd.seg.segread(BytesIO(seg_of(one, segments))), segments)]
    for number, layer in enumerate(layers(segments), start=1):
        raw = label_map_of(one, layer, number, is_compressed=True)
        made.append((hd.seg.segread(BytesIO(raw)), layer))
    for seg, held in made:
        keys = list(dict.fromkeys(key for segment in held for key in segment.planes))
        assert [seg.get_segment_description(n).segment_label for n in range(1, len(held) + 1)] == [
            segment.label for segment in held
        ]
        for number, segment in enumerate(held, start=1):
            pixels = by_source(seg, keys, segment_numbers=[number], assert_missing_frames_are_empty=True)
            for key, plane in zip(keys, pixels[..., 0] > 0, strict=True):
                runs = segment.planes.get(key)
                wanted = masks.decode(runs, *plane.shape) if runs else np.zeros(plane.shape, dtype=bool)
                np.testing.assert_array_equal(plane, wanted)


# What a validator that knows no label maps may say of one that is shown to it as a binary segmentation.
OF_LABEL_MAPS = (
    "Error - Unrecognized enumerated value <LABELMAP> for value 1 of attribute <Segmentation Type>",
    "Error - Missing attribute Type 1 Required Element=<SegmentIdentificationSequence> "
    "Module=<SegmentationMacro>",
    "Error - SegmentNumber not monotonically increasing from one by one - have SegmentSequence item number 1 "
    "(from one) with SegmentNumber of 0",
    "Error - Value is zero for value 1 of attribute <Segment Number>",
)


@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize("name", SERIES)
def test_dciodvfy_finds_in_label_maps_only_what_makes_them_label_maps(
    name: str, is_compressed: bool, test_data: Path, tmp_path: Path, dciodvfy
) -> None:
    one = real(name, test_data, tmp_path)
    for number, layer in enumerate(layers(hard_on(one[0])), start=1):
        raw = label_map_of(one, layer, number, is_compressed=is_compressed)
        dataset = pydicom.dcmread(BytesIO(raw))
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
        dataset.save_as(tmp_path / "as_seg.dcm")
        said = dciodvfy(tmp_path / "as_seg.dcm")
        assert [line for line in said if line not in OF_LABEL_MAPS] == []
        assert OF_LABEL_MAPS[0] in said  # it did look


# What others write --------------------------------------------------------------------------------


def test_a_fractional_segmentation_goes_on_as_a_label_map_of_what_is_at_least_half(
    test_data: Path, tmp_path: Path
) -> None:
    """The collection's own, of a breast: in by our reader, out as a label map, judged by highdicom."""
    one = real(SIDEWAYS, test_data, tmp_path)
    source = one[0]
    original = pydicom.dcmread(next((test_data / "mr_breast_dce_ucsf08" / "seg").glob("*.dcm")))
    assert original.SegmentationType == "FRACTIONAL"
    (read,) = read_seg(original, [source]).segments
    segment = Segment("Breast", NEOPLASM, read.planes, identity=UUID(int=1))
    seg = hd.seg.segread(BytesIO(label_map_of(one, [segment], 1, is_compressed=True)))
    by_place = {
        round(float(group.PlanePositionSequence[0].ImagePositionPatient[0]), 2): frame >= 127.5
        for group, frame in zip(original.PerFrameFunctionalGroupsSequence, original.pixel_array, strict=True)
    }
    uids = [frame.key.sop_instance_uid for frame in source.frames]
    pixels = seg.get_pixels_by_source_instance(source_sop_instance_uids=uids, combine_segments=True)
    assert len(uids) == 129
    for frame, plane in zip(source.frames, pixels, strict=True):
        np.testing.assert_array_equal(plane > 0, by_place[round(frame.position[0], 2)])


@pytest.mark.parametrize("folder", ["PET", "CT_cropped", "MR_T1_cropped"])
def test_tumour_outlines_of_others_come_back_from_ours_voxel_for_voxel(
    folder: str, test_data: Path, tmp_path: Path, dciodvfy
) -> None:
    """Outlines of a workstation, filled on their images, outlined by us, and filled by plastimatch."""
    data = test_data / "petct_mr_sts_001"
    files = sorted((data / folder).glob("*.dcm"))
    one = *source_of(files), files
    source = one[0]
    read = read_rtstruct(pydicom.dcmread(next((data / f"{folder}_rtstruct").glob("*"))), [source])
    segments = [Segment(s.label, NEOPLASM, s.planes, identity=UUID(int=s.number)) for s in read.segments]
    assert min(map(voxels_of, segments)) > 100
    raw = rtstruct_of(one, segments)
    (tmp_path / "rt.dcm").write_bytes(raw)
    assert dciodvfy(tmp_path / "rt.dcm") == []
    back = read_rtstruct(pydicom.dcmread(BytesIO(raw)), [source])
    assert [one.planes for one in back.segments] == [one.planes for one in segments]
    filled = through_plastimatch(raw, files, tmp_path / "out")
    for segment in segments:
        assert differing(filled[segment.label], source, segment) == 0


# Structure sets -----------------------------------------------------------------------------------


def rtstruct_of(one: Real, segments: list[Segment]) -> bytes:
    source, header, classes, _ = one
    regions = [
        Region(
            segment.label,
            segment.meaning,
            outlines_of_mask(source, segment.planes),
            segment.description,
            segment.identity,
            segment.color,
        )
        for segment in segments
    ]
    return write_rtstruct(
        source=source, header=header, sop_classes=classes, regions=regions, identity=IDENTITY
    )


def through_plastimatch(raw: bytes, images: list[Path], folder: Path) -> dict[str, sitk.Image]:
    """The regions, filled on the grid of the images, by name."""
    (folder / "images").mkdir(parents=True)
    for path in images:
        shutil.copy(path, folder / "images")
    (folder / "rt.dcm").write_bytes(raw)
    run(
        program("plastimatch"), "convert", "--input", folder / "rt.dcm", "--prefix-format", "nrrd",
        "--referenced-ct", folder / "images", "--output-prefix", folder / "regions",
    )  # fmt: skip
    return {path.stem: sitk.ReadImage(str(path)) for path in (folder / "regions").glob("*.nrrd")}


def differing(image: sitk.Image, source: SourceSeries, segment: Segment) -> int:
    """Voxels that plastimatch has and we don't, or the other way about; slices are found by their place."""
    values = sitk.GetArrayFromImage(image) > 0
    along = np.array([image.TransformIndexToPhysicalPoint((0, 0, at))[2] for at in range(len(values))])
    seen, count = np.zeros(len(values), dtype=bool), 0
    for frame in source.frames:
        at = int(np.abs(along - frame.position[2]).argmin())
        runs = segment.planes.get(frame.key)
        wanted = masks.decode(runs, frame.rows, frame.columns) if runs else np.zeros_like(values[at])
        count += int((values[at] != wanted).sum())
        seen[at] = True
    return count + int(values[~seen].sum())


@pytest.mark.parametrize("name", [*PLACED, TILTED, UNEVEN])
def test_structure_sets_are_valid_and_come_back(name: str, test_data: Path, tmp_path: Path, dciodvfy) -> None:
    one = real(name, test_data, tmp_path)
    segments = hard_on(one[0])
    raw = rtstruct_of(one, segments)
    (tmp_path / "rt.dcm").write_bytes(raw)
    assert dciodvfy(tmp_path / "rt.dcm") == []
    back = read_rtstruct(pydicom.dcmread(BytesIO(raw)), [one[0]])
    assert [region.label for region in back.segments] == ["Ring", "Shifted", "Corners", "Dot"]
    assert [region.planes for region in back.segments] == [segment.planes for segment in segments[:4]]
    assert back.notes == ()


@pytest.mark.parametrize("name", [one for one in PLACED if one != SIDEWAYS])
def test_plastimatch_fills_our_outlines_to_the_same_voxels(
    name: str, test_data: Path, tmp_path: Path
) -> None:
    """Plastimatch knows images across the patient only, so not the sagittal ones. A region that touches its
    image's border or has holes and islands is no exception."""
    one = real(name, test_data, tmp_path)
    segments = hard_on(one[0])
    filled = through_plastimatch(rtstruct_of(one, segments), one[3], tmp_path / "out")
    assert set(filled) >= {"Ring", "Shifted", "Corners", "Dot"}
    for segment in segments[:4]:
        assert int((sitk.GetArrayFromImage(filled[segment.label]) > 0).sum()) == voxels_of(segment) > 0
        assert differing(filled[segment.label], one[0], segment) == 0


# Reports ------------------------------------------------------------------------------------------


FIGURES = {
    "length": [(10, 10), (30, 20)],
    "bidirectional": [(10, 10), (14, 10), (12, 5), (12, 30)],
    "ellipse": [(10, 20), (14, 20), (12, 5), (12, 35)],
    "circle": [(20, 20), (25, 20)],
    "rectangle": [(5, 5), (20, 5), (20, 15), (5, 15)],
    "polygon": [(5, 5), (20, 5), (11, 15)],
    "spline": [(5, 5), (20, 5), (11, 15), (4, 9)],
    "angle": [(5, 5), (20, 5), (11, 15)],
    "cobb": [(5, 5), (20, 5), (11, 15), (20, 25)],
    "arrow": [(5, 5), (20, 5)],
    "point": [(5, 5)],
}


def report_of(one: Real) -> tuple[bytes, list[Group]]:
    """The segments as in a binary segmentation, and a figure of each kind."""
    source, header, classes, _ = one
    groups = []
    for number, segment in enumerate(hard_on(source), start=1):
        named = SegmentReference(
            "1.2.840.10008.5.1.4.1.1.66.4",
            IDENTITY.instance_uid("seg", source),
            IDENTITY.instance_uid("seg series", source),
            number,
        )
        numbers = {"voxels": voxels_of(segment), "volume_ml": voxels_of(segment) * 0.00123456789}
        state = "present" if segment.planes else "absent"
        keys = list(segment.planes)
        groups.append(
            Group(segment.identity, segment.label, segment.meaning, state, numbers, None, named, keys)
        )
    frame = source.frames[len(source.frames) // 2]
    image = reference(classes, frame.key.sop_instance_uid)
    if len(source.frames_of_instance[frame.key.sop_instance_uid]) > 1:
        image.ReferencedFrameNumber = frame.key.frame_number
    in_patient = bool(frame.has_place and source.frame_of_reference_uid)
    for number, (kind, flat) in enumerate(FIGURES.items(), start=100):
        points, normal = np.array(flat, dtype=float), None
        if in_patient:
            along_row, down_column, normal = frame.axes
            steps = (points - 0.5) * (frame.column_mm, frame.row_mm)
            points = np.array(frame.position) + steps[:, :1] * along_row + steps[:, 1:] * down_column
        unit = ("mm", "mm2") if in_patient else ("px", "px2")
        numbers = figure(kind, points, *unit) if kind not in ("arrow", "point") else {}
        if kind in ("angle", "cobb"):
            numbers = {"angle_deg": angle_deg(kind, points)}
        drawn = Figure(kind, points, image, source.frame_of_reference_uid, normal)
        asked = Evaluation(Code("margin", "99ATLAS", "Margin?"), [Code("round", "99ATLAS", "Round"), "soft"])
        groups.append(
            Group(
                UUID(int=number), kind, NEOPLASM, "indeterminate", numbers, drawn, None, [frame.key],
                comments=["A note"], evaluations=[asked],
            )
        )  # fmt: skip
    absent = Evaluation(Code("node", "99ATLAS", "Lymph node"), [STATES["absent"]])
    raw = write_sr(
        source=source,
        header=header,
        sop_classes=classes,
        groups=groups,
        evaluations=[absent],
        observer="reader-1a2b3c4d",
        identity=IDENTITY,
    )
    return raw, groups


@pytest.mark.parametrize("name", SERIES)
def test_reports_are_valid_and_highdicom_finds_their_groups(
    name: str, test_data: Path, tmp_path: Path, dciodvfy
) -> None:
    one = real(name, test_data, tmp_path)
    raw, groups = report_of(one)
    (tmp_path / "sr.dcm").write_bytes(raw)
    assert dciodvfy(tmp_path / "sr.dcm") == []
    content = hd.sr.srread(tmp_path / "sr.dcm").content
    volumetric = content.get_volumetric_roi_measurement_groups()
    planar = content.get_planar_roi_measurement_groups()
    lines = content.get_image_measurement_groups()
    assert (len(volumetric), len(planar), len(lines)) == (5, 7, 4)
    by_label = {each.tracking_identifier: each for each in (*volumetric, *planar, *lines)}
    for group in groups:
        found = by_label[group.label]
        assert found.tracking_uid == f"2.25.{group.identity.int}"
        assert found.finding_type.value == group.meaning.value
        values = sorted(one.value for one in found.get_measurements())
        assert values == pytest.approx(sorted(group.numbers.values()), rel=1e-12)


@pytest.mark.parametrize("name", SERIES)
def test_dcmqi_reads_the_measurements_of_reports(name: str, test_data: Path, tmp_path: Path) -> None:
    one = real(name, test_data, tmp_path)
    raw, groups = report_of(one)
    (tmp_path / "sr.dcm").write_bytes(raw)
    tool = program("tid1500reader")
    run(tool, "--inputDICOM", tmp_path / "sr.dcm", "--outputMetadata", tmp_path / "sr.json")
    said = json.loads((tmp_path / "sr.json").read_text())
    assert said["CompletionFlag"] == "COMPLETE"
    found = {each["TrackingUniqueIdentifier"]: each for each in said["Measurements"]}
    of_segments = [group for group in groups if group.segment]
    for group in of_segments:
        each = found[f"2.25.{group.identity.int}"]
        assert each["TrackingIdentifier"] == group.label
        assert each["ReferencedSegment"] == group.segment.number
        assert each["Finding"]["CodeValue"] == group.meaning.value
        assert each["SourceSeriesForImageSegmentation"] == one[0].series_instance_uid
        values = {item["quantity"]["CodeMeaning"]: float(item["value"]) for item in each["measurementItems"]}
        assert values["Voxels"] == group.numbers["voxels"]
        assert values["Volume"] == pytest.approx(group.numbers["volume_ml"], rel=1e-12)
        units = {item["units"]["CodeValue"] for item in each["measurementItems"]}
        assert units == {"{voxels}", "mL"}
