"""The cases of a project as rows of a table."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from annotations.models import Case, CaseStudy, Read
from annotations.reading import leases, policies
from annotations.reading.assignment import OPEN
from annotations.reading.overview import ORDER, UNASSIGNED, CaseState, cases_with_findings, known_reads
from atlas.models import Project, Series, Study

MODALITIES_KEPT_S = 60
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
    def has_run_out(self) -> bool:
        return self.read is not None and leases.has_run_out(self.read)

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
    return [CaseRow(case, studies_of(case), reads.get(case.pk, [])) for case in cases]


def studies_of(case: Case) -> list[Study]:
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
    modality: str = ""
    purpose: str = ""


def modalities_of(project: Project) -> list[str]:
    """Those of the images of its cases, as they were a minute ago: all series are looked through for it."""
    shown = Series.objects.filter(study__case_studies__case__project=project).exclude(modality__in=NOT_SHOWN)
    found = shown.order_by().values_list("modality", flat=True).distinct()
    return cache.get_or_set(f"modalities-{project.pk}", lambda: sorted(found), MODALITIES_KEPT_S) or []


def _in_state(cases: QuerySet[Case], reads: QuerySet[Read], state: str) -> QuerySet[Case]:
    """As `overview.cases_with_state` ranks them, in sets: the database asks each once, not case by case."""
    reads = reads.filter(kind=Read.Kind.READ)
    ranked = [str(one) for one in ORDER]
    if state == UNASSIGNED:
        return cases.exclude(pk__in=reads.filter(state__in=ranked).values("case"))
    waits = state == CaseState.TO_ADJUDICATE
    at = str(CaseState.ACCEPTED) if waits else state
    slower = ranked[: ranked.index(at)]
    cases = cases.filter(pk__in=reads.filter(state=at).values("case"))
    cases = cases.exclude(pk__in=reads.filter(state__in=slower).values("case"))
    return cases.filter(needs_adjudication=waits) if at == CaseState.ACCEPTED else cases


def cases_of(user: User, project: Project, narrow: CaseFilter) -> QuerySet[Case]:
    cases = Case.objects.filter(project=project).select_related("subject").order_by("number")
    if narrow.text:
        matches = Q(subject__pseudonym__icontains=narrow.text) | Q(title__icontains=narrow.text)
        if narrow.text.isdecimal() and len(narrow.text) < 10:
            matches |= Q(number=int(narrow.text))
        cases = cases.filter(matches)
    if narrow.state:
        cases = _in_state(cases, known_reads(user, project), narrow.state)
    if narrow.reader:
        reads = known_reads(user, project).filter(reader__public_id=narrow.reader)
        cases = cases.filter(pk__in=reads.values("case"))
    if narrow.late:
        late = known_reads(user, project).filter(state__in=OPEN, due__lt=timezone.localdate())
        cases = cases.filter(pk__in=late.values("case"))
    if narrow.modality:
        shown = Series.objects.filter(study__case_studies__case=OuterRef("pk"), modality=narrow.modality)
        cases = cases.filter(Exists(shown))
    if narrow.purpose:  # of a case that someone reads they are never told
        reading = policies.cases_being_read_by(user).filter(project=project)
        cases = cases.filter(purpose=narrow.purpose).exclude(pk__in=reading.values("pk"))
    if narrow.findings:
        cases = cases.filter(pk__in=cases_with_findings(project).values("pk"))
    return cases
