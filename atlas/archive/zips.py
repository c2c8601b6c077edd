"""The bytes of a ZIP whose files are stored as they are, so that where each begins is known before anything
is written. (APPNOTE.TXT 6.3.10, PKWARE; ZIP64 fields where, and only where, a number needs them, because some
small tools know nothing of them.)

Times are the format's first day: a pack says nothing about when its images were taken or came.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

FIELD_MAX, COUNT_MAX = 0xFFFFFFFF, 0xFFFF  # these very values mean: look in the ZIP64 field
VERSION, VERSION_ZIP64 = 20, 45
UTF8_NAMES = 1 << 11
FIRST_DAY = 1 << 5 | 1  # 1 January 1980
READ_BY_OWNER = 0o100444 << 16
MADE_ON_UNIX = 3 << 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its name in the ZIP, its size in bytes, its CRC-32."""

    name: str
    size: int
    crc32: int


@dataclass(frozen=True, slots=True)
class Layout:
    """`headers[i]` stands right before file i, which begins at `offsets[i]`; `ending` after the last."""

    headers: list[bytes]
    offsets: list[int]
    ending: bytes


def lay_out(entries: Sequence[Entry]) -> Layout:
    headers: list[bytes] = []
    offsets: list[int] = []
    directory: list[bytes] = []
    at = 0
    for entry in entries:
        name = entry.name.encode()
        headers.append(_local_header(entry, name))
        directory.append(_directory_header(entry, name, at))
        at += len(headers[-1])
        offsets.append(at)
        at += entry.size
    return Layout(headers, offsets, b"".join(directory) + _end(len(entries), at, sum(map(len, directory))))


def _local_header(entry: Entry, name: bytes) -> bytes:
    extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.size) if entry.size >= FIELD_MAX else b""
    size = min(entry.size, FIELD_MAX)
    return (
        struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04",
            VERSION_ZIP64 if extra else VERSION,
            UTF8_NAMES,
            0,  # stored
            0,
            FIRST_DAY,
            entry.crc32,
            size,
            size,
            len(name),
            len(extra),
        )
        + name
        + extra
    )


def _directory_header(entry: Entry, name: bytes, at: int) -> bytes:
    wide = [entry.size, entry.size] if entry.size >= FIELD_MAX else []
    wide += [at] if at >= FIELD_MAX else []
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    version = VERSION_ZIP64 if wide else VERSION
    size = min(entry.size, FIELD_MAX)
    return (
        struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            MADE_ON_UNIX | version,
            version,
            UTF8_NAMES,
            0,
            0,
            FIRST_DAY,
            entry.crc32,
            size,
            size,
            len(name),
            len(extra),
            0,  # no comment
            0,  # first disk
            0,
            READ_BY_OWNER,
            min(at, FIELD_MAX),
        )
        + name
        + extra
    )


def _end(count: int, at: int, size: int) -> bytes:
    """`at` and `size` are the central directory's."""
    wide = b""
    if count >= COUNT_MAX or at >= FIELD_MAX or size >= FIELD_MAX:
        wide = struct.pack(
            "<4sQ2H2L4Q",
            b"PK\x06\x06",
            44,
            MADE_ON_UNIX | VERSION_ZIP64,
            VERSION_ZIP64,
            0,
            0,
            count,
            count,
            size,
            at,
        ) + struct.pack("<4sLQL", b"PK\x06\x07", 0, at + size, 1)
    few = min(count, COUNT_MAX)
    return wide + struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, few, few, min(size, FIELD_MAX), min(at, FIELD_MAX), 0
    )
