"""Takes derived objects in: SEG, RTSTRUCT, SR and PR become marks on the images they were drawn on.

Runs whenever a series is sealed, in any order: what arrives before its images waits, and is tried again when
a series of its subject is sealed. What became of each object is kept as a sentence on the series it came in;
what isn't shown is a finding there, too. Nothing depends on who was first: where only its place said on which
images an object lies, it is looked at again when others arrive.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import pydicom
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from pydicom import Dataset
from pydicom.errors import InvalidDicomError

from annotations.exchange import pr_reader, rtstruct_reader, seg_reader, sr_reader
from annotations.exchange.placing import Named
from annotations.exchange.source import ExchangeError, SourceSeries
from annotations.models import DerivedObject
from annotations.reading import imported_rows
from annotations.reading.imported_rows import Became
from atlas.archive.generations import read_manifest
from atlas.archive.storage import ObjectMissing, StorageUnavailable, open_instance
from atlas.dicom.headers import DEFLATED, Unreadable, inflated
from atlas.models import Instance, Series

logger = logging.getLogger(__name__)

NOT_PLACED = "derived_not_placed"
BYTES_MAX = 2 * 1024**3  # a derived object is read into memory
SENTENCE_LENGTH_MAX = 1000
TOLD_MAX = 5  # sentences of one series
Kind = DerivedObject.Kind


@dataclass(frozen=True)
class Reader:
    """How objects of some classes are read and kept. `waits_for_others`: they refer to derived objects."""

    kind: DerivedObject.Kind
    classes: tuple[str, ...]
    name: str
    named_by: Callable[[Dataset], Named]
    take: Callable[[imported_rows.Arrival, list[SourceSeries]], Became]
    waits_for_others: bool = False


READERS = (
    Reader(
        Kind.SEGMENTATION,
        seg_reader.SEGMENTATION_CLASSES,
        "segmentation",
        seg_reader.named_by,
        imported_rows.take_segmentation,
    ),
    Reader(
        Kind.STRUCTURE_SET,
        rtstruct_reader.STRUCTURE_SET_CLASSES,
        "structure set",
        rtstruct_reader.named_by,
        imported_rows.take_structure_set,
    ),
    Reader(
        Kind.PRESENTATION,
        pr_reader.PRESENTATION_CLASSES,
        "presentation state",
        pr_reader.named_by,
        imported_rows.take_presentation,
    ),
    Reader(
        Kind.REPORT,
        sr_reader.REPORT_CLASSES,
        "report",
        sr_reader.named_by,
        imported_rows.take_report,
        waits_for_others=True,
    ),
)
READER_OF = {uid: reader for reader in READERS for uid in reader.classes}


def take_in(series: Series) -> None:
    """Listens to sealed series. Running it again changes nothing."""
    own = _derived().filter(series=series)
    instances = list(own)
    if series.frame_count or instances:
        near = {
            "series__study__subject": series.study.subject_id,
            "series__study__dataset": series.study.dataset_id,
        }
        others = _derived().filter(**near).exclude(series=series)
        settled = DerivedObject.objects.filter(**near, is_settled=True)
        known = set(settled.values_list("sop_instance_uid", flat=True))
        waiting = [one for one in others.order_by("pk") if one.sop_instance_uid not in known]
        if not series.frame_count:  # no new images: only what refers to derived objects may know more now
            waiting = [one for one in waiting if READER_OF[one.sop_class_uid].waits_for_others]
        instances += waiting
    touched = {series.pk: series} if own else {}
    # Reports come last: they refer to segments that the others bring.
    for instance in sorted(instances, key=lambda one: READER_OF[one.sop_class_uid].waits_for_others):
        touched.setdefault(instance.series_id, instance.series)
        _take_in_instance(instance)
    for one in touched.values():
        _keep_findings(one)


def became(series_ids: Collection[int]) -> dict[int, list[str]]:
    """What the objects of these series show on which images, each sentence once; of many the first few.

    What isn't shown is a finding of its series already.
    """
    shown = DerivedObject.objects.filter(series__in=series_ids, state=DerivedObject.State.SHOWN)
    sentences: dict[int, dict[str, None]] = {}
    for series_id, sentence in shown.order_by("pk").values_list("series", "sentence"):
        sentences.setdefault(series_id, {})[sentence] = None
    told = {series_id: list(found) for series_id, found in sentences.items()}
    for found in told.values():
        if len(found) > TOLD_MAX:
            found[TOLD_MAX:] = [f"{len(found) - TOLD_MAX:,} more are like this."]
    return told


def _derived() -> QuerySet[Instance]:
    return (
        Instance.objects.filter(sop_class_uid__in=READER_OF, hold=Instance.Hold.NONE)
        .select_related("series__study")
        .order_by("pk")
    )


def _take_in_instance(instance: Instance) -> None:
    """One object at a time; its row is locked first, so that whoever comes second sees what the first saw."""
    reader = READER_OF[instance.sop_class_uid]
    with transaction.atomic():
        DerivedObject.objects.get_or_create(
            series=instance.series,
            sop_instance_uid=instance.sop_instance_uid,
            defaults={"kind": reader.kind},
        )
        row = DerivedObject.objects.select_for_update().get(
            series=instance.series, sop_instance_uid=instance.sop_instance_uid
        )
        if row.is_settled:
            return
        became = _read_and_keep(instance, reader, row)
        row.state, row.is_settled, row.windows = became.state, became.is_settled, became.windows
        row.sentence = became.sentence[:SENTENCE_LENGTH_MAX]
        row.save(update_fields=["state", "is_settled", "windows", "sentence", "changed_at"])


def _read_and_keep(instance: Instance, reader: Reader, row: DerivedObject) -> Became:
    """Within the caller's transaction; what can't be shown takes away what an earlier attempt showed."""
    try:
        with transaction.atomic():
            dataset = _read(instance)
            arrival = imported_rows.Arrival(row, instance, dataset)
            return reader.take(arrival, _candidates(instance.series, reader.named_by(dataset)))
    except ExchangeError as reason:
        imported_rows.forget(row)
        return Became(
            DerivedObject.State.WAITING,
            f"This {reader.name} is not shown on images: {reason}",
            is_settled=False,
        )
    except (DatabaseError, StorageUnavailable, MemoryError):
        raise  # nothing is wrong with the object: the job fails, and what was shown stays
    except Exception as error:  # a parser on someone's bytes may raise anything
        # Only its kind: what a parser says may quote the file.
        logger.error("%s %s could not be read: %s", reader.name, instance.pk, type(error).__name__)
        imported_rows.forget(row)
        said = f"This {reader.name} can't be read ({type(error).__name__}). It is kept as it came."
        return Became(DerivedObject.State.UNREADABLE, said, is_settled=False)


def _read(instance: Instance) -> Dataset:
    if instance.size > BYTES_MAX:
        raise ExchangeError("it is larger than 2 GB.")
    try:
        with open_instance(instance) as file:
            return pydicom.dcmread(inflated(file) if instance.transfer_syntax_uid == DEFLATED else file)
    except (InvalidDicomError, ObjectMissing) as error:
        raise ExchangeError("the stored file can't be read as DICOM.") from error
    except Unreadable as error:
        raise ExchangeError(str(error)) from error


def _candidates(series: Series, named: Named) -> list[SourceSeries]:
    """The image series of the same subject that it names, or that share its frame of reference.

    Of the same dataset only: who may see the images of one needn't be allowed to see another's.
    """
    images = Series.objects.filter(
        study__subject=series.study.subject_id, study__dataset=series.study.dataset_id, frame_count__gt=0
    )
    wanted = Q(series_instance_uid__in=named.series) | Q(frame_of_reference_uid__in=named.frames_of_reference)
    if named.instances:
        holding = Instance.objects.filter(
            organisation_id=series.organisation_id, sop_instance_uid__in=named.instances
        )
        wanted |= Q(pk__in=holding.values("series_id"))
    found = []
    images = images.filter(wanted).exclude(manifest_key="").exclude(state=Series.State.BROKEN)
    for image in images.select_related("study").order_by("pk"):
        try:
            manifest = read_manifest(image.manifest_key)
        except ObjectMissing:  # sealed again a moment ago: that sealing takes in once more
            continue
        found.append(SourceSeries.from_manifest(manifest, study_instance_uid=image.study.study_instance_uid))
    return found


def _keep_findings(series: Series) -> None:
    """Beside what the quality gate found; what an earlier attempt said is replaced."""
    not_shown = DerivedObject.objects.filter(series=series).exclude(state=DerivedObject.State.SHOWN)
    problems = list(dict.fromkeys(not_shown.values_list("sentence", flat=True)))
    with transaction.atomic():
        locked = Series.objects.select_for_update().get(pk=series.pk)
        others = [finding for finding in locked.findings if finding.get("code") != NOT_PLACED]
        findings: list[dict[str, Any]] = others + [
            {"code": NOT_PLACED, "sentence": problem, "spoils": []} for problem in problems
        ]
        if findings != locked.findings:
            locked.findings = findings
            locked.save(update_fields=["findings"])
    series.findings = findings
