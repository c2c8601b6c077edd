"""Label maps: what is written comes back voxel for voxel, whatever overlaps; what others write is read."""

from dataclasses import replace
from datetime import datetime
from io import BytesIO
from uuid import UUID

import highdicom as hd
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from annotations.exchange.codes import Code
from annotations.exchange.labelmap_writer import layers, write_label_map
from annotations.exchange.objects import ObjectIdentity
from annotations.exchange.seg_frames import Segment
from annotations.exchange.seg_reader import read_seg
from annotations.exchange.source import ExchangeError, SourceSeries
from annotations.measures import masks
from tests.annotations.exchange import makers

NEOPLASM = Code("108369006", "SCT", "Neoplasm")
IDENTITY = ObjectIdentity(("project", 1, 314, "reader-1"), datetime(2026, 11, 22, 9, 30), "Release 1")


def segment(source: SourceSeries, number: int, boxes: dict[int, tuple[slice, slice]]) -> Segment:
    """`boxes`: rows and columns by the index of the slice."""
    planes = {}
    for index, (rows, columns) in boxes.items():
        frame = source.frames[index]
        plane = np.zeros((frame.rows, frame.columns), dtype=bool)
        plane[rows, columns] = True
        planes[frame.key] = masks.encode(plane)
    return Segment(f"Segment {number}", NEOPLASM, planes, identity=UUID(int=number), color="#f5a742")


def written(source: SourceSeries, segments: list[Segment], **more) -> pydicom.Dataset:
    raw = write_label_map(
        source=source,
        header=makers.header(source),
        sop_classes=makers.sop_classes(source),
        segments=segments,
        identity=IDENTITY,
        **more,
    )
    return pydicom.dcmread(BytesIO(raw))


def several(source: SourceSeries) -> list[Segment]:
    """The second overlaps the first, the third touches both, the fourth is empty, the last one voxel."""
    return [
        segment(source, 1, {1: np.s_[2:8, 2:8], 2: np.s_[2:8, 2:8]}),
        segment(source, 2, {2: np.s_[7:12, 7:12]}),
        segment(source, 3, {1: np.s_[8:10, 2:8], 2: np.s_[12:14, 2:8]}),
        segment(source, 4, {}),
        segment(source, 5, {4: np.s_[19:20, 29:30]}),
    ]


@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize("kind", ["axial", "oblique", "against the normal", "multi-frame", "tilted"])
def test_segments_come_back_from_their_layers_as_drawn(kind: str, is_compressed: bool) -> None:
    source = {
        "axial": makers.series(),
        "oblique": makers.series(orientation=makers.oblique()),
        "against the normal": makers.series(step_mm=-2.5),
        "multi-frame": makers.series(multi_frame=True),
        "tilted": makers.series(step=(0.0, 0.8, 2.5)),
    }[kind]
    segments = several(source)
    found = {}
    for number, layer in enumerate(layers(segments), start=1):
        dataset = written(source, layer, layer=number, is_compressed=is_compressed)
        syntax = RLELossless if is_compressed else ExplicitVRLittleEndian
        assert dataset.file_meta.TransferSyntaxUID == syntax
        back = read_seg(dataset, [source])
        assert [one.number for one in back.segments] == list(range(1, len(layer) + 1))
        found |= {one.label: one.planes for one in back.segments}
    assert found == {one.label: one.planes for one in segments}


def test_only_what_overlaps_goes_to_another_layer() -> None:
    source = makers.series()
    names = [[one.label[-1] for one in layer] for layer in layers(several(source))]
    assert names == [["1", "3", "4", "5"], ["2"]]


def test_layers_are_instances_of_one_series_and_the_same_each_time() -> None:
    source = makers.series()
    one, two = (written(source, layer, layer=n) for n, layer in enumerate(layers(several(source)), start=1))
    assert one.SeriesInstanceUID == two.SeriesInstanceUID
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert (one.InstanceNumber, two.InstanceNumber) == (1, 2)
    again = written(source, layers(several(source))[0], layer=1)
    assert again == one


def test_overlapping_segments_are_refused_in_one_layer() -> None:
    source = makers.series()
    with pytest.raises(ExchangeError, match="share a voxel"):
        written(source, several(source)[:2])


def test_more_than_255_segments_take_two_bytes_a_voxel() -> None:
    source = makers.series()
    cells = [(row, column) for row in range(20) for column in range(30)][:300]
    segments = [
        segment(source, number, {3: np.s_[row : row + 1, column : column + 1]})
        for number, (row, column) in enumerate(cells, start=1)
    ]
    (layer,) = layers(segments)
    for is_compressed in (False, True):
        dataset = written(source, layer, is_compressed=is_compressed)
        assert dataset.BitsAllocated == 16
        assert [s.planes for s in read_seg(dataset, [source]).segments] == [s.planes for s in segments]


def test_highdicom_reads_the_same_numbers() -> None:
    source = makers.series()
    first = layers(several(source))[0]
    dataset = written(source, first, is_compressed=True)
    seg = hd.seg.Segmentation.from_dataset(dataset)
    assert seg.segmentation_type == hd.seg.SegmentationTypeValues.LABELMAP
    assert list(seg.segment_numbers) == [1, 2, 3, 4]
    uids = [source.frames[index].key.sop_instance_uid for index in (1, 2, 4)]
    pixels = seg.get_pixels_by_source_instance(source_sop_instance_uids=uids, combine_segments=True)
    for index, uid in enumerate(uids):
        expected = np.zeros((20, 30), dtype=int)
        for number, one in enumerate(first, start=1):
            for key, runs in one.planes.items():
                if key.sop_instance_uid == uid:
                    expected[masks.decode(runs, 20, 30)] = number
        np.testing.assert_array_equal(pixels[index], expected)


def test_a_map_of_empty_segments_alone_is_read_as_such() -> None:
    source = makers.series()
    back = read_seg(written(source, [segment(source, 1, {})]), [source])
    assert [(one.label, one.planes) for one in back.segments] == [("Segment 1", {})]


def test_images_without_a_place_have_label_maps_too() -> None:
    placeless = makers.series()
    nothing = {"position": None, "orientation": None, "row_mm": None, "column_mm": None}
    frames = tuple(replace(frame, **nothing) for frame in placeless.frames)
    source = replace(placeless, frames=frames, frame_of_reference_uid="")
    first = layers(several(source))[0]
    back = read_seg(written(source, first), [source])
    assert [one.planes for one in back.segments] == [one.planes for one in first]


def test_a_value_that_is_not_described_is_refused() -> None:
    source = makers.series()
    dataset = written(source, layers(several(source))[0])
    dataset.SegmentSequence = dataset.SegmentSequence[:-1]
    with pytest.raises(ExchangeError, match="names segment 4, which it doesn't describe"):
        read_seg(dataset, [source])


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 60))
def test_planes_share_a_voxel_as_their_pixels_do(seed: int, rows: int, columns: int) -> None:
    chance = np.random.default_rng(seed)
    one, other = (chance.random((rows, columns)) < chance.choice([0.0, 0.02, 0.4, 1.0]) for _ in range(2))
    assert masks.share_a_voxel(masks.encode(one), masks.encode(other)) == bool((one & other).any())
