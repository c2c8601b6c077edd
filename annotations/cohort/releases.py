"""Freezing releases: which accepted reads they hold is fixed at once, their files are written by jobs."""

from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone
from procrastinate.contrib.django import app

from accounts import audit, permissions
from accounts.models import User
from annotations.cohort import policies
from annotations.cohort.formats import FORMATS
from annotations.models import Case, Release, ReleaseCase, ReleaseRead, Submission
from atlas.fanout import broadcast
from atlas.models import Project

audit.register("release.frozen", "release.retried", "release.downloaded", "release.withdrawn_in_part")

PROBLEM_LENGTH_MAX = 500
WRITE_CASE, FINISH = "write_release_case", "finish_release"  # the jobs in annotations.tasks


@transaction.atomic
def freeze(*, by: User, project: Project, title: str = "", licence: str = "") -> Release:
    """Freeze what is accepted now as the project's next release, and have its files written.

    Raises PermissionDenied or Http404, and ValidationError where nothing is accepted.
    """
    permissions.require(by, "manage_project", project)
    Project.objects.select_for_update().get(pk=project.pk)  # releases are numbered without gaps
    submissions = list(policies.acceptable_submissions(project, by))
    if not submissions:
        raise ValidationError(
            "No read of this project is accepted yet, so there is nothing to release. "
            "Reads are accepted in review."
        )
    last = Release.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0
    release = Release.objects.create(
        project=project,
        number=last + 1,
        title=title.strip()[:200],
        licence=licence.strip()[:80],
        frozen_by=by,
        content=Release.Content.BOTH,
        formats=list(FORMATS),
        cases_total=len({submission.read.case_id for submission in submissions}),
    )
    _pin(release, submissions)
    audit.record(by, "release.frozen", release, number=release.number, cases=release.cases_total)
    _have_written(release)
    announce(release)
    return release


def _pin(release: Release, submissions: list[Submission]) -> None:
    """The cases of a release, and which submission of each read it holds."""
    by_case: dict[Case, list[Submission]] = {}
    for submission in submissions:
        by_case.setdefault(submission.read.case, []).append(submission)
    cases = ReleaseCase.objects.bulk_create(
        [ReleaseCase(release=release, case=case, number=case.number) for case in by_case], batch_size=2000
    )
    ReleaseRead.objects.bulk_create(
        [
            ReleaseRead(release_case=release_case, submission=submission, is_reference=len(own) == 1)
            for release_case, own in zip(cases, by_case.values(), strict=True)
            for submission in own
        ],
        batch_size=2000,
    )


@transaction.atomic
def retry(*, by: User, release: Release) -> Release:
    """Write what is missing of a release that failed. Raises ValidationError for any other."""
    permissions.require(by, "manage_project", release.project)
    locked = Release.objects.select_for_update().get(pk=release.pk)
    if locked.state != Release.State.FAILED:
        raise ValidationError(
            f"Release {locked.number} is {locked.get_state_display().lower()}: nothing to retry."
        )
    locked.state, locked.problem = Release.State.WRITING, ""
    locked.save(update_fields=["state", "problem"])
    audit.record(by, "release.retried", locked, number=locked.number)
    _have_written(locked)
    announce(locked)
    return locked


def _have_written(release: Release) -> None:
    """One job a case that isn't written; within the caller's transaction."""
    waiting = ReleaseCase.objects.filter(release=release, withdrawn_at=None, written_at=None)
    cases = list(waiting.order_by("number").values_list("case_id", flat=True))
    if cases:
        wanted: list[dict[str, Any]] = [{"release_id": release.pk, "case_id": case_id} for case_id in cases]
        app.configure_task(WRITE_CASE).batch_defer(*wanted)
    else:
        _have_finished(release)


def _have_finished(release: Release) -> None:
    app.configure_task(FINISH).defer(release_id=release.pk)


def withdraw_case(release: Release, case: Case, *, because: str) -> list[str]:
    """Take a case out of a release; within the caller's transaction.

    Its files stay listed as withdrawn, those that span the cases are written anew, and nothing is given out
    before they are. Returns the objects that must go.
    """
    locked = Release.objects.select_for_update().get(pk=release.pk)
    now = timezone.now()
    taken_out = locked.release_cases.get(case=case)
    files = locked.files.filter(release_case=taken_out, withdrawn_at=None)
    objects = set(files.filter(is_pinned=False).values_list("object_key", flat=True))
    objects.add(taken_out.record_key)
    files.update(withdrawn_at=now, object_key="", is_pinned=False)
    taken_out.reads.all().delete()
    taken_out.withdrawn_at, taken_out.withdrawn_because, taken_out.record_key = now, because[:500], ""
    taken_out.save(update_fields=["withdrawn_at", "withdrawn_because", "record_key"])
    locked.state, locked.problem = Release.State.WRITING, ""
    locked.cases_total = max(0, locked.cases_total - 1)
    locked.withdrawn_cases = sorted({*locked.withdrawn_cases, case.number})
    locked.save(update_fields=["state", "problem", "cases_total", "withdrawn_cases"])
    audit.record(None, "release.withdrawn_in_part", locked, number=locked.number, case=case.pk)
    _have_written(locked)
    announce(locked)
    return sorted(objects - {""})


@transaction.atomic
def case_written(release_id: int) -> None:
    """Count what is done; after the last case, have the release finished."""
    release = Release.objects.select_for_update().get(pk=release_id)
    counted = ReleaseCase.objects.filter(release=release, withdrawn_at=None).aggregate(
        cases=Count("pk"), waiting=Count("pk", filter=Q(written_at=None))
    )
    release.cases_done = counted["cases"] - counted["waiting"]
    release.save(update_fields=["cases_done"])
    if not counted["waiting"] and release.state == Release.State.WRITING:
        _have_finished(release)
    announce(release)


@transaction.atomic
def mark_ready(release_id: int, *, manifest_sha256: str) -> None:
    release = Release.objects.select_for_update().get(pk=release_id)
    if release.state == Release.State.READY:
        return
    release.state, release.problem = Release.State.READY, ""
    release.ready_at, release.manifest_sha256 = timezone.now(), manifest_sha256
    release.save(update_fields=["state", "problem", "ready_at", "manifest_sha256"])
    announce(release)


@transaction.atomic
def mark_failed(release_id: int, problem: str) -> None:
    """Keep the first problem: the ones after it often follow from it."""
    release = Release.objects.select_for_update().get(pk=release_id)
    if release.state != Release.State.WRITING:
        return
    release.state, release.problem = Release.State.FAILED, problem[:PROBLEM_LENGTH_MAX]
    release.save(update_fields=["state", "problem"])
    announce(release)


def announce(release: Release) -> None:
    """Open pages of the project hear how far it is, after the commit."""
    message: dict[str, Any] = {
        "type": "release",
        "number": release.number,
        "done": release.cases_done,
        "total": release.cases_total,
        "state": str(release.state),
    }
    transaction.on_commit(partial(broadcast, f"project.{release.project.slug}", message), robust=True)
