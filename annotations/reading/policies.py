"""Who may see, change and judge which read, and whose images come with it.

A reader has rights on their own reads only. Reviewers and leads see every read of their projects, and its
marks from the first submission on. But whoever has a read on a case that isn't accepted yet is that case's
reader and nothing else, whatever other roles say: they see no one else's marks, counts, names or times there,
and judge nothing. For them another's read doesn't exist; where a project reads in the open, they look at what
the case's other readers have handed in.
"""

from dataclasses import dataclass
from typing import cast

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from accounts import permissions
from accounts.models import User
from accounts.permissions import Someone
from annotations.models import (
    Case,
    CaseStudy,
    Comment,
    ImportedSegment,
    Read,
    ReadingDesign,
    Release,
    ReleaseCase,
)
from annotations.reading.designs import design_of
from annotations.reading.machine import FINISHED, OPEN, Capacity, actions_of
from atlas.models import Project

NOT_FOUND = "There is no such read, or it is not for you."
NO_LONGER = "You don't read in this project any more. What you drew is kept; its lead can tell you more."
SUBMITTED_STATES = (Read.State.SUBMITTED, Read.State.RETURNED, Read.State.ACCEPTED)
PERMISSION_OF_KIND: dict[str, str] = {Read.Kind.READ: "read_cases", Read.Kind.ADJUDICATION: "review_cases"}
WAS_SUBMITTED = Q(round__gt=1) | Q(state__in=SUBMITTED_STATES)


@dataclass(frozen=True)
class Rights:
    """What someone may do with one read now. `actions`: those of `machine.ACTIONS`."""

    capacity: Capacity
    may_see_marks: bool
    may_edit: bool
    actions: frozenset[str]

    @property
    def may_submit(self) -> bool:
        return "submit" in self.actions

    @property
    def may_judge(self) -> bool:
        return "accept" in self.actions


# Which objects? ---------------------------------------------------------------------------------


def own_reads(user: Someone, *, at_once: bool = False) -> QuerySet[Read]:
    """The reads and adjudications that this person does, in projects where they still may.

    `at_once`: the projects are looked up now, for who asks many questions about the same reads."""
    if not user.is_authenticated:
        return Read.objects.none()
    allowed = Q()
    for kind, permission in PERMISSION_OF_KIND.items():
        projects = permissions.objects_for(user, permission, Project).values_list("pk", flat=True)
        allowed |= Q(kind=kind, case__project__in=list(projects) if at_once else projects)
    return Read.objects.filter(allowed, reader=user)


def cases_being_read_by(user: User) -> QuerySet[Case]:
    """The cases on which this person has only a reader's rights: their read isn't finished yet."""
    return Case.objects.filter(pk__in=_unfinished(user).values("case"))


def subjects_being_read_by(user: Someone) -> Q:
    """A condition on Subject: those whose cases this person hasn't finished reading. What is known of their
    disease would tell what to see."""
    return Q(pk__in=Case.objects.filter(pk__in=_unfinished(user).values("case")).values("subject"))


def _unfinished(user: Someone) -> QuerySet[Read]:
    """An adjudicator is no reader of the case: all reads lie open before them."""
    return _reading(user).exclude(state__in=FINISHED)


def _reading(user: Someone) -> QuerySet[Read]:
    return Read.objects.filter(reader=user.pk, kind=Read.Kind.READ)


def reads_for(user: Someone) -> QuerySet[Read]:
    """Every read that this person may know of: their own, and as reviewer or lead those of others."""
    if not user.is_authenticated:
        return Read.objects.none()
    return own_reads(user) | reads_of_others(user) | reads_of_fellows(user)


def reads_to_review(user: Someone) -> QuerySet[Read]:
    """The submitted reads that this person may judge, those that wait longest first."""
    if not user.is_authenticated:
        return Read.objects.none()
    return reads_of_others(user).filter(state=Read.State.SUBMITTED).order_by("changed_at", "id")


def reads_of_others(user: User) -> QuerySet[Read]:
    """What a reviewer sees: reads that were submitted once; a lead sees the others' state too. Never on cases
    that they read themselves."""
    reviews = permissions.objects_for(user, "review_cases", Project).values("pk")
    leads = permissions.objects_for(user, "manage_project", Project).values("pk")
    return Read.objects.filter(
        Q(case__project__in=leads) | WAS_SUBMITTED,
        ~Q(reader=user),
        ~Exists(_unfinished(user).filter(case=OuterRef("case"))),
        case__project__in=reviews,
    )


def reads_of_fellows(user: User) -> QuerySet[Read]:
    """Where a project reads in the open: what others have handed in for the cases that this person reads."""
    own = own_reads(user).filter(kind=Read.Kind.READ).exclude(state=Read.State.SET_ASIDE)
    return Read.objects.filter(
        WAS_SUBMITTED,
        ~Q(reader=user),
        kind=Read.Kind.READ,
        case__purpose=Case.Purpose.ORDINARY,
        case__project__in=ReadingDesign.objects.filter(blind=False).values("project"),
        case__in=own.values("case"),
    )


def cases_for(user: Someone) -> QuerySet[Case]:
    """The cases whose images this person may see: assigned, of their projects, or released."""
    if not user.is_authenticated:
        return Case.objects.none()
    return Case.objects.filter(_assigned(user) | _of_projects(user) | _released(user))


def _assigned(user: User) -> Q:
    return Q(pk__in=own_reads(user).values("case"))


def _of_projects(user: User) -> Q:
    return Q(project__in=permissions.objects_for(user, "view_images", Project).values("pk"))


def _released(user: User) -> Q:
    """Given out by a release, and sequestered whole by none."""
    projects = permissions.objects_for(user, "download_releases", Project)
    ready = Release.objects.filter(state=Release.State.READY, project__in=projects.values("pk"))
    given = ReleaseCase.objects.filter(release__in=ready.values("pk"), withdrawn_at=None, case__isnull=False)
    withheld = _sequestered(Release.Sequestered.ALL)
    return Q(pk__in=given.values("case")) & ~Q(pk__in=withheld.values("case"))


def _sequestered(*what: Release.Sequestered) -> QuerySet[ReleaseCase]:
    """Cases of test parts that are withheld, from the freezing on."""
    frozen = Release.objects.filter(sequestered__in=what).exclude(state=Release.State.CANCELLED)
    return ReleaseCase.objects.filter(
        release__in=frozen.values("pk"), part=ReleaseCase.Part.TEST, case__isnull=False
    )


# May this person do that to this? ---------------------------------------------------------------


def read_or_404(user: Someone, public_id: str) -> Read:
    """The read with its case, project, subject, schema and reader.

    Raises Http404 for strangers and for readers whose read it isn't, PermissionDenied for other members.
    """
    return read_and_rights_or_404(user, public_id)[0]


def read_and_rights_or_404(user: Someone, public_id: str) -> tuple[Read, Rights]:
    """`read_or_404`, and what this person may do with it now."""
    read = (
        Read.objects.filter(public_id=public_id)
        .select_related("case__project__design", "case__subject", "schema", "reader")
        .first()
    )
    if read is None:
        raise Http404(NOT_FOUND)
    held = permissions_in(user, read.case.project)
    capacity = _capacity(user, read, held)
    if capacity is None:
        if read.reader_id == user.pk and user.is_active:
            raise PermissionDenied(NO_LONGER)
        # For someone who reads or reviews here, a read that isn't for them doesn't exist.
        if not held or held & {"read_cases", "review_cases"}:
            raise Http404(NOT_FOUND)
        raise PermissionDenied("Your role in this project does not open reads.")
    return read, _rights(read, capacity)


def own_read_or_404(
    user: Someone, public_id: str, *, lock: bool = False, though_set_aside: bool = False
) -> Read:
    """The caller's own read, if asked for under the lock of its journal.

    `though_set_aside`: also of someone who lost their role when it was set aside, for nothing but keeping
    what they had drawn by then.

    Raises PermissionDenied for someone who may only look at it, Http404 for all others.
    """
    reads = Read.objects.filter(public_id=public_id, reader=user.pk).select_related(
        "case__project__design", "schema"
    )
    found = reads.select_for_update(of=("self",)) if lock else reads
    read = found.first()
    if read is None and lock:
        # While this waited for the lock, the read may have moved to another version of its labels: then the
        # row no longer goes with the version it was found with.
        read = found.first()
    if read is None or PERMISSION_OF_KIND[read.kind] not in permissions_in(user, read.case.project):
        if read is not None and though_set_aside and read.state == Read.State.SET_ASIDE:
            return read
        if read is not None:
            raise PermissionDenied(NO_LONGER)
        read_or_404(user, public_id)
        raise PermissionDenied("Only its reader may do this.")
    return read


def case_or_404(user: Someone, project_slug: str, number: int) -> Case:
    case = cases_for(user).filter(project__slug=project_slug, number=number).first()
    if case is None:
        raise Http404("There is no such case, or it is not for you.")
    return case


def permissions_in(user: Someone, project: Project) -> frozenset[str]:
    """What the roles of this person in the project allow: one query, for asking about one read.

    Nothing above a project gives rights in it, so its own roles are all there is.
    """
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    return frozenset().union(*(role.permissions for role in permissions.roles_of(user, project)))


def capacity_of(user: Someone, read: Read) -> Capacity | None:
    """As what this person meets the read; None where they don't. Agrees with `reads_for`."""
    return _capacity(user, read, permissions_in(user, read.case.project))


def _capacity(user: Someone, read: Read, held: frozenset[str]) -> Capacity | None:
    if read.reader_id == user.pk:
        return Capacity.READER if PERMISSION_OF_KIND[read.kind] in held else None
    leads = "manage_project" in held
    reviews = "review_cases" in held and (leads or was_submitted(read))
    if reviews and not _unfinished(user).filter(case=read.case_id).exists():
        return Capacity.LEAD if leads else Capacity.REVIEWER
    if was_submitted(read) and reads_of_fellows(cast(User, user)).filter(pk=read.pk).exists():
        return Capacity.FELLOW
    return None


def rights_on(user: Someone, read: Read) -> Rights:
    """What this person may do with the read now. Raises Http404 where they have nothing to do with it."""
    capacity = capacity_of(user, read)
    if capacity is None:
        raise Http404(NOT_FOUND)
    return _rights(read, capacity)


def _rights(read: Read, capacity: Capacity) -> Rights:
    is_reader = capacity is Capacity.READER
    return Rights(
        capacity=capacity,
        may_see_marks=is_reader or was_submitted(read),
        may_edit=is_reader and read.state in OPEN,
        actions=actions_of(capacity, read.state),
    )


def was_submitted(read: Read) -> bool:
    """Whether marks of this read were ever handed in: before, only its reader sees any."""
    return read.round > 1 or read.state in SUBMITTED_STATES


def comments_for(user: User, read: Read) -> QuerySet[Comment]:
    """The comments on a read that this person sees: the reader those of finished reviews, and their own."""
    comments = Comment.objects.filter(read=read).select_related("by", "series", "reply_to")
    if read.reader_id != user.pk:
        return comments.none() if capacity_of(user, read) is Capacity.FELLOW else comments
    if read.state not in (Read.State.RETURNED, Read.State.ACCEPTED):
        return comments.filter(Q(round__lt=read.round) | Q(by=user))
    return comments


# What came with the images ----------------------------------------------------------------------


def are_proposals_withheld(read: Read, capacity: Capacity) -> bool:
    """Whether marks that came with the images are kept from this person in this read.

    By the project's design from its reader, for good or until they have locked their own read. On a hidden
    reference or a training case they may be the truth, so its readers never get them as proposals.
    """
    if capacity is Capacity.FELLOW:
        return True
    if capacity is not Capacity.READER or read.kind != Read.Kind.READ:
        return False
    if read.case.purpose != Case.Purpose.ORDINARY:
        return True
    when = design_of(read.case.project).proposals
    if when == ReadingDesign.Proposals.AFTER:
        return read.unaided_edit_number is None
    return when == ReadingDesign.Proposals.NEVER


def studies_with_proposals_withheld(user: Someone) -> Q:
    """The studies, by any road to them, whose derived objects are kept from this person because they read a
    case with them: a segmentation is the same proposal when DICOMweb gives it. Agrees with
    `are_proposals_withheld` while the read isn't finished; from who is a reader only, for hidden references
    and training cases ever after."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    proposals = ReadingDesign.Proposals
    reviews = permissions.objects_for(user, "review_cases", Project).values("pk")
    by_design = Q(case__project__design__proposals=proposals.NEVER) | Q(
        case__project__design__proposals=proposals.AFTER, unaided_edit_number=None
    )
    by_purpose = ~Q(case__purpose=Case.Purpose.ORDINARY)
    reads = _reading(user).filter(
        Q(by_design | by_purpose, ~Q(state__in=FINISHED)) | Q(by_purpose, ~Q(case__project__in=reviews))
    )
    return Q(pk__in=CaseStudy.objects.filter(case__in=reads.values("case")).values("study"))


def segments_offered(case_id: int) -> QuerySet[ImportedSegment]:
    """The segments on the images of a case, for those who may see proposals there: what came with the images,
    and what a model proposed in the case's own project."""
    project = Case.objects.filter(pk=case_id).values("project")
    here = ImportedSegment.objects.filter(series__study__case_studies__case=case_id)
    return here.filter(Q(project=None) | Q(project__in=project))


def studies_with_marks_sequestered(user: Someone) -> Q:
    """The studies of test parts whose marks are withheld from this person: a segmentation that came with the
    images may be the truth they are scored against. From who downloads releases of the project and has no
    other business with its images."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    given = permissions.objects_for(user, "download_releases", Project).values("pk")
    seen = permissions.objects_for(user, "view_images", Project).values("pk")
    withheld = _sequestered(Release.Sequestered.MARKS, Release.Sequestered.ALL)
    cases = Case.objects.filter(pk__in=withheld.values("case"), project__in=given).exclude(project__in=seen)
    own = own_reads(user).values("case")
    return Q(pk__in=CaseStudy.objects.filter(case__in=cases.exclude(pk__in=own).values("pk")).values("study"))


# Roads to images, registered in annotations.wiring ----------------------------------------------


def studies_of_assigned_cases(user: Someone) -> Q:
    return _studies_of(_assigned(user))  # type: ignore[arg-type]


def studies_of_projects(user: Someone) -> Q:
    return _studies_of(_of_projects(user))  # type: ignore[arg-type]


def studies_of_released_cases(user: Someone) -> Q:
    return _studies_of(_released(user))  # type: ignore[arg-type]


def studies_of_project(user: Someone, project: Project) -> Q:
    """The studies of the project's cases whose images this person may see there."""
    return _studies_of(Q(project=project) & (_assigned(user) | _of_projects(user) | _released(user)))  # type: ignore[arg-type]


def _studies_of(cases: Q) -> Q:
    return Q(
        pk__in=CaseStudy.objects.filter(case__in=Case.objects.filter(cases).values("pk")).values("study")
    )
