"""The index: rows for stored objects, made once by whoever comes first. Only intake calls this."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import psycopg
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from atlas.archive import places, text_search, vault
from atlas.archive.places import Place
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
from atlas.models import Dataset, Instance, Series

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
    place = _remembered_place(stored, dataset)
    try:
        return _index(stored, dataset) if place is None else _add_to_series(stored, dataset, place)
    except (_Erased, IntegrityError):  # a remembered series was erased meanwhile
        places.forget_all()
        return _index(stored, dataset)


def _remembered_place(stored: Sequence[Stored], dataset: Dataset) -> Place | None:
    """The place of the one series that all belong to, where it is remembered and nothing else has to be done
    than to add them."""
    uid = stored[0].received.uids.series if stored else ""
    place = places.known(uid, dataset)
    if place is None:
        return None
    for one in stored:
        entry = one.received
        if (
            entry.uids.series != uid
            or text_search.is_due(entry.header)
            or places.conflict(entry, dataset, place)
        ):
            return None
    return place


def _add_to_series(stored: Sequence[Stored], dataset: Dataset, place: Place) -> list[Outcome]:
    """More images of a series that is here: rows and count in one statement, so in one journey to the
    database where no transaction is open."""
    of_series = {stored[0].received.uids.series: place}
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        won = _insert_instances(stored, dataset, of_series, timezone.now(), counted=True)
    lost = _of_lost([one for one in stored if one.key not in won], dataset)
    return [
        one.received.outcome(STORED, place.series_id) if one.key in won else lost[one.key] for one in stored
    ]


@transaction.atomic
def _index(stored: Sequence[Stored], dataset: Dataset) -> list[Outcome]:
    """Whoever comes first makes a row (ON CONFLICT DO NOTHING). Rows are made in the order of their UIDs, and
    series are counted up last and in the order of their keys, so that concurrent senders can't wait for
    each other in a circle."""
    now = timezone.now()
    made: set[str] = set()
    found = places.find([one.received for one in stored], dataset, now, made)
    outcomes: dict[str, Outcome] = {}
    accepted: dict[str, Stored] = {}
    for one in stored:
        entry = one.received
        reason = places.conflict(entry, dataset, found[entry.uids.series])
        if reason:
            outcomes[one.key] = entry.refused(reason, MISPLACED)
        else:
            accepted[one.key] = one
    won = _insert_instances(accepted.values(), dataset, found, now)
    counts: Counter[int] = Counter()
    lost: list[Stored] = []
    for key, one in accepted.items():
        if key in won:
            series_id = found[one.received.uids.series].series_id
            outcomes[key] = one.received.outcome(STORED, series_id)
            counts[series_id] += 1
        else:
            lost.append(one)
    outcomes |= _of_lost(lost, dataset)
    _count(counts, now)
    _remember_sources([one for key, one in accepted.items() if key in won], dataset, found)
    if made and any(outcome.status != STORED for outcome in outcomes.values()):
        places.forget_empty(made)
    transaction.on_commit(lambda: places.remember(dataset, found, set(counts)))
    return [outcomes[one.key] for one in stored]


def _of_lost(lost: Sequence[Stored], dataset: Dataset) -> dict[str, Outcome]:
    """Key of the object → outcome, for images that have a row already. Where that row names this very object,
    a first try made it, and the connection broke before anybody heard of it."""
    if not lost:
        return {}
    rows = Instance.objects.filter(
        organisation_id=dataset.organisation_id,
        sop_instance_uid__in=[one.received.uids.sop_instance for one in lost],
    ).values_list("sop_instance_uid", "original_sha256", "series_id", "object_key")
    first = {uid: (digest, series_id, key) for uid, digest, series_id, key in rows}
    outcomes = {}
    for one in lost:
        digest, series_id, key = first[one.received.uids.sop_instance]
        is_own = key == one.key
        outcomes[one.key] = (
            one.received.outcome(STORED, series_id) if is_own else compared(one.received, digest, series_id)
        )
    return outcomes


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
    found: dict[str, Place],
    now: datetime,
    *,
    counted: bool = False,
) -> set[str]:
    """Rows for those that nobody was first with; returns their keys. With `counted` their one series counts
    them; raises _Erased where it is gone."""
    rows = [
        _row(one, found[one.received.uids.series])
        for one in sorted(stored, key=lambda one: one.received.uids.sop_instance)
    ]
    if not rows:
        return set()
    columns = [list(column) for column in zip(*rows, strict=True)]
    values_sent: list[Any] = [dataset.organisation_id, now, *columns]
    if not counted:
        won = dict(_prepared(_INSERT, values_sent))
        held = {row[0] for row in rows if won.get(row[_KEY]) == Instance.Hold.CHECKING}
        text_search.search_soon(held)
        return set(won)
    made = _prepared(_INSERT_AND_COUNT, [*values_sent, Series.State.ARRIVING.value, now])
    if made and not made[0][1]:
        raise _Erased
    return {key for key, _ in made}


def _prepared(statement: str, values_sent: list[Any]) -> list[tuple]:
    """Run a statement that the server keeps parsed, once a connection: it costs more to parse than to run.
    Django's own cursors write the values into the text of the statement, so theirs can't be kept."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        session = connection.connection
        session.prepare_threshold = 0  # Django turns it off; its cursors don't look at it
        with psycopg.Cursor(session) as cursor:
            cursor.execute(statement, values_sent, prepare=True)
            return cursor.fetchall()


_KEY = 9  # of object_key in a row


def _row(one: Stored, place: Place) -> tuple:
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


def _remember_sources(stored: Sequence[Stored], dataset: Dataset, found: dict[str, Place]) -> None:
    """Where the organisation keeps a vault, the names that were replaced go there, sealed, in this
    transaction; one file a series says all that the vault keeps."""
    one_a_series = {one.received.uids.series: one.received for one in stored if one.received.original}
    entries = [
        (entry.original, found[uid].subject_id, entry.header)
        for uid, entry in one_a_series.items()
        if entry.original is not None
    ]
    if entries:
        vault.remember(dataset, entries)
