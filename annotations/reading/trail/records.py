"""Which lines of the audit trail belong to a project, and which of them a lead may read.

A lead who reads a case themselves finds nothing there about it but what they did: the trail is one more road
on which a blind read must stay blind. The same holds for comments on their own read before it is returned.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BigIntegerField, Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from accounts import permissions
from accounts.models import AuditRecord, User
from annotations.models import (
    AdjudicatedLesion,
    BulkAction,
    Case,
    Comment,
    HangingProtocol,
    IncidentalFinding,
    LabelSchema,
    Read,
    ReadingDesign,
    Release,
    Submission,
)
from annotations.reading import policies
from annotations.reading.trail.sentences import Kind, verbs_of
from atlas.models import Project, Series

PAGE_SIZE = 50
OF_IMAGES = ("series.viewed", "series.downloaded")
OF_DELETED_READS = "read.unassigned"

type Ids = QuerySet


@dataclass(frozen=True)
class Wanted:
    """What the reader of the trail narrows it by; nothing asks for everything."""

    person: User | None = None
    kind: Kind | None = None
    case: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Page:
    """Lines, newest first. `older`: ask for those before this moment; None: these are the last."""

    records: list[AuditRecord]
    older: datetime | None


def records_for(user: User, project: Project, wanted: Wanted) -> QuerySet[AuditRecord]:
    """The lines about a project that this person may read, newest first. Raises as `permissions.require`."""
    permissions.require(user, "manage_project", project)
    of_case = Cast(KT("facts__case"), BigIntegerField())
    found = AuditRecord.objects.annotate(of_case=of_case).filter(_about(user, project, wanted.case))
    found = found.select_related("actor")
    if wanted.person is not None:
        found = found.filter(actor=wanted.person)
    if wanted.kind is not None:
        found = found.filter(verb__in=verbs_of(wanted.kind))
    if wanted.since is not None:
        found = found.filter(at__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(at__lt=wanted.until)
    return found.order_by("-at", "-pk")


def page_of(found: QuerySet[AuditRecord], before: datetime | None) -> Page:
    """One page, by moment rather than by number: a long trail costs no more than a short one."""
    if before is not None:
        found = found.filter(at__lt=before)
    rows = list(found[: PAGE_SIZE + 1])
    if len(rows) <= PAGE_SIZE:
        return Page(rows, None)
    # What was written at one moment stays on one page.
    kept = [row for row in rows if row.at > rows[-1].at] or list(found.filter(at=rows[-1].at))
    return Page(kept, kept[-1].at)


def actors_of(user: User, project: Project) -> list[User]:
    """Whom the trail can be narrowed to: members, and whoever has a read here that the lead may know of."""
    members = {person.pk: person for person, _ in permissions.members_of(project)}
    readers = User.objects.filter(pk__in=_reads(user, project).values("reader"))
    members |= {person.pk: person for person in readers}
    return sorted(members.values(), key=lambda person: person.display_name.casefold())


# What a line is about ---------------------------------------------------------------------------


def _about(user: User, project: Project, case: int | None) -> Q:
    reads, cases = _reads(user, project), _cases(user, project)
    others = policies.reads_of_others(user).filter(case__project=project)
    if case is not None:
        reads, cases, others = (
            reads.filter(case__number=case),
            cases.filter(number=case),
            others.filter(case__number=case),
        )
    marked = {  # by the type of the object: the rows of it that are in sight
        "read": reads,
        "case": cases,
        "submission": Submission.objects.filter(read__in=reads.values("pk")),
        "comment": Comment.objects.filter(read__in=others.values("pk")),
        "adjudicatedlesion": AdjudicatedLesion.objects.filter(read__in=reads.values("pk")),
        "incidentalfinding": IncidentalFinding.objects.filter(read__in=reads.values("pk")),
    }
    found = Q()
    for name, rows in marked.items():
        found |= Q(object_type=name, object_id__in=rows.values("pk"))
    found |= Q(object_type="comment", actor=user, object_id__in=_own_comments(user, project, case))
    # Those reads are gone; their lines name the case.
    found |= Q(verb=OF_DELETED_READS, object_type="read", of_case__in=cases.values("pk"))
    found |= Q(object_type="series", verb__in=OF_IMAGES) & _seen(user, project, cases, case)
    return found if case is not None else found | _of_project(project)


def _reads(user: User, project: Project) -> QuerySet[Read]:
    own, others = policies.own_reads(user), policies.reads_of_others(user)
    known = Q(pk__in=own.values("pk")) | Q(pk__in=others.values("pk"))
    return Read.objects.filter(known, case__project=project)


def _cases(user: User, project: Project) -> QuerySet[Case]:
    being_read = policies.cases_being_read_by(user)
    return Case.objects.filter(project=project).exclude(pk__in=being_read.values("pk"))


def _own_comments(user: User, project: Project, case: int | None) -> Ids:
    found = Comment.objects.filter(by=user, read__case__project=project)
    return (found if case is None else found.filter(read__case__number=case)).values("pk")


def _seen(user: User, project: Project, cases: QuerySet[Case], case: int | None) -> Q:
    """Images of the project's cases, as far as members looked at them."""
    members = [person.pk for person, _ in permissions.members_of(project)]
    readers = Read.objects.filter(case__project=project).values("reader")
    being_read = policies.cases_being_read_by(user).values("pk")
    theirs = Series.objects.filter(study__case_studies__case__in=cases.values("pk"))
    theirs = theirs.exclude(study__case_studies__case__in=being_read)
    own = Series.objects.filter(study__case_studies__case__project=project)
    if case is not None:
        own = own.filter(study__case_studies__case__number=case)
    by_members = Q(actor__in=members) | Q(actor__in=readers)
    return (Q(object_id__in=theirs.values("pk")) & by_members) | Q(object_id__in=own.values("pk"), actor=user)


_ROWS_OF_PROJECT: dict[str, Callable[[Project], QuerySet]] = {
    "labelschema": lambda project: LabelSchema.objects.filter(project=project),
    "hangingprotocol": lambda project: HangingProtocol.objects.filter(project=project),
    "readingdesign": lambda project: ReadingDesign.objects.filter(project=project),
    "bulkaction": lambda project: BulkAction.objects.filter(project=project),
    "release": lambda project: Release.objects.filter(project=project),
}


def _of_project(project: Project) -> Q:
    found = Q(object_type="project", object_id=project.pk)
    found |= Q(object_type__in=("dataset", "hangingprotocol"), facts__project=project.pk)
    for name, rows in _ROWS_OF_PROJECT.items():
        found |= Q(object_type=name, object_id__in=rows(project).values("pk"))
    return found
