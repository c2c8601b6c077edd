"""Takes DICOM Segmentations in: each segment becomes a mark to start from, on the images it was drawn on.

Runs whenever a series is sealed. A segmentation that can't be put on images keeps a finding that says why,
and is tried again when images of its study arrive.
"""

import logging
from typing import Any

import pydicom
from django.db import transaction
from pydicom import Dataset
from pydicom.errors import InvalidDicomError

from annotations.exchange.seg_reader import SEGMENTATION_CLASSES, ReadSegmentation, read_seg
from annotations.exchange.source import ExchangeError, SourceSeries
from annotations.models import ImportedPlane, ImportedSegment
from atlas.archive.generations import read_manifest
from atlas.archive.storage import open_instance
from atlas.models import Instance, Series

logger = logging.getLogger(__name__)

NOT_PLACED = "segmentation_not_placed"
ORIGIN_LENGTH_MAX = 300
LABEL_LENGTH_MAX = 64


def take_in(series: Series) -> None:
    """Listens to sealed series. Running it again changes nothing."""
    if _segmentations(series).exists():
        _take_in_segmentations(series)
    elif series.frame_count:
        waiting = Series.objects.filter(
            study=series.study_id, instances__sop_class_uid__in=SEGMENTATION_CLASSES
        )
        for segmentation in waiting.exclude(pk=series.pk).distinct():
            if any(finding.get("code") == NOT_PLACED for finding in segmentation.findings):
                _take_in_segmentations(segmentation)


def _segmentations(series: Series) -> Any:
    return Instance.objects.filter(series=series, sop_class_uid__in=SEGMENTATION_CLASSES)


def _take_in_segmentations(series: Series) -> None:
    problems = []
    for instance in _segmentations(series).order_by("pk"):
        with transaction.atomic():
            known = ImportedSegment.objects.filter(
                source_series=series, source_sop_instance_uid=instance.sop_instance_uid
            )
            if known.exists():
                continue
            try:
                dataset = _read(instance)
                _store(series, instance, dataset, read_seg(dataset, _candidates(series)))
            except ExchangeError as reason:
                problems.append(f"This segmentation is not shown on images: {reason}")
            except Exception as error:  # a parser on someone's bytes may raise anything
                logger.exception("Segmentation %s could not be read", instance.sop_instance_uid)
                problems.append(f"This segmentation can't be read ({type(error).__name__}).")
    _keep_findings(series, problems)


def _read(instance: Instance) -> Dataset:
    try:
        with open_instance(instance) as file:
            return pydicom.dcmread(file)
    except InvalidDicomError as error:
        raise ExchangeError("the file is not a DICOM file.") from error


def _candidates(series: Series) -> list[SourceSeries]:
    """The image series of the same study, and others of the subject in the same frame of reference."""
    images = Series.objects.filter(study__subject=series.study.subject_id, frame_count__gt=0).exclude(
        manifest_key=""
    )
    found = []
    for image in images.exclude(instances__sop_class_uid__in=SEGMENTATION_CLASSES).select_related("study"):
        manifest = read_manifest(image.manifest_key)
        found.append(SourceSeries.from_manifest(manifest, study_instance_uid=image.study.study_instance_uid))
    return found


@transaction.atomic
def _store(series: Series, instance: Instance, dataset: Dataset, read: ReadSegmentation) -> None:
    image_series = Series.objects.get(
        organisation=series.organisation_id, series_instance_uid=read.source.series_instance_uid
    )
    origin = _origin(series, dataset, read.notes)
    for segment in read.segments:
        imported, is_new = ImportedSegment.objects.get_or_create(
            source_series=series,
            source_sop_instance_uid=instance.sop_instance_uid,
            segment_number=segment.number,
            defaults={
                "series": image_series,
                "label": segment.label[:LABEL_LENGTH_MAX],
                "category_code": segment.category.as_json() if segment.category else None,
                "type_code": segment.meaning.as_json() if segment.meaning else None,
                "origin": origin,
            },
        )
        if is_new:
            ImportedPlane.objects.bulk_create(
                ImportedPlane(
                    segment=imported,
                    sop_instance_uid=key.sop_instance_uid,
                    frame_number=key.frame_number,
                    rows=read.source.frame_at[key].rows,
                    columns=read.source.frame_at[key].columns,
                    runs=runs,
                )
                for key, runs in segment.planes.items()
            )


def _origin(series: Series, dataset: Dataset, notes: tuple[str, ...]) -> str:
    """“Imported segmentation: Tumour outline, Maker, 2026-11-22.”, and what reading it changed."""
    day = str(dataset.get("ContentDate") or "")
    parts = [
        series.description or "without description",
        str(dataset.get("Manufacturer") or ""),
        f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 else "",
    ]
    sentence = f"Imported segmentation: {', '.join(part for part in parts if part)}."
    return " ".join((sentence, *notes))[:ORIGIN_LENGTH_MAX]


def _keep_findings(series: Series, problems: list[str]) -> None:
    """Beside what the quality gate found; what an earlier attempt said is replaced."""
    with transaction.atomic():
        locked = Series.objects.select_for_update().get(pk=series.pk)
        others = [finding for finding in locked.findings if finding.get("code") != NOT_PLACED]
        findings = others + [
            {"code": NOT_PLACED, "sentence": problem, "spoils": []} for problem in dict.fromkeys(problems)
        ]
        if findings != locked.findings:
            locked.findings = findings
            locked.save(update_fields=["findings"])
    series.findings = findings
