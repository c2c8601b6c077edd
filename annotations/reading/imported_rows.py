"""Rows of what derived objects bring: segments, shapes, numbers. Only `imported` calls this.

What is there already keeps its public id, since marks may name it as their origin: what changed is changed in
place, what is gone is deleted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset

from annotations.exchange.derived import ReadSegment, ReadShape
from annotations.exchange.pr_reader import read_pr
from annotations.exchange.rtstruct_reader import read_rtstruct
from annotations.exchange.seg_reader import read_seg
from annotations.exchange.source import ExchangeError, SourceSeries
from annotations.exchange.sr_reader import ReadGroup, read_sr
from annotations.models import (
    DerivedObject,
    ImportedMark,
    ImportedMeasurement,
    ImportedPlane,
    ImportedSegment,
)
from atlas.models import Instance, Series

ORIGIN_LENGTH_MAX = 300
LABEL_LENGTH_MAX = 64
MARKS_MAX, NUMBERS_MAX = 5_000, 1_000
TITLES = {
    DerivedObject.Kind.SEGMENTATION: "Imported segmentation",
    DerivedObject.Kind.STRUCTURE_SET: "Imported structure set",
    DerivedObject.Kind.REPORT: "Imported report",
    DerivedObject.Kind.PRESENTATION: "Imported presentation state",
}


@dataclass(frozen=True)
class Arrival:
    """A derived object with its row (locked), its instance and what it holds."""

    row: DerivedObject
    instance: Instance
    dataset: Dataset

    @property
    def series(self) -> Series:
        return self.instance.series


@dataclass(frozen=True)
class Became:
    """What became of a derived object. `is_settled`: no image that may still arrive changes it."""

    state: DerivedObject.State
    sentence: str
    is_settled: bool
    windows: list[dict[str, Any]] = field(default_factory=list)


def forget(row: DerivedObject) -> None:
    """Nothing of it is shown any more."""
    _segments_of(row).delete()
    row.marks.all().delete()
    row.measurements.all().delete()


def _segments_of(row: DerivedObject):
    return ImportedSegment.objects.filter(
        source_series=row.series_id, source_sop_instance_uid=row.sop_instance_uid
    )


# One function a kind ----------------------------------------------------------------------------


def take_segmentation(arrival: Arrival, candidates: list[SourceSeries]) -> Became:
    read = read_seg(arrival.dataset, candidates)
    images = _series_of(arrival, read.source)
    _keep_segments(arrival, images, read.source, read.segments, _origin(arrival, read.notes))
    sentence = _shown(f"{_count(len(read.segments), 'segment')} on {_named(images)}", read.notes)
    return Became(DerivedObject.State.SHOWN, sentence, is_settled=not read.by_place)


def take_structure_set(arrival: Arrival, candidates: list[SourceSeries]) -> Became:
    read = read_rtstruct(arrival.dataset, candidates)
    images = _series_of(arrival, read.source)
    origin = _origin(arrival, read.notes)
    _keep_segments(arrival, images, read.source, read.segments, origin)
    _keep_marks(arrival, read.shapes, origin)
    what = [_count(len(read.segments), "region")] if read.segments else []
    what += [_count(len(read.shapes), "point or line", "points and lines")] if read.shapes else []
    sentence = _shown(f"{' and '.join(what)} on {_named(images)}", read.notes)
    return Became(DerivedObject.State.SHOWN, sentence, is_settled=not read.by_place)


def take_presentation(arrival: Arrival, candidates: list[SourceSeries]) -> Became:
    read = read_pr(arrival.dataset, candidates)
    _keep_marks(arrival, read.shapes, _origin(arrival, read.notes))
    on = ", ".join(_named(_series_of(arrival, source)) for source in read.sources)
    what = f"{_count(len(read.shapes), 'drawing')} on {on}" if read.shapes else f"no drawings, for {on}"
    windows = dict.fromkeys((window["center"], window["width"]) for window in read.windows)
    said = [f"Window {width:g}, level {center:g}." for center, width in windows][:3]
    sentence = _shown(what, (*said, *read.notes))
    return Became(DerivedObject.State.SHOWN, sentence, is_settled=read.is_whole, windows=list(read.windows))


def take_report(arrival: Arrival, candidates: list[SourceSeries]) -> Became:
    read = read_sr(arrival.dataset, candidates)
    notes = list(read.notes)
    origin = _origin(arrival, ())
    marks = _keep_marks(arrival, [shape for group in read.groups for shape in group.shapes], origin)
    kept: list[int] = []
    at, missing = 0, 0
    for group in read.groups:
        own_marks, at = marks[at : at + len(group.shapes)], at + len(group.shapes)
        segments, lost = _segments_named(arrival, group)
        missing += lost
        if _keep_measurements(arrival, group, segments, own_marks, origin):
            kept.append(group.number)
    arrival.row.measurements.exclude(number__in=kept).delete()
    if missing:
        what = "a segment" if missing == 1 else f"{missing} segments"
        notes.insert(0, f"It measures {what} of segmentations that are not here or not on images.")
    if not kept:
        raise ExchangeError(" ".join(notes) or "the images that it measures are not here.")
    whole = len(kept) == len(read.groups)
    share = _count(len(kept), "group") if whole else f"{len(kept)} of {len(read.groups)} groups"
    on = sorted({_named(one.series) for one in arrival.row.measurements.select_related("series")})
    sentence = _shown(f"{share} of measurements on {', '.join(on)}", notes)
    settled = read.is_whole and whole and not missing and _is_measured_settled(arrival)
    return Became(DerivedObject.State.SHOWN, sentence, is_settled=settled)


# Segments ---------------------------------------------------------------------------------------


def _keep_segments(
    arrival: Arrival,
    images: Series,
    source: SourceSeries,
    segments: Sequence[ReadSegment],
    origin: str,
) -> None:
    for segment in segments:
        kept, _ = ImportedSegment.objects.update_or_create(
            source_series=arrival.series,
            source_sop_instance_uid=arrival.instance.sop_instance_uid,
            segment_number=segment.number,
            defaults={
                "series": images,
                "label": segment.label[:LABEL_LENGTH_MAX],
                "category_code": segment.category.as_json() if segment.category else None,
                "type_code": segment.meaning.as_json() if segment.meaning else None,
                "origin": origin,
            },
        )
        _keep_planes(kept, source, segment)
    numbers = [segment.number for segment in segments]
    _segments_of(arrival.row).exclude(segment_number__in=numbers).delete()


def _keep_planes(kept: ImportedSegment, source: SourceSeries, segment: ReadSegment) -> None:
    present = {(plane.sop_instance_uid, plane.frame_number): bytes(plane.runs) for plane in kept.planes.all()}
    if present == segment.planes:
        return
    kept.planes.all().delete()
    ImportedPlane.objects.bulk_create(
        ImportedPlane(
            segment=kept,
            sop_instance_uid=key.sop_instance_uid,
            frame_number=key.frame_number,
            rows=source.frame_at[key].rows,
            columns=source.frame_at[key].columns,
            runs=runs,
        )
        for key, runs in segment.planes.items()
    )


def _segments_named(arrival: Arrival, group: ReadGroup) -> tuple[list[ImportedSegment], int]:
    """The segments that a group measures, and how many of them are not here. Number 0 names them all."""
    found: dict[int, ImportedSegment] = {}
    lost = 0
    for uid, number in group.segments:
        study = arrival.series.study
        here = ImportedSegment.objects.filter(
            source_sop_instance_uid=uid,
            source_series__study__subject=study.subject_id,
            source_series__study__dataset=study.dataset_id,
        ).select_related("series")
        rows = list(here.filter(segment_number=number) if number else here)
        found |= {row.pk: row for row in rows}
        lost += not rows
    return list(found.values()), lost


def _is_measured_settled(arrival: Arrival) -> bool:
    """A segment may still move to other images: what measures it then moves with it."""
    measured = ImportedSegment.objects.filter(measurements__derived=arrival.row)
    moving = DerivedObject.objects.filter(
        is_settled=False, sop_instance_uid__in=measured.values("source_sop_instance_uid")
    )
    study = arrival.series.study
    return not moving.filter(
        series__study__subject=study.subject_id, series__study__dataset=study.dataset_id
    ).exists()


# Shapes and numbers -----------------------------------------------------------------------------


def _keep_marks(arrival: Arrival, shapes: Sequence[ReadShape], origin: str) -> list[ImportedMark]:
    if len(shapes) > MARKS_MAX:
        raise ExchangeError(f"it draws more than {MARKS_MAX:,} shapes.")
    kept = []
    for number, shape in enumerate(shapes, start=1):
        mark, _ = ImportedMark.objects.update_or_create(
            derived=arrival.row,
            number=number,
            defaults={
                "series": _series_of(arrival, shape.source),
                "kind": shape.kind,
                "label": shape.label[:LABEL_LENGTH_MAX],
                "type_code": shape.meaning.as_json() if shape.meaning else None,
                "origin": origin,
                "place": shape.as_place(),
            },
        )
        kept.append(mark)
    arrival.row.marks.filter(number__gt=len(shapes)).delete()
    return kept


def _keep_measurements(
    arrival: Arrival,
    group: ReadGroup,
    segments: Sequence[ImportedSegment],
    marks: Sequence[ImportedMark],
    origin: str,
) -> bool:
    """False where a group has nothing here to be about."""
    about = [*(one.series for one in segments), *(one.series for one in marks)]
    about += [_series_of(arrival, source) for source in group.sources]
    if not about:
        return False
    kept, _ = ImportedMeasurement.objects.update_or_create(
        derived=arrival.row,
        number=group.number,
        defaults={
            "series": about[0],
            "label": group.label[:LABEL_LENGTH_MAX],
            "tracking_uid": group.tracking_uid,
            "finding_code": group.finding.as_json() if group.finding else None,
            "site_code": group.site.as_json() if group.site else None,
            "numbers": [number.as_json() for number in group.numbers[:NUMBERS_MAX]],
            "origin": origin,
        },
    )
    kept.segments.set(segments)
    kept.marks.set(marks)
    return True


# Words ------------------------------------------------------------------------------------------


def _series_of(arrival: Arrival, source: SourceSeries) -> Series:
    return Series.objects.get(
        organisation=arrival.series.organisation_id, series_instance_uid=source.series_instance_uid
    )


def _named(series: Series) -> str:
    return f"“{series.description or series.modality}”"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _shown(what: str, notes: Iterable[str]) -> str:
    return " ".join((f"Shown: {what}.", *notes))


def _origin(arrival: Arrival, notes: Iterable[str]) -> str:
    """“Imported segmentation: Tumour outline, Maker, 2026-11-22.”, and what reading it changed."""
    dataset = arrival.dataset
    day = str(dataset.get("ContentDate") or dataset.get("StructureSetDate") or "")
    is_set = arrival.row.kind == DerivedObject.Kind.STRUCTURE_SET
    label = str(dataset.get("StructureSetLabel") or "") if is_set else ""
    parts = [
        arrival.series.description or label or "without description",
        str(dataset.get("Manufacturer") or ""),
        f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 else "",
    ]
    title = TITLES[DerivedObject.Kind(arrival.row.kind)]
    sentence = f"{title}: {', '.join(part for part in parts if part)}."
    return " ".join((sentence, *notes))[:ORIGIN_LENGTH_MAX]
