"""Reads RT Structure Sets: each region of interest becomes a segment, its outlines filled on the images.

Outlines come as points in patient millimetres, each meant for one image. The image that an outline names says
which one; where it isn't here (cropped or copied series have SOP instances of their own), the series named,
or else the frame of reference, and the outline's plane decide. An outline is never moved within its plane.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import RTStructureSetStorage

from annotations.exchange.codes import Code
from annotations.exchange.derived import (
    LINE,
    POINT,
    ReadSegment,
    ReadShape,
    code_of,
    items,
    shape_on,
    to_image,
)
from annotations.exchange.outlines import combined, filled
from annotations.exchange.placing import Named, choose, is_on_plane, plane_of
from annotations.exchange.source import ExchangeError, FrameKey, SourceFrame, SourceSeries
from annotations.measures import masks

STRUCTURE_SET_CLASSES = (str(RTStructureSetStorage),)
CLOSED, CLOSED_XOR = "CLOSED_PLANAR", "CLOSEDPLANAR_XOR"
OPEN = ("OPEN_PLANAR", "OPEN_NONPLANAR")
_ROUNDING = 0.01  # of a pixel: an outline along the border of an image doesn't reach beyond it
OUTLINES_MAX, OUTLINES_A_FRAME_MAX, POINTS_MAX = 100_000, 1_000, 5_000_000


@dataclass(frozen=True)
class ReadStructureSet:
    """All regions of an RTSTRUCT on one image series. `notes` say, in sentences, what reading changed."""

    source: SourceSeries
    segments: tuple[ReadSegment, ...]
    shapes: tuple[ReadShape, ...]
    notes: tuple[str, ...]
    by_place: bool


@dataclass(frozen=True)
class _Outline:
    kind: str
    points_mm: NDArray[np.float64]  # [n, 3]
    named: frozenset[str]


@dataclass
class _Region:
    number: int
    label: str
    meaning: Code | None
    frame_of_reference_uid: str
    outlines: list[_Outline] = field(default_factory=list)


def read_rtstruct(dataset: Dataset, candidates: Sequence[SourceSeries]) -> ReadStructureSet:
    """The regions of a structure set on one of the candidate image series.

    Raises ExchangeError where it isn't clear on which images they lie, or where none of them can.
    """
    if dataset.get("SOPClassUID") not in STRUCTURE_SET_CLASSES:
        raise ExchangeError("This is not an RT Structure Set.")
    regions = _regions(dataset)
    outlines = [outline for region in regions for outline in region.outlines]
    if not outlines:
        raise ExchangeError("It has no outlines.")

    def fits(source: SourceSeries) -> bool:
        return all(is_on_plane(plane_of(outline.points_mm, source), source) for outline in outlines)

    named = named_by(dataset)
    placed = choose(named, candidates, fits)
    reading = _Reading(placed.source)
    for region in regions:
        reading.take(region)
    if not reading.segments and not reading.shapes:
        raise ExchangeError(" ".join(reading.notes) or "None of its outlines lies on an image.")
    if placed.note:
        reading.note(placed.note)
    return ReadStructureSet(
        placed.source,
        tuple(reading.segments),
        tuple(reading.shapes),
        tuple(reading.notes),
        placed.by_place,
    )


def named_by(dataset: Dataset) -> Named:
    """The images, series and frames of reference that a structure set names."""
    instances, series, references = set(), set(), set()
    for item in items(dataset, "ReferencedFrameOfReferenceSequence"):
        references.add(str(item.get("FrameOfReferenceUID") or ""))
        for study in items(item, "RTReferencedStudySequence"):
            for one in items(study, "RTReferencedSeriesSequence"):
                series.add(str(one.get("SeriesInstanceUID") or ""))
    for roi in items(dataset, "StructureSetROISequence"):
        references.add(str(roi.get("ReferencedFrameOfReferenceUID") or ""))
    references.add(str(dataset.get("FrameOfReferenceUID") or ""))
    for roi in items(dataset, "ROIContourSequence"):
        for contour in items(roi, "ContourSequence"):
            instances |= _named_images(contour)
    # The images that the series as a whole lists are those it was planned on, drawn on or not; outlines say.
    return Named(frozenset(instances - {""}), frozenset(series - {""}), frozenset(references - {""}))


def _named_images(contour: Dataset) -> set[str]:
    return {
        str(image.get("ReferencedSOPInstanceUID") or "") for image in items(contour, "ContourImageSequence")
    }


# What it holds ----------------------------------------------------------------------------------


def _regions(dataset: Dataset) -> list[_Region]:
    meanings = {}
    for observed in items(dataset, "RTROIObservationsSequence"):
        meanings[observed.get("ReferencedROINumber")] = code_of(observed, "RTROIIdentificationCodeSequence")
    found: dict[object, _Region] = {}
    for index, roi in enumerate(items(dataset, "StructureSetROISequence")):
        number = roi.get("ROINumber")
        found[number] = _Region(
            number=index + 1,
            label=str(roi.get("ROIName") or f"Region {index + 1}"),
            meaning=meanings.get(number),
            frame_of_reference_uid=str(roi.get("ReferencedFrameOfReferenceUID") or ""),
        )
    count = points = 0
    for drawn in items(dataset, "ROIContourSequence"):
        number = drawn.get("ReferencedROINumber")
        if number not in found:
            raise ExchangeError(f"It draws a region {number}, which it doesn't describe.")
        for contour in items(drawn, "ContourSequence"):
            outline = _outline(contour)
            if outline is None:
                continue
            found[number].outlines.append(outline)
            count, points = count + 1, points + len(outline.points_mm)
            if count > OUTLINES_MAX or points > POINTS_MAX:
                raise ExchangeError("It has more outlines than any plan: it was not read.")
    return list(found.values())


def _outline(contour: Dataset) -> _Outline | None:
    """None where an outline has no point. The numbers are read at once: pydicom makes an object of each."""
    raw = contour.get_item("ContourData")
    value = getattr(raw, "value", None)
    try:
        if isinstance(value, bytes):
            numbers = np.array([float(one) for one in value.rstrip(b"\0 ").split(b"\\") if one.strip()])
        else:
            listed = value if isinstance(value, list | tuple) or hasattr(value, "__iter__") else ()
            numbers = np.array([float(one) for one in listed or ()])
    except (TypeError, ValueError):
        raise ExchangeError("The points of an outline are not numbers.") from None
    if numbers.size == 0:
        return None
    if numbers.size % 3 or not np.isfinite(numbers).all():
        raise ExchangeError("The points of an outline are not three numbers each.")
    kind = str(contour.get("ContourGeometricType") or CLOSED)
    return _Outline(kind, numbers.reshape(-1, 3), frozenset(_named_images(contour) - {""}))


# Onto the images --------------------------------------------------------------------------------


class _Reading:
    """Collects what lies on one series, and says what doesn't."""

    def __init__(self, source: SourceSeries) -> None:
        self.source = source
        self.segments: list[ReadSegment] = []
        self.shapes: list[ReadShape] = []
        self.notes: dict[str, None] = {}

    def note(self, sentence: str) -> None:
        self.notes[sentence] = None

    def take(self, region: _Region) -> None:
        name = f"“{region.label[:64]}”"
        elsewhere = region.frame_of_reference_uid not in ("", self.source.frame_of_reference_uid)
        if elsewhere and self.source.frame_of_reference_uid:
            self.note(f"{name} was drawn in another frame of reference and is not shown.")
            return
        planes: dict[FrameKey, list[NDArray[np.bool_]]] = {}
        exclusive = any(outline.kind == CLOSED_XOR for outline in region.outlines)
        moved = 0.0
        lost = clipped = closed = 0
        for outline in region.outlines:
            frames, off_mm = self._frames(outline)
            if not frames:
                lost += 1
                continue
            moved = max(moved, off_mm)
            for frame in frames:
                points = to_image(frame, outline.points_mm)
                if outline.kind in (CLOSED, CLOSED_XOR):
                    closed += 1
                    clipped += _reaches_out(frame, points)
                    here = planes.setdefault(frame.key, [])
                    if len(here) >= OUTLINES_A_FRAME_MAX:
                        raise ExchangeError(f"{name} has over {OUTLINES_A_FRAME_MAX} outlines on one image.")
                    here.append(filled(points, frame.rows, frame.columns))
                else:
                    self._shape(region, outline, frame, points)
        if lost:
            self.note(f"{lost} of the {len(region.outlines)} outlines of {name} lie on no image.")
        if moved > 0.1 * self.source.slice_distance_mm:
            self.note(f"Outlines of {name} lie up to {moved:.1f} mm off their images' planes.")
        if clipped:
            self.note(f"{name} reaches beyond its images; what lies outside is left out.")
        if closed:
            self._segment(region, name, planes, exclusive)

    def _segment(
        self,
        region: _Region,
        name: str,
        planes: dict[FrameKey, list[NDArray[np.bool_]]],
        exclusive: bool,
    ) -> None:
        kept = {}
        took: set[str] = set()
        for key, outlines in planes.items():
            plane, how = combined(outlines, exclusive=exclusive)
            took |= how
            if plane.any():
                kept[key] = masks.encode(plane)
        if "holes" in took:
            self.note(f"Outlines of {name} inside others were taken as holes.")
        if "overlap" in took:
            self.note(f"Outlines of {name} that overlap in part were joined.")
        if not kept:
            self.note(f"{name} encloses the centre of no pixel.")
        self.segments.append(ReadSegment(region.number, region.label, None, region.meaning, kept))

    def _shape(
        self, region: _Region, outline: _Outline, frame: SourceFrame, points: NDArray[np.float64]
    ) -> None:
        more = {"label": region.label, "meaning": region.meaning}
        if outline.kind == "POINT":
            self.shapes.append(shape_on(self.source, frame, POINT, points[:1], **more))
        elif outline.kind in OPEN:
            self.shapes.append(shape_on(self.source, frame, LINE, points, **more))
        else:
            self.note(f"“{region.label[:64]}” has outlines of kind {outline.kind[:20]}, which is not known.")

    def _frames(self, outline: _Outline) -> tuple[tuple[SourceFrame, ...], float]:
        """The image frames that an outline belongs to, and how far it lies off their plane in mm."""
        plane = plane_of(outline.points_mm, self.source)
        if plane is None:
            return (), 0.0
        named = tuple(frame for frame in plane.frames if frame.key.sop_instance_uid in outline.named)
        here = outline.named & self.source.frames_of_instance.keys()
        if here and not named:
            self.note(
                "Some outlines name another image than the one whose plane they lie in; the plane counts."
            )
        return named or plane.frames, plane.off_mm


def _reaches_out(frame: SourceFrame, points: NDArray[np.float64]) -> bool:
    low, high = points.min(axis=0), points.max(axis=0)
    return bool((low < -_ROUNDING).any() or (high > np.array((frame.columns, frame.rows)) + _ROUNDING).any())
