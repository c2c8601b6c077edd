"""Recalls: a case is taken back from every release of its project, and whoever holds a copy is told. A recall
can be lifted: later releases may hold the case again, those that gave it up don't."""

from dataclasses import dataclass
from functools import partial
from typing import cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import timezone
from procrastinate.contrib.django import app

from accounts import audit, permissions
from accounts.models import User
from accounts.permissions import Someone
from annotations.cohort import releases
from annotations.models import Case, Recall, RecallNotice, Release, ReleaseDownload
from atlas.archive.storage import storage
from atlas.models import Project

audit.register(
    "case.recalled", "recall.told", "recall.deletion_confirmed", "case.recall_lifted", "recall.lifting_told"
)

TELL, TELL_OF_LIFTING = "tell_of_recall", "tell_of_lifted_recall"  # the jobs in annotations.tasks
REASON_LENGTH_MAX = 500


@transaction.atomic
def recall(*, by: User, case: Case, reason: str) -> Recall:
    """Take a case back: its files in all releases of the project are withdrawn, whoever downloaded them is
    told, and no release will hold it again until the recall is lifted.

    Raises PermissionDenied or Http404, and ValidationError without a reason or the second time.
    """
    permissions.require(by, "manage_project", case.project)
    reason = _checked(reason, "Say why the case is recalled: whoever holds a copy will read it.")
    Project.objects.select_for_update().get(pk=case.project_id)  # no release is frozen with it meanwhile
    if Recall.objects.filter(project=case.project_id, case_number=case.number).exists():
        raise ValidationError(f"Case {case.number} was recalled before.")
    taken = taken_out(case, because=reason, by=by)
    transaction.on_commit(partial(_delete, taken.objects))
    return cast(Recall, taken.recall)


@transaction.atomic
def lift(*, by: User, case: Case, reason: str) -> Recall:
    """Let later releases hold a recalled case again, and have those told who were told of the recall. Files
    that releases have given up stay withdrawn.

    Raises PermissionDenied or Http404, and ValidationError without a reason or where no recall stands.
    """
    permissions.require(by, "manage_project", case.project)
    reason = _checked(reason, "Say why the recall is lifted: whoever was told of it will read it.")
    Project.objects.select_for_update().get(pk=case.project_id)  # as for a recall
    lifted = Recall.objects.filter(project=case.project_id, case_number=case.number).first()
    if lifted is None:
        raise ValidationError(f"Case {case.number} is not recalled, or not any more.")
    lifted.lifted_at, lifted.lifted_because, lifted.lifted_by = timezone.now(), reason, by
    lifted.save(update_fields=["lifted_at", "lifted_because", "lifted_by"])
    audit.record(by, "case.recall_lifted", lifted, case=case.pk, case_number=case.number)
    if lifted.notices.exists():
        app.configure_task(TELL_OF_LIFTING).defer(recall_id=lifted.pk)
    return lifted


def _checked(reason: str, otherwise: str) -> str:
    """On one line. Raises ValidationError where there is none, or too much of it."""
    reason = " ".join(reason.split())
    if not reason:
        raise ValidationError(otherwise)
    if len(reason) > REASON_LENGTH_MAX:
        raise ValidationError(f"The reason has {len(reason)} characters; {REASON_LENGTH_MAX} are room for.")
    return reason


@dataclass(frozen=True)
class Taken:
    """What a recall has taken out: from which releases, which objects must go after the commit, and how many
    people are told."""

    recall: Recall | None
    releases: list[Release]
    objects: list[str]
    told: int


def taken_out(case: Case, *, because: str, by: User | None = None) -> Taken:
    """Take a case out of all releases of its project and have those told who hold a copy; within the caller's
    transaction. A case that no release ever held needs no recall, unless somebody asks for it."""
    held = list(releases_with(case.project_id, case.number))
    if not held and by is None:
        return Taken(None, [], [], 0)
    made, _ = Recall.objects.get_or_create(
        project=case.project,
        case_number=case.number,
        defaults={"case": case, "reason": because, "by": by},
    )
    objects: list[str] = []
    for release in held:
        objects += releases.withdraw_case(release, case.number, because=because)
    people = _downloaded_by(case.project_id, case.number)
    RecallNotice.objects.bulk_create(
        [RecallNotice(recall=made, user_id=user) for user in sorted(people)], ignore_conflicts=True
    )
    audit.record(by, "case.recalled", made, case=case.pk, case_number=case.number)
    app.configure_task(TELL).defer(recall_id=made.pk)
    return Taken(made, held, objects, len(people))


@dataclass(frozen=True)
class Consequences:
    """What recalling a case would mean: the releases that give it out, and how many people hold a copy."""

    releases: list[int]
    people: int


def consequences(case: Case) -> Consequences:
    held = releases_with(case.project_id, case.number).exclude(state=Release.State.CANCELLED)
    numbers = held.filter(release_cases__number=case.number, release_cases__withdrawn_at=None)
    return Consequences(
        list(numbers.values_list("number", flat=True)), len(_downloaded_by(case.project_id, case.number))
    )


def releases_with(project_id: int, case_number: int) -> QuerySet[Release]:
    """The releases of a project that hold the case, or held it, oldest first."""
    held = Release.objects.filter(project=project_id, release_cases__number=case_number)
    return held.select_related("project").order_by("number")


def _downloaded_by(project_id: int, case_number: int) -> set[int]:
    """Who was given files of the case, or of what spans the cases of a release that held it."""
    held = releases_with(project_id, case_number).order_by().values("pk")
    rows = ReleaseDownload.objects.filter(
        Q(release_case__number=case_number) | Q(release_case=None), release__in=held
    )
    return set(rows.values_list("user", flat=True))


def _delete(objects: list[str]) -> None:
    for key in objects:
        storage().delete(key)


# Telling ------------------------------------------------------------------------------------------------


def tell(recall_id: int) -> None:
    """Mail everybody who isn't told yet, unless it was lifted. Running it twice tells nobody twice."""
    found = Recall.objects.select_related("project").filter(pk=recall_id).first()
    if found is None:
        return
    numbers = [
        release.number
        for release in releases_with(found.project_id, found.case_number)
        if release.ready_at is not None
    ]
    for notice in found.notices.filter(told_at=None).select_related("user").order_by("pk"):
        if notice.user.email:
            send_mail(*_letter(found, numbers), None, [notice.user.email])
        notice.told_at = timezone.now()
        notice.save(update_fields=["told_at"])
        audit.record(None, "recall.told", found, person=notice.user_id, case_number=found.case_number)


def _letter(found: Recall, numbers: list[int]) -> tuple[str, str]:
    """Subject and text. It names project, releases, case and reason, and nobody."""
    project = found.project
    named = f"release {numbers[0]}" if len(numbers) == 1 else f"releases {', '.join(map(str, numbers))}"
    subject = f"Case {found.case_number} of {project.name} was recalled"
    text = (
        f"Case {found.case_number} of {named} of the project {project.name} was recalled: {found.reason}\n\n"
        f"You downloaded files that hold it. Please delete the folder cases/{found.case_number:04d} and what "
        "you made of it, fetch the tables of the release again, and confirm the deletion on the page of the "
        f"release, in the project “{project.slug}” of {settings.NODE_NAME}.\n"
    )
    return subject, text


def tell_of_lifting(recall_id: int) -> None:
    """Mail those who were told of a recall that it was lifted. Running it twice tells nobody twice."""
    found = Recall.every.select_related("project").filter(pk=recall_id, lifted_at__isnull=False).first()
    if found is None:
        return
    waiting = found.notices.filter(told_at__isnull=False, lifting_told_at=None)
    for notice in waiting.select_related("user").order_by("pk"):
        if notice.user.email:
            send_mail(*_letter_of_lifting(found), None, [notice.user.email])
        notice.lifting_told_at = timezone.now()
        notice.save(update_fields=["lifting_told_at"])
        facts = {"person": notice.user_id, "case_number": found.case_number}
        audit.record(None, "recall.lifting_told", found, **facts)


def _letter_of_lifting(found: Recall) -> tuple[str, str]:
    """Subject and text. It names project, case and reasons, and nobody."""
    project, number = found.project, found.case_number
    subject = f"The recall of case {number} of {project.name} was lifted"
    text = (
        f"Case {number} of the project {project.name} was recalled: {found.reason}\n\n"
        f"The recall was lifted on {found.lifted_at:%Y-%m-%d}: {found.lifted_because}\n\n"
        "Copies that you still have need not be deleted. Releases that held the case don't get it back; one "
        f"that is frozen from now on may hold it, in the project “{project.slug}” of {settings.NODE_NAME}.\n"
    )
    return subject, text


def open_notices(user: Someone) -> QuerySet[RecallNotice]:
    """What this person was told and has not confirmed yet, newest first; of recalls that stand."""
    if not isinstance(user, User):
        return RecallNotice.objects.none()
    notices = RecallNotice.objects.filter(user=user, confirmed_at=None, recall__lifted_at=None)
    return notices.select_related("recall__project").order_by("-recall__at")


def recalls_of(release: Release) -> QuerySet[Recall]:
    """The recalls that concern a release, newest first: the last one of each case, lifted or not."""
    found = Recall.every.filter(project=release.project_id, case_number__in=release.withdrawn_cases)
    last = found.order_by("case_number", "-at", "-pk").distinct("case_number")
    return Recall.every.filter(pk__in=last.values("pk"))


def last_of(project_id: int, case_number: int) -> Recall | None:
    """The last recall of a case, lifted or not."""
    return Recall.every.filter(project=project_id, case_number=case_number).order_by("-at", "-pk").first()


@transaction.atomic
def confirm(*, by: User, recall: Recall) -> RecallNotice:
    """Say that one's copies are deleted. Twice changes nothing. Raises Http404 for whoever held none."""
    notice = RecallNotice.objects.select_for_update().filter(recall=recall, user=by).first()
    if notice is None:
        raise Http404("There is no such recall, or it is not for you.")
    if notice.confirmed_at is None:
        notice.confirmed_at = timezone.now()
        notice.save(update_fields=["confirmed_at"])
        audit.record(by, "recall.deletion_confirmed", recall, case_number=recall.case_number)
    return notice
