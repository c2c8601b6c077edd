"""DICOM Segmentations, read back by highdicom: what was not touched passes, any damage is found."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

import numpy as np
import pydicom
import pytest
from pydicom.sequence import Sequence

from annotations.cohort.certificate import journal, segments
from annotations.cohort.certificate.findings import Differs, Findings
from annotations.cohort.formats.plan import Segments as Expected
from annotations.exchange.labelmap_writer import layers, write_label_map
from annotations.exchange.objects import ObjectIdentity
from annotations.exchange.seg_frames import Segment
from annotations.exchange.seg_writer import write_seg
from tests.annotations.cohort.certificate.marks import a_series, marks_on, stored
from tests.annotations.exchange.makers import header, sop_classes

SOURCE = a_series()
MULTI_FRAME = a_series(multi_frame=True)
IDENTITY = ObjectIdentity(
    parts=("release", 1), at=datetime(2026, 11, 22, tzinfo=UTC), description="Release 1"
)


def _segments(marks) -> list[Segment]:
    return [
        Segment(
            label=f"{mark.label['name']} {n}",
            meaning=mark.meaning,
            planes=mark.planes,
            identity=mark.identity,
        )
        for n, mark in enumerate(marks, 1)
    ]


def a_seg(source=SOURCE) -> bytes:
    return write_seg(
        source=source,
        header=header(source),
        sop_classes=sop_classes(source),
        segments=_segments(marks_on(source)),
        identity=IDENTITY,
    )


def check(content: bytes, source=SOURCE, marks=None) -> Findings:
    findings = Findings()
    marks = marks_on(source) if marks is None else marks
    overlapping = journal.overlapping(marks_on(source))
    segments.segments(Expected(stored(source), marks), BytesIO(content), findings, overlapping=overlapping)
    return findings


@pytest.mark.parametrize(
    "source", [SOURCE, MULTI_FRAME, a_series(step_mm=-2.5)], ids=["one", "multi", "back"]
)
def test_a_segmentation_that_was_not_touched_is_as_it_must_be(source) -> None:
    found = check(a_seg(source), source)
    assert (found.voxels_compared, found.voxels_that_differ) == (4 * 6 * 20 * 30, 0)
    assert (found.masks, found.masks_on_the_grid) == (4, 4)
    assert (found.empty, found.empty_kept) == (1, 1)
    assert (found.overlapping, found.overlapping_kept) == (2, 2)
    assert found.largest_place_mm == pytest.approx(0, abs=1e-4)


def test_one_without_any_voxel_is_as_it_must_be() -> None:
    nothing = [marks_on(SOURCE)[3]]
    content = write_seg(
        source=SOURCE,
        header=header(SOURCE),
        sop_classes=sop_classes(SOURCE),
        segments=_segments(nothing),
        identity=IDENTITY,
    )
    found = check(content, marks=nothing)
    assert (found.empty, found.empty_kept, found.voxels_that_differ) == (1, 1, 0)


def changed(content: bytes, change: Callable[[pydicom.Dataset], object]) -> bytes:
    dataset = pydicom.dcmread(BytesIO(content))
    change(dataset)
    stream = BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


def bits(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[bytes], bytes]:
    """Changes the frames, [frames, rows, columns]."""

    def apply(dataset: pydicom.Dataset) -> None:
        packed = np.frombuffer(dataset.PixelData, dtype=np.uint8)
        shape = (int(dataset.NumberOfFrames), dataset.Rows, dataset.Columns)
        frames = np.unpackbits(packed, bitorder="little")[: np.prod(shape)].reshape(shape).copy()
        dataset.PixelData = np.packbits(change(frames).ravel(), bitorder="little").tobytes()
        dataset.PixelData += b"\0" * (len(dataset.PixelData) % 2)

    return lambda content: changed(content, apply)


def header_with(change: Callable[[pydicom.Dataset], object]) -> Callable[[bytes], bytes]:
    return lambda content: changed(content, change)


def one_voxel(frames: np.ndarray, value: int, at: tuple[int, int, int]) -> np.ndarray:
    assert frames[at] != value
    frames[at] = value
    return frames


def groups(dataset: pydicom.Dataset) -> Sequence:
    return dataset.PerFrameFunctionalGroupsSequence


def moved(dataset: pydicom.Dataset, mm: float, only: int | None = None) -> None:
    for index, group in enumerate(groups(dataset)):
        if only in (None, index):
            position = group.PlanePositionSequence[0]
            x, y, z = position.ImagePositionPatient
            position.ImagePositionPatient = [x + mm, y, z]


def places_reversed(dataset: pydicom.Dataset) -> None:
    """The first segment's frames keep their pixels and get each other's places and images."""
    own = [g for g in groups(dataset) if g.SegmentIdentificationSequence[0].ReferencedSegmentNumber == 1]
    for keyword in ("PlanePositionSequence", "DerivationImageSequence", "FrameContentSequence"):
        for group, value in zip(own, [getattr(one, keyword) for one in reversed(own)], strict=True):
            setattr(group, keyword, value)


def measures(dataset: pydicom.Dataset) -> pydicom.Dataset:
    return dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]


def spacing(dataset: pydicom.Dataset, row_mm: float, column_mm: float) -> None:
    measures(dataset).PixelSpacing = [row_mm, column_mm]


def segments_swapped(dataset: pydicom.Dataset) -> None:
    """Only in the frames: what lies in the first is said to lie in the second."""
    for group in groups(dataset):
        identification = group.SegmentIdentificationSequence[0]
        number = identification.ReferencedSegmentNumber
        identification.ReferencedSegmentNumber = {1: 2, 2: 1}.get(number, number)


def descriptions_swapped(dataset: pydicom.Dataset) -> None:
    items = dataset.SegmentSequence
    items[0], items[1] = items[1], items[0]
    items[0].SegmentNumber, items[1].SegmentNumber = 1, 2


def without_frame(dataset: pydicom.Dataset, index: int) -> None:
    packed = np.frombuffer(dataset.PixelData, dtype=np.uint8)
    shape = (int(dataset.NumberOfFrames), dataset.Rows, dataset.Columns)
    frames = np.unpackbits(packed, bitorder="little")[: np.prod(shape)].reshape(shape)
    dataset.PixelData = np.packbits(np.delete(frames, index, axis=0).ravel(), bitorder="little").tobytes()
    dataset.PixelData += b"\0" * (len(dataset.PixelData) % 2)
    dataset.NumberOfFrames = shape[0] - 1
    del groups(dataset)[index]


def flattened(frames: np.ndarray) -> np.ndarray:
    """Voxels of the second segment go out of the first: frames 0 to 2 are the first's on slices 2 to 4."""
    frames[1] &= ~frames[3]
    frames[2] &= ~frames[4]
    return frames


def directions(dataset: pydicom.Dataset, change: Callable[[list], list]) -> None:
    plane = dataset.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    plane.ImageOrientationPatient = change(list(plane.ImageOrientationPatient))


def code(dataset: pydicom.Dataset) -> None:
    dataset.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeValue = "52988006"


DAMAGE = {
    "columns flipped": bits(lambda f: f[:, :, ::-1]),
    "rows flipped": bits(lambda f: f[:, ::-1]),
    "frames reversed": bits(lambda f: f[::-1]),
    "one voxel along a row": bits(lambda f: np.roll(f, 1, axis=2)),
    "one voxel down a column": bits(lambda f: np.roll(f, 1, axis=1)),
    "one voxel more": bits(lambda f: one_voxel(f, 1, (0, 0, 0))),
    "one voxel less": bits(lambda f: one_voxel(f, 0, (0, 3, 5))),
    "overlap flattened": bits(flattened),
    "emptied": bits(lambda f: f * 0),
    "places reversed": header_with(places_reversed),
    "moved by one voxel": header_with(lambda d: moved(d, 0.9)),
    "one frame moved": header_with(lambda d: moved(d, 0.9, only=2)),
    "moved by a tenth of a millimetre": header_with(lambda d: moved(d, 0.1)),
    "rows and columns of the spacing swapped": header_with(lambda d: spacing(d, 0.9, 0.7)),
    "wrong spacing": header_with(lambda d: spacing(d, 0.71, 0.9)),
    "wrong distance between slices": header_with(lambda d: setattr(measures(d), "SpacingBetweenSlices", 5.0)),
    "directions swapped": header_with(lambda d: directions(d, lambda o: o[3:] + o[:3])),
    "direction turned around": header_with(lambda d: directions(d, lambda o: [-v for v in o[:3]] + o[3:])),
    "numbers of segments swapped": header_with(segments_swapped),
    "descriptions swapped": header_with(descriptions_swapped),
    "the empty segment missing": header_with(lambda d: d.SegmentSequence.pop()),
    "another meaning": header_with(code),
    "another frame of reference": header_with(lambda d: setattr(d, "FrameOfReferenceUID", "1.2.3.4")),
    "a frame missing": header_with(lambda d: without_frame(d, 1)),
    "a frame of an image that it doesn't name": header_with(
        lambda d: setattr(
            groups(d)[0].DerivationImageSequence[0].SourceImageSequence[0],
            "ReferencedSOPInstanceUID",
            "1.2.3.9.6",
        )
    ),
    "cut off": lambda content: content[: len(content) // 2],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_every_damage_to_a_segmentation_is_found(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Differs):
        check(damage(a_seg()))


def test_the_sentence_says_which_segment_and_voxel() -> None:
    with pytest.raises(Differs, match=r"segment 1, slice 2, row 4, column 6 holds 0 instead of 1 \(1 voxel"):
        check(DAMAGE["one voxel less"](a_seg()))
    with pytest.raises(Differs, match=r"frame 3 lies at .* mm, where no image of its series lies"):
        check(DAMAGE["one frame moved"](a_seg()))


def test_another_mark_in_its_place_is_found() -> None:
    marks = marks_on(SOURCE)
    object.__setattr__(marks[0], "identity", UUID(int=99))
    with pytest.raises(Differs, match=r"segment 1 .* is another mark"):
        check(a_seg(), marks=marks)


# Label maps -------------------------------------------------------------------------------------


def label_maps(*, is_compressed: bool = False) -> list[tuple[bytes, list]]:
    """The file and the marks of each layer."""
    marks = marks_on(SOURCE)
    by_identity = {mark.identity: mark for mark in marks}
    return [
        (
            write_label_map(
                source=SOURCE,
                header=header(SOURCE),
                sop_classes=sop_classes(SOURCE),
                segments=layer,
                identity=IDENTITY,
                layer=number,
                is_compressed=is_compressed,
            ),
            [by_identity[one.identity] for one in layer],
        )
        for number, layer in enumerate(layers(_segments(marks)), 1)
    ]


@pytest.mark.parametrize("is_compressed", [False, True])
def test_label_maps_keep_what_overlaps_in_layers(is_compressed: bool) -> None:
    written = label_maps(is_compressed=is_compressed)
    assert [len(marks) for _, marks in written] == [3, 1]
    found = [check(content, marks=marks) for content, marks in written]
    assert sum(one.overlapping_kept for one in found) == 2
    assert sum(one.masks_on_the_grid for one in found) == 4
    assert sum(one.voxels_that_differ for one in found) == 0


def labels(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[bytes], bytes]:
    def apply(dataset: pydicom.Dataset) -> None:
        shape = (int(dataset.NumberOfFrames), dataset.Rows, dataset.Columns)
        dataset.PixelData = change(np.frombuffer(dataset.PixelData, np.uint8).reshape(shape).copy()).tobytes()

    return lambda content: changed(content, apply)


LABEL_DAMAGE = {
    "columns flipped": labels(lambda f: f[:, :, ::-1]),
    "frames reversed": labels(lambda f: f[::-1]),
    "numbers swapped": labels(lambda f: np.where((f == 1) | (f == 2), 3 - f, f)),
    "one voxel more": labels(lambda f: one_voxel(f, 3, (0, 0, 0))),
    "one voxel less": labels(lambda f: one_voxel(f, 0, (0, 3, 5))),
    "moved": header_with(lambda d: moved(d, 0.9)),
    "wrong spacing": header_with(lambda d: spacing(d, 0.71, 0.9)),
    "the empty segment missing": header_with(lambda d: d.SegmentSequence.pop()),
}


@pytest.mark.parametrize("damage", LABEL_DAMAGE.values(), ids=LABEL_DAMAGE.keys())
def test_every_damage_to_a_label_map_is_found(damage: Callable[[bytes], bytes]) -> None:
    content, marks = label_maps()[0]
    with pytest.raises(Differs):
        check(damage(content), marks=marks)


def test_a_label_map_of_segments_that_overlap_can_not_hold_them() -> None:
    content, marks = label_maps()[0]
    overlapping = [marks[0], marks_on(SOURCE)[1], marks[2]]
    relabelled = changed(
        content, lambda d: setattr(d.SegmentSequence[2], "TrackingUID", f"2.25.{overlapping[1].identity.int}")
    )
    with pytest.raises(Differs):
        check(relabelled, marks=overlapping)
