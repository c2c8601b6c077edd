"""Reads measurement reports (SR, TID 1500 of PS3.16): groups of numbers, and what each group measures.

A group measures a segment of a segmentation, regions drawn on images (SCOORD) or in the patient (SCOORD3D),
or a series as a whole. Shapes are put on the images; segments are named, and found by whoever keeps them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from annotations.exchange import sr_shapes
from annotations.exchange.codes import Code
from annotations.exchange.derived import ReadNumber, ReadShape, code_of, first, items
from annotations.exchange.placing import Named
from annotations.exchange.source import ExchangeError, SourceSeries

REPORT_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR
    "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
    "1.2.840.10008.5.1.4.1.1.88.34",  # Comprehensive 3D SR
    "1.2.840.10008.5.1.4.1.1.88.35",  # Extensible SR
)
MEASUREMENT_REPORT = "126000"  # DCM, "Imaging Measurement Report"
MEASUREMENT_GROUP = "125007"  # DCM
TRACKING_IDENTIFIER, TRACKING_UID = "112039", "112040"  # DCM
FINDING, FINDING_SITE = {"121071"}, {"363698007", "G-C0E3"}  # DCM; SCT, SRT
DERIVATION = "121401"  # DCM
SOURCE_SERIES = "121232"  # DCM, "Source series for image segmentation"
SEGMENT_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
ITEMS_MAX, DEPTH_MAX, GROUPS_MAX = 200_000, 40, 5_000


@dataclass(frozen=True)
class ReadGroup:
    """One lesion's measurements. `segments` are (SOP Instance UID of the segmentation, segment number)."""

    number: int
    label: str
    tracking_uid: str
    finding: Code | None
    site: Code | None
    numbers: tuple[ReadNumber, ...]
    segments: tuple[tuple[str, int], ...]
    shapes: tuple[ReadShape, ...]
    sources: tuple[SourceSeries, ...]  # where the group only names a series as a whole


@dataclass(frozen=True)
class ReadReport:
    """`notes` say what could not be shown; `is_whole` is False where images may arrive that change that."""

    groups: tuple[ReadGroup, ...]
    notes: tuple[str, ...]
    is_whole: bool


@dataclass
class _Group:
    number: int
    tracking_identifier: str = ""
    tracking_uid: str = ""
    finding: Code | None = None
    site: Code | None = None
    numbers: list[ReadNumber] = field(default_factory=list)
    segments: dict[tuple[str, int], None] = field(default_factory=dict)
    drawn: list[sr_shapes.Drawn] = field(default_factory=list)
    series: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)


def read_sr(dataset: Dataset, candidates: Sequence[SourceSeries]) -> ReadReport:
    """The measurement groups of a report, its shapes on the candidate image series.

    Raises ExchangeError where it is no such report, holds no group, or is built beyond reason.
    """
    groups = _groups(dataset)
    if not groups:
        raise ExchangeError(
            "It holds no measurements; de-identification takes them out unless it cleans structured content."
        )
    notes: dict[str, None] = {}
    read, is_whole = [], True
    for group in groups:
        shapes: list[ReadShape] = []
        preferred = [one for one in candidates if one.series_instance_uid in group.series]
        for drawn in group.drawn:
            try:
                placed = sr_shapes.place(drawn, candidates, preferred)
                shapes += placed.shapes
                notes |= dict.fromkeys(placed.notes)
                is_whole &= not placed.by_place
            except ExchangeError as reason:
                notes[str(reason)] = None
                is_whole = False
        sources = _sources(group, candidates) if not group.segments and not group.drawn else ()
        is_whole &= bool(group.segments or group.drawn or sources)
        read.append(
            ReadGroup(
                number=group.number,
                label=_label(group),
                tracking_uid=group.tracking_uid[:64],
                finding=group.finding,
                site=group.site,
                numbers=tuple(group.numbers),
                segments=tuple(group.segments),
                shapes=tuple(sr_shapes.with_diameters_joined(shapes)),
                sources=sources,
            )
        )
    if not any(one.segments or one.shapes or one.sources for one in read):
        said = " ".join(notes) or "The images that it measures are not here."
        raise ExchangeError(said)
    return ReadReport(tuple(read), tuple(notes), is_whole)


def named_by(dataset: Dataset) -> Named:
    """The images and series that the groups of a report name (not its whole image library)."""
    instances: set[str] = set()
    series: set[str] = set()
    references: set[str] = set()
    for group in _groups(dataset):
        instances |= group.images
        series |= group.series
        for drawn in group.drawn:
            instances |= {uid for uid, _ in drawn.images}
            references.add(drawn.frame_of_reference_uid)
    return Named(frozenset(instances - {""}), frozenset(series - {""}), frozenset(references - {""}))


def _sources(group: _Group, candidates: Sequence[SourceSeries]) -> tuple[SourceSeries, ...]:
    named = [one for one in candidates if one.series_instance_uid in group.series]
    named += [one for one in candidates if one not in named and group.images & one.frames_of_instance.keys()]
    return tuple(named)


def _label(group: _Group) -> str:
    finding = group.finding.meaning if group.finding else ""
    return (group.tracking_identifier or finding or f"Measurements {group.number}")[:64]


# The tree ---------------------------------------------------------------------------------------


def _groups(dataset: Dataset) -> list[_Group]:
    name = code_of(dataset, "ConceptNameCodeSequence")
    if dataset.get("SOPClassUID") not in REPORT_CLASSES or name is None:
        raise ExchangeError("This report is of a kind that Atlas keeps and doesn't read.")
    if (name.scheme, name.value) != ("DCM", MEASUREMENT_REPORT):
        title = f" (“{name.meaning[:64]}”)" if name.meaning else ""
        raise ExchangeError(f"This report{title} is no imaging measurement report; it is kept, not shown.")
    found: list[_Group] = []
    for item in _walk(dataset):
        if item.get("ValueType") == "CONTAINER" and _concept(item) == MEASUREMENT_GROUP:
            found.append(_read_group(item, len(found) + 1, dataset))
            if len(found) > GROUPS_MAX:
                raise ExchangeError(f"It holds more than {GROUPS_MAX} groups of measurements.")
    return found


def _walk(root: Dataset) -> Iterator[Dataset]:
    """All content items below one, in the order of the report."""
    pending = [(item, 1) for item in reversed(items(root, "ContentSequence"))]
    seen = 0
    while pending:
        item, depth = pending.pop()
        seen += 1
        if seen > ITEMS_MAX or depth > DEPTH_MAX:
            raise ExchangeError("The report is larger or deeper than any report; it was not read.")
        yield item
        pending += [(child, depth + 1) for child in reversed(items(item, "ContentSequence"))]


def _concept(item: Dataset) -> str:
    name = first(item, "ConceptNameCodeSequence")
    return str(name.get("CodeValue") or "") if name is not None else ""


def _read_group(container: Dataset, number: int, root: Dataset) -> _Group:
    group = _Group(number)
    for item in items(container, "ContentSequence"):
        kind, concept = item.get("ValueType"), _concept(item)
        if kind == "TEXT" and concept == TRACKING_IDENTIFIER:
            group.tracking_identifier = str(item.get("TextValue") or "")
        elif kind == "UIDREF" and concept == TRACKING_UID:
            group.tracking_uid = str(item.get("UID") or "")
        elif kind == "UIDREF" and concept == SOURCE_SERIES:
            group.series.add(str(item.get("UID") or ""))
        elif kind == "CODE" and concept in FINDING:
            group.finding = code_of(item, "ConceptCodeSequence")
        elif kind == "CODE" and concept in FINDING_SITE:
            group.site = code_of(item, "ConceptCodeSequence")
        elif kind == "NUM":
            _read_number(item, group, root)
        elif kind is not None:
            _read_object(item, group, label="")
    named = tuple((uid, ()) for uid in sorted(group.images))
    group.drawn = [one if one.images else replace(one, images=named) for one in group.drawn]
    return group


def _read_number(item: Dataset, group: _Group, root: Dataset) -> None:
    name = code_of(item, "ConceptNameCodeSequence")
    measured = first(item, "MeasuredValueSequence")
    value = measured.get("NumericValue") if measured is not None else None
    try:
        number = float(value[0] if isinstance(value, list) else value) if value is not None else None
    except (TypeError, ValueError, IndexError):
        number = None
    derivation = ""
    for child in items(item, "ContentSequence"):
        if child.get("ValueType") == "CODE" and _concept(child) == DERIVATION:
            derived = code_of(child, "ConceptCodeSequence")
            derivation = derived.meaning[:64] if derived else ""
        else:
            about = _referred(child, root)
            if about is not None:
                _read_object(about, group, label=name.meaning if name else "")
    if number is None or not np.isfinite(number):
        return
    unit = code_of(measured, "MeasurementUnitsCodeSequence")
    group.numbers.append(
        ReadNumber(
            name=(name.meaning if name else "Measurement")[:64],
            value=number,
            unit=unit.value[:32] if unit else "",
            derivation=derivation,
            code=name,
        )
    )


def _referred(item: Dataset, root: Dataset) -> Dataset | None:
    """An item may stand elsewhere in the tree: by position from 1 at every level (PS3.3 C.17.3.2.5)."""
    path = item.get("ReferencedContentItemIdentifier")
    if path is None:
        return item
    numbers = [path] if isinstance(path, int) else list(path)
    here: Dataset | None = root
    for step in numbers[1 : DEPTH_MAX + 1]:  # the first one is the root itself
        children = items(here, "ContentSequence")
        if not 1 <= int(step) <= len(children):
            return None
        here = children[int(step) - 1]
    return here


def _read_object(item: Dataset, group: _Group, *, label: str) -> None:
    """What a group or a number is about: segments, images, shapes."""
    kind = item.get("ValueType")
    if kind in ("IMAGE", "COMPOSITE"):
        reference = first(item, "ReferencedSOPSequence")
        if reference is None:
            return
        uid = str(reference.get("ReferencedSOPInstanceUID") or "")
        if str(reference.get("ReferencedSOPClassUID") or "") in SEGMENT_CLASSES:
            for number in _integers(reference.get("ReferencedSegmentNumber")) or [0]:
                group.segments[uid, number] = None
        elif kind == "IMAGE":
            group.images.add(uid)
    elif kind in ("SCOORD", "SCOORD3D"):
        drawn = sr_shapes.Drawn(
            kind=str(item.get("GraphicType") or ""),
            points=_points(item, 2 if kind == "SCOORD" else 3),
            images=tuple(_images_of(item)),
            frame_of_reference_uid=str(item.get("ReferencedFrameOfReferenceUID") or ""),
            label=(label or group.tracking_identifier)[:64],
            meaning=group.finding,
        )
        if not any(drawn.is_same(one) for one in group.drawn):
            group.drawn.append(drawn)


def _images_of(item: Dataset) -> Iterator[tuple[str, tuple[int, ...]]]:
    for child in items(item, "ContentSequence"):
        reference = first(child, "ReferencedSOPSequence")
        if reference is not None:
            numbers = tuple(_integers(reference.get("ReferencedFrameNumber")))
            yield str(reference.get("ReferencedSOPInstanceUID") or ""), numbers


def _integers(value: object) -> list[int]:
    if value is None or value == "":
        return []
    return [int(one) for one in value] if isinstance(value, list | tuple) else [int(str(value))]


def _points(item: Dataset, dimensions: int) -> NDArray[np.float64]:
    value = item.get("GraphicData")
    try:
        numbers = np.asarray(value if value is not None else [], dtype=np.float64).ravel()
    except (TypeError, ValueError):
        raise ExchangeError("The points of a region are not numbers.") from None
    if numbers.size == 0 or numbers.size % dimensions or not np.isfinite(numbers).all():
        raise ExchangeError(f"The points of a region are not {dimensions} numbers each.")
    return numbers.reshape(-1, dimensions)
