"""What intake knows of one file on its way in, and what became of it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from atlas.dicom import values
from atlas.dicom.headers import Header

if TYPE_CHECKING:
    from atlas.dicom.deidentify import Original

READ_BYTES = 1024 * 1024

STORED, KNOWN, REFUSED, NOT_DICOM = "stored", "known", "refused", "not_dicom"

OTHER_CONTENT, MISPLACED, IDENTIFIES, UNREADABLE, NO_ROOM = (
    "other_content",
    "misplaced",
    "identifies",
    "unreadable",
    "no_room",
)
"""Why a file was refused, for protocols that answer with a code."""

FAILURE_CODES = {  # of C-STORE (PS3.4 Table B.2-1, PS3.7 C.5) and of STOW-RS (PS3.18 Table I.2-2)
    NO_ROOM: 0xA700,  # out of resources
    MISPLACED: 0xA900,  # data set does not match
    OTHER_CONTENT: 0x0111,  # duplicate SOP instance
    IDENTIFIES: 0xC000,  # cannot understand
    UNREADABLE: 0xC000,
}


@dataclass(frozen=True, slots=True)
class Uids:
    """The UIDs of an instance; "" where a file has none that is valid."""

    sop_class: str = ""
    sop_instance: str = ""
    series: str = ""
    study: str = ""

    @classmethod
    def of(cls, header: Header) -> "Uids":
        keywords = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
        return cls(*(values.uid(header.dataset, keyword) for keyword in keywords))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: stored, known (here already), refused or not_dicom, with the reason.

    `uids` are the stored ones where it is here, and the sender's own where it was refused. `cause` is one of
    the constants above for a refused file; `is_changed` says that elements were changed on the way in.
    """

    name: str
    status: str
    reason: str = ""
    series_id: int | None = None
    uids: Uids = Uids()
    cause: str = ""
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A file that passed every check that needs no database, as it will be stored: `head`, then the bytes
    `body` (offset, length) of `source`, then `tail`. `sha256` is that of what arrived; `original` holds the
    names that it arrived under, where they were replaced."""

    name: str
    sha256: str
    header: Header
    uids: Uids
    pseudonym: str
    head: bytes
    source: BinaryIO
    body: tuple[int, int]
    tail: bytes = b""
    original: "Original | None" = None
    is_changed: bool = False

    @property
    def size(self) -> int:
        return len(self.head) + self.body[1] + len(self.tail)

    def outcome(self, status: str, series_id: int | None = None) -> Outcome:
        return Outcome(self.name, status, "", series_id, self.uids, is_changed=self.is_changed)

    def refused(self, reason: str, cause: str) -> Outcome:
        """Its sender is answered with the UIDs that were sent."""
        uids = self.uids
        if self.original is not None:
            sent = self.original
            uids = Uids(uids.sop_class, sent.sop_uid, sent.series_uid, sent.study_uid)
        return Outcome(self.name, REFUSED, reason, None, uids, cause)


@dataclass(frozen=True, slots=True)
class Stored:
    """A received file whose bytes are durable under `key`."""

    received: Received
    key: str
    sha256: str
    size: int


def bytes_of(file: BinaryIO, offset: int, length: int) -> Iterator[bytes | memoryview]:
    """The bytes [offset, offset + length) of a seekable file, a piece at a time; those that are in memory
    without copying. Raises EOFError where the file ends before."""
    if isinstance(file, io.BytesIO):
        whole = memoryview(file.getvalue())
        if offset + length > len(whole):
            raise EOFError(f"The file ends at {len(whole)}.")
        yield whole[offset : offset + length]
        return
    while length:
        file.seek(offset)
        chunk = file.read(min(length, READ_BYTES))
        if not chunk:
            raise EOFError(f"The file ends at {offset}.")
        yield chunk
        offset += len(chunk)
        length -= len(chunk)
