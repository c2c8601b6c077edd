"""What comes out of de-identifying a file."""

from dataclasses import dataclass, field
from typing import BinaryIO

from atlas.dicom.headers import Header

VALUE_LENGTH_MAX = 64


class Refused(Exception):
    """This file can't be de-identified safely. The message is a sentence for its sender."""


@dataclass(frozen=True, slots=True)
class Original:
    """What the file was called at its source. For the vault only: never for logs, pages or rows."""

    patient_id: str
    issuer: str
    study_uid: str
    series_uid: str
    sop_uid: str

    def __repr__(self) -> str:
        return "Original(…)"  # so that no traceback or log shows it


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to one attribute. `path` is like "0040A730[2].0040A160", items counted from 1; `action`
    is kept, changed, emptied, removed or added; values are cut at 64 characters. One that stands for many, as
    of the further items of a sequence, has their `count`."""

    path: str
    keyword: str
    vr: str
    action: str
    before: str
    after: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The new file is `head`, then `body` (offset, length) of `source`, then `tail`.

    `header` is what `read_header` gives for it. `source` is the file, or its inflated form.
    """

    head: bytes
    body: tuple[int, int]
    tail: bytes
    source: BinaryIO
    header: Header
    original: Original
    changed: bool
    changes: list[Change] = field(default_factory=list)
