"""What is in a release, or would be in the next one, in numbers for a page."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from django.db.models import Avg, Count, Q, Sum
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from annotations.cohort import splits
from annotations.cohort.choosing import Choice, Chosen, choose
from annotations.cohort.releases import WRITE_CASE
from annotations.models import Case, CaseStudy, Release, ReleaseCase, ReleaseFile, ReleaseRead
from atlas.models import Project, Series

DERIVED = ("SEG", "RTSTRUCT", "SR", "PR", "KO", "RTPLAN", "RTDOSE", "REG")
"""Modalities of objects about images, which a table of image series leaves out."""


class Part(NamedTuple):
    """A part of a split in numbers."""

    part: str
    fold: int | None
    subjects: int
    cases: int


@dataclass(frozen=True)
class Preview:
    """What freezing now would give. `left_out` says why the other cases stay out; `parts` is empty without a
    split."""

    cases_in_project: int
    cases: int
    reads: int
    subjects: int
    left_out: list[tuple[str, int]]
    parts: list[Part]
    given_out: int
    """Subjects of a part to be sequestered whom an earlier release gave out: that can't be taken back."""
    mark: str
    """Changes when what would be frozen changes, so that nobody freezes what they haven't seen."""


@dataclass(frozen=True)
class Bars:
    """A small table of counts: what is counted, and rows of (word, count)."""

    title: str
    unit: str
    rows: list[tuple[str, int]]

    @property
    def most(self) -> int:
        return max((n for _, n in self.rows), default=0)


@dataclass(frozen=True)
class Cohort:
    cases: int
    subjects: int
    studies: int
    reads: int
    schemas: list[int]
    bars: list[Bars]


def preview(project: Project, by: User, choice: Choice | None = None) -> Preview:
    """For whoever would freeze it: a case that they read themselves is being read, however far others are.

    Raises ValidationError for a choice that can't be carried out.
    """
    chosen = choose(project, by, choice or Choice())
    pinned = [(case.number, *case.submissions, case.reference, *case.placed) for case in chosen.cases]
    return Preview(
        cases_in_project=chosen.in_project,
        cases=len(chosen.cases),
        reads=sum(len(case.submissions) for case in chosen.cases),
        subjects=len({case.subject for case in chosen.cases}),
        left_out=chosen.left_out,
        parts=_parts(chosen) if choice and choice.split else [],
        given_out=_given_out(project, chosen)
        if choice and choice.sequestered != Release.Sequestered.NOTHING
        else 0,
        mark=hashlib.sha256(repr(pinned).encode()).hexdigest()[:16],
    )


def _parts(chosen: Chosen) -> list[Part]:
    """In the order train, validation, test; folds by number."""
    order = list(ReleaseCase.Part)
    subjects: dict[splits.Placed, set[int]] = {}
    cases: Counter[splits.Placed] = Counter()
    for case in chosen.cases:
        subjects.setdefault(case.placed, set()).add(case.subject)
        cases[case.placed] += 1
    places = sorted(cases, key=lambda at: (order.index(ReleaseCase.Part(at.part)), at.fold or 0))
    return [Part(*place, len(subjects[place]), cases[place]) for place in places]


def _given_out(project: Project, chosen: Chosen) -> int:
    tests = {case.pk: case.subject for case in chosen.cases if case.placed.part == splits.TEST}
    held = ReleaseCase.objects.filter(
        release__project=project, release__ready_at__isnull=False, case__in=list(tests), withdrawn_at=None
    )
    withheld = Q(part=ReleaseCase.Part.TEST) & ~Q(release__sequestered=Release.Sequestered.NOTHING)
    return len({tests[case] for case in held.exclude(withheld).values_list("case", flat=True)})


@dataclass(frozen=True)
class Progress:
    """How far the files of a release are. `seconds_left` is None as long as nobody can tell."""

    done: int
    total: int
    workers: int
    seconds_left: int | None
    problem: str


CASES_BEFORE_AN_ESTIMATE = 3


def progress(release: Release) -> Progress:
    """By what its cases took so far and how many are written at once now. `problem` names the case that
    stopped it."""
    known = ReleaseCase.objects.filter(release=release, withdrawn_at=None).aggregate(
        total=Count("pk"), done=Count("written_at"), timed=Count("seconds"), mean=Avg("seconds")
    )
    workers = ProcrastinateJob.objects.filter(
        task_name=WRITE_CASE, status="doing", args__release_id=release.pk
    ).count()
    waiting = known["total"] - known["done"]
    seconds = None
    if (
        release.state == Release.State.WRITING
        and waiting
        and workers
        and known["timed"] >= CASES_BEFORE_AN_ESTIMATE
    ):
        seconds = ceil(known["mean"] * waiting / min(workers, waiting))
    return Progress(known["done"], known["total"], workers, seconds, release.problem)


def cohort_of(release: Release) -> Cohort:
    rows = ReleaseRead.objects.filter(release_case__release=release)
    case_ids = ReleaseCase.objects.filter(release=release, withdrawn_at=None).values("case")
    cases = Case.objects.filter(pk__in=case_ids)
    points = Counter(
        n for (n,) in cases.order_by().annotate(n=Count("case_studies")).values_list("n").order_by("n")
    )
    sexes = Counter(dict(cases.order_by().values_list("subject__sex").annotate(n=Count("pk"))))
    studies = CaseStudy.objects.filter(case__in=case_ids).order_by().values("study").distinct()
    series = Series.objects.filter(study__in=studies, frame_count__gt=0).exclude(modality__in=DERIVED)
    modalities = series.order_by().values_list("modality").annotate(n=Count("pk")).order_by("-n", "modality")
    return Cohort(
        cases=cases.count(),
        subjects=cases.order_by().values("subject").distinct().count(),
        studies=studies.count(),
        reads=rows.count(),
        schemas=sorted(set(rows.order_by().values_list("submission__read__schema__version", flat=True))),
        bars=[
            Bars("Time points", "cases", [(str(n), points[n]) for n in sorted(points)]),
            Bars("Sex", "cases", _sexes(sexes)),
            Bars("Modality", "image series", list(modalities)),
        ],
    )


def _sexes(counts: Counter[str]) -> list[tuple[str, int]]:
    words = {"F": "female", "M": "male", "O": "other", "": "not given"}
    return [(word, counts[key]) for key, word in words.items() if counts[key]]


def sizes_of(releases: Iterable[Release], *, with_sequestered: bool) -> dict[int, tuple[int, int]]:
    """Files that are given out and their bytes, by the release's primary key."""
    rows = ReleaseFile.objects.filter(release__in=[release.pk for release in releases], withdrawn_at=None)
    if not with_sequestered:
        rows = rows.filter(is_sequestered=False)
    counts = rows.order_by().values_list("release").annotate(n=Count("pk"), b=Sum("size"))
    return {pk: (n, size) for pk, n, size in counts}
