"""Reads DICOM Segmentation objects and puts their voxels on the images they were drawn on.

A frame finds its image by the SOP instance it names or, if it names none, by its plane in the same frame of
reference. It is never found by its index. Where both say something they must agree; a plane stored mirrored,
turned or cut out is turned back, and what doesn't lie on the images' own pixels is refused with the reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import SegmentationStorage

from annotations.exchange.codes import Code
from annotations.exchange.derived import ReadSegment, items
from annotations.exchange.placing import Named, Placed, choose
from annotations.exchange.seg_pixels import stored_frames
from annotations.exchange.source import SAME_DIRECTION, ExchangeError, SourceFrame, SourceSeries
from annotations.measures import masks

LABEL_MAP_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.7"
SEGMENTATION_CLASSES = (str(SegmentationStorage), LABEL_MAP_SEGMENTATION)
BACKGROUND = ("DCM", "125040")  # the type of a label map's background, where it is described (CID 7150)
_OFF_PIXEL = 0.1  # how far a SEG's pixel centre may be from the image's, in pixels
_HALF_PIXEL = 0.02  # a place half a pixel off (a corner told as a centre) may differ from the half by this
_OFF_PLANE = 0.1  # and from its plane, in distances between slices (or mm, if there is only one)
FRACTION = 0.5  # a voxel counts as inside from this fraction on


@dataclass(frozen=True)
class ReadSegmentation:
    """All segments of a SEG. `notes` say, in sentences, what reading changed."""

    source: SourceSeries
    segments: tuple[ReadSegment, ...]
    notes: tuple[str, ...]
    by_place: bool = False


@dataclass(frozen=True)
class _Frame:
    index: int
    segment_number: int | None  # None in a label map
    references: tuple[tuple[str, tuple[int, ...]], ...]
    position: NDArray[np.float64] | None
    orientation: NDArray[np.float64] | None
    row_mm: float
    column_mm: float
    shape: tuple[int, int]


def read_seg(dataset: Dataset, candidates: Sequence[SourceSeries]) -> ReadSegmentation:
    """The segments of a SEG on one of the candidate image series.

    Raises ExchangeError where it isn't clear on which images the segments lie, or where it can't be.
    """
    if dataset.get("SOPClassUID") not in SEGMENTATION_CLASSES:
        raise ExchangeError("This is not a DICOM Segmentation.")
    frames = list(_frames(dataset))
    placed = _choose(dataset, frames, candidates)
    source = placed.source
    targets = [_targets(frame, source) for frame in frames]
    segments = _described(dataset)
    notes: dict[str, None] = {}
    if dataset.get("SegmentationType") == "FRACTIONAL":
        kind = str(dataset.get("SegmentationFractionalType", "")).lower() or "fraction"
        notes[f"Fractional ({kind}): voxels of at least {FRACTION:.0%} were taken as inside."] = None
    if any(_shifted(frame, images[0]) for frame, images in zip(frames, targets, strict=True)):
        notes["Its frames lie half a pixel off its images; they were taken as drawn on their pixels."] = None
    if any(len(images) > 1 for images in targets):
        notes["It doesn't say which of the images at one place it was drawn on; it is on all."] = None
    for frame, images, stored in zip(frames, targets, stored_frames(dataset), strict=True):
        for number, plane in _planes_of(dataset, frame, stored):
            if not plane.any():
                continue
            if number not in segments:
                raise ExchangeError(f"A frame names segment {number}, which it doesn't describe.")
            for image in images:
                _add(segments[number], image, _on_image(frame, image, plane, source))
    if placed.note:
        notes[placed.note] = None
    kept = [segment for number, segment in sorted(segments.items()) if not _is_background(segment)]
    return ReadSegmentation(source, tuple(kept), tuple(notes), placed.by_place)


def named_by(dataset: Dataset) -> Named:
    """The images, series and frame of reference that a SEG names."""
    instances = {
        uid
        for item in items(dataset, "PerFrameFunctionalGroupsSequence")
        for uid, _ in _references(items(item, "DerivationImageSequence"))
    }
    series = {str(item.get("SeriesInstanceUID") or "") for item in items(dataset, "ReferencedSeriesSequence")}
    reference = str(dataset.get("FrameOfReferenceUID") or "")
    return Named(frozenset(instances), frozenset(series - {""}), frozenset({reference} - {""}))


def _is_background(segment: ReadSegment) -> bool:
    meaning = segment.meaning
    return meaning is not None and (meaning.scheme, meaning.value) == BACKGROUND


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
        said = dataset.get("NumberOfFrames") or "an unknown number of"
        raise ExchangeError(f"It has {said} frames but describes {len(own)}.")

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
            shape=(int(dataset.Rows), int(dataset.Columns)),
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


def _choose(dataset: Dataset, frames: Sequence[_Frame], candidates: Sequence[SourceSeries]) -> Placed:
    """The image series that it lies on."""
    has_place = all(frame.position is not None and frame.orientation is not None for frame in frames)

    def fits(source: SourceSeries) -> bool:
        return all(_planes_at(frame, source) for frame in frames)

    return choose(named_by(dataset), candidates, fits if has_place else None)


def _targets(frame: _Frame, source: SourceSeries) -> list[SourceFrame]:
    """The image frames that a SEG frame belongs to: more than one only where it names none and several lie at
    its place, such as the phases of a contrast series."""
    where = f"Its frame {frame.index + 1}"
    options = [
        image
        for uid, numbers in frame.references
        for image in source.frames_of_instance.get(uid, ())
        if not numbers or image.key.frame_number in numbers
    ]
    if len(options) == 1:
        return options
    by_place = _planes_at(frame, source)
    if options:  # a multi-frame image, or several images a frame: the place decides
        by_place = [image for image in by_place if image in options]
        if len(by_place) > 1:
            raise ExchangeError(f"{where} fits {len(by_place)} images at one place and doesn't say which.")
    if not by_place:
        raise ExchangeError(f"{where} names no image that is here, and no image lies at its place.")
    return by_place


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
    if _is_half_off(frame, image, exact, offset):
        return np.eye(2, 3)
    if np.abs(offset - np.rint(offset)).max() > _OFF_PIXEL:
        return None
    return np.column_stack((exact, np.rint(offset)))


def _is_half_off(
    frame: _Frame, image: SourceFrame, turn: NDArray[np.float64], offset: NDArray[np.float64]
) -> bool:
    """Whether a frame that covers all of an image lies half a pixel off it: some tools take the corner of the
    first pixel for its centre. Where the sizes are the same, no other pixels can be meant."""
    is_half = np.abs(np.abs(offset) - 0.5) <= _HALF_PIXEL
    is_none = np.abs(offset) <= _OFF_PIXEL
    return (
        frame.shape == (image.rows, image.columns)
        and np.array_equal(turn, np.eye(2))
        and bool((is_half | is_none).all() and is_half.any())
    )


def _shifted(frame: _Frame, image: SourceFrame) -> bool:
    if not image.has_place or frame.position is None or frame.shape != (image.rows, image.columns):
        return False
    along_row, down_column, _ = image.axes
    off = frame.position - np.array(image.position)
    pixels = (off @ down_column / (image.row_mm or 1.0), off @ along_row / (image.column_mm or 1.0))
    return any(abs(abs(one) - 0.5) <= _HALF_PIXEL for one in pixels)


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
