"""Lays out a ZIP of stored (not compressed) files whose sizes and CRCs are known before a byte is read.

So the length of the whole is known at once, any range of it can be given out, and no file is read twice.
ZIP64 fields (APPNOTE 4.5.3) stand where a size, an offset or a count needs them.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from struct import pack

_MAX_32, _MAX_16 = 0xFFFFFFFF, 0xFFFF
_UTF8 = 0x800
_VERSION, _VERSION_64 = 20, 45


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its name in the archive, where its bytes are, and what must be known of them."""

    name: str
    key: str
    size: int
    crc32: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of the archive: given, or `length` bytes from `offset` of the object `key`."""

    data: bytes = b""
    key: str = ""
    offset: int = 0
    length: int = 0


class ZipLayout:
    """`size` is the length of the archive in bytes; `pieces` gives any range of it."""

    def __init__(self, entries: Iterable[Entry], *, at: datetime) -> None:
        self._time = _dos_time(at)
        self._parts: list[bytes | Entry] = []
        self._starts: list[int] = []
        self.size = 0
        directory: list[bytes] = []
        for entry in entries:
            directory.append(self._central(entry, self.size))
            self._append(self._local(entry), entry)
        central = b"".join(directory)
        self._append(central + _end(len(directory), len(central), self.size))

    def pieces(self, first: int, last: int) -> Iterator[Piece]:
        """The bytes `first` to `last`, both included."""
        index = bisect_right(self._starts, first) - 1
        while index < len(self._parts) and self._starts[index] <= last:
            part, start = self._parts[index], self._starts[index]
            length = len(part) if isinstance(part, bytes) else part.size
            low, high = max(first - start, 0), min(last - start + 1, length)
            if low < high:
                if isinstance(part, bytes):
                    yield Piece(data=part[low:high])
                else:
                    yield Piece(key=part.key, offset=low, length=high - low)
            index += 1

    def _append(self, *parts: bytes | Entry) -> None:
        for part in parts:
            self._parts.append(part)
            self._starts.append(self.size)
            self.size += len(part) if isinstance(part, bytes) else part.size

    def _local(self, entry: Entry) -> bytes:
        extra = _extra(*_sizes(entry))
        return b"PK\x03\x04" + self._about(entry, extra) + entry.name.encode() + extra

    def _central(self, entry: Entry, offset: int) -> bytes:
        extra = _extra(*_sizes(entry), *((offset,) if offset >= _MAX_32 else ()))
        return (
            # Made on Unix, so the mode counts.
            pack("<4sH", b"PK\x01\x02", (3 << 8) | _version(extra))
            + self._about(entry, extra)
            + pack("<HHHII", 0, 0, 0, 0o100644 << 16, min(offset, _MAX_32))
            + entry.name.encode()
            + extra
        )

    def _about(self, entry: Entry, extra: bytes) -> bytes:
        """What stands in both headers of a file."""
        shown, name = min(entry.size, _MAX_32), entry.name.encode()
        numbers = (entry.crc32, shown, shown, len(name), len(extra))
        return pack("<HHHIIIIHH", _version(extra), _UTF8, 0, self._time, *numbers)


def _sizes(entry: Entry) -> tuple[int, ...]:
    """Uncompressed and compressed, where they are large."""
    return (entry.size, entry.size) if entry.size >= _MAX_32 else ()


def _extra(*large: int) -> bytes:
    """The ZIP64 field for numbers that their own fields can't hold."""
    return pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""


def _version(extra: bytes) -> int:
    return _VERSION_64 if extra else _VERSION


def _end(count: int, length: int, offset: int) -> bytes:
    """End records. `length` and `offset` are those of the central directory."""
    end_64 = b""
    if count >= _MAX_16 or length >= _MAX_32 or offset >= _MAX_32:
        end_64 = pack(
            "<4sQHHIIQQQQ",
            b"PK\x06\x06",
            44,
            (3 << 8) | _VERSION_64,
            _VERSION_64,
            0,
            0,
            count,
            count,
            length,
            offset,
        ) + pack("<4sIQI", b"PK\x06\x07", 0, offset + length, 1)
    shown = min(count, _MAX_16)
    return end_64 + pack(
        "<4sHHHHIIH",
        b"PK\x05\x06",
        0,
        0,
        shown,
        shown,
        min(length, _MAX_32),
        min(offset, _MAX_32),
        0,
    )


def _dos_time(at: datetime) -> int:
    """Time in the lower 16 bits, date in the upper (APPNOTE 4.4.6); two seconds' resolution, from 1980."""
    time = at.hour << 11 | at.minute << 5 | at.second // 2
    return max(at.year - 1980, 0) << 25 | at.month << 21 | at.day << 16 | time
