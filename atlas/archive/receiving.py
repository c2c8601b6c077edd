"""One file at the door: read in bounded memory, digested, checked, de-identified. No database, no storage."""

import errno
import hashlib
import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from atlas.archive.keys import organisation_key
from atlas.archive.received import (
    IDENTIFIES,
    NOT_DICOM,
    READ_BYTES,
    REFUSED,
    UNREADABLE,
    Outcome,
    Received,
    Uids,
)
from atlas.archive.sources import Source, UnreadableMember, is_zip
from atlas.archive.storage import spool
from atlas.dicom import deidentify as deidentification
from atlas.dicom import values
from atlas.dicom.deidentify import Keys, Profile
from atlas.dicom.headers import Header, NotDicom, Unreadable, looks_like_dicom, read_header
from atlas.models import Dataset

INSTANCE_BYTES_MAX = 8 * 1024 * 1024 * 1024
SENTENCES_MAX = 5  # of what still identifies; the rest is counted
OUT_OF_SPACE = (errno.ENOSPC, errno.EDQUOT)


class IntakeClosed(Exception):
    """The dataset takes no images. The message is a sentence."""


class OutOfSpace(Exception):
    """There is no room for more files on this node. The message is a sentence."""


class Refused(Exception):
    """This file is not taken. The message is a sentence for its sender."""


@dataclass(frozen=True, slots=True)
class Door:
    """How images come into a dataset: de-identified here with a profile and keys, or (both None) checked."""

    dataset: Dataset
    profile: Profile | None = None
    keys: Keys | None = None


def require_open(dataset: Dataset) -> None:
    """Raises IntakeClosed unless someone declared how this dataset's images are de-identified."""
    if dataset.deidentification == Dataset.Deidentification.UNDECLARED:
        raise IntakeClosed(
            f"“{dataset.name}” takes no images yet: declare first how its images are de-identified."
        )


def door_of(dataset: Dataset) -> Door:
    """Raises IntakeClosed; KeyUnusable where the organisation's key is lost."""
    require_open(dataset)
    if dataset.deidentification == Dataset.Deidentification.ALREADY_DONE:
        return Door(dataset)
    try:
        profile = Profile.of(dataset.deidentification_options)
    except ValueError as error:
        raise IntakeClosed(f"“{dataset.name}” takes no images: {error}") from error
    return Door(dataset, profile, Keys(organisation_key(dataset.organisation)))


def receive(source: Source, door: Door) -> Received | Outcome:
    """Read one file to its end and prepare it. Raises OutOfSpace."""
    if source.problem or source.open is None:
        return Outcome(source.name, REFUSED, source.problem, cause=UNREADABLE)
    try:
        with source.open() as stream:
            file, digest = _spooled(stream)
    except NotDicom as error:
        return Outcome(source.name, NOT_DICOM, str(error), cause=UNREADABLE)
    except (Unreadable, Refused, UnreadableMember) as error:
        return Outcome(source.name, REFUSED, str(error), cause=UNREADABLE)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        return Outcome(source.name, REFUSED, f"The ZIP archive is damaged here: {error}.", cause=UNREADABLE)
    except OSError as error:
        if error.errno in OUT_OF_SPACE:
            raise OutOfSpace("This node has no room left for files on their way in.") from error
        reason = f"The file can't be read: {error.strerror or error}."
        return Outcome(source.name, REFUSED, reason, cause=UNREADABLE)
    return prepare(source.name, file, digest, door)


def digest_of_file(file: BinaryIO) -> str:
    """SHA-256 of a seekable file."""
    if isinstance(file, io.BytesIO):
        return hashlib.sha256(file.getvalue()).hexdigest()  # no copy
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(READ_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _spooled(stream: BinaryIO) -> tuple[BinaryIO, str]:
    """A seekable copy and its SHA-256. What can't be DICOM is given up after its first bytes."""
    chunk = stream.read(READ_BYTES)
    if is_zip(chunk):
        raise Refused("This is a ZIP archive inside another one. Send it by itself.")
    if chunk and not looks_like_dicom(chunk[:132]):
        raise NotDicom("This is not a DICOM file.")
    if len(chunk) < READ_BYTES and not (rest := stream.read(READ_BYTES)):
        return io.BytesIO(chunk), hashlib.sha256(chunk).hexdigest()
    if len(chunk) < READ_BYTES:
        chunk += rest
    file, digest, size = spool(), hashlib.sha256(), 0
    while chunk:
        digest.update(chunk)
        file.write(chunk)
        size += len(chunk)
        if size > INSTANCE_BYTES_MAX:
            raise Refused("The file is larger than 8 GB.")
        chunk = stream.read(READ_BYTES)
    return file, digest.hexdigest()


def prepare(name: str, file: BinaryIO, sha256: str, door: Door) -> Received | Outcome:
    """Check and de-identify a seekable file, which stays open until it is stored; `sha256` is its digest."""
    try:
        if door.profile is None or door.keys is None:
            return _checked(name, file, sha256)
        return _deidentified(name, file, sha256, door.profile, door.keys)
    except NotDicom as error:
        return Outcome(name, NOT_DICOM, str(error), cause=UNREADABLE)
    except Unreadable as error:
        return Outcome(name, REFUSED, str(error), uids=_sent_uids(file), cause=UNREADABLE)
    except (Refused, deidentification.Refused) as error:
        return Outcome(name, REFUSED, str(error), uids=_sent_uids(file), cause=IDENTIFIES)


def _deidentified(name: str, file: BinaryIO, sha256: str, profile: Profile, keys: Keys) -> Received:
    rewritten = deidentification.deidentify(file, profile, keys)
    header = rewritten.header
    return Received(
        name=name,
        sha256=sha256,
        header=header,
        uids=_placed(header),
        pseudonym=values.text(header.dataset, "PatientID"),
        head=rewritten.head,
        source=rewritten.source,
        body=rewritten.body,
        tail=rewritten.tail,
        original=rewritten.original,
        is_changed=rewritten.changed,
    )


def _checked(name: str, file: BinaryIO, sha256: str) -> Received:
    header = read_header(file)
    uids = _placed(header)
    found = deidentification.check(file, header)
    if found:
        more = f" And {len(found) - SENTENCES_MAX} more." if len(found) > SENTENCES_MAX else ""
        raise Refused(
            f"The file is not de-identified: {' '.join(found[:SENTENCES_MAX])}{more} "
            "De-identify it before sending, or let Atlas do it (the dataset's settings)."
        )
    file.seek(0)
    start = file.read(header.body_offset)
    head = header.part_10_prefix(start)
    return Received(
        name=name,
        sha256=sha256,
        header=header,
        uids=uids,
        pseudonym=values.text(header.dataset, "PatientID"),
        head=head,
        source=file,
        body=(header.body_offset, header.size - header.body_offset),
    )


def _placed(header: Header) -> Uids:
    """Raises Refused for what can't be put in its place."""
    uids = Uids.of(header)
    names = {
        "SOP Class UID": uids.sop_class,
        "SOP Instance UID": uids.sop_instance,
        "Study Instance UID": uids.study,
        "Series Instance UID": uids.series,
        "Patient ID": values.text(header.dataset, "PatientID"),
    }
    missing = [name for name, found in names.items() if not found]
    if missing:
        listed = missing[0] if len(missing) == 1 else f"{', '.join(missing[:-1])} and {missing[-1]}"
        raise Refused(f"The header lacks, or has no valid, {listed}.")
    return uids


def _sent_uids(file: BinaryIO) -> Uids:
    """As far as they can be read: a refusal names what it refuses by the sender's own UIDs."""
    try:
        return Uids.of(read_header(file))
    except (NotDicom, Unreadable):
        return Uids()
