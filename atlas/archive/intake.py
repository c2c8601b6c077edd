"""Takes DICOM files in: reads, checks, stores durably, indexes.

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
from typing import BinaryIO

from atlas.archive.index import (
    NOT_DICOM,
    REFUSED,
    STORED,
    Outcome,
    Received,
    Stored,
    compared,
    index,
)
from atlas.archive.sources import Source, UnreadableMember, is_zip
from atlas.archive.storage import new_key, spool, storage
from atlas.dicom import values
from atlas.dicom.headers import Header, NotDicom, Unreadable, looks_like_dicom, read_header
from atlas.models import Dataset, Instance

logger = logging.getLogger(__name__)

BATCH_FILES = 48
BATCH_BYTES = 64 * 1024 * 1024
READ_BYTES = 1024 * 1024
INSTANCE_BYTES_MAX = 8 * 1024 * 1024 * 1024

_disk = ThreadPoolExecutor(max_workers=8, thread_name_prefix="intake")  # waits for the disk side by side


class IntakeClosed(Exception):
    """The dataset takes no images. The message is a sentence."""


class Refused(Exception):
    """This file is not taken. The message is a sentence for its sender."""


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
    batch: list[Received | Outcome] = []
    size = 0
    for source in sources:
        received = _receive(source)
        batch.append(received)
        size += received.header.size if isinstance(received, Received) else 0
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield from _take_in_batch(batch, dataset)
            batch, size = [], 0
    if batch:
        yield from _take_in_batch(batch, dataset)


def _receive(source: Source) -> Received | Outcome:
    if source.problem or source.open is None:
        return Outcome(source.name, REFUSED, source.problem)
    try:
        with source.open() as stream:
            file, digest = _spooled(stream)
        return Received(source.name, file, digest, _checked(read_header(file)))
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
    if is_zip(chunk):
        raise Refused("This is a ZIP archive inside another one. Send it by itself.")
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


def _take_in_batch(batch: list[Received | Outcome], dataset: Dataset) -> list[Outcome]:
    outcomes: list[Outcome | None] = [entry if isinstance(entry, Outcome) else None for entry in batch]
    known = _known_instances([entry for entry in batch if isinstance(entry, Received)], dataset)
    fresh: dict[int, Received] = {}
    in_batch: dict[str, Received] = {}
    repeated: list[int] = []
    for at, entry in enumerate(batch):
        if isinstance(entry, Outcome):
            continue
        uid = entry.uid("SOPInstanceUID")
        if uid in known:
            outcomes[at] = compared(entry, *known[uid])
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


def _known_instances(received: Sequence[Received], dataset: Dataset) -> dict[str, tuple[str, int]]:
    """SOP Instance UID → (SHA-256 of what arrived then, primary key of its series)."""
    rows = Instance.objects.filter(
        organisation_id=dataset.organisation_id,
        sop_instance_uid__in=[entry.uid("SOPInstanceUID") for entry in received],
    ).values_list("sop_instance_uid", "original_sha256", "series_id")
    return {uid: (digest, series_id) for uid, digest, series_id in rows}


def _store_and_index(fresh: list[Received], dataset: Dataset) -> list[Outcome]:
    if not fresh:
        return []
    stored: list[Stored] = []
    try:
        for future in [_disk.submit(_store, entry) for entry in fresh]:
            stored.append(future.result())
        outcomes = index(stored, dataset)
    except BaseException:
        for one in stored:
            storage().delete(one.key)
        raise
    for one, outcome in zip(stored, outcomes, strict=True):
        if outcome.status != STORED:
            storage().delete(one.key)
    return outcomes


def _store(entry: Received) -> Stored:
    key = new_key(".dcm")
    entry.file.seek(0)
    original = entry.file.read(entry.header.body_offset)
    prefix = entry.header.part_10_prefix(original)
    size = storage().put_durable(key, prefix, entry.file)
    return Stored(entry, key, entry.sha256 if prefix == original else _digest(prefix, entry), size)


def _digest(prefix: bytes, entry: Received) -> str:
    digest = hashlib.sha256(prefix)
    entry.file.seek(entry.header.body_offset)
    while chunk := entry.file.read(READ_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def from_bytes(name: str, content: bytes) -> Source:
    """A source for content that is in memory."""
    return Source(name, lambda: io.BytesIO(content))
