"""Takes DICOM files in: reads, de-identifies or checks, stores durably, indexes.

A file is acknowledged ("stored") only when its bytes and its row are durable. Sending it again changes
nothing; several senders may send the same series at once.
"""

import hashlib
import io
import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from typing import NoReturn

from django.db import DatabaseError, InterfaceError, connection

from atlas.archive.committing import committer
from atlas.archive.index import compared, index, known_instances
from atlas.archive.keys import KeyUnusable
from atlas.archive.received import STORED, Outcome, Received, Stored, bytes_of
from atlas.archive.receiving import (
    OUT_OF_SPACE,
    READ_BYTES,
    IntakeClosed,
    OutOfSpace,
    door_of,
    receive,
    require_open,
)
from atlas.archive.sources import Source
from atlas.archive.storage import new_key, storage
from atlas.models import Dataset, Instance

__all__ = [
    "BATCH_FILES",
    "READ_BYTES",
    "IntakeClosed",
    "KeyUnusable",
    "OutOfSpace",
    "StorageRefuses",
    "commit",
    "commit_soon",
    "from_bytes",
    "known_or_store",
    "require_open",
    "take_in",
]

logger = logging.getLogger(__name__)

BATCH_FILES = 48
BATCH_BYTES = 64 * 1024 * 1024
FRESH_MAX = 20_000

_disk = ThreadPoolExecutor(max_workers=8, thread_name_prefix="intake")  # waits for the disk side by side


def begin_anew() -> None:
    """In a new process, where the threads of its parent are not."""
    global _disk
    _disk = ThreadPoolExecutor(max_workers=8, thread_name_prefix="intake")


class StorageRefuses(Exception):
    """Storage does not take objects now. The message is a sentence."""


def take_in(sources: Iterable[Source], *, dataset: Dataset) -> Iterable[Outcome]:
    """Take files in, in batches; yields one outcome for each, in order.

    Raises IntakeClosed; KeyUnusable; OutOfSpace and StorageRefuses, and then nothing of the batch under way
    is stored.
    """
    door = door_of(dataset)
    batch: list[Received | Outcome] = []
    size = 0
    for source in sources:
        received = receive(source, door)
        batch.append(received)
        size += received.size if isinstance(received, Received) else 0
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield from _take_in_batch(batch, dataset)
            batch, size = [], 0
    if batch:
        yield from _take_in_batch(batch, dataset)


def from_bytes(name: str, content: bytes) -> Source:
    """A source for content that is in memory."""
    return Source(name, lambda: io.BytesIO(content))


# A batch ---------------------------------------------------------------------------------------


def _take_in_batch(batch: Sequence[Received | Outcome], dataset: Dataset) -> list[Outcome]:
    outcomes: list[Outcome | None] = [entry if isinstance(entry, Outcome) else None for entry in batch]
    known = known_instances([entry for entry in batch if isinstance(entry, Received)], dataset)
    fresh: dict[int, Received] = {}
    in_batch: set[str] = set()
    repeated: list[int] = []
    for at, entry in enumerate(batch):
        if isinstance(entry, Outcome):
            continue
        uid = entry.uids.sop_instance
        if uid in known:
            outcomes[at] = compared(entry, *known[uid])
            entry.source.close()
        elif uid in in_batch:
            repeated.append(at)
        else:
            in_batch.add(uid)
            fresh[at] = entry
    for at, outcome in zip(fresh, _store_and_index(list(fresh.values()), dataset), strict=True):
        outcomes[at] = outcome
    if repeated:  # twice in one batch: the first one is there now, or was refused
        again = _take_in_batch([batch[at] for at in repeated], dataset)
        for at, outcome in zip(repeated, again, strict=True):
            outcomes[at] = outcome
    return [outcome for outcome in outcomes if outcome is not None]


def _store_and_index(fresh: Sequence[Received], dataset: Dataset) -> list[Outcome]:
    if not fresh:
        return []
    futures = [_disk.submit(store, entry) for entry in fresh]
    stored: list[Stored] = []
    problem: BaseException | None = None
    for future in futures:
        try:
            stored.append(future.result())
        except BaseException as error:
            problem = error
    if problem is not None:
        for one in stored:
            storage().delete(one.key)
        raise problem
    return commit(stored, dataset)


# One instance ----------------------------------------------------------------------------------


def store(entry: Received) -> Stored:
    """Make its bytes durable; closes its source. Raises OutOfSpace, StorageRefuses."""
    key = new_key(".dcm")
    digest = hashlib.sha256()

    def digested() -> Iterator[bytes | memoryview]:
        for piece in chain((entry.head,), bytes_of(entry.source, *entry.body), (entry.tail,)):
            digest.update(piece)
            yield piece

    try:
        size = storage().put_durable(key, digested())
    except OSError as error:
        if error.errno in OUT_OF_SPACE:
            raise OutOfSpace("The storage of this node is full; the image was not stored.") from error
        raise _storage_refuses(error) from error
    except Exception as error:
        raise _storage_refuses(error) from error
    finally:
        entry.source.close()
    return Stored(entry, key, digest.hexdigest(), size)


def _storage_refuses(error: Exception) -> StorageRefuses:
    logger.error("Storage does not take an object: %s", type(error).__name__, exc_info=error)
    return StorageRefuses("The storage of this node does not take images now; the image was not stored.")


def commit(stored: Sequence[Stored], dataset: Dataset) -> list[Outcome]:
    """Rows for what is stored, together with what others commit at this moment; objects that turn out to be
    superfluous are removed. Inside a transaction of the caller's, it is part of that.

    Raises StorageRefuses."""
    if not stored:
        return []
    if not connection.in_atomic_block:
        return commit_soon(stored, dataset).result()
    try:
        outcomes = index(stored, dataset)
    except BaseException as error:
        _not_indexed(stored, error)
    return _settled(stored, dataset, outcomes)


def commit_soon(stored: Sequence[Stored], dataset: Dataset) -> Future[list[Outcome]]:
    """The same, without waiting for it and in a transaction of its own."""
    settled: Future[list[Outcome]] = Future()

    def settle(committed: Future[list[Outcome]]) -> None:
        try:
            error = committed.exception()
            if error is not None:
                _not_indexed(stored, error)
            settled.set_result(_settled(stored, dataset, committed.result()))
        except BaseException as error:
            settled.set_exception(error)

    committer.submit(stored, dataset).add_done_callback(settle)
    return settled


def _settled(stored: Sequence[Stored], dataset: Dataset, outcomes: list[Outcome]) -> list[Outcome]:
    for one, outcome in zip(stored, outcomes, strict=True):
        if outcome.status != STORED:
            storage().delete(one.key)
        _note_whether_fresh(one.received, dataset, outcome.status == STORED)
    return outcomes


def _not_indexed(stored: Sequence[Stored], error: BaseException) -> NoReturn:
    """Removes the objects, and raises StorageRefuses or what it was."""
    _discard_unindexed(stored)
    if not isinstance(error, DatabaseError | InterfaceError):
        raise error
    logger.error("Stored images could not be indexed: %s", type(error).__name__)
    raise StorageRefuses(
        "The index of this node does not take images now; they were not stored. Send them again."
    ) from error


def _discard_unindexed(stored: Sequence[Stored]) -> None:
    """After a failure: remove objects that no row names. If the database can't be asked (it may have been
    lost just after a commit) they stay, for verify_archive to judge."""
    keys = [one.key for one in stored]
    try:
        named = set(Instance.objects.filter(object_key__in=keys).values_list("object_key", flat=True))
    except (DatabaseError, InterfaceError):
        logger.error("The database failed; %s stored objects may be orphans", len(keys))
        return
    for key in set(keys) - named:
        with suppress(Exception):  # the first failure is the one to tell
            storage().delete(key)


_fresh: OrderedDict[tuple[int, str], None] = OrderedDict()
"""Series of which the last instance was new: the next one will be, so nobody asks before it is stored."""


def _note_whether_fresh(entry: Received, dataset: Dataset, is_fresh: bool) -> None:
    key = (dataset.organisation_id, entry.uids.series)
    if not is_fresh:
        _fresh.pop(key, None)
    elif key not in _fresh:
        _fresh[key] = None
        while len(_fresh) > FRESH_MAX:
            with suppress(KeyError):  # threads may clear it side by side
                _fresh.popitem(last=False)


def known_or_store(entry: Received, dataset: Dataset) -> Stored | Outcome:
    """For a single instance of a stream: what it is already, or its bytes stored, to be committed. Images
    that were sent before are found out before anything is written, except the first of a series."""
    if (dataset.organisation_id, entry.uids.series) not in _fresh:
        known = known_instances([entry], dataset)
        if not connection.in_atomic_block:
            connection.close()
        if known:
            entry.source.close()
            return compared(entry, *known[entry.uids.sop_instance])
    return store(entry)
