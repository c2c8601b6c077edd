"""Releases that are stopped, and how far those are that are being written."""

import threading
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import AuditRecord
from annotations.cohort import releases, summary, writer
from annotations.models import Case, Release, ReleaseCase, ReleaseFile
from atlas.archive.storage import storage
from tests import crowd as crowds
from tests.annotations.cohort.conftest import Cohort
from tests.annotations.cohort.test_release import run_jobs


def begun(cohort: Cohort) -> Release:
    choice = releases.Choice(formats=("nifti", "json"))
    return releases.freeze(by=cohort.people["lead"], project=cohort.project, choice=choice)


def ours() -> set[str]:
    """Objects of releases: they have no ending."""
    return {one.key for one in storage().keys("") if "." not in one.key}


def run_clearing() -> None:
    for job in ProcrastinateJob.objects.filter(task_name=releases.CLEAR):
        releases.clear(**job.args)


def test_a_cancelled_release_stops_at_its_next_case_and_leaves_nothing(
    cohort: Cohort, two_cases: Case
) -> None:
    before = ours()
    release = begun(cohort)
    writer.write_case(release.pk, cohort.case.pk)
    assert ours() > before
    releases.cancel(by=cohort.people["lead"], release=release)
    run_jobs()
    run_clearing()
    run_clearing()
    release.refresh_from_db()
    assert (release.state, release.cases_done) == (Release.State.CANCELLED, 0)
    assert not ReleaseFile.objects.filter(release=release).exists()
    assert ours() == before
    assert not release.release_cases.filter(written_at__isnull=False).exists()
    assert AuditRecord.objects.filter(verb="release.cancelled", object_id=release.pk).count() == 1


def test_one_cancelled_while_a_case_is_written_keeps_nothing_of_it(
    cohort: Cohort, two_cases: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ours()
    release = begun(cohort)
    make = writer.filing.made
    made: list[Any] = []

    def cancelled_meanwhile(*args: Any) -> Any:
        file = make(*args)
        if threading.current_thread() is threading.main_thread():  # the large ones are made beside
            made.append(file)
            if len(made) == 2:
                releases.cancel(by=cohort.people["lead"], release=release)
                run_clearing()
        return file

    monkeypatch.setattr(writer.filing, "made", cancelled_meanwhile)
    run_jobs()
    run_clearing()
    assert 2 <= len(made) < 8
    release.refresh_from_db()
    assert release.state == Release.State.CANCELLED
    assert ours() == before


def test_one_cancelled_while_its_tables_are_written_does_not_become_ready(
    cohort: Cohort, two_cases: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ours()
    release = begun(cohort)
    ready = releases.mark_ready

    def cancelled_before(*args: Any, **kwargs: Any) -> None:
        releases.cancel(by=cohort.people["lead"], release=release)
        run_clearing()
        ready(*args, **kwargs)

    monkeypatch.setattr(releases, "mark_ready", cancelled_before)
    run_jobs()
    run_clearing()
    release.refresh_from_db()
    assert (release.state, release.ready_at) == (Release.State.CANCELLED, None)
    assert ours() == before


def test_its_number_stays_used_and_it_is_never_written_again(cohort: Cohort, two_cases: Case) -> None:
    lead = cohort.people["lead"]
    release = begun(cohort)
    releases.cancel(by=lead, release=release)
    for act in (releases.retry, releases.cancel):
        with pytest.raises(ValidationError, match="Release 1 is cancelled"):
            act(by=lead, release=release)
    assert begun(cohort).number == 2


def test_what_was_given_out_is_not_cancelled(cohort: Cohort, two_cases: Case) -> None:
    release = begun(cohort)
    run_jobs()
    with pytest.raises(ValidationError, match="recalled instead"):
        releases.cancel(by=cohort.people["lead"], release=release)
    Release.objects.update(state=Release.State.WRITING)  # as after a recall
    with pytest.raises(ValidationError, match="recalled instead"):
        releases.cancel(by=cohort.people["lead"], release=release)


def test_one_that_failed_can_be_cancelled_and_only_by_a_lead(cohort: Cohort, two_cases: Case) -> None:
    release = begun(cohort)
    releases.mark_failed(release.pk, "Case 2: no images")
    with pytest.raises(PermissionDenied):
        releases.cancel(by=cohort.people["scientist"], release=release)
    assert releases.cancel(by=cohort.people["lead"], release=release).state == Release.State.CANCELLED


# How far ------------------------------------------------------------------------------------------------


@pytest.fixture
def writing(db: None) -> Release:
    crowd = crowds.build(60, 4)
    return releases.freeze(by=crowd.lead, project=crowd.project)


def written(release: Release, *seconds: float) -> None:
    cases = ReleaseCase.objects.filter(release=release, written_at=None).order_by("number")
    for case, took in zip(cases, seconds, strict=False):
        ReleaseCase.objects.filter(pk=case.pk).update(written_at=release.frozen_at, seconds=took)


def at_work(release: Release, workers: int) -> None:
    of = ProcrastinateJob.objects.filter(task_name=releases.WRITE_CASE, args__release_id=release.pk)
    jobs = list(of.order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'todo' WHERE status = 'doing'")
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = ANY(%s)", [jobs[:workers]])


def test_time_left_is_told_after_three_cases_by_what_they_took(writing: Release) -> None:
    at_work(writing, 1)
    written(writing, 10, 20)
    assert summary.progress(writing).seconds_left is None
    written(writing, 30)
    known = summary.progress(writing)
    assert (known.done, known.total) == (3, writing.cases_total)
    assert known.seconds_left == 20 * (writing.cases_total - 3)


def test_several_workers_share_what_is_left(writing: Release) -> None:
    written(writing, 10, 20, 30)
    at_work(writing, 4)
    left = writing.cases_total - 3
    known = summary.progress(writing)
    assert (known.workers, known.seconds_left) == (4, 20 * left / 4)
    written(writing, *[20] * (left - 1))
    assert summary.progress(writing).seconds_left == 20  # four can't share one


def test_without_a_worker_nobody_knows_how_long(writing: Release) -> None:
    written(writing, 10, 20, 30)
    known = summary.progress(writing)
    assert (known.workers, known.seconds_left) == (0, None)


def test_who_stopped_it_is_named_and_no_time_told(writing: Release) -> None:
    written(writing, 10, 20, 30)
    at_work(writing, 1)
    releases.mark_failed(writing.pk, "Case 7: series 3 “Axial” has no images")
    writing.refresh_from_db()
    known = summary.progress(writing)
    assert (known.problem, known.seconds_left) == ("Case 7: series 3 “Axial” has no images", None)
