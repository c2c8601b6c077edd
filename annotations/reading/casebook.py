"""The cases of a project as rows of a table, and the reads of a person as a worklist."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils import timezone

from accounts import permissions
from accounts.models import User
from annotations.models import Case, CaseStudy, Read
from annotations.reading import policies
from annotations.reading.assignment import OPEN
from annotations.reading.overview import ORDER, UNASSIGNED, cases_with_findings, cases_with_state, known_reads
from atlas.models import Project, Series, Study

NOT_SHOWN = ("SEG", "RTSTRUCT", "SR", "PR", "KO", "RTPLAN", "RTDOSE", "REG")
"""Modalities of objects about images; a worklist names those of the images."""


@dataclass
class CaseRow:
    """A case with what a table says of it. Dates are those of its studies, in order; some may be missing."""

    case: Case
    studies: list[Study]
    reads: list[Read] = field(default_factory=list)
    read: Read | None = None
    open_comments: int = 0

    @property
    def dates(self) -> list[datetime.date | None]:
        return [study.date for study in self.studies]

    @property
    def modalities(self) -> str:
        found = dict.fromkeys(series.modality for study in self.studies for series in study.series.all())
        return ", ".join(name for name in found if name not in NOT_SHOWN)

    @property
    def region(self) -> str:
        """What the case is called, else the body part that its images name, in DICOM's words."""
        if self.case.title:
            return self.case.title
        parts = dict.fromkeys(
            series.body_part.capitalize()
            for study in self.studies
            for series in study.series.all()
            if series.body_part
        )
        return ", ".join(parts)

    @property
    def last_interval_days(self) -> int | None:
        dated = [day for day in self.dates if day is not None]
        return (dated[-1] - dated[-2]).days if len(dated) > 1 else None

    @property
    def findings(self) -> list[str]:
        """Why tools are off, each sentence once."""
        return list(
            dict.fromkeys(
                finding["sentence"]
                for study in self.studies
                for series in study.series.all()
                for finding in series.findings
            )
        )

    @property
    def is_late(self) -> bool:
        read = self.read
        return bool(read and read.due and read.state in OPEN and read.due < timezone.localdate())

    @property
    def untouched(self) -> list[Read]:
        return [
            read
            for read in self.reads
            if read.state == Read.State.ASSIGNED and read.opened_at is None and not read.last_edit_number
        ]


def with_images(prefix: str = "") -> Prefetch:
    """A case's studies in order, with their series: two queries, however many cases."""
    shown = Series.objects.only("study_id", "modality", "body_part", "findings", "number")
    studies = CaseStudy.objects.select_related("study").prefetch_related(
        Prefetch("study__series", queryset=shown)
    )
    return Prefetch(f"{prefix}case_studies", queryset=studies.order_by("position"))


def case_rows(user: User, cases: Iterable[Case], project: Project) -> list[CaseRow]:
    """Rows for these cases (`with_images` prefetched), each with the reads that this person may know of."""
    cases = list(cases)
    reads: dict[int, list[Read]] = {}
    known = known_reads(user, project).filter(case__in=[case.pk for case in cases])
    for read in known.select_related("reader").order_by("id"):
        reads.setdefault(read.case_id, []).append(read)
    return [CaseRow(case, _studies(case), reads.get(case.pk, [])) for case in cases]


def _studies(case: Case) -> list[Study]:
    return [part.study for part in case.case_studies.all()]


# The table of a project -------------------------------------------------------------------------


@dataclass(frozen=True)
class CaseFilter:
    """What the table is narrowed to. Values that make no sense are refused by the view, never ignored."""

    text: str = ""
    state: str = ""
    reader: str = ""
    late: bool = False
    findings: bool = False


def cases_of(user: User, project: Project, narrow: CaseFilter) -> QuerySet[Case]:
    cases = cases_with_state(user, project).select_related("subject").order_by("number")
    if narrow.text:
        matches = Q(subject__pseudonym__icontains=narrow.text) | Q(title__icontains=narrow.text)
        if narrow.text.isdecimal() and len(narrow.text) < 10:
            matches |= Q(number=int(narrow.text))
        cases = cases.filter(matches)
    if narrow.state == UNASSIGNED:
        cases = cases.filter(rank=None)
    elif narrow.state:
        cases = cases.filter(rank=[str(state) for state in ORDER].index(narrow.state))
    if narrow.reader:
        reads = known_reads(user, project).filter(reader__public_id=narrow.reader)
        cases = cases.filter(pk__in=reads.values("case"))
    if narrow.late:
        late = known_reads(user, project).filter(state__in=OPEN, due__lt=timezone.localdate())
        cases = cases.filter(pk__in=late.values("case"))
    if narrow.findings:
        cases = cases.filter(pk__in=cases_with_findings(project).values("pk"))
    return cases


# The worklist of a person -----------------------------------------------------------------------


@dataclass
class WorkGroup:
    """One heading of the worklist: how many there are in all, and the rows shown."""

    key: str
    title: str
    note: str
    total: int
    rows: list[CaseRow]

    @property
    def word(self) -> str:
        """As it stands after a number."""
        return "to review" if self.key == "review" else self.title.split(" to ")[0].lower()

    @property
    def waits(self) -> bool:
        """Whether this person has something to do there."""
        return self.key not in ("submitted", "accepted")

    @property
    def more(self) -> int:
        return self.total - len(self.rows)


ROWS_SHOWN = {"returned": 100, "in_progress": 100, "next": 50, "review": 50, "submitted": 10, "accepted": 10}


def worklist(user: User, project: Project | None = None) -> list[WorkGroup]:
    """What waits for this person, in the order in which they should take it; empty groups are left out."""
    own = policies.own_reads(user)
    to_review = policies.reads_to_review(user)
    if project is not None:
        own, to_review = own.filter(case__project=project), to_review.filter(case__project=project)
    state = Read.State
    in_order = ("due", "case__project", "case__number")
    latest = "-changed_at"
    groups = [
        ("returned", "Returned to you", "", own.filter(state=state.RETURNED).order_by(*in_order)),
        ("in_progress", "In progress", "", own.filter(state=state.IN_PROGRESS).order_by(*in_order)),
        ("next", "Next", "by due date, then by number", own.filter(state=state.ASSIGNED).order_by(*in_order)),
        ("review", "To review", "longest waiting first", to_review),
        ("submitted", "Submitted", "waiting for review", own.filter(state=state.SUBMITTED).order_by(latest)),
        ("accepted", "Accepted", "", own.filter(state=state.ACCEPTED).order_by(latest)),
    ]
    found = []
    for key, title, note, reads in groups:
        chosen = list(_with_case(reads)[: ROWS_SHOWN[key]])
        full = len(chosen) == ROWS_SHOWN[key]
        if chosen:
            total = reads.count() if full else len(chosen)
            found.append(WorkGroup(key, title, note, total, [work_row(read) for read in chosen]))
    return found


def _with_case(reads: QuerySet[Read]) -> QuerySet[Read]:
    seen_comments = Q(comments__resolved_at=None, comments__isnull=False)
    return (
        reads.select_related("case__project", "case__subject", "reader")
        .prefetch_related(with_images("case__"))
        .annotate(unresolved=Count("comments", filter=seen_comments, distinct=True))
    )


def work_row(read: Read) -> CaseRow:
    comments = getattr(read, "unresolved", 0) if read.state == Read.State.RETURNED else 0
    return CaseRow(read.case, _studies(read.case), read=read, open_comments=comments)


def projects_of(groups: Sequence[WorkGroup]) -> list[Project]:
    """The projects that occur in a worklist, by name."""
    found = {row.case.project for group in groups for row in group.rows}
    return sorted(found, key=lambda project: project.name)


def may_read_or_review(user: User) -> bool:
    """Whether this person belongs to any project in which they could get reads."""
    held = permissions.held_anywhere(user)
    return ("project", "read_cases") in held or ("project", "review_cases") in held
