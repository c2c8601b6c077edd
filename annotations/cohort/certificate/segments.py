"""DICOM Segmentations, read back by highdicom: segments by their tracking, frames by their place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

import highdicom as hd
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from annotations.cohort.certificate import journal
from annotations.cohort.certificate.findings import Differs, Findings, at
from annotations.cohort.certificate.places import allowed_mm, corners_mm, distance_between_slices_mm
from annotations.cohort.formats.plan import Segments
from annotations.exchange.derived import code_of, first, items
from annotations.exchange.marks import Mark
from annotations.exchange.source import FrameKey, SourceFrame, SourceSeries

READ_BY = ("highdicom", "pydicom")
SPACING_MM = 0.01  # a distance between slices is said in so many millimetres, or hundredths of itself


def segments(expected: Segments, file: BinaryIO, findings: Findings, *, overlapping: frozenset[UUID]) -> None:
    """Every segment on every image of its series, also where nothing is stored. Raises Differs."""
    try:
        seg = hd.seg.segread(file)
    except Exception as error:  # whatever a damaged file makes of a reader
        raise Differs(f"highdicom can't open it ({type(error).__name__}: {error})") from error
    source = expected.series.source
    _require_segments(seg, expected.marks)
    if source.frame_of_reference_uid and seg.get("FrameOfReferenceUID") != source.frame_of_reference_uid:
        raise Differs("it names another frame of reference than its images")
    is_label_map = seg.segmentation_type == hd.seg.SegmentationTypeValues.LABELMAP
    planes = _planes(seg, source, findings, is_label_map=is_label_map)
    if is_label_map:
        if journal.cut_by_later(list(enumerate(expected.marks, start=1))):
            raise Differs("segments of it share voxels, and a label map has one number a voxel")
        _compare_labels(planes, expected, source, findings)
    else:
        _compare_bits(planes, expected, source, findings)
    findings.require_none()
    empty = sum(map(journal.is_empty, expected.marks))
    findings.masks += len(expected.marks)
    findings.masks_on_the_grid += len(expected.marks)
    findings.empty += empty
    findings.empty_kept += empty
    overlaps = sum(mark.identity in overlapping for mark in expected.marks)
    findings.overlapping += overlaps
    findings.overlapping_kept += overlaps


# What the segments are --------------------------------------------------------------------------


def _require_segments(seg: Dataset, marks: Sequence[Mark]) -> None:
    described = [item for item in seg.SegmentSequence if int(item.SegmentNumber) != 0]  # 0: background
    numbers = [int(item.SegmentNumber) for item in described]
    if numbers != list(range(1, len(marks) + 1)):
        raise Differs(f"it holds segments {numbers or 'none'}, and {len(marks)} were accepted")
    for item, mark in zip(described, marks, strict=True):
        name = f"segment {item.SegmentNumber} (“{item.get('SegmentLabel', '')}”)"
        if item.get("TrackingUID") != f"2.25.{mark.identity.int}":
            raise Differs(f"{name} is another mark than the one accepted in its place")
        meaning = code_of(item, "SegmentedPropertyTypeCodeSequence")
        if meaning is None or (meaning.value, meaning.scheme) != (mark.meaning.value, mark.meaning.scheme):
            raise Differs(f"{name} means something else than “{mark.meaning.meaning}”")


# Where the frames lie ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Stored:
    """The stored frames of a segmentation by (segment number, image frame); number 0 in a label map."""

    seg: hd.seg.Segmentation
    frames: Mapping[tuple[int, FrameKey], int]

    def plane(self, number: int, key: FrameKey) -> NDArray[np.generic] | None:
        """As stored, [rows, columns]; None where there is no frame."""
        frame_number = self.frames.get((number, key))
        if frame_number is None:
            return None
        try:
            return np.asarray(self.seg.get_stored_frame(frame_number))
        except Exception as error:
            raise Differs(f"frame {frame_number} can't be read by highdicom ({error})") from error


def _planes(
    seg: hd.seg.Segmentation, source: SourceSeries, findings: Findings, *, is_label_map: bool
) -> _Stored:
    shared = first(seg, "SharedFunctionalGroupsSequence")
    groups = items(seg, "PerFrameFunctionalGroupsSequence")
    if len(groups) != int(seg.NumberOfFrames):
        raise Differs(f"it says that it has {seg.NumberOfFrames} frames, and describes {len(groups)}")
    found: dict[tuple[int, FrameKey], int] = {}
    by_place = _ByPlace(source)
    for frame_number, group in enumerate(groups, start=1):
        number = 0
        if not is_label_map:
            identification = first(group, "SegmentIdentificationSequence")
            number = int(identification.ReferencedSegmentNumber) if identification is not None else -1
        frame = _image_of(group, frame_number, by_place)
        if (seg.Rows, seg.Columns) != (frame.rows, frame.columns):
            raise Differs(
                f"its frames have {seg.Rows} × {seg.Columns} pixels, and its images "
                f"{frame.rows} × {frame.columns}"
            )
        if frame.has_place:
            _require_place(group, shared, frame, frame_number, by_place, findings)
        if (number, frame.key) in found:
            raise Differs(
                f"frames {found[number, frame.key]} and {frame_number} are of one segment and image"
            )
        found[number, frame.key] = frame_number
    return _Stored(seg, found)


class _ByPlace:
    """The images of a series by their position in the patient."""

    def __init__(self, source: SourceSeries) -> None:
        self.source = source
        self.allowed_mm = allowed_mm(source)
        self.distance_mm = distance_between_slices_mm(source)
        self.placed = [frame for frame in source.frames if frame.has_place]
        self.positions = np.array([frame.position for frame in self.placed]).reshape(-1, 3)

    def at(self, position_mm: NDArray[np.float64]) -> list[SourceFrame]:
        off = np.linalg.norm(self.positions - position_mm, axis=1)
        return [frame for frame, one in zip(self.placed, off, strict=True) if one <= self.allowed_mm]


def _image_of(group: Dataset, frame_number: int, by_place: _ByPlace) -> SourceFrame:
    """By its place in the patient; by the image it names where it has none, or several lie there."""
    named = _named(group, by_place.source)
    place = first(group, "PlanePositionSequence")
    if place is None or not by_place.placed:
        if named is None or named.has_place:
            raise Differs(f"frame {frame_number} does not say where it lies")
        return named
    position = np.array(place.get("ImagePositionPatient") or [np.nan] * 3, dtype=np.float64)
    here = by_place.at(position)
    if not here:
        where = ", ".join(f"{value:.2f}" for value in position)
        raise Differs(f"frame {frame_number} lies at ({where}) mm, where no image of its series lies")
    if named is not None and named not in here:
        raise Differs(f"frame {frame_number} lies on another image than the one it names")
    if named is None and len(here) > 1:
        raise Differs(f"frame {frame_number} names no image, and several lie where it lies")
    return named or here[0]


def _named(group: Dataset, source: SourceSeries) -> SourceFrame | None:
    image = first(first(group, "DerivationImageSequence"), "SourceImageSequence")
    if image is None:
        return None
    frames = source.frames_of_instance.get(str(image.get("ReferencedSOPInstanceUID")), [])
    number = image.get("ReferencedFrameNumber")
    for frame in frames:
        if number in (None, "") or int(np.ravel(number)[0]) == frame.key.frame_number:
            return frame
    return None


def _require_place(
    group: Dataset,
    shared: Dataset | None,
    frame: SourceFrame,
    frame_number: int,
    by_place: _ByPlace,
    findings: Findings,
) -> None:
    """Its corners lie where those of its image do."""
    orientation = first(group, "PlaneOrientationSequence") or first(shared, "PlaneOrientationSequence")
    measures = first(group, "PixelMeasuresSequence") or first(shared, "PixelMeasuresSequence")
    position = first(group, "PlanePositionSequence")
    if orientation is None or measures is None or position is None:
        raise Differs(f"frame {frame_number} has no directions or no spacing")
    directions = np.array(orientation.ImageOrientationPatient, dtype=np.float64).reshape(2, 3)
    row_mm, column_mm = map(float, measures.PixelSpacing)
    corner = np.array(position.ImagePositionPatient, dtype=np.float64)
    found = np.array(
        [
            corner,
            corner + directions[0] * column_mm * (frame.columns - 1),
            corner + directions[1] * row_mm * (frame.rows - 1),
        ]
    )
    off_mm = float(np.linalg.norm(found - corners_mm(frame), axis=1).max())
    findings.place(off_mm)
    if not off_mm <= by_place.allowed_mm:
        raise Differs(f"a corner of frame {frame_number} lies {off_mm:.3f} mm from where its image has it")
    between, usual = measures.get("SpacingBetweenSlices"), by_place.distance_mm
    if between is not None and usual and abs(float(between) - usual) > max(SPACING_MM, usual * SPACING_MM):
        raise Differs(f"it says that slices are {float(between):g} mm apart, and its images are {usual:g} mm")


# Voxels -----------------------------------------------------------------------------------------


def _compare_bits(stored: _Stored, expected: Segments, source: SourceSeries, findings: Findings) -> None:
    for number, mark in enumerate(expected.marks, start=1):
        for index, frame in enumerate(source.frames):
            findings.voxels_compared += frame.rows * frame.columns
            found, wanted = stored.plane(number, frame.key), journal.plane_on(mark, frame)
            if found is None and wanted is None:
                continue
            nothing = np.zeros((frame.rows, frame.columns), dtype=np.bool_)
            found = nothing if found is None else found
            _differ(found, nothing if wanted is None else wanted, f"segment {number}, ", index, findings)


def _compare_labels(stored: _Stored, expected: Segments, source: SourceSeries, findings: Findings) -> None:
    values = list(enumerate(expected.marks, start=1))
    for index, frame in enumerate(source.frames):
        findings.voxels_compared += frame.rows * frame.columns
        wanted, found = journal.painted(values, frame), stored.plane(0, frame.key)
        _differ(np.zeros_like(wanted) if found is None else found, wanted, "", index, findings)


def _differ(
    found: NDArray[np.generic], wanted: NDArray[np.generic], which: str, index: int, findings: Findings
) -> None:
    differs = found != wanted
    if differs.any():
        row, column = map(int, np.argwhere(differs)[0])
        findings.differ(
            int(np.count_nonzero(differs)),
            f"{which}{at(index, row, column)} holds {int(found[row, column])} "
            f"instead of {int(wanted[row, column])}",
        )
