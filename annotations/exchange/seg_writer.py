"""Writes DICOM Segmentation objects (PS3.3 A.51): one for an image series, on the images' own grid.

The frames are put together here from sparse bit planes; highdicom, whose writer wants one dense array
[frames, rows, columns, segments] and draws some identifiers by chance, describes the segments. Overlapping
segments stay apart, a segment without a voxel stays a segment, and the same input gives the same bytes.

Bits are stored as they are: eight voxels a byte is small already, and what unpacks single bits from a
compressed frame is rare.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import SegmentationStorage

from annotations.exchange.objects import ObjectIdentity, bytes_of
from annotations.exchange.seg_frames import (
    SegFrame,
    Segment,
    add_frames,
    planes_on,
    referenced_series,
    require_one_size,
    segment_item,
    start_segmentation,
)
from annotations.exchange.source import ExchangeError, SourceSeries
from annotations.measures import masks

ROLE = "seg"


def write_seg(
    *,
    source: SourceSeries,
    header: Dataset,
    sop_classes: Mapping[str, str],
    segments: Sequence[Segment],
    identity: ObjectIdentity,
) -> bytes:
    """The file, as bytes.

    `header` is the header of any image of the series, `sop_classes` its instances' SOP Class UIDs by SOP
    Instance UID. Raises ExchangeError where a plane doesn't lie on the series.
    """
    if not segments:
        raise ExchangeError("A segmentation needs at least one segment.")
    drawn = _drawn_frames(source, segments)
    dataset = start_segmentation(
        ROLE,
        "BINARY",
        sop_class_uid=SegmentationStorage,
        source=source,
        header=header,
        identity=identity,
    )
    dataset.SegmentsOverlap = "UNDEFINED"
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    dataset.SegmentSequence = DicomSequence(
        [segment_item(number, segment) for number, segment in enumerate(segments, start=1)]
    )
    dataset.ReferencedSeriesSequence = DicomSequence([referenced_series(source, sop_classes)])
    add_frames(dataset, source, header, sop_classes, drawn, identity)
    _add_pixels(dataset, drawn)
    return bytes_of(dataset)


@dataclass(frozen=True)
class _Drawn(SegFrame):
    runs: bytes = b""


def _drawn_frames(source: SourceSeries, segments: Sequence[Segment]) -> list[_Drawn]:
    """By segment, then in the order of the series. At least one: a SEG can't be without frames."""
    drawn: list[_Drawn] = []
    for number, segment in enumerate(segments, start=1):
        planes = planes_on(source, segment)
        drawn += [_Drawn(frame, number, planes[frame.key]) for frame in source.frames if frame.key in planes]
    if not drawn:
        first = source.frames[0]
        drawn = [_Drawn(first, 1, masks.encode(np.zeros((first.rows, first.columns), dtype=np.bool_)))]
    require_one_size([each.frame for each in drawn])
    return drawn


def _add_pixels(dataset: Dataset, drawn: Sequence[_Drawn]) -> None:
    packed = b"".join(_packed(drawn))
    dataset.PixelData = packed + b"\0" * (len(packed) % 2)
    dataset["PixelData"].VR = "OB"


def _packed(drawn: Sequence[_Drawn]) -> Iterator[bytes]:
    """Bits of all frames after each other, the first in the lowest; frames aren't padded (PS3.5 8.2)."""
    left_over = np.zeros(0, dtype=np.bool_)
    for each in drawn:
        plane = masks.decode(each.runs, each.frame.rows, each.frame.columns).ravel()
        bits = np.concatenate((left_over, plane)) if left_over.size else plane
        whole = bits.size // 8 * 8
        yield np.packbits(bits[:whole], bitorder="little").tobytes()
        left_over = bits[whole:]
    if left_over.size:
        yield np.packbits(left_over, bitorder="little").tobytes()
