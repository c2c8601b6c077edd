"""Which lines of the audit trail belong to a project, and which of them a lead may read.

A lead who reads a case themselves finds nothing there about it but what they did: the trail is one more road
on which a blind read must stay blind. The same holds for comments on their own read before it is returned.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import BigIntegerField, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from accounts import permissions
from accounts.models import AuditRecord, User
from annotations.models import (
    Case,
    CaseStudy,
    Comment,
    IncidentalFinding,
    LabelSchema,
    Prediction,
    Read,
    Recall,
    Release,
)
from annotations.reading import policies
from annotations.reading.trail.sentences import Kind, verbs_of
from atlas.models import Project, Series

PAGE_SIZE = 50
OF_IMAGES = ("series.viewed", "series.downloaded")
OF_DELETED_READS = "read.unassigned"
NAMING_THE_PROJECT = ("dataset", "hangingprotocol", "bulkaction")


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


@dataclass(frozen=True)
class Records:
    """The lines about a project that someone may read, by what they are about.

    Each part is a query that an index answers from its newest line on. They are merged here: one query for
    all would first gather every read of the project.
    """

    parts: list[QuerySet[AuditRecord]]

    def newest(self, count: int, before: datetime | None = None) -> list[AuditRecord]:
        """The newest lines before a moment, newest first; all of the last one's moment may not be there."""
        found: dict[int, AuditRecord] = {}
        for part in self.parts:
            rows = part if before is None else part.filter(at__lt=before)
            found |= {row.pk: row for row in rows[:count]}
        return sorted(found.values(), key=_moment, reverse=True)[:count]

    def at(self, moment: datetime) -> list[AuditRecord]:
        """All lines of one moment."""
        found = {row.pk: row for part in self.parts for row in part.filter(at=moment)}
        return sorted(found.values(), key=_moment, reverse=True)


def _moment(record: AuditRecord) -> tuple[datetime, int]:
    return record.at, record.pk


def records_for(
    user: User, project: Project, wanted: Wanted, *, people: Iterable[User] | None = None
) -> Records:
    """The lines about a project that this person may read. `people` spares asking for `actors_of` again.

    Raises as `permissions.require`.
    """
    permissions.require(user, "manage_project", project)
    known = actors_of(user, project) if people is None else people
    parts = []
    for part in _about(user, project, wanted.case, {person.pk for person in known}):
        found = part.select_related("actor").order_by("-at", "-pk")
        if wanted.person is not None:
            found = found.filter(actor=wanted.person)
        if wanted.kind is not None:
            found = found.filter(verb__in=verbs_of(wanted.kind))
        if wanted.since is not None:
            found = found.filter(at__gte=wanted.since)
        if wanted.until is not None:
            found = found.filter(at__lt=wanted.until)
        parts.append(found)
    return Records(parts)


def page_of(found: Records, before: datetime | None, size: int = PAGE_SIZE) -> Page:
    """One page, by moment rather than by number: a long trail costs no more than a short one."""
    rows = found.newest(size + 1, before)
    if len(rows) <= size:
        return Page(rows, None)
    # What was written at one moment stays on one page.
    kept = [row for row in rows if row.at > rows[-1].at] or found.at(rows[-1].at)
    return Page(kept, kept[-1].at)


def actors_of(user: User, project: Project) -> list[User]:
    """Whom the trail can be narrowed to: members, and whoever has a read here that the lead may know of."""
    members = {person.pk: person for person, _ in permissions.members_of(project)}
    known = _Sight(user, project, None).others.order_by().values_list("reader", flat=True).distinct()
    members |= {person.pk: person for person in User.objects.filter(pk__in=set(known) - set(members))}
    return sorted(members.values(), key=lambda person: person.display_name.casefold())


# What a line is about ---------------------------------------------------------------------------


class _Sight:
    """What of a project its lead may know: all but others' work on the cases that they read themselves."""

    def __init__(self, user: User, project: Project, case: int | None) -> None:
        self.hidden = list(policies.cases_being_read_by(user).values_list("pk", flat=True))
        self.cases = Case.objects.filter(project=project)
        reads = Read.objects.filter(case__project=project)
        self.series = Series.objects.filter(study__case_studies__case__project=project)
        if case is not None:
            self.cases = self.cases.filter(number=case)
            reads = reads.filter(case__number=case)
            self.series = self.series.filter(study__case_studies__case__number=case)
        self.cases = self.cases.exclude(pk__in=self.hidden)
        self.own = reads.filter(reader=user)
        self.others = reads.exclude(reader=user).exclude(case__in=self.hidden)


def _about(user: User, project: Project, case: int | None, people: set[int]) -> list[QuerySet[AuditRecord]]:
    sight = _Sight(user, project, case)
    of_case = Cast(KT("facts__case"), BigIntegerField())
    gone = AuditRecord.objects.filter(object_type="read", verb=OF_DELETED_READS).annotate(of_case=of_case)
    found = [
        _of("case", sight.cases),
        _of("read", sight.others),
        _of("comment", Comment.objects.filter(read__in=sight.others.values("pk"))),
        _of("incidentalfinding", IncidentalFinding.objects.filter(read__in=sight.others.values("pk"))),
        gone.filter(of_case__in=sight.cases.values("pk")),  # their lines name the case
        _seen(sight, people),
    ]
    if sight.own.exists():
        own = sight.own.values("pk")
        found += [
            _of("read", sight.own),
            _of("comment", Comment.objects.filter(by=user, read__in=own)).filter(actor=user),
            _of("incidentalfinding", IncidentalFinding.objects.filter(read__in=own)),
            _of("series", sight.series).filter(verb__in=OF_IMAGES, actor=user),
        ]
    return found if case is not None else found + _of_project(project)


def _of(name: str, rows: QuerySet) -> QuerySet[AuditRecord]:
    return AuditRecord.objects.filter(object_type=name, object_id__in=rows.values("pk"))


def _seen(sight: _Sight, people: set[int]) -> QuerySet[AuditRecord]:
    """Images of the project's cases, as far as its people looked at them."""
    hidden = list(CaseStudy.objects.filter(case__in=sight.hidden).values_list("study_id", flat=True))
    series = sight.series.exclude(study__in=hidden)
    return _of("series", series).filter(verb__in=OF_IMAGES, actor__in=people)


def _of_project(project: Project) -> list[QuerySet[AuditRecord]]:
    lines = AuditRecord.objects
    return [
        lines.filter(object_type="project", object_id=project.pk),
        lines.filter(object_type__in=NAMING_THE_PROJECT, facts__project=project.pk),
        _of("labelschema", LabelSchema.objects.filter(project=project)),
        _of("release", Release.objects.filter(project=project)),
        _of("recall", Recall.every.filter(project=project)),
        _of("prediction", Prediction.objects.filter(release__project=project)),
    ]
