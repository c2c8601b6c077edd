"""Writing by workers that die, meet, are stopped or come in another order: the same files, nothing else."""

import os
import threading
import time
from pathlib import Path

import pytest
from django.utils import timezone

from annotations.cohort import filing, releases, writer
from annotations.cohort.formats import FORMATS
from annotations.models import Case, CaseStudy, Edit, Release, ReleaseCase, ReleaseFile
from atlas.archive.storage import FileStorage, storage
from atlas.archive.verify import verify
from tests.annotations.cohort.conftest import OUTLINE, Cohort

ROOT = Path(__file__).resolve().parents[3]


def frozen(cohort: Cohort, cases: int = 1) -> Release:
    """With as many cases of the same images, each read and accepted."""
    for number in range(1, cases + 1):
        case = cohort.case
        if number > 1:
            case = Case.objects.create(project=cohort.project, subject=cohort.case.subject, number=number)
            CaseStudy.objects.create(case=case, study=cohort.series.study, position=1)
        read = cohort.read(case=case)
        cohort.draw(read)
        cohort.accept(read)
    choice = releases.Choice(content=Release.Content.BOTH, formats=tuple(FORMATS))
    return releases.freeze(by=cohort.people["lead"], project=cohort.project, choice=choice)


def case_ids(release: Release) -> list[int]:
    return list(
        ReleaseCase.objects.filter(release=release).order_by("number").values_list("case_id", flat=True)
    )


def objects() -> set[str]:
    return {one.key for one in storage().keys("")}


def named_by_rows(release: Release) -> set[str]:
    files = ReleaseFile.objects.filter(release=release, is_pinned=False).exclude(object_key="")
    records = ReleaseCase.objects.filter(release=release).exclude(record_key="")
    return {*files.values_list("object_key", flat=True), *records.values_list("record_key", flat=True)}


def digests(release: Release) -> dict[str, str]:
    return dict(ReleaseFile.objects.filter(release=release).values_list("path", "sha256"))


def state_of(release: Release) -> tuple[str, str]:
    release.refresh_from_db()
    return release.state, release.problem


# The same bytes ---------------------------------------------------------------------------------


def test_the_same_release_has_the_same_bytes_in_whatever_order_its_cases_are_written(cohort: Cohort) -> None:
    release = frozen(cohort, cases=3)
    found = []
    for order in (case_ids(release), case_ids(release)[::-1]):
        ReleaseFile.objects.filter(release=release).delete()
        ReleaseCase.objects.filter(release=release).update(written_at=None, checks=[], record_key="")
        Release.objects.filter(pk=release.pk).update(state=Release.State.WRITING, certificate=None)
        for case_id in order:
            writer.write_case(release.pk, case_id)
        writer.finish(release.pk)
        assert state_of(release) == (Release.State.READY, "")
        found.append(digests(release) | {"": release.manifest_sha256})
    assert found[0] == found[1]
    assert len(found[0]) > 3 * len(FORMATS)


# Stopped and failed -----------------------------------------------------------------------------


def after_file(monkeypatch: pytest.MonkeyPatch, number: int, happens) -> list[str]:
    """Once so many files are made, but for the large ones, which are made beside. Returns the paths that are,
    as they come."""
    made, paths = filing.made, []

    def counted(*args):
        file = made(*args)
        if threading.current_thread() is threading.main_thread():
            paths.append(args[3].path)
            if len(paths) == number:
                happens()
        return file

    monkeypatch.setattr(filing, "made", counted)
    return paths


def test_a_cancelled_release_stops_at_the_next_file(cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    release, before = frozen(cohort), objects()
    cancel = lambda: releases.cancel(by=cohort.people["lead"], release=release)
    monkeypatch.setattr(writer, "LOOK_EVERY_S", 0.0)
    paths = after_file(monkeypatch, 2, cancel)
    writer.write_case(release.pk, case_ids(release)[0])
    assert len(paths) == 2
    assert objects() == before
    assert state_of(release) == (Release.State.CANCELLED, "")
    case = ReleaseCase.objects.get(release=release)
    assert (case.written_at, case.attempted) == (None, [])


def test_a_case_taken_out_while_it_is_written_leaves_nothing(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, before = frozen(cohort), objects()
    taken_out = lambda: ReleaseCase.objects.filter(release=release).update(withdrawn_at=timezone.now())
    monkeypatch.setattr(writer, "LOOK_EVERY_S", 0.0)
    paths = after_file(monkeypatch, 3, taken_out)
    writer.write_case(release.pk, case_ids(release)[0])
    assert len(paths) == 3
    assert objects() == before
    assert not ReleaseFile.objects.filter(release=release).exists()


def test_what_an_attempt_that_failed_has_stored_goes(cohort: Cohort) -> None:
    release, before = frozen(cohort), objects()
    Edit.objects.filter(annotation_id=OUTLINE, frame_number=1).update(sop_instance_uid="1.2.3.999")
    writer.write_case(release.pk, case_ids(release)[0])
    state, problem = state_of(release)
    assert state == Release.State.FAILED
    assert problem.startswith("Case 1: ")
    assert objects() == before


def test_a_disk_that_is_full_fails_the_release_and_a_retry_writes_it(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, before = frozen(cohort), objects()
    put, calls = FileStorage.put_durable, []

    def full(self, key, *parts):
        calls.append(key)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return put(self, key, *parts)

    monkeypatch.setattr(FileStorage, "put_durable", full)
    writer.write_case(release.pk, case_ids(release)[0])
    state, problem = state_of(release)
    assert state == Release.State.FAILED
    assert "No space left on device" in problem
    assert objects() == before
    releases.retry(by=cohort.people["lead"], release=release)
    writer.write_case(release.pk, case_ids(release)[0])
    writer.finish(release.pk)
    assert state_of(release) == (Release.State.READY, "")


def test_files_that_a_later_version_of_the_release_no_longer_has_go_with_their_objects(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, before = frozen(cohort), objects()
    writer.write_case(release.pk, case_ids(release)[0])
    writer.finish(release.pk)
    assert state_of(release) == (Release.State.READY, "")
    Release.objects.filter(pk=release.pk).update(state=Release.State.WRITING, formats=["seg"])
    ReleaseCase.objects.filter(release=release).update(written_at=None)
    writer.write_case(release.pk, case_ids(release)[0])
    writer.finish(release.pk)
    assert state_of(release) == (Release.State.READY, "")
    assert set(release.files.exclude(format="").values_list("format", flat=True)) == {"seg"}
    assert objects() - before == named_by_rows(release)


def test_the_archive_is_whole_after_a_release(cohort: Cohort) -> None:
    release = frozen(cohort)
    writer.write_case(release.pk, case_ids(release)[0])
    writer.finish(release.pk)
    assert state_of(release) == (Release.State.READY, "")
    long_ago = time.time() - 7200
    for path in storage().folder.rglob("*"):
        os.utime(path, (long_ago, long_ago))
    report = verify(tell=lambda problem: None)
    assert (report.problems, report.orphans) == ([], [])
    assert report.others >= len(named_by_rows(release))
