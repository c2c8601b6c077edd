"""Shows what de-identification does to one file, tag by tag. Nothing of the file is kept or logged."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from pydicom.uid import UID

from atlas.archive.sources import is_zip
from atlas.archive.storage import spool
from atlas.dicom import deidentify as deidentification
from atlas.dicom.deidentify import Change, Keys, Profile
from atlas.dicom.headers import NotDicom, Unreadable, read_header

FILE_BYTES_MAX = 512 * 1024 * 1024
_READ_BYTES = 1024 * 1024


class NoPreview(Exception):
    """The file can't be shown. The message is a sentence for its sender."""


@dataclass(frozen=True, slots=True)
class Preview:
    """`changes` is what the profile makes of the file, `refusal` why it would not be taken instead; `check`
    is what still identifies in the file as it is."""

    kind: str
    changes: list[Change]
    refusal: str
    check: list[str]


def preview(stream: BinaryIO, options: Iterable[str]) -> Preview:
    """What these options (keys of `atlas.dicom.deidentify.OPTIONS`) do to a file.

    Pseudonyms, UIDs and the shift of dates come from a secret that is drawn for this one look. With the
    organisation's own, whoever may look could try names until a pseudonym comes out that they know.
    Raises NoPreview.
    """
    try:
        profile = Profile.of(options)
        with spool() as file:
            _copy(stream, file)
            file.seek(0)
            header = read_header(file)
            kind = _kind(header.dataset.get("SOPClassUID", ""))
            file.seek(0)
            check = deidentification.check(file, header)
            file.seek(0)
            keys = Keys(secrets.token_bytes(32))
            try:
                rewritten = deidentification.deidentify(file, profile, keys, explain=True)
            except deidentification.Refused as error:
                return Preview(kind, [], str(error), check)
            return Preview(kind, rewritten.changes, "", check)
    except (NotDicom, Unreadable, ValueError) as error:
        raise NoPreview(str(error)) from error


def _copy(stream: BinaryIO, file: BinaryIO) -> None:
    chunk = stream.read(_READ_BYTES)
    if is_zip(chunk):
        raise NoPreview("This is a ZIP archive. Drop one DICOM file of it.")
    size = 0
    while chunk:
        size += len(chunk)
        if size > FILE_BYTES_MAX:
            raise NoPreview(f"Only files up to {FILE_BYTES_MAX // 1024**2} MB are shown here.")
        file.write(chunk)
        chunk = stream.read(_READ_BYTES)


def _kind(sop_class_uid: object) -> str:
    """“CT Image Storage”, or nothing for a class that only its maker knows."""
    uid = UID(str(sop_class_uid))
    return uid.name if uid.name != uid else ""
