"""Freezing releases: which accepted reads they hold is fixed at once, their files are written by jobs."""

from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from procrastinate.contrib.django import app

from accounts import audit, permissions
from accounts.models import User
from annotations.cohort import changes, splits
from annotations.cohort.choosing import Choice, Chosen, ChosenCase, choose
from annotations.cohort.formats import FORMATS
from annotations.cohort.loosening import loosened
from annotations.cohort.predictions import forgetting
from annotations.models import Release, ReleaseCase, ReleaseFile, ReleaseRead
from atlas.archive.storage import storage
from atlas.fanout import broadcast
from atlas.models import Project

__all__ = ["Choice", "cancel", "freeze", "retry"]

audit.register(
    "release.frozen",
    "release.retried",
    "release.cancelled",
    "release.downloaded",
    "release.withdrawn_in_part",
)

PROBLEM_LENGTH_MAX = 500
# The jobs in annotations.tasks
WRITE_CASE, FINISH, CLEAR = "write_release_case", "finish_release", "clear_release"
WRITER_VERSION = "1"
"""Counts up when the same release would get other bytes."""


@transaction.atomic
def freeze(*, by: User, project: Project, choice: Choice | None = None) -> Release:
    """Freeze what the choice gives now as the project's next release, and have its files written.

    Raises PermissionDenied or Http404, and ValidationError where it gives nothing or can't be carried out.
    """
    permissions.require(by, "manage_project", project)
    choice = choice or Choice()
    Project.objects.select_for_update().get(pk=project.pk)  # releases are numbered without gaps
    chosen = choose(project, by, choice)
    if not chosen.cases:
        raise ValidationError(_nothing(chosen))
    release = Release.objects.create(
        project=project,
        number=next_number(project),
        title=choice.title.strip()[:200],
        licence=choice.licence.strip()[:80],
        purpose=choice.purpose.strip(),
        agreement=choice.agreement.strip(),
        citation=choice.citation.strip(),
        changelog=choice.changelog.strip(),
        query=choice.query,
        content=choice.content,
        formats=[key for key in FORMATS if key in choice.formats],
        split=splits.as_json(choice.split) if choice.split else None,
        sequestered=choice.sequestered,
        writer_version=WRITER_VERSION,
        frozen_by=by,
        cases_total=len(chosen.cases),
        changes=changes.of_cases(project, [case.number for case in chosen.cases]),
        left_out={"cases_in_project": chosen.in_project, "reasons": chosen.left_out},
    )
    _pin(release, chosen.cases)
    audit.record(by, "release.frozen", release, number=release.number, cases=release.cases_total)
    _have_written(release)
    announce(release)
    return release


def next_number(project: Project) -> int:
    """Which the next release of the project gets."""
    return (Release.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0) + 1


def _nothing(chosen: Chosen) -> str:
    """Why a release would be empty."""
    if not chosen.left_out:
        return "There is nothing to release: this project has no cases yet."
    return f"There is nothing to release. Left out: {', '.join(f'{n} {why}' for why, n in chosen.left_out)}."


def _pin(release: Release, chosen: list[ChosenCase]) -> None:
    """The cases of a release, and which submission of each read it holds: two statements for all."""
    cases = ReleaseCase.objects.bulk_create(
        ReleaseCase(
            release=release,
            case_id=case.pk,
            number=case.number,
            part=case.placed.part,
            fold=case.placed.fold,
            stratum=case.stratum,
        )
        for case in chosen
    )
    ReleaseRead.objects.bulk_create(
        ReleaseRead(
            release_case=release_case,
            submission_id=submission,
            is_reference=submission == case.reference,
        )
        for release_case, case in zip(cases, chosen, strict=True)
        for submission in case.submissions
    )


@transaction.atomic
def cancel(*, by: User, release: Release) -> Release:
    """Stop writing a release for good: its jobs stop at their next case, and what they wrote goes.

    Raises ValidationError for one that is ready or cancelled already. Its number stays used.
    """
    permissions.require(by, "manage_project", release.project)
    locked = Release.objects.select_for_update().get(pk=release.pk)
    if locked.state not in (Release.State.WRITING, Release.State.FAILED) or locked.ready_at:
        raise ValidationError(
            f"Release {locked.number} is {locked.get_state_display().lower()}: nothing to cancel. "
            "Cases of a release that was given out are recalled instead."
        )
    locked.state, locked.problem = Release.State.CANCELLED, ""
    locked.save(update_fields=["state", "problem"])
    audit.record(by, "release.cancelled", locked, number=locked.number)
    app.configure_task(CLEAR).defer(release_id=locked.pk)
    announce(locked)
    return locked


def clear(release_id: int) -> None:
    """Delete what was written of a cancelled release. Running it twice changes nothing."""
    with transaction.atomic():
        release = Release.objects.select_for_update().get(pk=release_id)
        if release.state != Release.State.CANCELLED:
            return
        files = ReleaseFile.objects.filter(release=release)
        objects = set(files.filter(is_pinned=False).values_list("object_key", flat=True))
        cases = ReleaseCase.objects.filter(release=release)
        for key, attempted in cases.values_list("record_key", "attempted"):
            objects.update([key, *attempted])
        pinned = set(files.filter(is_pinned=True).values_list("object_key", flat=True))
        files.delete()
        objects |= loosened(pinned)
        cases.update(record_key="", attempted=[], written_at=None, checks=[])
        Release.objects.filter(pk=release.pk).update(cases_done=0)
    for key in sorted(objects - {""}):
        storage().delete(key)


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
    cases = list(_waiting(release).order_by("number").values_list("case_id", flat=True))
    if cases:
        wanted: list[dict[str, Any]] = [{"release_id": release.pk, "case_id": case_id} for case_id in cases]
        app.configure_task(WRITE_CASE).batch_defer(*wanted)
    else:
        _have_finished(release)


def _waiting(release: Release) -> QuerySet[ReleaseCase]:
    """The cases still to be written."""
    return ReleaseCase.objects.filter(release=release, withdrawn_at=None, written_at=None)


def _have_finished(release: Release) -> None:
    app.configure_task(FINISH).defer(release_id=release.pk)


def withdraw_case(release: Release, number: int, *, because: str) -> list[str]:
    """Take a case out of a release; within the caller's transaction.

    Its files stay listed as withdrawn, those that span the cases are written anew, and nothing is given out
    before they are. Returns the objects that must go after the commit.
    """
    locked = Release.objects.select_for_update().get(pk=release.pk)
    taken_out = locked.release_cases.select_for_update().get(number=number)
    if taken_out.withdrawn_at is not None:
        return []
    now = timezone.now()
    files = locked.files.filter(release_case=taken_out, withdrawn_at=None)
    objects = set(files.filter(is_pinned=False).values_list("object_key", flat=True))
    objects.update([taken_out.record_key, *taken_out.attempted])
    objects.update(forgetting.forget(taken_out))
    pinned = set(files.filter(is_pinned=True).values_list("object_key", flat=True))
    files.update(withdrawn_at=now, object_key="", is_pinned=False)
    objects |= loosened(pinned)
    taken_out.reads.all().delete()
    taken_out.withdrawn_at, taken_out.withdrawn_because, taken_out.record_key = now, because[:500], ""
    taken_out.checks, taken_out.attempted = [], []
    taken_out.save(update_fields=["withdrawn_at", "withdrawn_because", "record_key", "checks", "attempted"])
    locked.cases_total = max(0, locked.cases_total - 1)
    locked.cases_done = locked.cases_total - _waiting(locked).count()
    locked.withdrawn_cases = sorted({*locked.withdrawn_cases, number})
    if locked.state == Release.State.READY:
        locked.state = Release.State.WRITING
    locked.save(update_fields=["state", "cases_total", "cases_done", "withdrawn_cases"])
    audit.record(None, "release.withdrawn_in_part", locked, number=locked.number, case_number=number)
    if locked.state == Release.State.WRITING:
        _have_written(locked)
    announce(locked)
    return sorted(objects - {""})


def may_keep(release_case: ReleaseCase) -> bool:
    """Whether what a job has just made of a case still belongs to its release: the release may have been
    cancelled meanwhile, or the case withdrawn. Within the transaction that keeps the files, which holds off
    both until it ends."""
    release = Release.objects.select_for_update().get(pk=release_case.release_id)
    return (
        release.state not in (Release.State.CANCELLED, Release.State.READY)
        and ReleaseCase.objects.filter(pk=release_case.pk, withdrawn_at=None).exists()
    )


@transaction.atomic
def case_written(release_id: int) -> None:
    """Count what is done; after the last case, have the release finished."""
    release = Release.objects.select_for_update().get(pk=release_id)
    waiting = _waiting(release).count()
    release.cases_done = release.cases_total - waiting
    release.save(update_fields=["cases_done"])
    if not waiting and release.state == Release.State.WRITING:
        _have_finished(release)
    announce(release)


@transaction.atomic
def mark_ready(release_id: int, *, manifest_sha256: str, withdrawn_cases: list[int] | None = None) -> None:
    """Open a release whose files are written, with the counts of what has changed.

    `withdrawn_cases`: as they were when writing what spans the cases began. Where a case was withdrawn since,
    this does nothing: another job writes all that anew.
    """
    release = Release.objects.select_for_update().get(pk=release_id)
    if release.state == Release.State.CANCELLED:
        app.configure_task(CLEAR).defer(release_id=release.pk)  # what was written since it was cleared
    if release.state != Release.State.WRITING:
        return
    if withdrawn_cases is not None and withdrawn_cases != release.withdrawn_cases:
        return
    release.state, release.problem = Release.State.READY, ""
    release.ready_at = release.ready_at or timezone.now()
    release.manifest_sha256 = manifest_sha256
    release.changes = changes.counted(release)
    release.save(update_fields=["state", "problem", "ready_at", "manifest_sha256", "changes"])
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
