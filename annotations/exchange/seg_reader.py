"""Reads DICOM Segmentation objects and puts their voxels on the images they were drawn on.

A frame finds its image by the SOP instance it names or, if it names none, by its plane in the same frame of
reference. It is never found by its index. Where both say something they must agree; a plane stored mirrored,
turned or cut out is turned back, and what doesn't lie on the images' own pixels is refused with the reason.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels import iter_pixels
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    SegmentationStorage,
)

from annotations.exchange.codes import Code
from annotations.exchange.source import SAME_DIRECTION, ExchangeError, FrameKey, SourceFrame, SourceSeries
from annotations.measures import masks

LABEL_MAP_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.7"
SEGMENTATION_CLASSES = (str(SegmentationStorage), LABEL_MAP_SEGMENTATION)
_LITTLE_ENDIAN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
_OFF_PIXEL = 0.1  # how far a SEG's pixel centre may be from the image's, in pixels
_OFF_PLANE = 0.1  # and from its plane, in distances between slices (or mm, if there is only one)
FRACTION = 0.5  # a voxel counts as inside from this fraction on


@dataclass(frozen=True)
class ReadSegment:
    """One segment, on the frames of one image series; `planes` is empty where there is nothing."""

    number: int
    label: str
    category: Code | None
    meaning: Code | None
    planes: dict[FrameKey, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadSegmentation:
    """All segments of a SEG. `notes` say, in sentences, what reading changed."""

    source: SourceSeries
    segments: tuple[ReadSegment, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Frame:
    index: int
    segment_number: int | None  # None in a label map
    references: tuple[tuple[str, tuple[int, ...]], ...]
    position: NDArray[np.float64] | None
    orientation: NDArray[np.float64] | None
    row_mm: float
    column_mm: float


def read_seg(dataset: Dataset, candidates: Sequence[SourceSeries]) -> ReadSegmentation:
    """The segments of a SEG on one of the candidate image series.

    Raises ExchangeError where it isn't clear on which images the segments lie, or where it can't be.
    """
    if dataset.get("SOPClassUID") not in SEGMENTATION_CLASSES:
        raise ExchangeError("This is not a DICOM Segmentation.")
    frames = list(_frames(dataset))
    source = _choose(dataset, frames, candidates)
    targets = [_target(frame, source) for frame in frames]
    segments = _described(dataset)
    notes = []
    if dataset.get("SegmentationType") == "FRACTIONAL":
        kind = str(dataset.get("SegmentationFractionalType", "")).lower() or "fraction"
        notes.append(f"Fractional ({kind}): voxels of at least {FRACTION:.0%} were taken as inside.")
    for frame, target, stored in zip(frames, targets, _pixels(dataset), strict=True):
        for number, plane in _planes_of(dataset, frame, stored):
            if not plane.any():
                continue
            if number not in segments:
                raise ExchangeError(f"A frame names segment {number}, which it doesn't describe.")
            _add(segments[number], target, _on_image(frame, target, plane, source))
    return ReadSegmentation(source, tuple(segments[number] for number in sorted(segments)), tuple(notes))


def _add(segment: ReadSegment, target: SourceFrame, plane: NDArray[np.bool_]) -> None:
    before = segment.planes.get(target.key)
    if before is not None:
        plane = plane | masks.decode(before, target.rows, target.columns)
    segment.planes[target.key] = masks.encode(plane)


def _described(dataset: Dataset) -> dict[int, ReadSegment]:
    found = {}
    for item in dataset.get("SegmentSequence", []):
        number = int(item.SegmentNumber)
        category = item.get("SegmentedPropertyCategoryCodeSequence") or [None]
        meaning = item.get("SegmentedPropertyTypeCodeSequence") or [None]
        found[number] = ReadSegment(
            number=number,
            label=str(item.get("SegmentLabel") or f"Segment {number}"),
            category=Code.from_dicom(category[0]) if category[0] is not None else None,
            meaning=Code.from_dicom(meaning[0]) if meaning[0] is not None else None,
        )
    return found


def _frames(dataset: Dataset) -> Iterator[_Frame]:
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    own = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if len(own) != int(dataset.get("NumberOfFrames") or 1):
        raise ExchangeError(f"It has {dataset.get('NumberOfFrames')} frames but describes {len(own)}.")

    def group(item: Dataset, keyword: str) -> Dataset:
        return (item.get(keyword) or shared.get(keyword) or [Dataset()])[0]

    for index, item in enumerate(own):
        number = group(item, "SegmentIdentificationSequence").get("ReferencedSegmentNumber")
        position = group(item, "PlanePositionSequence").get("ImagePositionPatient")
        orientation = group(item, "PlaneOrientationSequence").get("ImageOrientationPatient")
        spacing = group(item, "PixelMeasuresSequence").get("PixelSpacing") or (0, 0)
        yield _Frame(
            index=index,
            segment_number=int(number) if number is not None else None,
            references=tuple(_references(item.get("DerivationImageSequence") or ())),
            position=np.array(position, dtype=np.float64) if position else None,
            orientation=np.array(orientation, dtype=np.float64).reshape(2, 3) if orientation else None,
            row_mm=float(spacing[0]),
            column_mm=float(spacing[1]),
        )


def _references(derivations: Sequence[Dataset]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for derivation in derivations:
        for image in derivation.get("SourceImageSequence") or ():
            numbers = image.get("ReferencedFrameNumber")
            if numbers is None:
                frame_numbers: tuple[int, ...] = ()
            else:
                frame_numbers = (
                    tuple(int(n) for n in numbers) if not isinstance(numbers, int | str) else (int(numbers),)
                )
            yield str(image.ReferencedSOPInstanceUID), frame_numbers


def _choose(dataset: Dataset, frames: Sequence[_Frame], candidates: Sequence[SourceSeries]) -> SourceSeries:
    """The image series that it lies on."""
    named = {uid for frame in frames for uid, _ in frame.references}
    by_instance = [source for source in candidates if named & set(source.frames_of_instance)]
    if len(by_instance) > 1:
        raise ExchangeError("It was drawn on images of several series at once, which can't be shown on one.")
    if by_instance:
        return by_instance[0]
    series_named = {str(item.SeriesInstanceUID) for item in dataset.get("ReferencedSeriesSequence") or ()}
    if series_named:
        candidates = [s for s in candidates if s.series_instance_uid in series_named] or candidates
    reference = str(dataset.get("FrameOfReferenceUID") or "")
    if not reference or any(frame.position is None for frame in frames):
        raise ExchangeError(
            "The images it names are not here, and it has no place in the patient to find others by."
            if named
            else "It names no images and has no place in the patient, so it can't be put on any."
        )
    near = [source for source in candidates if source.frame_of_reference_uid == reference]
    if not near:
        raise ExchangeError("The images it was drawn on are not here: none has its frame of reference.")
    fitting = [source for source in near if all(_planes_at(frame, source) for frame in frames)]
    if len(fitting) > 1:
        names = ", ".join(f"“{source.description or source.series_instance_uid}”" for source in fitting)
        raise ExchangeError(f"It names no images and fits several series at the same place: {names}.")
    if not fitting:
        raise ExchangeError("No image lies where its frames lie, though the frame of reference is the same.")
    return fitting[0]


def _target(frame: _Frame, source: SourceSeries) -> SourceFrame:
    """The image frame that a SEG frame belongs to."""
    where = f"Its frame {frame.index + 1}"
    named = [(uid, numbers) for uid, numbers in frame.references if uid in source.frames_of_instance]
    options = [
        image
        for uid, numbers in named
        for image in source.frames_of_instance[uid]
        if not numbers or image.key.frame_number in numbers
    ]
    if len(options) == 1:
        return options[0]
    by_place = _planes_at(frame, source)
    if options:  # a multi-frame image, or several images a frame: the place decides
        by_place = [image for image in by_place if image in options]
    if len(by_place) == 1:
        return by_place[0]
    if by_place:
        raise ExchangeError(f"{where} fits {len(by_place)} images at the same place and doesn't say which.")
    raise ExchangeError(f"{where} names no image that is here, and no image lies at its place.")


def _planes_at(frame: _Frame, source: SourceSeries) -> list[SourceFrame]:
    """The image frames in whose plane, and on whose pixels, a SEG frame lies."""
    if frame.position is None or frame.orientation is None:
        return []
    placed = [image for image in source.frames if image.position is not None]
    if not placed:
        return []
    normal = np.cross(*frame.orientation)
    off_plane = np.abs((np.array([image.position for image in placed]) - frame.position) @ normal)
    near = np.flatnonzero(off_plane <= 2 * _OFF_PLANE * source.slice_distance_mm)
    return [placed[index] for index in near if _lattice(frame, placed[index], source) is not None]


def _lattice(frame: _Frame, image: SourceFrame, source: SourceSeries) -> NDArray[np.float64] | None:
    """How a SEG frame's pixels lie on an image's: float[2, 3], from (row, column, 1) to (row, column).

    None where they don't share plane or pixels. The left two columns are then a signed permutation: mirrored
    or turned by right angles at most.
    """
    if not image.has_place or frame.position is None or frame.orientation is None:
        return None
    along_row, down_column, normal = image.axes
    off_plane = abs(float((frame.position - np.array(image.position)) @ normal))
    if off_plane > _OFF_PLANE * source.slice_distance_mm:
        return None
    to_pixels = np.stack((down_column / (image.row_mm or 1.0), along_row / (image.column_mm or 1.0)))
    steps = np.stack((frame.orientation[1] * frame.row_mm, frame.orientation[0] * frame.column_mm), axis=1)
    turn = to_pixels @ steps
    exact = np.rint(turn)
    allowed = _OFF_PIXEL / max(image.rows, image.columns)  # at the far corner, not only at the first
    if np.abs(turn - exact).max() > allowed or not np.allclose(exact @ exact.T, np.eye(2)):
        return None
    if abs(np.cross(*frame.orientation) @ normal) < 1 - SAME_DIRECTION:
        return None
    offset = to_pixels @ (frame.position - np.array(image.position))
    if np.abs(offset - np.rint(offset)).max() > _OFF_PIXEL:
        return None
    return np.column_stack((exact, np.rint(offset)))


def _on_image(
    frame: _Frame, image: SourceFrame, plane: NDArray[np.bool_], source: SourceSeries
) -> NDArray[np.bool_]:
    """The plane on the image's own pixels."""
    if frame.position is None or frame.orientation is None or not image.has_place:
        if plane.shape != (image.rows, image.columns):
            raise ExchangeError(
                f"Its frames have {plane.shape[0]} × {plane.shape[1]} pixels, its images "
                f"{image.rows} × {image.columns}, and nothing says how they lie on each other."
            )
        return plane
    lattice = _lattice(frame, image, source)
    if lattice is None:
        raise ExchangeError(
            f"Its frame {frame.index + 1} names image {image.key.sop_instance_uid} but doesn't lie on its "
            "pixels: another spacing, angle or place."
        )
    if plane.shape == (image.rows, image.columns) and np.array_equal(lattice, np.eye(2, 3)):
        return plane
    rows, columns = np.nonzero(plane)
    mapped = lattice @ np.stack((rows, columns, np.ones_like(rows)))
    target_rows, target_columns = np.rint(mapped).astype(np.int64)
    outside = (target_rows < 0) | (target_rows >= image.rows)
    outside |= (target_columns < 0) | (target_columns >= image.columns)
    if outside.any():
        raise ExchangeError(
            f"{int(outside.sum())} voxels of its frame {frame.index + 1} lie outside their image."
        )
    placed = np.zeros((image.rows, image.columns), dtype=np.bool_)
    placed[target_rows, target_columns] = True
    return placed


def _planes_of(
    dataset: Dataset, frame: _Frame, stored: NDArray[np.uint8]
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    kind = dataset.get("SegmentationType")
    if kind == "LABELMAP":
        background = int(dataset.get("PixelPaddingValue", 0) or 0)
        for value in np.unique(stored):
            if int(value) != background:
                yield int(value), stored == value
        return
    if frame.segment_number is None:
        raise ExchangeError(f"Its frame {frame.index + 1} doesn't say which segment it belongs to.")
    if kind == "FRACTIONAL":
        yield frame.segment_number, stored >= FRACTION * float(dataset.get("MaximumFractionalValue") or 255)
    else:
        yield frame.segment_number, stored != 0


def _pixels(dataset: Dataset) -> Iterator[NDArray[np.uint8]]:
    """Frame by frame, so that a large segmentation never lies in memory as a whole."""
    if "PixelData" not in dataset:
        raise ExchangeError("It has no pixel data.")
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        if dataset.BitsAllocated == 1 and syntax in _LITTLE_ENDIAN:
            yield from _bits(dataset)
        elif dataset.BitsAllocated == 1 and syntax in _BIT_CODECS:
            yield from _encapsulated_bits(dataset, _BIT_CODECS[syntax])
        else:
            yield from iter_pixels(dataset, raw=True)
    except (NotImplementedError, RuntimeError, ValueError, AttributeError, zlib.error) as error:
        raise ExchangeError(f"Its pixels can't be decoded ({syntax.name}): {error}") from error


def _encapsulated_bits(
    dataset: Dataset, decode: Callable[[bytes, int], bytes]
) -> Iterator[NDArray[np.uint8]]:
    """1-bit frames, each compressed by itself and padded to whole bytes (PS3.5 A.4.13)."""
    pixels = dataset.Rows * dataset.Columns
    for frame in generate_frames(dataset.PixelData, number_of_frames=int(dataset.NumberOfFrames)):
        packed = np.frombuffer(decode(frame, -(-pixels // 8)), dtype=np.uint8)
        yield np.unpackbits(packed, bitorder="little")[:pixels].reshape(dataset.Rows, dataset.Columns)


def _inflate(frame: bytes, length: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, length)


def _from_rle(frame: bytes, length: int) -> bytes:
    """One segment after a header of 64 bytes (PS3.5 G.5)."""
    if int.from_bytes(frame[:4], "little") != 1:
        raise ValueError("a frame of bits has one run-length segment")
    return bytes(imagecodecs.packbits_decode(frame[64:], out=length))


def _bits(dataset: Dataset) -> Iterator[NDArray[np.uint8]]:
    """Native 1-bit frames, which follow each other without padding to whole bytes (PS3.5 8.2)."""
    octets = np.frombuffer(dataset.PixelData, dtype=np.uint8)
    pixels = dataset.Rows * dataset.Columns
    for index in range(int(dataset.NumberOfFrames)):
        first, last = index * pixels, (index + 1) * pixels
        bits = np.unpackbits(octets[first // 8 : -(-last // 8)], bitorder="little")[first % 8 :][:pixels]
        if bits.size < pixels:
            raise ExchangeError(f"Its pixel data end within frame {index + 1}.")
        yield bits.reshape(dataset.Rows, dataset.Columns)


_BIT_CODECS: dict[str, Callable[[bytes, int], bytes]] = {
    "1.2.840.10008.1.2.8.1": _inflate,  # deflated image frames
    str(RLELossless): _from_rle,
}
