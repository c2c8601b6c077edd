"""The index: rows for stored objects, made once by whoever comes first. Only intake calls this."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from atlas.dicom import values
from atlas.dicom.describe import is_derived
from atlas.dicom.frames import frame_count
from atlas.dicom.headers import Header
from atlas.models import Dataset, Instance, Series, Study, Subject

STORED, KNOWN, REFUSED, NOT_DICOM = "stored", "known", "refused", "not_dicom"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: stored, known (here already), refused or not_dicom, with the reason."""

    name: str
    status: str
    reason: str = ""
    series_id: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A file that passed every check that needs no database, held in memory or in a temporary file."""

    name: str
    file: BinaryIO
    sha256: str
    header: Header

    def uid(self, keyword: str) -> str:
        return values.uid(self.header.dataset, keyword)


@dataclass(frozen=True, slots=True)
class Stored:
    received: Received
    key: str
    sha256: str
    size: int


def compared(entry: Received, digest: str, series_id: int) -> Outcome:
    if digest == entry.sha256:
        return Outcome(entry.name, KNOWN, series_id=series_id)
    reason = "An image with the same SOP Instance UID but other content is here already; it was kept."
    return Outcome(entry.name, REFUSED, reason)


@transaction.atomic
def index(stored: list[Stored], dataset: Dataset) -> list[Outcome]:
    """Rows for stored objects. Whoever comes first makes a row (ON CONFLICT DO NOTHING); rows are made in
    the order of their UIDs, so that concurrent senders can't wait for each other in a circle."""
    now = timezone.now()
    made: set[str] = set()
    subjects = _subjects(stored, dataset, made)
    studies = _studies(stored, dataset, subjects, made)
    series = _series(stored, dataset, studies, now, made)
    outcomes: dict[str, Outcome] = {}
    accepted: list[Stored] = []
    for one in stored:
        entry = one.received
        study, own_series = studies[entry.uid("StudyInstanceUID")], series[entry.uid("SeriesInstanceUID")]
        reason = _conflict(entry, dataset, subjects, study, own_series)
        if reason:
            outcomes[one.key] = Outcome(entry.name, REFUSED, reason)
        else:
            accepted.append(one)
    rows = [_instance(one, dataset, series[one.received.uid("SeriesInstanceUID")]) for one in accepted]
    Instance.objects.bulk_create(sorted(rows, key=lambda row: row.sop_instance_uid), ignore_conflicts=True)
    winners = {
        row.sop_instance_uid: row
        for row in Instance.objects.filter(
            organisation_id=dataset.organisation_id,
            sop_instance_uid__in=[row.sop_instance_uid for row in rows],
        )
    }
    counts: dict[int, int] = {}
    for one in accepted:
        winner = winners[one.received.uid("SOPInstanceUID")]
        if winner.object_key == one.key:
            outcomes[one.key] = Outcome(one.received.name, STORED, series_id=winner.series_id)
            counts[winner.series_id] = counts.get(winner.series_id, 0) + 1
        else:
            outcomes[one.key] = compared(one.received, winner.original_sha256, winner.series_id)
    for series_id in sorted(counts):
        Series.objects.filter(pk=series_id).update(
            state=Series.State.ARRIVING,
            changed_at=now,
            instance_count=F("instance_count") + counts[series_id],
        )
    if any(outcome.status != STORED for outcome in outcomes.values()):
        _forget_empty(made)
    return [outcomes[one.key] for one in stored]


def _forget_empty(made: set[str]) -> None:
    """A refused file leaves no empty series, study or subject behind. `made` are the public ids of rows of
    this transaction: nobody else can see them yet, so nobody else can be about to use them."""
    Series.objects.filter(public_id__in=made, instances=None).delete()
    Study.objects.filter(public_id__in=made, series=None).delete()
    Subject.objects.filter(public_id__in=made, studies=None).delete()


def _conflict(
    entry: Received, dataset: Dataset, subjects: dict[str, Subject], study: Study, series: Series
) -> str:
    if study.subject_id != subjects[_pseudonym(entry)].pk:
        return "Its study is here already with another Patient ID. One of the two is wrong."
    if study.dataset_id != dataset.pk:
        return "Its study belongs to another dataset of this organisation already."
    if series.study_id != study.pk:
        return "Its series is here already as part of another study. One of the two is wrong."
    return ""


def _pseudonym(entry: Received) -> str:
    return values.text(entry.header.dataset, "PatientID")


def _subjects(stored: list[Stored], dataset: Dataset, made: set[str]) -> dict[str, Subject]:
    rows: dict[str, Subject] = {}
    for one in stored:
        sex = values.text(one.received.header.dataset, "PatientSex", length_max=16).upper()
        rows.setdefault(
            _pseudonym(one.received),
            Subject(
                organisation_id=dataset.organisation_id,
                pseudonym=_pseudonym(one.received),
                sex=sex if sex in ("M", "F", "O") else "",
            ),
        )
    made.update(row.public_id for row in rows.values())
    Subject.objects.bulk_create([rows[name] for name in sorted(rows)], ignore_conflicts=True)
    found = Subject.objects.filter(organisation_id=dataset.organisation_id, pseudonym__in=rows)
    return {subject.pseudonym: subject for subject in found}


def _studies(
    stored: list[Stored], dataset: Dataset, subjects: dict[str, Subject], made: set[str]
) -> dict[str, Study]:
    rows: dict[str, Study] = {}
    for one in stored:
        header = one.received.header.dataset
        uid = one.received.uid("StudyInstanceUID")
        rows.setdefault(
            uid,
            Study(
                organisation_id=dataset.organisation_id,
                dataset=dataset,
                subject=subjects[_pseudonym(one.received)],
                study_instance_uid=uid,
                date=values.day(header, "StudyDate"),
                time=values.clock(header, "StudyTime"),
                description=values.text(header, "StudyDescription"),
                age_years=values.age_years(header),
            ),
        )
    made.update(row.public_id for row in rows.values())
    Study.objects.bulk_create([rows[uid] for uid in sorted(rows)], ignore_conflicts=True)
    found = Study.objects.filter(organisation_id=dataset.organisation_id, study_instance_uid__in=rows)
    return {study.study_instance_uid: study for study in found}


def _series(
    stored: list[Stored], dataset: Dataset, studies: dict[str, Study], now: datetime, made: set[str]
) -> dict[str, Series]:
    rows: dict[str, Series] = {}
    for one in stored:
        header = one.received.header.dataset
        uid = one.received.uid("SeriesInstanceUID")
        rows.setdefault(
            uid,
            Series(
                organisation_id=dataset.organisation_id,
                study=studies[one.received.uid("StudyInstanceUID")],
                series_instance_uid=uid,
                modality=values.text(header, "Modality", length_max=16) or "OT",
                number=values.integer(header, "SeriesNumber"),
                description=values.text(header, "SeriesDescription"),
                body_part=values.text(header, "BodyPartExamined", length_max=16),
                frame_of_reference_uid=values.uid(header, "FrameOfReferenceUID"),
                changed_at=now,
            ),
        )
    made.update(row.public_id for row in rows.values())
    Series.objects.bulk_create([rows[uid] for uid in sorted(rows)], ignore_conflicts=True)
    found = Series.objects.filter(organisation_id=dataset.organisation_id, series_instance_uid__in=rows)
    return {series.series_instance_uid: series for series in found}


def _instance(one: Stored, dataset: Dataset, series: Series) -> Instance:
    header = one.received.header
    derived = is_derived(series.modality, one.received.uid("SOPClassUID"))
    return Instance(
        organisation_id=dataset.organisation_id,
        series=series,
        sop_instance_uid=one.received.uid("SOPInstanceUID"),
        sop_class_uid=one.received.uid("SOPClassUID"),
        transfer_syntax_uid=header.transfer_syntax_uid,
        instance_number=values.integer(header.dataset, "InstanceNumber"),
        number_of_frames=0 if derived else frame_count(header),
        original_sha256=one.received.sha256,
        stored_sha256=one.sha256,
        size=one.size,
        object_key=one.key,
    )
