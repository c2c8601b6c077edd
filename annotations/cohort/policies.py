"""Who may see and fetch which release, and who may freeze one.

Whoever still reads a case sees nobody else's marks on it, so a release that holds it stays closed to them,
whatever their roles say, until their own read is accepted.
"""

import hashlib

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404

from accounts import permissions
from accounts.models import User
from accounts.permissions import Someone
from annotations.models import (
    Case,
    LabelSchema,
    Read,
    ReferenceStandard,
    Release,
    ReleaseCase,
    ReleaseFile,
    ReleaseRead,
    ReleaseUse,
    Submission,
)
from annotations.reading import policies as reading
from atlas.models import Project

NOT_FOUND = "There is no such release, or it is not for you."


def releases_for(user: Someone) -> QuerySet[Release]:
    """The releases that this person may know of."""
    projects = permissions.objects_for(user, "download_releases", Project)
    return Release.objects.filter(project__in=projects.values("pk")).select_related("project")


def releases_of(user: Someone, project: Project) -> QuerySet[Release]:
    """Newest first. Raises Http404 or PermissionDenied."""
    permissions.require(user, "download_releases", project)
    return releases_for(user).filter(project=project).order_by("-number")


def release_or_404(user: Someone, project_slug: str, number: int) -> Release:
    project = Project.objects.filter(slug=project_slug).first()
    if project is None:
        raise Http404(NOT_FOUND)
    permissions.require(user, "download_releases", project)
    release = releases_for(user).filter(project=project, number=number).first()
    if release is None:
        raise Http404(NOT_FOUND)
    return release


def manages(user: Someone, release: Release) -> bool:
    """Whether this person looks after the release: nothing of it is sequestered from them."""
    return permissions.allows(user, "manage_project", release.project)


def files_for(user: Someone, release: Release) -> QuerySet[ReleaseFile]:
    """The files that this person may know of, by path. Withdrawn ones are among them: they have no bytes any
    more, but were there. Who doesn't manage the project sees nothing of what is sequestered."""
    files = ReleaseFile.objects.filter(release=release).order_by("path")
    return files if manages(user, release) else files.filter(is_sequestered=False)


def require_use(user: Someone, release: Release) -> None:
    """Raises PermissionDenied until this person has said what they want the release for and, where it has an
    agreement, accepted that as it reads now. So does its lead: every copy has a purpose."""
    if not isinstance(user, User):
        raise PermissionDenied("Sign in first.")
    use = ReleaseUse.objects.filter(release=release, user=user).first()
    if use is None or not use.purpose.strip():
        agrees = " and accept its agreement" if release.agreement else ""
        raise PermissionDenied(
            f"Say what you want release {release.number} for{agrees}, on its page or with the client. "
            "Then it opens to you."
        )
    if release.agreement and use.agreement_sha256 != agreement_sha256(release):
        raise PermissionDenied(
            f"Accept the agreement of release {release.number}, on its page or with the client. "
            "Then it opens to you."
        )


def agreement_sha256(release: Release) -> str:
    """Of the text that is accepted; empty where there is none."""
    return hashlib.sha256(release.agreement.encode()).hexdigest() if release.agreement else ""


def cases_that_close(user: Someone, release: Release) -> QuerySet[Case]:
    """The cases of a release that this person still reads blind."""
    if not isinstance(user, User):
        return Case.objects.none()
    return reading.cases_being_read_by(user).filter(release_cases__release=release).distinct()


def require_open(user: Someone, release: Release) -> None:
    """Raises PermissionDenied where the release holds a case that this person still reads."""
    numbers = list(cases_that_close(user, release).order_by("number").values_list("number", flat=True)[:5])
    if numbers:
        named = ", ".join(map(str, numbers))
        raise PermissionDenied(
            f"You are still reading case {named} of this release. It opens to you once your read is accepted."
        )


def acceptable_submissions(
    project: Project, by: User | None = None, content: Release.Content = Release.Content.REFERENCE
) -> QuerySet[Submission]:
    """What a release of the project would hold. Under `REFERENCE` that is of a case with a reference standard
    that alone, of any other what was accepted of each read; under `READERS` what was accepted of each read;
    under `BOTH` all of these.

    Nothing of a case that waits for adjudication, and no reads of hidden references and training cases: they
    say how well people read, not what the case shows. Frozen by someone who still reads a case themselves, it
    holds nothing of that: how far others are with it they don't know.
    """
    accepted = Submission.objects.filter(
        read__case__project=project,
        read__state=Read.State.ACCEPTED,
        read__kind=Read.Kind.READ,
        read__case__needs_adjudication=False,
        read__case__purpose=Case.Purpose.ORDINARY,
    )
    if content == Release.Content.REFERENCE:
        accepted = accepted.filter(read__case__reference=None)
    wanted = Q(pk__in=accepted.order_by("read_id", "-round").distinct("read_id").values("pk"))
    if content != Release.Content.READERS:
        standards = ReferenceStandard.objects.filter(case__project=project)
        wanted |= Q(pk__in=standards.values("submission"))
    own = reading.cases_being_read_by(by) if by else Case.objects.none()
    return (
        Submission.objects.exclude(read__case__in=own.values("pk"))
        .filter(wanted)
        .select_related("read__case")
        .order_by("read__case__number", "read_id")
    )


def pinned_reads(release_case: ReleaseCase) -> QuerySet[ReleaseRead]:
    """With all that writing them needs; the reference first."""
    reads = ReleaseRead.objects.filter(release_case=release_case).order_by("-is_reference", "pk")
    return reads.select_related("submission__read__reader", "submission__read__schema", "submission__review")


def schemas_of(release: Release) -> QuerySet[LabelSchema]:
    """Every schema version that a read of the release followed."""
    followed = ReleaseRead.objects.filter(release_case__release=release).values("submission__read__schema")
    return LabelSchema.objects.filter(pk__in=followed).order_by("version")
