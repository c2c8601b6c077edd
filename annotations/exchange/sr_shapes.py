"""Shapes of reports (PS3.3 C.18.6, C.18.9) on the images they were drawn on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from annotations.exchange.codes import Code
from annotations.exchange.derived import (
    BIDIRECTIONAL,
    ELLIPSE,
    LENGTH,
    LINE,
    POINT,
    POINTS_MAX,
    POLYGON,
    ReadShape,
    shape_on,
    to_image,
)
from annotations.exchange.placing import plane_of
from annotations.exchange.source import ExchangeError, SourceFrame, SourceSeries

LONG_AXIS, SHORT_AXIS = "long axis", "short axis"  # how the meanings of their codes begin (TID 1410, 1501)


@dataclass(frozen=True)
class Drawn:
    """A shape as the report holds it: float[n, 2] columns and rows on images, or float[n, 3] patient mm."""

    kind: str
    points: NDArray[np.float64]
    images: tuple[tuple[str, tuple[int, ...]], ...]
    frame_of_reference_uid: str
    label: str
    meaning: Code | None

    def is_same(self, other: "Drawn") -> bool:
        return (
            self.kind == other.kind
            and self.images == other.images
            and np.array_equal(self.points, other.points)
        )


@dataclass(frozen=True)
class Placement:
    shapes: tuple[ReadShape, ...]
    notes: tuple[str, ...] = ()
    by_place: bool = False


def place(drawn: Drawn, candidates: Sequence[SourceSeries], preferred: Sequence[SourceSeries]) -> Placement:
    """The shape on its images. `preferred` are series that the report names for it.

    Raises ExchangeError with the reason where it can't be put on any.
    """
    if len(drawn.points) > POINTS_MAX:
        raise ExchangeError(f"A region of {len(drawn.points):,} points is not shown.")
    if drawn.points.shape[1] == 2:
        return _on_images(drawn, candidates)
    return _in_patient(drawn, candidates, preferred)


def _on_images(drawn: Drawn, candidates: Sequence[SourceSeries]) -> Placement:
    found: list[ReadShape] = []
    for uid, numbers in drawn.images:
        for source in candidates:
            for frame in source.frames_of_instance.get(uid, ()):
                if not numbers or frame.key.frame_number in numbers:
                    found += _shapes(drawn, source, frame, drawn.points)
    if not found:
        raise ExchangeError("An image that it was drawn on is not here.")
    return Placement(tuple(found))


def _in_patient(
    drawn: Drawn, candidates: Sequence[SourceSeries], preferred: Sequence[SourceSeries]
) -> Placement:
    if drawn.kind == "ELLIPSOID":
        raise ExchangeError("It holds an ellipsoid, which is kept and not shown.")
    named = {uid for uid, _ in drawn.images}
    near = [one for one in candidates if named & one.frames_of_instance.keys()] or list(preferred)
    by_place = not near
    near = near or [
        one for one in candidates if one.frame_of_reference_uid == drawn.frame_of_reference_uid != ""
    ]
    if not near:
        raise ExchangeError("No image here has the frame of reference of a region that it measures.")
    parts = list(drawn.points[:, None, :]) if drawn.kind == "MULTIPOINT" else [drawn.points]
    fitting = [(one, planes) for one in near if (planes := _planes(parts, one))]
    if not fitting:
        raise ExchangeError("A region that it measures lies in the plane of no image.")
    if len(fitting) > 1:
        names = ", ".join(f"“{one.description or one.series_instance_uid}”" for one, _ in fitting)
        raise ExchangeError(f"A region that it measures fits several series at the same place: {names}.")
    source, planes = fitting[0]
    found: list[ReadShape] = []
    off_mm = 0.0
    single = replace(drawn, kind="POINT") if drawn.kind == "MULTIPOINT" else drawn
    for part, plane in zip(parts, planes, strict=True):
        frames = [frame for frame in plane.frames if frame.key.sop_instance_uid in named] or plane.frames
        off_mm = max(off_mm, plane.off_mm)
        for frame in frames:
            found += _shapes(single, source, frame, to_image(frame, part))
    notes = []
    if off_mm > 0.1 * source.slice_distance_mm:
        notes.append(f"Regions lie up to {off_mm:.1f} mm off the planes of their images.")
    return Placement(tuple(found), tuple(notes), by_place)


def _planes(parts: Sequence[NDArray[np.float64]], source: SourceSeries):
    planes = [plane_of(part, source) for part in parts]
    return None if None in planes else planes


def _shapes(
    drawn: Drawn, source: SourceSeries, frame: SourceFrame, points: NDArray[np.float64]
) -> list[ReadShape]:
    kind, kept = as_kind(drawn.kind, points)
    more = {"label": drawn.label, "meaning": drawn.meaning}
    if drawn.kind == "MULTIPOINT":
        return [shape_on(source, frame, POINT, one[None, :], **more) for one in points]
    return [shape_on(source, frame, kind, kept, **more)]


def as_kind(graphic_type: str, points: NDArray[np.float64]) -> tuple[str, NDArray[np.float64]]:
    """A DICOM graphic type and its points, float[n, 2], as one of our kinds. Raises ExchangeError."""
    closed = len(points) > 3 and np.allclose(points[0], points[-1], atol=1e-3)
    if graphic_type in ("POINT", "MULTIPOINT"):
        return POINT, points[:1]
    if graphic_type == "POLYGON" or (graphic_type in ("POLYLINE", "INTERPOLATED") and closed):
        kept = points[:-1] if closed else points
        return (POLYGON, kept) if len(kept) >= 3 else (LINE, points)
    if graphic_type in ("POLYLINE", "INTERPOLATED"):
        if len(points) == 1:
            return POINT, points
        return (LENGTH, points) if len(points) == 2 else (LINE, points)
    if graphic_type == "CIRCLE" and len(points) == 2:
        center, rim = points
        arm = rim - center
        across = np.array([-arm[1], arm[0]])
        return ELLIPSE, np.array([center - arm, center + arm, center - across, center + across])
    if graphic_type == "ELLIPSE" and len(points) == 4:
        return ELLIPSE, points
    raise ExchangeError(f"It holds a shape of kind {graphic_type[:20] or 'unknown'}, which is not shown.")


def with_diameters_joined(shapes: Sequence[ReadShape]) -> list[ReadShape]:
    """A long axis and the short axis across it, on one image, are one mark: two diameters."""
    kept = list(shapes)
    for long in [one for one in shapes if one.label.lower().startswith(LONG_AXIS)]:
        short = next(
            (
                one
                for one in kept
                if one.key == long.key and one.kind == LENGTH and one.label.lower().startswith(SHORT_AXIS)
            ),
            None,
        )
        if long.kind != LENGTH or short is None:
            continue
        kept[kept.index(long)] = replace(
            long,
            kind=BIDIRECTIONAL,
            label="",
            points_patient_mm=long.points_patient_mm
            and long.points_patient_mm + (short.points_patient_mm or ()),
            points_image=long.points_image and long.points_image + (short.points_image or ()),
        )
        kept.remove(short)
    return kept
