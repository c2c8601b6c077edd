"""Reads presentation states (PR): drawings and words on images become shapes, windows become a reference.

Coordinates in pixels count from the corner of the first pixel, as in SCOORD (PS3.3 C.10.5.1.2); drawings in
coordinates of a screen belong to no place on an image and are left out, which is said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from annotations.exchange.derived import POINT, POINTS_MAX, ReadShape, items, shape_on
from annotations.exchange.placing import Named
from annotations.exchange.source import ExchangeError, SourceFrame, SourceSeries
from annotations.exchange.sr_shapes import as_kind

PRESENTATION_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.11.1",  # Grayscale Softcopy
    "1.2.840.10008.5.1.4.1.1.11.2",  # Color Softcopy
    "1.2.840.10008.5.1.4.1.1.11.3",  # Pseudo-Color Softcopy
)
SHAPES_MAX = 5_000
_Image = tuple[SourceSeries, SourceFrame]


@dataclass(frozen=True)
class ReadPresentation:
    """`windows` are {center, width, series, images}: how many images of which series were shown so."""

    shapes: tuple[ReadShape, ...]
    windows: tuple[dict[str, Any], ...]
    sources: tuple[SourceSeries, ...]
    notes: tuple[str, ...]
    is_whole: bool


def read_pr(dataset: Dataset, candidates: Sequence[SourceSeries]) -> ReadPresentation:
    """The drawings and windows of a presentation state on the candidate image series.

    Raises ExchangeError where none of its images is here, or it is of a kind that isn't read.
    """
    if dataset.get("SOPClassUID") not in PRESENTATION_CLASSES:
        raise ExchangeError("This presentation state is of a kind that Atlas keeps and doesn't read.")
    named = list(_references(dataset))
    here = _frames(named, candidates)
    if not named:
        raise ExchangeError("It names no images.")
    if not here:
        raise ExchangeError("The images that it presents are not here.")
    instances = {uid for uid, _ in named}
    missing = len(instances - {frame.key.sop_instance_uid for _, frame in here})
    notes: dict[str, None] = {}
    if missing:
        notes[f"{missing} of the {len(instances)} images that it presents are not here."] = None
    shapes: list[ReadShape] = []
    for item in items(dataset, "GraphicAnnotationSequence"):
        own = [pair for one in items(item, "ReferencedImageSequence") for pair in _image(one)]
        for source, frame in _frames(own, candidates) if own else here:
            shapes += _drawn(item, source, frame, notes)
            if len(shapes) > SHAPES_MAX:
                raise ExchangeError(f"It draws more than {SHAPES_MAX:,} shapes; none is shown.")
    windows = tuple(_windows(dataset, here, candidates))
    sources = {source.series_instance_uid: source for source, _ in here}
    return ReadPresentation(
        tuple(shapes), windows, tuple(sources.values()), tuple(notes), is_whole=not missing
    )


def named_by(dataset: Dataset) -> Named:
    """The images and series that a presentation state names."""
    series = {str(one.get("SeriesInstanceUID") or "") for one in items(dataset, "ReferencedSeriesSequence")}
    instances = {uid for uid, _ in _references(dataset)}
    return Named(frozenset(instances - {""}), frozenset(series - {""}))


def _references(dataset: Dataset) -> Iterator[tuple[str, tuple[int, ...]]]:
    for series in items(dataset, "ReferencedSeriesSequence"):
        for image in items(series, "ReferencedImageSequence"):
            yield from _image(image)


def _image(item: Dataset) -> Iterator[tuple[str, tuple[int, ...]]]:
    uid = str(item.get("ReferencedSOPInstanceUID") or "")
    numbers = item.get("ReferencedFrameNumber")
    if uid:
        listed = numbers if isinstance(numbers, list | tuple) or hasattr(numbers, "__iter__") else [numbers]
        yield uid, tuple(int(one) for one in listed if one not in (None, ""))


def _frames(named: Sequence[tuple[str, tuple[int, ...]]], candidates: Sequence[SourceSeries]) -> list[_Image]:
    return [
        (source, frame)
        for uid, numbers in dict.fromkeys(named)
        for source in candidates
        for frame in source.frames_of_instance.get(uid, ())
        if not numbers or frame.key.frame_number in numbers
    ]


# Drawings ---------------------------------------------------------------------------------------


def _drawn(
    item: Dataset, source: SourceSeries, frame: SourceFrame, notes: dict[str, None]
) -> Iterator[ReadShape]:
    words = [_words(text) for text in items(item, "TextObjectSequence")]
    graphics = items(item, "GraphicObjectSequence")
    # One drawing with one text is a drawing with its name; else each stands by itself.
    label = words[0] if len(words) == 1 and len(graphics) == 1 else ""
    for graphic in graphics:
        if graphic.get("GraphicAnnotationUnits") != "PIXEL":
            notes["Drawings in coordinates of a screen are not shown."] = None
            continue
        try:
            points = _points(graphic.get("GraphicData"))
            kind, kept = as_kind(str(graphic.get("GraphicType") or ""), points)
        except ExchangeError as reason:
            notes[str(reason)] = None
            continue
        yield shape_on(source, frame, kind, kept, label=label)
    for text, said in zip(items(item, "TextObjectSequence"), words, strict=True):
        if label:
            continue
        at = _anchor(text)
        if at is None:
            notes["Words in coordinates of a screen are not shown."] = None
        elif said:
            yield shape_on(source, frame, POINT, at[None, :], label=said)


def _words(text: Dataset) -> str:
    return " ".join(str(text.get("UnformattedTextValue") or "").split())[:64]


def _anchor(text: Dataset) -> NDArray[np.float64] | None:
    """Where words stand: the point that they belong to, else the corner of their box."""
    for units, corner in (
        ("AnchorPointAnnotationUnits", "AnchorPoint"),
        ("BoundingBoxAnnotationUnits", "BoundingBoxTopLeftHandCorner"),
    ):
        value = text.get(corner)
        if text.get(units) == "PIXEL" and value is not None:
            try:
                return _points(value)[0]
            except ExchangeError:
                return None
    return None


def _points(value: Any) -> NDArray[np.float64]:
    try:
        numbers = np.asarray(value if value is not None else [], dtype=np.float64).ravel()
    except (TypeError, ValueError):
        raise ExchangeError("The points of a drawing are not numbers.") from None
    if (
        numbers.size == 0
        or numbers.size % 2
        or numbers.size > 2 * POINTS_MAX
        or not np.isfinite(numbers).all()
    ):
        raise ExchangeError("The points of a drawing are not two numbers each.")
    return numbers.reshape(-1, 2)


# Windows ----------------------------------------------------------------------------------------


def _windows(
    dataset: Dataset, here: Sequence[_Image], candidates: Sequence[SourceSeries]
) -> Iterator[dict[str, Any]]:
    for item in items(dataset, "SoftcopyVOILUTSequence"):
        center, width = _number(item.get("WindowCenter")), _number(item.get("WindowWidth"))
        if center is None or width is None or width < 1:
            continue
        own = [pair for one in items(item, "ReferencedImageSequence") for pair in _image(one)]
        images: dict[str, int] = {}
        for source, _ in _frames(own, candidates) if own else here:
            images[source.series_instance_uid] = images.get(source.series_instance_uid, 0) + 1
        for series, count in images.items():
            yield {"center": center, "width": width, "series": series, "images": count}


def _number(value: Any) -> float | None:
    """The first of one or several windows."""
    if isinstance(value, list | tuple) or (hasattr(value, "__iter__") and not isinstance(value, str)):
        value = next(iter(value), None)
    try:
        number = float(value) if value not in (None, "") else None
    except (TypeError, ValueError):
        return None
    return number if number is not None and np.isfinite(number) else None
