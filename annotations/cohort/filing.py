"""One file of a release: made, put into storage, described, and its row kept."""

import hashlib
import logging
import zlib
from collections.abc import Iterable, Mapping
from tempfile import SpooledTemporaryFile
from typing import IO

from annotations.cohort.formats.plan import Format, PlannedFile
from annotations.cohort.material import withheld_of
from annotations.models import Release, ReleaseCase, ReleaseFile
from atlas.archive.storage import COPY_BYTES, storage

logger = logging.getLogger(__name__)

IN_MEMORY_BYTES = 64 * 1024 * 1024
"""Files up to this size never touch a disk before storage: most volumes are smaller."""

_KEPT = (
    "release_case",
    "release_read",
    "format",
    "size",
    "sha256",
    "crc32",
    "object_key",
    "is_pinned",
    "is_sequestered",
)


def key_of(release: Release, path: str) -> str:
    """The same for the same file, so that a second attempt leaves nothing behind."""
    name = hashlib.sha256(f"release {release.project.public_id} {release.number} {path}".encode()).hexdigest()
    return f"{name[:3]}/{name[:32]}"


def made(
    release: Release,
    release_case: ReleaseCase | None,
    of: Format | None,
    planned: PlannedFile,
    before: Mapping[str, ReleaseFile],
) -> ReleaseFile:
    """Write a file into storage; its row is not saved yet. `before`: files made earlier, by path."""
    file = ReleaseFile(
        release=release,
        release_case=release_case,
        release_read=planned.read,
        format=of.key if of and not of.is_always_written else "",
        path=planned.path,
        is_sequestered=_is_sequestered(release, release_case, planned),
    )
    if planned.same_as:
        same = before[planned.same_as]
        file.size, file.sha256, file.crc32 = same.size, same.sha256, same.crc32
        file.object_key, file.is_pinned = same.object_key, same.is_pinned
    elif planned.object_key:
        measured = _Measured()
        with storage().open(planned.object_key) as stream:
            while piece := stream.read(COPY_BYTES):
                measured.write(piece)
        _describe(file, measured, planned.object_key)
        file.is_pinned = True
    elif planned.write:
        with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as stream:
            measured = _Measured(stream)
            planned.write(measured)  # type: ignore[arg-type]
            stream.seek(0)
            key = key_of(release, planned.path)
            storage().put_durable(key, stream)
        _describe(file, measured, key)
    return file


class _Measured:
    """A stream that counts and digests what passes through it."""

    def __init__(self, stream: IO[bytes] | None = None) -> None:
        self.stream = stream
        self.sha256 = hashlib.sha256()
        self.crc32 = 0
        self.size = 0

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self.crc32 = zlib.crc32(data, self.crc32)
        self.size += len(data)
        return self.stream.write(data) if self.stream else len(data)


def _describe(file: ReleaseFile, measured: _Measured, key: str) -> None:
    file.size, file.sha256, file.crc32 = measured.size, measured.sha256.hexdigest(), measured.crc32
    file.object_key = key


def _is_sequestered(release: Release, release_case: ReleaseCase | None, planned: PlannedFile) -> bool:
    if release_case is None:
        return False
    withheld = withheld_of(release, release_case)
    return withheld == Release.Sequestered.ALL or bool(withheld and planned.holds_marks)


def keep(release: Release, files: Iterable[ReleaseFile], *, of: ReleaseCase | None) -> list[str]:
    """Save the rows in place of an earlier attempt's, also of files that this one didn't write. Returns the
    objects that no row names any more, to be deleted after the commit."""
    files = list(files)
    before = ReleaseFile.objects.filter(release=release, release_case=of, withdrawn_at=None)
    old = set(before.filter(is_pinned=False).values_list("object_key", flat=True))
    before.delete()
    save(files)
    return sorted(old - {file.object_key for file in files} - {""})


def save(files: Iterable[ReleaseFile]) -> None:
    ReleaseFile.objects.bulk_create(
        files, update_conflicts=True, unique_fields=["release", "path"], update_fields=_KEPT
    )


def delete_unnamed(keys: Iterable[str]) -> None:
    """Delete objects of a release unless a file names them; nothing happens where there is none."""
    keys = set(keys)
    named = set(ReleaseFile.objects.filter(object_key__in=keys).values_list("object_key", flat=True))
    for key in sorted(keys - named):
        storage().delete(key)
