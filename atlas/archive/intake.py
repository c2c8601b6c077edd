"""Takes DICOM files in: reads, checks, stores durably, indexes. The only writer of subjects to instances.

A file is acknowledged ("stored") only when its bytes and its row are durable. Sending it again changes
nothing; several senders may send the same series at once.
"""

import hashlib
import io
import logging
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from atlas.archive.sources import Source, UnreadableMember
from atlas.archive.storage import new_key, spool, storage
from atlas.dicom import values
from atlas.dicom.describe import is_derived
from atlas.dicom.frames import frame_count
from atlas.dicom.headers import Header, NotDicom, Unreadable, looks_like_dicom, read_header
from atlas.models import Dataset, Instance, Series, Study, Subject

logger = logging.getLogger(__name__)

BATCH_FILES = 48
BATCH_BYTES = 64 * 1024 * 1024
READ_BYTES = 1024 * 1024
INSTANCE_BYTES_MAX = 8 * 1024 * 1024 * 1024
STORED, KNOWN, REFUSED, NOT_DICOM = "stored", "known", "refused", "not_dicom"

_disk = ThreadPoolExecutor(max_workers=8, thread_name_prefix="intake")  # waits for the disk side by side


class IntakeClosed(Exception):
    """The dataset takes no images. The message is a sentence."""


class Refused(Exception):
    """This file is not taken. The message is a sentence for its sender."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: stored, known (here already), refused or not_dicom, with the reason."""

    name: str
    status: str
    reason: str = ""
    series_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Received:
    """A file that passed every check that needs no database, held in memory or in a temporary file."""

    name: str
    file: BinaryIO
    sha256: str
    header: Header

    def uid(self, keyword: str) -> str:
        return values.uid(self.header.dataset, keyword)


@dataclass(frozen=True, slots=True)
class _Stored:
    received: _Received
    key: str
    sha256: str
    size: int


def require_open(dataset: Dataset) -> None:
    """Raises IntakeClosed unless someone declared how this dataset's images are de-identified."""
    if dataset.deidentification != Dataset.Deidentification.ALREADY_DONE:
        raise IntakeClosed(
            f"“{dataset.name}” takes no images yet: declare first that its images are de-identified "
            "before they arrive."
        )


def take_in(sources: Iterable[Source], *, dataset: Dataset) -> Iterable[Outcome]:
    """Take files in, in batches; yields one outcome for each, in order. Raises IntakeClosed."""
    require_open(dataset)
    batch: list[_Received | Outcome] = []
    size = 0
    for source in sources:
        received = _receive(source)
        batch.append(received)
        size += received.header.size if isinstance(received, _Received) else 0
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield from _take_in_batch(batch, dataset)
            batch, size = [], 0
    if batch:
        yield from _take_in_batch(batch, dataset)


def _receive(source: Source) -> _Received | Outcome:
    if source.problem or source.open is None:
        return Outcome(source.name, REFUSED, source.problem)
    try:
        with source.open() as stream:
            file, digest = _spooled(stream)
        return _Received(source.name, file, digest, _checked(read_header(file)))
    except NotDicom as error:
        return Outcome(source.name, NOT_DICOM, str(error))
    except (Unreadable, Refused, UnreadableMember) as error:
        return Outcome(source.name, REFUSED, str(error))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        return Outcome(source.name, REFUSED, f"The ZIP archive is damaged here: {error}.")
    except OSError as error:
        return Outcome(source.name, REFUSED, f"The file can't be read: {error.strerror or error}.")


def _spooled(stream: BinaryIO) -> tuple[BinaryIO, str]:
    """A seekable copy and its SHA-256. What can't be DICOM is given up after its first bytes."""
    chunk = stream.read(READ_BYTES)
    if chunk and not looks_like_dicom(chunk[:132]):
        raise NotDicom("This is not a DICOM file.")
    file, digest, size = spool(), hashlib.sha256(), 0
    while chunk:
        digest.update(chunk)
        file.write(chunk)
        size += len(chunk)
        if size > INSTANCE_BYTES_MAX:
            raise Refused("The file is larger than 8 GB.")
        chunk = stream.read(READ_BYTES)
    return file, digest.hexdigest()


def _checked(header: Header) -> Header:
    """Raises Refused for what can't be put in its place."""
    names = {
        "SOPClassUID": "SOP Class UID",
        "SOPInstanceUID": "SOP Instance UID",
        "StudyInstanceUID": "Study Instance UID",
        "SeriesInstanceUID": "Series Instance UID",
    }
    missing = [name for keyword, name in names.items() if not values.uid(header.dataset, keyword)]
    if not values.text(header.dataset, "PatientID"):
        missing.append("Patient ID")
    if missing:
        raise Refused(f"The header lacks, or has no valid, {_listed(missing)}.")
    return header


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


# A batch ---------------------------------------------------------------------------------------


def _take_in_batch(batch: list[_Received | Outcome], dataset: Dataset) -> list[Outcome]:
    outcomes: list[Outcome | None] = [entry if isinstance(entry, Outcome) else None for entry in batch]
    known = _known_instances([entry for entry in batch if isinstance(entry, _Received)], dataset)
    fresh: dict[int, _Received] = {}
    in_batch: dict[str, _Received] = {}
    repeated: list[int] = []
    for at, entry in enumerate(batch):
        if isinstance(entry, Outcome):
            continue
        uid = entry.uid("SOPInstanceUID")
        if uid in known:
            outcomes[at] = _compared(entry, *known[uid])
        elif uid in in_batch:
            repeated.append(at)
        else:
            fresh[at] = in_batch[uid] = entry
    for at, outcome in zip(fresh, _store_and_index(list(fresh.values()), dataset), strict=True):
        outcomes[at] = outcome
    if repeated:  # twice in one batch: the first one is there now, or was refused
        again = _take_in_batch([batch[at] for at in repeated], dataset)
        for at, outcome in zip(repeated, again, strict=True):
            outcomes[at] = outcome
    for entry in fresh.values():
        entry.file.close()
    return [outcome for outcome in outcomes if outcome is not None]


def _known_instances(received: Sequence[_Received], dataset: Dataset) -> dict[str, tuple[str, int]]:
    """SOP Instance UID → (SHA-256 of what arrived then, primary key of its series)."""
    rows = Instance.objects.filter(
        organisation_id=dataset.organisation_id,
        sop_instance_uid__in=[entry.uid("SOPInstanceUID") for entry in received],
    ).values_list("sop_instance_uid", "original_sha256", "series_id")
    return {uid: (digest, series_id) for uid, digest, series_id in rows}


def _compared(entry: _Received, digest: str, series_id: int) -> Outcome:
    if digest == entry.sha256:
        return Outcome(entry.name, KNOWN, series_id=series_id)
    reason = "An image with the same SOP Instance UID but other content is here already; it was kept."
    return Outcome(entry.name, REFUSED, reason)


def _store_and_index(fresh: list[_Received], dataset: Dataset) -> list[Outcome]:
    if not fresh:
        return []
    stored: list[_Stored] = []
    try:
        for future in [_disk.submit(_store, entry) for entry in fresh]:
            stored.append(future.result())
        outcomes = _index(stored, dataset)
    except BaseException:
        for one in stored:
            storage().delete(one.key)
        raise
    for one, outcome in zip(stored, outcomes, strict=True):
        if outcome.status != STORED:
            storage().delete(one.key)
    return outcomes


def _store(entry: _Received) -> _Stored:
    key = new_key(".dcm")
    entry.file.seek(0)
    original = entry.file.read(entry.header.body_offset)
    prefix = entry.header.part_10_prefix(original)
    size = storage().put_durable(key, prefix, entry.file)
    return _Stored(entry, key, entry.sha256 if prefix == original else _digest(prefix, entry), size)


def _digest(prefix: bytes, entry: _Received) -> str:
    digest = hashlib.sha256(prefix)
    entry.file.seek(entry.header.body_offset)
    while chunk := entry.file.read(READ_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


# Rows ------------------------------------------------------------------------------------------


@transaction.atomic
def _index(stored: list[_Stored], dataset: Dataset) -> list[Outcome]:
    """Rows for stored objects. Whoever comes first makes a row (ON CONFLICT DO NOTHING); rows are made in
    the order of their UIDs, so that concurrent senders can't wait for each other in a circle."""
    now = timezone.now()
    subjects = _subjects(stored, dataset)
    studies = _studies(stored, dataset, subjects)
    series = _series(stored, dataset, studies, now)
    outcomes: dict[str, Outcome] = {}
    accepted: list[_Stored] = []
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
            outcomes[one.key] = _compared(one.received, winner.original_sha256, winner.series_id)
    for series_id in sorted(counts):
        Series.objects.filter(pk=series_id).update(
            state=Series.State.ARRIVING,
            changed_at=now,
            instance_count=F("instance_count") + counts[series_id],
        )
    _forget_empty(series, studies, counts)
    return [outcomes[one.key] for one in stored]


def _forget_empty(series: dict[str, Series], studies: dict[str, Study], counts: dict[int, int]) -> None:
    """A refused file leaves no empty series, study or subject behind."""
    idle = [row.pk for row in series.values() if row.pk not in counts]
    if not idle:
        return
    Series.objects.filter(pk__in=idle, instance_count=0, instances=None).delete()
    empty = Study.objects.filter(pk__in=[study.pk for study in studies.values()], series=None)
    subjects = list(empty.values_list("subject_id", flat=True))
    empty.delete()
    Subject.objects.filter(pk__in=subjects, studies=None).delete()


def _conflict(
    entry: _Received, dataset: Dataset, subjects: dict[str, Subject], study: Study, series: Series
) -> str:
    if study.subject_id != subjects[_pseudonym(entry)].pk:
        return "Its study is here already with another Patient ID. One of the two is wrong."
    if study.dataset_id != dataset.pk:
        return "Its study belongs to another dataset of this organisation already."
    if series.study_id != study.pk:
        return "Its series is here already as part of another study. One of the two is wrong."
    return ""


def _pseudonym(entry: _Received) -> str:
    return values.text(entry.header.dataset, "PatientID")


def _subjects(stored: list[_Stored], dataset: Dataset) -> dict[str, Subject]:
    rows = {}
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
    Subject.objects.bulk_create([rows[name] for name in sorted(rows)], ignore_conflicts=True)
    found = Subject.objects.filter(organisation_id=dataset.organisation_id, pseudonym__in=rows)
    return {subject.pseudonym: subject for subject in found}


def _studies(stored: list[_Stored], dataset: Dataset, subjects: dict[str, Subject]) -> dict[str, Study]:
    rows = {}
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
    Study.objects.bulk_create([rows[uid] for uid in sorted(rows)], ignore_conflicts=True)
    found = Study.objects.filter(organisation_id=dataset.organisation_id, study_instance_uid__in=rows)
    return {study.study_instance_uid: study for study in found}


def _series(stored: list[_Stored], dataset: Dataset, studies: dict[str, Study], now) -> dict[str, Series]:
    rows = {}
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
    Series.objects.bulk_create([rows[uid] for uid in sorted(rows)], ignore_conflicts=True)
    found = Series.objects.filter(organisation_id=dataset.organisation_id, series_instance_uid__in=rows)
    return {series.series_instance_uid: series for series in found}


def _instance(one: _Stored, dataset: Dataset, series: Series) -> Instance:
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


def from_bytes(name: str, content: bytes) -> Source:
    """A source for content that is in memory."""
    return Source(name, lambda: io.BytesIO(content))
