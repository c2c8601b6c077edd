"""Writes label maps: DICOM Label Map Segmentation objects (PS3.3 A.51, SOP Class of 2024), a number a voxel.

A voxel has one number, so segments that overlap go to several objects, the layers. Nothing is lost: each
segment lies whole in one layer, also one without a voxel.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless

from annotations.exchange.codes import Code
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
from annotations.exchange.source import ExchangeError, FrameKey, SourceFrame, SourceSeries
from annotations.measures import masks

LABEL_MAP_SEGMENTATION = UID("1.2.840.10008.5.1.4.1.1.66.7")
BACKGROUND = Code("125040", "DCM", "Background")  # CID 7150
SEGMENTS_MAX = 65535
_ONE_BYTE_MAX = 255


def role_of(layer: int) -> str:
    """What parts the object of a layer (from 1) from the others of its series."""
    return "label map" if layer == 1 else f"label map {layer}"


def layers(segments: Sequence[Segment]) -> list[list[Segment]]:
    """As few layers as first fit finds, in each of which no two segments share a voxel. Segments keep their
    order within a layer."""
    found: list[list[Segment]] = []
    taken: list[dict[FrameKey, list[bytes]]] = []
    for segment in segments:
        planes = {key: runs for key, runs in segment.planes.items() if not masks.is_empty(runs)}
        for layer, occupied in zip(found, taken, strict=True):
            if len(layer) < SEGMENTS_MAX and not _overlaps(planes, occupied):
                break
        else:
            layer, occupied = [], {}
            found.append(layer)
            taken.append(occupied)
        layer.append(segment)
        for key, runs in planes.items():
            occupied.setdefault(key, []).append(runs)
    return found


def _overlaps(planes: Mapping[FrameKey, bytes], occupied: Mapping[FrameKey, list[bytes]]) -> bool:
    return any(
        masks.share_a_voxel(runs, other) for key, runs in planes.items() for other in occupied.get(key, ())
    )


def write_label_map(
    *,
    source: SourceSeries,
    header: Dataset,
    sop_classes: Mapping[str, str],
    segments: Sequence[Segment],
    identity: ObjectIdentity,
    layer: int = 1,
    is_compressed: bool = False,
) -> bytes:
    """One layer, as a file: its segments are numbered from 1, the background is 0.

    `header` and `sop_classes` as for `write_seg`; `is_compressed`: as RLE Lossless. Raises ExchangeError
    where a plane doesn't lie on the series, or two segments share a voxel.
    """
    if not 1 <= len(segments) <= SEGMENTS_MAX:
        raise ExchangeError(f"A label map has 1 to {SEGMENTS_MAX:,} segments, not {len(segments):,}.")
    planes = [planes_on(source, segment) for segment in segments]
    used = {key for one in planes for key in one}
    frames = [frame for frame in source.frames if frame.key in used] or [source.frames[0]]
    require_one_size(frames)
    dataset = start_segmentation(
        role_of(layer),
        "LABELMAP",
        sop_class_uid=LABEL_MAP_SEGMENTATION,
        source=source,
        header=header,
        identity=identity,
        transfer_syntax_uid=RLELossless if is_compressed else ExplicitVRLittleEndian,
        series_role="label map",
        instance_number=layer,
    )
    dataset.SegmentsOverlap = "NO"
    depth = np.dtype(np.uint8 if len(segments) <= _ONE_BYTE_MAX else "<u2")
    dataset.BitsAllocated = dataset.BitsStored = 8 * depth.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelPaddingValue = 0
    described = [_background(segments), *(segment_item(n, one) for n, one in enumerate(segments, start=1))]
    dataset.SegmentSequence = DicomSequence(described)
    dataset.ReferencedSeriesSequence = DicomSequence([referenced_series(source, sop_classes)])
    add_frames(dataset, source, header, sop_classes, [SegFrame(frame) for frame in frames], identity)
    pixels = (_numbers(frame, planes, depth) for frame in frames)
    if is_compressed:
        dataset.PixelData = encapsulate([_run_length_encoded(one) for one in pixels], has_bot=True)
        dataset["PixelData"].VR = "OB"
    else:
        stream = BytesIO()
        for one in pixels:
            stream.write(one.tobytes())
        stream.write(b"\0" * (stream.tell() % 2))
        dataset.PixelData = stream.getvalue()
        dataset["PixelData"].VR = "OB" if depth.itemsize == 1 else "OW"
    return bytes_of(dataset)


def _background(segments: Sequence[Segment]) -> Dataset:
    """Described as the others, as each value in the pixels must be (PS3.3 C.8.20.2)."""
    color = "#000000" if any(segment.color for segment in segments) else None
    item = segment_item(1, Segment("Background", BACKGROUND, {}, color=color))
    item.SegmentNumber = 0
    item.SegmentedPropertyCategoryCodeSequence = DicomSequence([BACKGROUND.as_dicom()])
    return item


def _numbers(
    frame: SourceFrame, planes: Sequence[Mapping[FrameKey, bytes]], depth: np.dtype
) -> NDArray[np.unsignedinteger]:
    """The segment of each voxel of a frame, [rows, columns]; 0 is none."""
    found = np.zeros((frame.rows, frame.columns), dtype=depth)
    for number, own in enumerate(planes, start=1):
        if frame.key not in own:
            continue
        plane = masks.decode(own[frame.key], frame.rows, frame.columns)
        if found[plane].any():
            raise ExchangeError("Segments that share a voxel can't lie in one label map.")
        found[plane] = number
    return found


def _run_length_encoded(pixels: NDArray[np.unsignedinteger]) -> bytes:
    return RLELosslessEncoder.encode(
        pixels,
        encoding_plugin="pylibjpeg",  # named, as each has its own way to part the same pixels into runs
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        samples_per_pixel=1,
        number_of_frames=1,
        bits_allocated=8 * pixels.itemsize,
        bits_stored=8 * pixels.itemsize,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
    )
