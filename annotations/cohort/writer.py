"""Writes the files of a release: case by case, then tables and manifest. Every step may run again."""

import hashlib
import logging
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from typing import BinaryIO

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotations.cohort import policies, releases
from annotations.cohort.case_files import CaseFiles, Write
from annotations.exchange.source import ExchangeError
from annotations.exchange.tables import as_json
from annotations.models import Release, ReleaseCase, ReleaseFile
from atlas.archive.storage import COPY_BYTES, ObjectMissing, spool, storage

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
MEASUREMENTS = "measurements.csv"
ANSWERS = "answers.csv"
LABELS = "labels.json"


def write_case(release_id: int, case_id: int) -> None:
    """Write one case, and count it. What a killed worker left half done is written again, to the same place.

    An error is kept with the release, in a sentence that names the case; it is not raised again, as a job
    that can't succeed must not be tried for ever.
    """
    release = Release.objects.select_related("project").get(pk=release_id)
    pinned = list(policies.released_cases(release).filter(case_id=case_id).order_by("pk"))
    if release.state != Release.State.WRITING or not pinned:
        return
    if any(each.written_at is None for each in pinned):
        try:
            files = [_store(release, *file) for file in CaseFiles(release, pinned).files()]
        except (ExchangeError, ObjectMissing) as error:
            logger.warning("Release %s, case %s: %s", release_id, case_id, error)
            releases.mark_failed(release_id, f"Case {pinned[0].case.number}: {error}")
            return
        except Exception as error:
            logger.exception("Release %s, case %s", release_id, case_id)
            releases.mark_failed(
                release_id,
                f"Case {pinned[0].case.number} stopped on an unexpected error "
                f"({type(error).__name__}: {error}). The server's log has the details.",
            )
            return
        with transaction.atomic():
            _record(release, files, cases=pinned)
            ReleaseCase.objects.filter(pk__in=[each.pk for each in pinned]).update(written_at=timezone.now())
    releases.case_written(release_id)


def finish(release_id: int) -> None:
    """Write what spans the cases, then the manifest, which names every other file with its SHA-256."""
    release = Release.objects.select_related("project").get(pk=release_id)
    if release.state != Release.State.WRITING:
        return
    if ReleaseCase.objects.filter(release=release, written_at=None).exists():
        return  # the job of the last case asks again
    try:
        spanning = [
            *(
                _store(release, table, None, partial(_join, release, table))
                for table in (MEASUREMENTS, ANSWERS)
                if table == MEASUREMENTS or _has(release, table)
            ),
            _store(release, LABELS, None, lambda stream: stream.write(as_json(_labels(release)))),
        ]
        with transaction.atomic():
            _record(release, spanning)
        manifest = _store(release, MANIFEST, None, lambda stream: stream.write(as_json(_manifest(release))))
        with transaction.atomic():
            _record(release, [manifest])
            releases.mark_ready(release_id, manifest_sha256=manifest.sha256)
    except Exception as error:
        logger.exception("Release %s", release_id)
        releases.mark_failed(
            release_id, f"The tables and the manifest could not be written ({type(error).__name__}: {error})."
        )


# One file ---------------------------------------------------------------------------------------------


class _Measured:
    """A stream that counts and digests what passes through it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.sha256 = hashlib.sha256()
        self.crc32 = 0
        self.size = 0

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self.crc32 = zlib.crc32(data, self.crc32)
        self.size += len(data)
        return self.stream.write(data)


def _store(release: Release, path: str, pinned: ReleaseCase | None, write: Write) -> ReleaseFile:
    """Write a file into storage; its row is not saved yet."""
    with spool() as stream:
        measured = _Measured(stream)
        write(measured)  # type: ignore[arg-type]
        stream.seek(0)
        key = _key(release, path)
        storage().put_durable(key, stream)
    return ReleaseFile(
        release=release,
        release_case=pinned,
        path=path,
        size=measured.size,
        sha256=measured.sha256.hexdigest(),
        crc32=measured.crc32,
        object_key=key,
    )


def _key(release: Release, path: str) -> str:
    """The same for the same file, so that a second attempt leaves nothing behind."""
    name = hashlib.sha256(f"release {release.project.public_id} {release.number} {path}".encode()).hexdigest()
    return f"{name[:3]}/{name[:32]}"


def _record(release: Release, files: Iterable[ReleaseFile], cases: Iterable[ReleaseCase] = ()) -> None:
    """Replace the rows of an earlier attempt, including those of files that this one didn't write."""
    files = list(files)
    folders = {f"cases/{each.case.number:04d}/" for each in cases}
    for folder in folders:
        ReleaseFile.objects.filter(release=release, path__startswith=folder).delete()
    ReleaseFile.objects.bulk_create(
        files,
        update_conflicts=True,
        unique_fields=["release", "path"],
        update_fields=["release_case", "size", "sha256", "crc32", "object_key"],
    )


# What spans the cases -----------------------------------------------------------------------------------


def _tables(release: Release, name: str) -> QuerySet[ReleaseFile]:
    """The files of this name, one a read."""
    own = ReleaseFile.objects.filter(release=release, release_case__isnull=False)
    return own.filter(path__endswith=f"/{name}").order_by("path")


def _has(release: Release, name: str) -> bool:
    """Whether any read has this table, or had it: what was joined of rows that are erased is written anew."""
    return _tables(release, name).exists() or ReleaseFile.objects.filter(release=release, path=name).exists()


def _join(release: Release, name: str, stream: BinaryIO) -> None:
    """The cases' tables below one header, in order; one table in memory at a time."""
    tables = _tables(release, name)
    for index, key in enumerate(tables.values_list("object_key", flat=True).iterator()):
        with storage().open(key) as table:
            header = table.readline()
            if index == 0:
                stream.write(header)
            for piece in _pieces(table):
                stream.write(piece)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(COPY_BYTES):
        yield piece


def _labels(release: Release) -> dict[str, object]:
    """Every schema version that a read of the release followed."""
    schemas = {
        each.submission.read.schema.version: each.submission.read.schema
        for each in policies.released_cases(release)
    }
    return {
        "schemas": [
            {"version": version, "labels": schema.labels, "questions": schema.questions}
            for version, schema in sorted(schemas.items())
        ]
    }


def _manifest(release: Release) -> dict[str, object]:
    files = ReleaseFile.objects.filter(release=release).exclude(path=MANIFEST)
    return {
        "format": "atlas release",
        "version": 1,
        "project": {"slug": release.project.slug, "name": release.project.name},
        "number": release.number,
        "title": release.title,
        "licence": release.licence,
        "frozen_at": release.frozen_at.isoformat(),
        "cases": release.cases_total,
        "withdrawn_cases": release.withdrawn_cases,
        "files": [
            {"path": path, "size": size, "sha256": sha256}
            for path, size, sha256 in sorted(files.values_list("path", "size", "sha256"))
        ],
    }
