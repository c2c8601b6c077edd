"""Finds the files in what someone names or sends: single files, folders, ZIP archives. Nothing is unpacked to
disk by its own name, so a name in an archive can't lead anywhere."""

import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
ZIP_DIRECTORY_BYTES_MAX = 256 * 1024 * 1024  # of its table of contents, which is read into memory: 2 M files
ZIP_RATIO_MAX = 250  # pixels hardly shrink to a hundredth
ZIP_RATIO_FROM_BYTES = 64 * 1024 * 1024  # smaller members may shrink as they like
ZIP_TOTAL_FROM_BYTES = 8 * 1024**3  # a whole archive that unpacks to less may shrink as it likes
_END_OF_DIRECTORY = b"PK\x05\x06"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be opened, by the name its sender knows. `problem` says why it must not be opened."""

    name: str
    open: Callable[[], BinaryIO] | None
    problem: str = ""


def is_zip(start: bytes) -> bool:
    return start[:4] in ZIP_STARTS


def in_paths(paths: list[Path]) -> Iterator[Source]:
    """Every file of these files and folders, in order of name; ZIP archives are opened."""
    for path in paths:
        if path.is_dir():
            for folder, folders, names in os.walk(path):
                folders.sort()
                for name in sorted(names):
                    file = Path(folder, name)
                    yield from _in_file(file, str(file.relative_to(path.parent)))
        else:
            yield from _in_file(path, path.name)


def _in_file(path: Path, name: str) -> Iterator[Source]:
    if not path.is_file():
        reason = "A link that leads nowhere." if path.is_symlink() else "Not a file that can be read."
        yield Source(name, None, reason)
        return
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        yield Source(name, None, f"The file can't be opened: {error.strerror or error}.")
        return
    if is_zip(start):
        with path.open("rb") as file:
            yield from in_zip(file, name)
    else:
        yield Source(name, lambda: path.open("rb"))


def in_zip(file: BinaryIO, name: str) -> Iterator[Source]:
    """Every file of a ZIP archive, which must stay open while its members are read."""
    try:
        if _directory_bytes(file) > ZIP_DIRECTORY_BYTES_MAX:
            yield Source(name, None, "The ZIP archive holds more files than can be listed. Split it.")
            return
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError) as error:
        yield Source(name, None, f"The ZIP archive is damaged: {error}.")
        return
    with archive:
        total = sum(member.file_size for member in archive.infolist())
        size = file.seek(0, os.SEEK_END)
        if total > ZIP_TOTAL_FROM_BYTES and total > size * ZIP_RATIO_MAX:
            reason = f"The archive would grow {total / size:.0f} times when unpacked; no images do. Split it."
            yield Source(name, None, reason)
            return
        for member in archive.infolist():
            if not member.is_dir():
                shown = f"{name}/{member.filename}"
                yield Source(shown, partial(_opened, archive, member), _member_problem(member))


def _member_problem(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & 1:
        return "The file is encrypted. Send the archive without a password."
    ratio = member.file_size / max(member.compress_size, 1)
    if member.file_size > ZIP_RATIO_FROM_BYTES and ratio > ZIP_RATIO_MAX:
        return f"The file would grow {ratio:.0f} times when unpacked; no image does. It was not opened."
    return ""


class UnreadableMember(Exception):
    """The message is a sentence."""


def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    try:
        return archive.open(member)  # type: ignore[return-value]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise UnreadableMember(f"The ZIP archive is damaged here: {error}.") from error


def _directory_bytes(file: BinaryIO) -> int:
    """The size of an archive's table of contents, from its end record (APPNOTE 4.3.16, 4.3.14 for ZIP64)."""
    end = file.seek(0, os.SEEK_END)
    start = max(0, end - 66_000)
    file.seek(start)
    tail = file.read(end - start)
    at = tail.rfind(_END_OF_DIRECTORY)
    if at < 0 or len(tail) < at + 20:
        raise zipfile.BadZipFile("it has no table of contents")
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    if size == 0xFFFFFFFF:
        at = tail.rfind(b"PK\x06\x06")
        size = int.from_bytes(tail[at + 40 : at + 48], "little") if at >= 0 else ZIP_DIRECTORY_BYTES_MAX + 1
    file.seek(0)
    return size
