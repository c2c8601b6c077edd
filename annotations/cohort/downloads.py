"""The bytes of a ready release: single files, and all of them as one ZIP archive."""

import hashlib
from collections.abc import Iterator

from accounts import audit
from accounts.permissions import Someone
from annotations.models import Release, ReleaseFile
from atlas.archive.storage import COPY_BYTES, storage
from atlas.archive.zip_layout import Entry, ZipLayout


def file_bytes(file: ReleaseFile, first: int, last: int) -> Iterator[bytes]:
    """From `first` to `last`, both included, a piece at a time."""
    return _object_bytes(file.object_key, first, last - first + 1)


class ReleaseArchive:
    """All files of a release as a ZIP in a folder of the release's name."""

    def __init__(self, release: Release) -> None:
        self.name = f"{release.project.slug}-release-{release.number}"
        rows = ReleaseFile.objects.filter(release=release).order_by("path")
        self._layout = ZipLayout(
            (
                Entry(f"{self.name}/{path}", key, size, crc32)
                for path, key, size, crc32 in rows.values_list(
                    "path", "object_key", "size", "crc32"
                ).iterator()
            ),
            at=release.frozen_at,
        )
        self.size = self._layout.size
        self.etag = hashlib.sha256(f"zip {release.manifest_sha256}".encode()).hexdigest()

    def bytes(self, first: int, last: int) -> Iterator[bytes]:
        for piece in self._layout.pieces(first, last):
            if piece.key:
                yield from _object_bytes(piece.key, piece.offset, piece.length)
            else:
                yield piece.data


def record_download(user: Someone, release: Release, file: ReleaseFile | None = None) -> None:
    """One line for each request that gives out data; `file` None is the archive of all."""
    facts: dict[str, int] = {"file": file.pk} if file else {"archive": True}
    audit.record(user, "release.downloaded", release, **facts)  # type: ignore[arg-type]  # they were let in


def _object_bytes(key: str, offset: int, length: int) -> Iterator[bytes]:
    if not length:
        return
    with storage().open(key) as stream:
        stream.seek(offset)
        while length:
            piece = stream.read(min(COPY_BYTES, length))
            if not piece:
                raise EOFError(f"Object {key} is shorter than its release says.")
            length -= len(piece)
            yield piece
