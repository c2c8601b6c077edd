"""The index: rows for stored objects, made once by whoever comes first. Only intake calls this."""

import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from atlas.archive import text_search, vault
from atlas.archive.received import (
    KNOWN,
    MISPLACED,
    NOT_DICOM,
    OTHER_CONTENT,
    REFUSED,
    STORED,
    Outcome,
    Received,
    Stored,
)
from atlas.dicom import values
from atlas.dicom.describe import is_derived
from atlas.dicom.frames import frame_count
from atlas.models import Dataset, Instance, Series, Study, Subject, Vault

__all__ = [
    "KNOWN",
    "NOT_DICOM",
    "REFUSED",
    "STORED",
    "Outcome",
    "Received",
    "Stored",
    "compared",
    "index",
    "known_instances",
]

PLACES_MAX = 20_000
VAULT_BELIEVED_S = 5.0


@dataclass(frozen=True, slots=True)
class _Place:
    """A series that is in the index, and what it belongs to."""

    series_id: int
    modality: str
    study_uid: str
    subject_id: int
    pseudonym: str
    dataset_id: int
    is_in_vault: bool


_places: OrderedDict[tuple[int, str], _Place] = OrderedDict()
"""(organisation, Series Instance UID) → its committed place: spares the statements that would find it. A
series that was erased meanwhile is noticed, because counting its new images finds no row."""


class _Erased(Exception):
    """A remembered series is no longer there."""


def compared(entry: Received, digest: str, series_id: int) -> Outcome:
    if digest == entry.sha256:
        return entry.outcome(KNOWN, series_id)
    reason = "An image with the same SOP Instance UID but other content is here already; it was kept."
    return entry.refused(reason, OTHER_CONTENT)


def known_instances(received: Sequence[Received], dataset: Dataset) -> dict[str, tuple[str, int]]:
    """SOP Instance UID → (SHA-256 of what arrived then, primary key of its series)."""
    rows = Instance.objects.filter(
        organisation_id=dataset.organisation_id,
        sop_instance_uid__in=[entry.uids.sop_instance for entry in received],
    ).values_list("sop_instance_uid", "original_sha256", "series_id")
    return {uid: (digest, series_id) for uid, digest, series_id in rows}


def index(stored: Sequence[Stored], dataset: Dataset) -> list[Outcome]:
    """Rows for stored objects, all or none; the outcomes are in the order of `stored`."""
    places = _remembered_place(stored, dataset)
    try:
        return _index(stored, dataset) if places is None else _add_to_series(stored, dataset, places)
    except (_Erased, IntegrityError):  # a remembered series was erased meanwhile
        _places.clear()
        return _index(stored, dataset)


def _remembered_place(stored: Sequence[Stored], dataset: Dataset) -> "dict[str, _Place] | None":
    """The place of the one series that all belong to, where it is remembered and nothing else has to be done
    than to add them."""
    uid = stored[0].received.uids.series if stored else ""
    place = _places.get((dataset.organisation_id, uid))
    if place is None or (not place.is_in_vault and _keeps_vault(dataset)):
        return None
    for one in stored:
        entry = one.received
        if entry.uids.series != uid or text_search.is_due(entry.header) or _conflict(entry, dataset, place):
            return None
    return {uid: place}


def _add_to_series(stored: Sequence[Stored], dataset: Dataset, places: dict[str, _Place]) -> list[Outcome]:
    """More images of a series that is here: rows and count in one statement, so in one journey to the
    database where no transaction is open."""
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        won = _insert_instances(stored, dataset, places, timezone.now(), counted=True)
    lost = [one for one in stored if one.key not in won]
    first = known_instances([one.received for one in lost], dataset) if lost else {}
    place = next(iter(places.values()))
    return [
        one.received.outcome(STORED, place.series_id)
        if one.key in won
        else compared(one.received, *first[one.received.uids.sop_instance])
        for one in stored
    ]


@transaction.atomic
def _index(stored: Sequence[Stored], dataset: Dataset) -> list[Outcome]:
    """Whoever comes first makes a row (ON CONFLICT DO NOTHING). Rows are made in the order of their UIDs, and
    series are counted up last and in the order of their keys, so that concurrent senders can't wait for
    each other in a circle."""
    now = timezone.now()
    made: set[str] = set()
    places = _find_places([one.received for one in stored], dataset, now, made)
    outcomes: dict[str, Outcome] = {}
    accepted: dict[str, Stored] = {}
    for one in stored:
        entry = one.received
        reason = _conflict(entry, dataset, places[entry.uids.series])
        if reason:
            outcomes[one.key] = entry.refused(reason, MISPLACED)
        else:
            accepted[one.key] = one
    won = _insert_instances(accepted.values(), dataset, places, now)
    counts: Counter[int] = Counter()
    lost: list[Stored] = []
    for key, one in accepted.items():
        if key in won:
            series_id = places[one.received.uids.series].series_id
            outcomes[key] = one.received.outcome(STORED, series_id)
            counts[series_id] += 1
        else:
            lost.append(one)
    first = known_instances([one.received for one in lost], dataset) if lost else {}
    for one in lost:
        outcomes[one.key] = compared(one.received, *first[one.received.uids.sop_instance])
    _count(counts, now)
    _remember_sources([one for key, one in accepted.items() if key in won], dataset, places)
    if made and any(outcome.status != STORED for outcome in outcomes.values()):
        _forget_empty(made)
    transaction.on_commit(lambda: _remember_places(dataset, places, set(counts)))
    return [outcomes[one.key] for one in stored]


def _conflict(entry: Received, dataset: Dataset, place: _Place) -> str:
    if place.pseudonym != entry.pseudonym:
        return "Its study is here already with another Patient ID. One of the two is wrong."
    if place.dataset_id != dataset.pk:
        return "Its study belongs to another dataset of this organisation already."
    if place.study_uid != entry.uids.study:
        return "Its series is here already as part of another study. One of the two is wrong."
    return ""


# Instances -------------------------------------------------------------------------------------

_INSERT = f"""
INSERT INTO {Instance._meta.db_table} (
    organisation_id, series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, instance_number,
    number_of_frames, original_sha256, stored_sha256, size, object_key, object_offset,
    "rows", "columns", bits_allocated, hold, text_boxes, created_at)
SELECT %s, series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, instance_number,
    number_of_frames, original_sha256, stored_sha256, size, object_key, 0,
    "rows", "columns", bits_allocated, hold, '[]', %s
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::int[], %s::int[], %s::text[], %s::text[],
    %s::bigint[], %s::text[], %s::int[], %s::int[], %s::int[], %s::text[]) AS sent (
    series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid, instance_number, number_of_frames,
    original_sha256, stored_sha256, size, object_key, "rows", "columns", bits_allocated, hold)
ON CONFLICT (organisation_id, sop_instance_uid) DO NOTHING
RETURNING object_key, hold
"""  # noqa: S608 the table's own name


_INSERT_AND_COUNT = f"""
WITH made AS ({_INSERT}, series_id),
counted AS (
    UPDATE {Series._meta.db_table} AS series
    SET state = %s, changed_at = %s, instance_count = series.instance_count + new.count
    FROM (SELECT series_id, count(*) AS count FROM made GROUP BY series_id) AS new
    WHERE series.id = new.series_id
    RETURNING series.id)
SELECT object_key, (SELECT count(*) FROM counted) FROM made
"""  # noqa: S608 the table's own name


def _insert_instances(
    stored: Iterable[Stored],
    dataset: Dataset,
    places: dict[str, _Place],
    now: datetime,
    *,
    counted: bool = False,
) -> set[str]:
    """Rows for those that nobody was first with; returns their keys. With `counted` their one series counts
    them; raises _Erased where it is gone."""
    rows = [
        _row(one, places[one.received.uids.series])
        for one in sorted(stored, key=lambda one: one.received.uids.sop_instance)
    ]
    if not rows:
        return set()
    columns = [list(column) for column in zip(*rows, strict=True)]
    values_sent: list[Any] = [dataset.organisation_id, now, *columns]
    with connection.cursor() as cursor:
        if not counted:
            cursor.execute(_INSERT, values_sent)
            won = dict(cursor.fetchall())
            held = {row[0] for row in rows if won.get(row[_KEY]) == Instance.Hold.CHECKING}
            text_search.search_soon(held)
            return set(won)
        cursor.execute(_INSERT_AND_COUNT, [*values_sent, Series.State.ARRIVING.value, now])
        made = cursor.fetchall()
        if made and not made[0][1]:
            raise _Erased
        return {key for key, _ in made}


_KEY = 9  # of object_key in a row


def _row(one: Stored, place: _Place) -> tuple:
    """The values of _INSERT's columns."""
    header, uids = one.received.header, one.received.uids
    derived = is_derived(place.modality, uids.sop_class)
    return (
        place.series_id,
        uids.sop_instance,
        uids.sop_class,
        header.transfer_syntax_uid,
        values.integer(header.dataset, "InstanceNumber"),
        0 if derived else frame_count(header),
        one.received.sha256,
        one.sha256,
        one.size,
        one.key,
        _positive(header.dataset, "Rows"),
        _positive(header.dataset, "Columns"),
        _positive(header.dataset, "BitsAllocated", at_most=2**15 - 1),
        (Instance.Hold.CHECKING if not derived and text_search.is_due(header) else Instance.Hold.NONE).value,
    )


def _positive(dataset, keyword: str, *, at_most: int = 2**31 - 1) -> int | None:
    found = values.integer(dataset, keyword)
    return found if found is not None and 0 <= found <= at_most else None


_COUNT = f"""
WITH locked AS (SELECT id FROM {Series._meta.db_table} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE)
UPDATE {Series._meta.db_table} AS series
SET state = %s, changed_at = %s, instance_count = series.instance_count + new.count
FROM unnest(%s::bigint[], %s::int[]) AS new (id, count), locked
WHERE series.id = new.id AND series.id = locked.id
"""  # noqa: S608 the table's own name


def _count(counts: Counter[int], now: datetime) -> None:
    """Raises _Erased where a series is gone."""
    if not counts:
        return
    ids = sorted(counts)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [ids, Series.State.ARRIVING.value, now, ids, [counts[one] for one in ids]])
        if cursor.rowcount != len(ids):
            raise _Erased


# Where an instance belongs ---------------------------------------------------------------------


def _find_places(
    received: Sequence[Received], dataset: Dataset, now: datetime, made: set[str]
) -> dict[str, _Place]:
    """Series Instance UID → its place, made where there was none; `made` gets the public ids of new rows."""
    organisation_id = dataset.organisation_id
    found: dict[str, _Place] = {}
    unknown: list[Received] = []
    for entry in received:
        place = _places.get((organisation_id, entry.uids.series))
        if place is None or (not place.is_in_vault and _keeps_vault(dataset)):
            unknown.append(entry)
        else:
            found[entry.uids.series] = place
    if not unknown:
        return found
    subjects = _subjects(unknown, dataset, made)
    studies = _studies(unknown, dataset, subjects, made)
    names = _pseudonyms(studies.values(), subjects)
    keeps_vault = _keeps_vault(dataset)
    for uid, series in _series(unknown, dataset, studies, now, made).items():
        study = next((one for one in studies.values() if one.pk == series.study_id), None)
        if study is None:  # the series is here already, in a study that none of these files names
            study = Study.objects.select_related("subject").get(pk=series.study_id)
            names[study.subject_id] = study.subject.pseudonym
        found[uid] = _Place(
            series.pk,
            series.modality,
            study.study_instance_uid,
            study.subject_id,
            names[study.subject_id],
            study.dataset_id,
            keeps_vault,
        )
    return found


def _pseudonyms(studies: Iterable[Study], subjects: dict[str, Subject]) -> dict[int, str]:
    """Primary key of a subject → its pseudonym; a study that was here may belong to a subject none names."""
    names = {subject.pk: subject.pseudonym for subject in subjects.values()}
    others = {study.subject_id for study in studies} - set(names)
    if others:
        names |= dict(Subject.objects.filter(pk__in=others).values_list("pk", "pseudonym"))
    return names


def _remember_places(dataset: Dataset, places: dict[str, _Place], filled: set[int]) -> None:
    for uid, place in places.items():
        if place.series_id in filled:
            _places[dataset.organisation_id, uid] = place
    while len(_places) > PLACES_MAX:
        _places.popitem(last=False)


def _forget_empty(made: set[str]) -> None:
    """A refused file leaves no empty series, study or subject behind. `made` are the public ids of rows of
    this transaction: nobody else can see them yet, so nobody else can be about to use them."""
    Series.objects.filter(public_id__in=made, instances=None).delete()
    Study.objects.filter(public_id__in=made, series=None).delete()
    Subject.objects.filter(public_id__in=made, studies=None).delete()


def _subjects(received: Sequence[Received], dataset: Dataset, made: set[str]) -> dict[str, Subject]:
    rows: dict[str, Subject] = {}
    for entry in received:
        sex = values.text(entry.header.dataset, "PatientSex", length_max=16).upper()
        rows.setdefault(
            entry.pseudonym,
            Subject(
                organisation_id=dataset.organisation_id,
                pseudonym=entry.pseudonym,
                sex=sex if sex in ("M", "F", "O") else "",
            ),
        )
    made.update(row.public_id for row in rows.values())
    Subject.objects.bulk_create([rows[name] for name in sorted(rows)], ignore_conflicts=True)
    found = Subject.objects.filter(organisation_id=dataset.organisation_id, pseudonym__in=rows)
    return {subject.pseudonym: subject for subject in found}


def _studies(
    received: Sequence[Received], dataset: Dataset, subjects: dict[str, Subject], made: set[str]
) -> dict[str, Study]:
    rows: dict[str, Study] = {}
    for entry in received:
        header = entry.header.dataset
        rows.setdefault(
            entry.uids.study,
            Study(
                organisation_id=dataset.organisation_id,
                dataset=dataset,
                subject=subjects[entry.pseudonym],
                study_instance_uid=entry.uids.study,
                date=values.day(header, "StudyDate"),
                time=values.clock(header, "StudyTime"),
                description=values.text(header, "StudyDescription"),
                accession_number=values.text(header, "AccessionNumber", length_max=16),
                study_id=values.text(header, "StudyID", length_max=16),
                age_years=values.age_years(header),
            ),
        )
    made.update(row.public_id for row in rows.values())
    Study.objects.bulk_create([rows[uid] for uid in sorted(rows)], ignore_conflicts=True)
    found = Study.objects.filter(organisation_id=dataset.organisation_id, study_instance_uid__in=rows)
    return {study.study_instance_uid: study for study in found}


def _series(
    received: Sequence[Received], dataset: Dataset, studies: dict[str, Study], now: datetime, made: set[str]
) -> dict[str, Series]:
    rows: dict[str, Series] = {}
    for entry in received:
        header = entry.header.dataset
        rows.setdefault(
            entry.uids.series,
            Series(
                organisation_id=dataset.organisation_id,
                study=studies[entry.uids.study],
                series_instance_uid=entry.uids.series,
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


def _remember_sources(stored: Sequence[Stored], dataset: Dataset, places: dict[str, _Place]) -> None:
    """Where the organisation keeps a vault, the names that were replaced go there, sealed, in this
    transaction; one file a series says all that the vault keeps."""
    one_a_series = {one.received.uids.series: one.received for one in stored if one.received.original}
    entries = [
        (entry.original, places[uid].subject_id, entry.header)
        for uid, entry in one_a_series.items()
        if entry.original is not None
    ]
    if entries:
        vault.remember(dataset, entries)


_vaults: dict[int, tuple[float, bool]] = {}
"""Organisation → (until when this is believed, whether it keeps a vault)."""


def _keeps_vault(dataset: Dataset) -> bool:
    known = _vaults.get(dataset.organisation_id)
    if known is None or known[0] < time.monotonic():
        found = Vault.objects.filter(organisation_id=dataset.organisation_id).exists()
        known = _vaults[dataset.organisation_id] = (time.monotonic() + VAULT_BELIEVED_S, found)
    return known[1]
