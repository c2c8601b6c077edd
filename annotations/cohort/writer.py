"""Writes the files of a release: case by case, then what spans them, then the manifest. Every step may run
again, and several workers may take the same one.

A case counts as done once each of its files was read back from storage and is as it must be.
"""

import hashlib
import logging
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Collate
from django.utils import timezone

from annotations.cohort import filing, policies, releases
from annotations.cohort.certificate.checking import Checks
from annotations.cohort.certificate.summing import (
    CERTIFICATE,
    RECORD,
    certificate_of,
    numbers_for_the_page,
)
from annotations.cohort.formats import ALWAYS, FORMATS
from annotations.cohort.formats.plan import Format, PlannedFile
from annotations.cohort.formats.streamed import write_json
from annotations.cohort.loosening import require_standing
from annotations.cohort.material import CaseMaterial, ReleaseMaterial, record_bytes
from annotations.exchange.source import ExchangeError
from annotations.exchange.tables import as_json
from annotations.models import Release, ReleaseCase, ReleaseFile
from atlas.archive.storage import ObjectMissing, StorageUnavailable, storage

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
LOOK_EVERY_S = 0.5

_WRITTEN = ("written_at", "attempted", "record_key", "record_size", "record_sha256", "seconds")


class _NotWanted(Exception):
    """The release was cancelled, or the case taken out, while it was written."""


# One case -----------------------------------------------------------------------------------------------


def write_case(release_id: int, case_id: int) -> None:
    """Write one case, read it back, and count it. What a killed worker left half done is written again, to
    the same place; who comes while another writes waits, and finds it done.

    An error is kept with the release, in a sentence that names the case; it is not raised again, as a job
    that can't succeed must not be tried for ever.
    """
    first = _found(release_id, case_id)
    if first is None:
        return
    with _alone(f"release case {first.pk}"):
        release_case = _found(release_id, case_id)  # as whoever was before us has left it
        if release_case is None:
            return
        if not _is_wanted(release_case):
            _clear_attempt(release_case)
            return
        if release_case.written_at is None and not _written(release_case):
            return
    releases.case_written(release_id)


def _found(release_id: int, case_id: int) -> ReleaseCase | None:
    found = ReleaseCase.objects.select_related("release__project", "case__subject")
    return found.filter(release_id=release_id, case_id=case_id).first()


def _is_wanted(release_case: ReleaseCase) -> bool:
    return release_case.withdrawn_at is None and release_case.release.state == Release.State.WRITING


def _written(release_case: ReleaseCase) -> bool:
    """Whether it is written now; what an attempt that failed has put into storage goes."""
    problem = ""
    number = release_case.number
    try:
        _write(release_case)
        return True
    except _NotWanted:
        logger.info("Release %s, case %s is not wanted any more.", release_case.release_id, number)
    except (ExchangeError, ObjectMissing, StorageUnavailable) as error:
        logger.warning("Release %s, case %s: %s", release_case.release_id, number, error)
        problem = f"Case {number}: {error}"
    except Exception as error:
        logger.exception("Release %s, case %s", release_case.release_id, number)
        problem = (
            f"Case {number} stopped on an unexpected error ({type(error).__name__}: {error}). "
            "The server's log has the details."
        )
    if problem:
        releases.mark_failed(release_case.release_id, problem)
    _clear_attempt(release_case)
    return False


def _write(release_case: ReleaseCase) -> None:
    """Its files, read back; its record; and that it is done."""
    began = time.monotonic()
    release = release_case.release
    material = CaseMaterial(release_case, list(policies.pinned_reads(release_case)))
    plan = [(each, planned) for each in formats_of(release) for planned in each.of_case(material)]
    record_key = filing.key_of(release, f"records/{release_case.number}")
    _begin_attempt(release_case, [record_key, *_keys(release, plan)])
    checks = Checks(material, [each.key for each in formats_of(release)])
    files: dict[str, ReleaseFile] = {}
    try:
        with closing(_made(release_case, plan)) as made:
            for planned, file in made:
                files[planned.path] = file
                checks.check(planned, file)
    finally:
        ReleaseCase.objects.filter(pk=release_case.pk).update(checks=checks.rows())
    records: dict[str, Any] = {RECORD: checks.record()}
    for each in formats_of(release):
        told = each.record(material)
        if told is not None:
            records[each.key] = told
    record = record_bytes(records)
    storage().put_durable(record_key, record)
    with transaction.atomic():
        if not releases.may_keep(release_case):
            raise _NotWanted
        require_standing(files.values())
        left_over = filing.keep(release, files.values(), of=release_case)
        left_over += set(release_case.attempted) - {record_key}
        release_case.written_at, release_case.attempted = timezone.now(), []
        release_case.record_key, release_case.record_size = record_key, len(record)
        release_case.record_sha256 = hashlib.sha256(record).hexdigest()
        release_case.seconds = time.monotonic() - began
        release_case.save(update_fields=_WRITTEN)
    filing.delete_unnamed(left_over)


def _made(
    release_case: ReleaseCase, plan: list[tuple[Format, PlannedFile]]
) -> Generator[tuple[PlannedFile, ReleaseFile]]:
    """Every file as it is made, the large ones last: a thread compresses and stores them meanwhile. Nothing
    is still being stored once this is closed."""
    release = release_case.release
    files: dict[str, ReleaseFile] = {}
    looked = time.monotonic()
    with ThreadPoolExecutor(max_workers=1) as beside:
        begun = {
            planned.path: beside.submit(filing.made, release, release_case, each, planned, {})
            for each, planned in plan
            if planned.is_apart
        }
        late = set(begun)
        for _, planned in plan:
            if planned.same_as in late:
                late.add(planned.path)
        try:
            for each, planned in sorted(plan, key=lambda one: one[1].path in late):
                if time.monotonic() - looked > LOOK_EVERY_S:
                    _require_wanted(release_case)
                    looked = time.monotonic()
                if planned.path in begun:
                    file = begun[planned.path].result()
                else:
                    file = filing.made(release, release_case, each, planned, files)
                files[planned.path] = file
                yield planned, file
        finally:
            beside.shutdown(cancel_futures=True)


def _keys(release: Release, plan: list[tuple[Format, PlannedFile]]) -> list[str]:
    return [filing.key_of(release, planned.path) for _, planned in plan if planned.write]


def _begin_attempt(release_case: ReleaseCase, keys: list[str]) -> None:
    """Say what may come into storage before it does: then it is found, whatever happens to this process."""
    release_case.attempted = sorted({*release_case.attempted, *keys})
    release_case.save(update_fields=["attempted"])


def _clear_attempt(release_case: ReleaseCase) -> None:
    """Delete what unfinished attempts have put into storage."""
    if release_case.written_at is None and release_case.attempted:
        filing.delete_unnamed(release_case.attempted)
        release_case.attempted = []
        release_case.save(update_fields=["attempted"])


def _require_wanted(release_case: ReleaseCase) -> None:
    """Between two files, now and then: nobody waits for those of a cancelled release."""
    here = ReleaseCase.objects.filter(pk=release_case.pk, withdrawn_at=None)
    if not here.exclude(release__state=Release.State.CANCELLED).exists():
        raise _NotWanted


@contextmanager
def _alone(what: str) -> Iterator[None]:
    """One process at a time. The database forgets the lock of a process that dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [what])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [what])


def formats_of(release: Release) -> list[Format]:
    """In the order of the registry: what names another format's files comes after it."""
    return [*(each for key, each in FORMATS.items() if key in release.formats), *ALWAYS]


# What spans the cases -----------------------------------------------------------------------------------


def finish(release_id: int) -> None:
    """Write what spans the cases, the certificate, then the manifest, which names every other file with its
    SHA-256."""
    with _alone(f"release {release_id}"):
        release = Release.objects.select_related("project").get(pk=release_id)
        if release.state != Release.State.WRITING:
            return
        if ReleaseCase.objects.filter(release=release, withdrawn_at=None, written_at=None).exists():
            return  # the job of the last case asks again
        try:
            _finish(release)
        except Exception as error:
            logger.exception("Release %s", release_id)
            releases.mark_failed(
                release_id,
                f"The tables and the manifest could not be written ({type(error).__name__}: {error}).",
            )


def _finish(release: Release) -> None:
    """Rows are saved as files are made: nothing is given out before the release is ready, and what a killed
    worker has made is known."""
    spanning: dict[str, ReleaseFile] = {}
    material = ReleaseMaterial(release, spanning)

    def add(of: Format | None, planned: PlannedFile) -> ReleaseFile:
        file = spanning[planned.path] = filing.made(release, None, of, planned, spanning)
        filing.save([file])
        return file

    for each in formats_of(release):
        for planned in each.of_release(material):
            add(each, planned)
    release.writer_version = release.writer_version or releases.WRITER_VERSION
    document = certificate_of(material)
    certificate = add(None, PlannedFile(CERTIFICATE, lambda stream: stream.write(as_json(document))))
    release.certificate = numbers_for_the_page(document) | {"sha256": certificate.sha256}
    release.save(update_fields=["writer_version", "certificate"])
    manifest = add(None, PlannedFile(MANIFEST, lambda stream: _write_manifest(release, stream)))
    with transaction.atomic():
        left_over = filing.keep(release, spanning.values(), of=None)
        releases.mark_ready(
            release.pk, manifest_sha256=manifest.sha256, withdrawn_cases=release.withdrawn_cases
        )
    filing.delete_unnamed(left_over)


def _write_manifest(release: Release, stream: Any) -> None:
    """By path, row by row. Sequestered files aren't in it: their names and number would tell of the marks."""
    files = ReleaseFile.objects.filter(release=release, withdrawn_at=None, is_sequestered=False)
    files = files.exclude(path=MANIFEST).order_by(Collate(F("path"), "C"))
    head = {
        "format": "atlas release",
        "version": 1,
        "project": {"slug": release.project.slug, "name": release.project.name},
        "number": release.number,
        "title": release.title,
        "licence": release.licence,
        "frozen_at": release.frozen_at.isoformat(),
        "writer_version": release.writer_version,
        "cases": release.cases_total,
        "sequestered": release.sequestered,
        "withdrawn_cases": release.withdrawn_cases,
    }
    rows = files.values("path", "size", "sha256").iterator(chunk_size=2000)
    write_json(stream, head, files=rows)
