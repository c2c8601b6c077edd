"""Writes the files of a release: case by case, then what spans them, then the manifest. Every step may run
again."""

import hashlib
import logging
import time
import zlib
from collections.abc import Iterable
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone

from annotations.cohort import policies, releases
from annotations.cohort.formats import ALWAYS, FORMATS
from annotations.cohort.formats.plan import Format, PlannedFile
from annotations.cohort.material import CaseMaterial, ReleaseMaterial, record_bytes
from annotations.exchange.source import ExchangeError
from annotations.exchange.tables import as_json
from annotations.models import Release, ReleaseCase, ReleaseFile
from atlas.archive.storage import COPY_BYTES, ObjectMissing, spool, storage

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
LABELS = "labels.json"


def write_case(release_id: int, case_id: int) -> None:
    """Write one case, and count it. What a killed worker left half done is written again, to the same place.

    An error is kept with the release, in a sentence that names the case; it is not raised again, as a job
    that can't succeed must not be tried for ever.
    """
    found = ReleaseCase.objects.select_related("release__project", "case__subject")
    release_case = found.filter(release_id=release_id, case_id=case_id).first()
    if release_case is None or release_case.release.state != Release.State.WRITING:
        return
    if release_case.written_at is None:
        try:
            _write(release_case)
        except (ExchangeError, ObjectMissing) as error:
            logger.warning("Release %s, case %s: %s", release_id, case_id, error)
            releases.mark_failed(release_id, f"Case {release_case.number}: {error}")
            return
        except Exception as error:
            logger.exception("Release %s, case %s", release_id, case_id)
            releases.mark_failed(
                release_id,
                f"Case {release_case.number} stopped on an unexpected error "
                f"({type(error).__name__}: {error}). The server's log has the details.",
            )
            return
    releases.case_written(release_id)


def _write(release_case: ReleaseCase) -> None:
    """Its files and its record, and that it is done."""
    began = time.monotonic()
    release = release_case.release
    material = CaseMaterial(release_case, list(policies.pinned_reads(release_case)))
    files: dict[str, ReleaseFile] = {}
    records: dict[str, Any] = {}
    for each in formats_of(release):
        for planned in each.of_case(material):
            files[planned.path] = _made(release, release_case, each, planned, files)
        record = each.record(material)
        if record is not None:
            records[each.key] = record
    key = _key(release, f"records/{release_case.number}")
    storage().put_durable(key, record_bytes(records))
    with transaction.atomic():
        _keep(release, files.values(), of=release_case)
        release_case.written_at, release_case.record_key = timezone.now(), key
        release_case.seconds = time.monotonic() - began
        release_case.save(update_fields=["written_at", "record_key", "seconds"])


def formats_of(release: Release) -> list[Format]:
    """In the order of the registry: what names another format's files comes after it."""
    return [*(each for key, each in FORMATS.items() if key in release.formats), *ALWAYS]


def finish(release_id: int) -> None:
    """Write what spans the cases, then the manifest, which names every other file with its SHA-256."""
    release = Release.objects.select_related("project").get(pk=release_id)
    if release.state != Release.State.WRITING:
        return
    if ReleaseCase.objects.filter(release=release, withdrawn_at=None, written_at=None).exists():
        return  # the job of the last case asks again
    try:
        material = ReleaseMaterial(release)
        spanning: dict[str, ReleaseFile] = {}
        for each in formats_of(release):
            for planned in each.of_release(material):
                spanning[planned.path] = _made(release, None, each, planned, spanning)
        labels = PlannedFile(LABELS, lambda stream: stream.write(as_json(_labels(release))))
        spanning[LABELS] = _made(release, None, None, labels, spanning)
        with transaction.atomic():
            _keep(release, spanning.values())
        manifest = PlannedFile(MANIFEST, lambda stream: stream.write(as_json(_manifest(release))))
        made = _made(release, None, None, manifest, {})
        with transaction.atomic():
            _keep(release, [made], replacing=False)
            releases.mark_ready(release_id, manifest_sha256=made.sha256)
    except Exception as error:
        logger.exception("Release %s", release_id)
        releases.mark_failed(
            release_id, f"The tables and the manifest could not be written ({type(error).__name__}: {error})."
        )


# One file ---------------------------------------------------------------------------------------------


class _Measured:
    """A stream that counts and digests what passes through it."""

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self.stream = stream
        self.sha256 = hashlib.sha256()
        self.crc32 = 0
        self.size = 0

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self.crc32 = zlib.crc32(data, self.crc32)
        self.size += len(data)
        return self.stream.write(data) if self.stream else len(data)


def _made(
    release: Release,
    release_case: ReleaseCase | None,
    of: Format | None,
    planned: PlannedFile,
    before: dict[str, ReleaseFile],
) -> ReleaseFile:
    """Write a file into storage; its row is not saved yet."""
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
        with spool() as stream:
            measured = _Measured(stream)
            planned.write(measured)  # type: ignore[arg-type]
            stream.seek(0)
            key = _key(release, planned.path)
            storage().put_durable(key, stream)
        _describe(file, measured, key)
    return file


def _describe(file: ReleaseFile, measured: _Measured, key: str) -> None:
    file.size, file.sha256, file.crc32 = measured.size, measured.sha256.hexdigest(), measured.crc32
    file.object_key = key


def _is_sequestered(release: Release, release_case: ReleaseCase | None, planned: PlannedFile) -> bool:
    if release_case is None or release_case.part != ReleaseCase.Part.TEST:
        return False
    withheld = Release.Sequestered
    return release.sequestered == withheld.ALL or (
        release.sequestered == withheld.MARKS and planned.holds_marks
    )


def _key(release: Release, path: str) -> str:
    """The same for the same file, so that a second attempt leaves nothing behind."""
    name = hashlib.sha256(f"release {release.project.public_id} {release.number} {path}".encode()).hexdigest()
    return f"{name[:3]}/{name[:32]}"


def _keep(
    release: Release,
    files: Iterable[ReleaseFile],
    *,
    of: ReleaseCase | None = None,
    replacing: bool = True,
) -> None:
    """Save the rows in place of an earlier attempt's, also of files that this one didn't write."""
    if replacing:
        ReleaseFile.objects.filter(release=release, release_case=of, withdrawn_at=None).delete()
    ReleaseFile.objects.bulk_create(
        files,
        update_conflicts=True,
        unique_fields=["release", "path"],
        update_fields=[
            "release_case",
            "release_read",
            "format",
            "size",
            "sha256",
            "crc32",
            "object_key",
            "is_pinned",
            "is_sequestered",
        ],
    )


# What spans the cases -----------------------------------------------------------------------------------


def _labels(release: Release) -> dict[str, object]:
    """Every schema version that a read of the release followed."""
    schemas = {schema.version: schema for schema in policies.schemas_of(release)}
    return {
        "schemas": [
            {"version": version, "labels": schema.labels, "questions": schema.questions}
            for version, schema in sorted(schemas.items())
        ]
    }


def _manifest(release: Release) -> dict[str, object]:
    files = ReleaseFile.objects.filter(release=release, withdrawn_at=None).exclude(path=MANIFEST)
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
