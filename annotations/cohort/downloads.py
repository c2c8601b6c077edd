"""The bytes of a ready release: single files, and all or some of them as one ZIP archive."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from threading import Lock

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max
from django.http import Http404

from accounts.permissions import Someone
from annotations.cohort import policies, recalls
from annotations.cohort.selections import Selection
from annotations.models import Release, ReleaseFile
from atlas.archive.zip_layout import Entry, ZipLayout

LAYOUTS_KEPT = 4
"""Of archives, in each process: one whose ranges are fetched is laid out once, not for every range."""


class Withdrawn(Exception):
    """The file was given out and is no more. The message says since when, and why."""


def file_or_404(user: Someone, release: Release, path: str) -> ReleaseFile:
    """A file that this person may have now.

    Raises Http404 where there is none, PermissionDenied where it is sequestered, Withdrawn where it was.
    """
    file = None
    if "\0" not in path:  # which the database takes for no text at all
        found = ReleaseFile.objects.filter(release=release, path=path)
        file = found.select_related("release_case", "release").first()
    if file is None:
        raise Http404("The release has no such file; its manifest names them all.")
    if file.is_sequestered and not policies.manages(user, release):
        raise PermissionDenied(
            "This file belongs to the sequestered test part: models are scored on it, nobody downloads it."
        )
    if file.withdrawn_at is not None:
        raise Withdrawn(_why_withdrawn(file, file.withdrawn_at))
    return file


def stays(file: ReleaseFile) -> bool:
    """Whether a file is given out also while what spans the cases is written anew without one of them: it was
    given out before, and belongs to a case that nobody took out."""
    return (
        file.release.ready_at is not None and file.release_case_id is not None and file.withdrawn_at is None
    )


def _why_withdrawn(file: ReleaseFile, at: datetime) -> str:
    case = file.release_case
    what = f"Case {case.number}" if case else "This file"
    because = f" {case.withdrawn_because}" if case and case.withdrawn_because else ""
    told = f"{what} was withdrawn from this release on {at:%Y-%m-%d}.{because}"
    recall = recalls.last_of(file.release.project_id, case.number) if case else None
    if recall is None or recall.lifted_at is None:
        return f"{told} Delete your copies of it."
    return (
        f"{told} The recall was lifted on {recall.lifted_at:%Y-%m-%d}: {recall.lifted_because} Its files in "
        "this release stay withdrawn; one that was frozen since may hold it."
    )


class ReleaseArchive:
    """Files of a release as a ZIP of stored entries, in a folder of the release's name.

    `etag` covers every name and every byte: what is withdrawn changes it, and so does another choice.
    `cases` are the keys of the ReleaseCases in it, None for files about all.
    """

    def __init__(self, user: Someone, release: Release, selection: Selection) -> None:
        self.name = f"{release.project.slug}-release-{release.number}"
        self.cases: set[int | None] = set()
        digest = hashlib.sha256(self.name.encode())
        self._layout = ZipLayout(self._entries(user, release, selection, digest), at=release.frozen_at)
        self.size = self._layout.size
        self.etag = digest.hexdigest()

    def _entries(
        self, user: Someone, release: Release, selection: Selection, digest: "hashlib._Hash"
    ) -> Iterator[Entry]:
        files = selection.of(policies.files_for(user, release)).filter(withdrawn_at=None).order_by("path")
        columns = ("path", "object_key", "size", "crc32", "sha256", "release_case_id")
        for path, key, size, crc32, sha256, case in files.values_list(*columns).iterator(chunk_size=5000):
            digest.update(f"\0{path}\0{sha256}".encode())
            self.cases.add(case)
            yield Entry(f"{self.name}/{path}", key, size, crc32)

    def pieces(self, first: int, last: int) -> Iterator[bytes | tuple[str, int, int]]:
        """From `first` to `last`, both included: bytes, or (object, offset, length)."""
        for piece in self._layout.pieces(first, last):
            yield (piece.key, piece.offset, piece.length) if piece.key else piece.data


_layouts: OrderedDict[tuple[object, ...], ReleaseArchive] = OrderedDict()
_lock = Lock()


def archive_of(user: Someone, release: Release, selection: Selection) -> ReleaseArchive:
    """The archive as it is now for this person."""
    files = ReleaseFile.objects.filter(release=release)
    now = files.filter(withdrawn_at__isnull=False).aggregate(n=Count("pk"), last=Max("withdrawn_at"))
    state = (release.manifest_sha256, now["n"], now["last"])  # all that changes of a ready release
    key = (release.pk, selection, policies.manages(user, release), *state)
    with _lock:
        if key in _layouts:
            _layouts.move_to_end(key)
            return _layouts[key]
    archive = ReleaseArchive(user, release, selection)
    with _lock:
        _layouts[key] = archive
        while len(_layouts) > LAYOUTS_KEPT:
            _layouts.popitem(last=False)
    return archive
