"""Where the cases of a project stand: where their slowest read stands, and which wait for an adjudicator."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Case as Choose
from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextChoices,
    Value,
    When,
)
from django.utils import timezone

from accounts.models import User
from annotations.models import Case, CaseStudy, Read
from annotations.reading import policies
from annotations.reading.overview.sight import Sight, known_reads
from atlas.models import Project


class CaseState(TextChoices):
    """The states of a read, by the same words, and two that only a case has."""

    UNASSIGNED = "unassigned", "Unassigned"
    ASSIGNED = "assigned", "Assigned"
    IN_PROGRESS = "in_progress", "In progress"
    SUBMITTED = "submitted", "Submitted"
    RETURNED = "returned", "Returned"
    TO_ADJUDICATE = "to_adjudicate", "To adjudicate"
    ACCEPTED = "accepted", "Accepted"


UNASSIGNED = CaseState.UNASSIGNED
STEPS = tuple(CaseState)
ORDER = STEPS[1:]
"""Its places are the ranks. A case stands where its slowest read stands."""

TO_ADJUDICATE_RANK = ORDER.index(CaseState.TO_ADJUDICATE)
ACCEPTED_RANK = ORDER.index(CaseState.ACCEPTED)
RANK = Choose(
    *(
        When(state=str(state), then=Value(rank))
        for rank, state in enumerate(ORDER)
        if state != CaseState.TO_ADJUDICATE
    ),
    output_field=IntegerField(),
)
BAR_PX = 72


@dataclass(frozen=True)
class Step:
    """One bar of the funnel. `here`: cases that stand there; `passed`: cases that have moved on."""

    key: str
    title: str
    here: int
    passed: int
    total: int
    oldest_days: int | None

    @property
    def here_height(self) -> float:
        """At least 2 px, so that a case is never invisible."""
        return max(BAR_PX * self.here / self.total, 2) if self.here else 0

    @property
    def passed_height(self) -> float:
        return min(BAR_PX * self.passed / self.total, BAR_PX - self.here_height) if self.total else 0

    @property
    def here_top(self) -> float:
        return BAR_PX - self.here_height

    @property
    def passed_top(self) -> float:
        return self.here_top - self.passed_height


def cases_with_state(user: User, project: Project) -> QuerySet[Any]:
    """The project's cases with `rank`, the place in ORDER of their slowest read; None for unassigned ones.

    A case whose reads are all accepted and that waits for an adjudicator stands before the accepted ones.
    """
    reads = known_reads(user, project).filter(case=OuterRef("pk"), kind=Read.Kind.READ)
    slowest = Subquery(reads.order_by().values("case").annotate(slowest=Min(RANK)).values("slowest"))
    return (
        Case.objects.filter(project=project)
        .annotate(slowest=slowest)
        .annotate(
            rank=Choose(
                When(slowest=ACCEPTED_RANK, needs_adjudication=True, then=Value(TO_ADJUDICATE_RANK)),
                default=F("slowest"),
                output_field=IntegerField(),
            )
        )
    )


def funnel(sight: Sight) -> list[Step]:
    """How many cases stand in each state: two queries over the project's reads, and one over its cases."""
    total = Case.objects.filter(project=sight.project).count()
    reads = sight.reads().filter(kind=Read.Kind.READ).order_by()
    slowest = reads.values("case").annotate(
        slowest=Min(RANK), waits=Min(Choose(When(case__needs_adjudication=True, then=1), default=0))
    )
    counts: Counter[int] = Counter()
    for rank, waits, n in _counted(slowest.values_list("slowest", "waits")):
        if rank is not None:
            counts[TO_ADJUDICATE_RANK if waits and rank == ACCEPTED_RANK else rank] += n
    now = timezone.now()
    oldest = dict(
        reads.exclude(state=Read.State.ACCEPTED).values_list("state").annotate(at=Min("changed_at"))
    )
    waiting = sight.cases().filter(needs_adjudication=True)
    oldest[CaseState.TO_ADJUDICATE] = waiting.aggregate(at=Min("compared_at"))["at"]
    unassigned = total - counts.total()
    steps = []
    for place, state in enumerate(STEPS):
        here = unassigned if place == 0 else counts[place - 1]
        since = oldest.get(str(state)) if here else None
        steps.append(
            Step(
                key=str(state),
                title=str(state.label),
                here=here,
                passed=sum(counts[rank] for rank in range(place, len(ORDER))),
                total=total,
                oldest_days=(now - since).days if since else None,
            )
        )
    return steps


def _counted(rows: QuerySet[Any, tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Each different row with how often it occurs, counted by the database."""
    inner, values = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT one.*, COUNT(*) FROM ({inner}) AS one GROUP BY 1, 2", values)  # noqa: S608
        return cursor.fetchall()


def cases_with_findings(project: Project) -> QuerySet[Case]:
    """Cases with a series whose quality findings switch tools off."""
    spoiled = CaseStudy.objects.filter(case=OuterRef("pk")).exclude(study__series__findings=[])
    spoiled = spoiled.filter(study__series__findings__isnull=False)
    return Case.objects.filter(project=project).filter(Exists(spoiled))


def handed_in(user: User, project: Project) -> list[tuple[str, str, int]]:
    """For a reviewer: reads of others that were submitted once. State, its word, how many."""
    reads = policies.reads_of_others(user).filter(case__project=project)
    counts = dict(reads.order_by().values_list("state").annotate(n=Count("pk")))
    states = (Read.State.SUBMITTED, Read.State.RETURNED, Read.State.ACCEPTED)
    return [(str(state), state.label, counts.get(state, 0)) for state in states]


def own_progress(user: User, project: Project) -> list[tuple[str, str, int]]:
    """A reader's own reads in a project: state, its word, how many."""
    own = policies.own_reads(user).filter(case__project=project, kind=Read.Kind.READ)
    counts = dict(own.order_by().values_list("state").annotate(n=Count("pk")))
    states = [state for state in ORDER if state != CaseState.TO_ADJUDICATE]
    return [(str(state), str(state.label), counts.get(str(state), 0)) for state in states]


def overdue() -> Q:
    """Of reads: past the due date, and the reader is still at it."""
    return Q(state__in=Read.EDITABLE, due__lt=timezone.localdate())
