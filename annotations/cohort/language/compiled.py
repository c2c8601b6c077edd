"""From an expression to one queryset of cases.

Every fact becomes `pk IN (SELECT case …)` with a subquery that doesn't depend on the row: PostgreSQL works
each out once, no join multiplies cases, and whatever is negated is never null. The same rules in plain
Python, which tests hold this to, are in `tests/annotations/cohort/language/meaning.py`.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db.models import Count as CountRows
from django.db.models import F, Q, QuerySet

from accounts.models import User
from annotations.cohort.language import known, rows
from annotations.cohort.language.expression import (
    All,
    Any_,
    Condition,
    Count,
    Expression,
    Group,
    Not,
    is_about_readings,
)
from annotations.cohort.language.fields import LEVELS
from annotations.cohort.language.standing import submissions
from annotations.models import Case, CaseStudy, Read, Recall, ReferenceStandard
from annotations.reading import policies as reading
from atlas.models import Project

EVERY = Q(pk__isnull=False)


def cases_matching(project: Project, expression: Expression, by: User) -> QuerySet[Case]:
    """The project's cases of which the expression holds, by number.

    Asked anything about marks or reads, it leaves out the cases that `by` still reads themselves, whatever
    is known of them. Raises CohortError for values that the project doesn't know.
    """
    known.require_known(project, expression)
    cases = Case.objects.filter(project=project)
    if is_about_readings(expression):
        cases = cases.exclude(pk__in=closed_to(project, by))
    return cases.filter(_Compiler(project).of_case(expression)).order_by("number")


def closed_to(project: Project, by: User) -> QuerySet[Any]:
    """The cases that this person still reads, as a subquery."""
    return reading.cases_being_read_by(by).filter(project=project).values("pk")


class _Compiler:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.readers: Callable[[], dict[str, int]] = cache(lambda: known.readers_of(project))

    def of_case(self, node: Expression) -> Q:
        match node:
            case Condition() if node.about.level == "case":
                return self._fact_of_case(node)
            case Condition():
                return self._group(Group(node.about.level, node))
            case Group():
                return self._group(node)
        return self._joined(node, self.of_case)

    def of_row(self, node: Expression) -> Q:
        if isinstance(node, Condition):
            return rows.holds(node, self.project, self.readers)
        return self._joined(node, self.of_row)

    def _joined(self, node: Expression, part: Callable[[Expression], Q]) -> Q:
        match node:
            case Not():
                return ~part(node.of)
            case Any_():
                found = part(node.of[0])
                for each in node.of[1:]:
                    found |= part(each)
                return found
            case All() if node.of:
                found = part(node.of[0])
                for each in node.of[1:]:
                    found &= part(each)
                return found
        return EVERY

    # Groups

    def _group(self, group: Group) -> Q:
        every = rows.rows_of(group.level, self.project)
        where = self.of_row(group.where)
        way = rows.CASE_OF[group.level]
        if not LEVELS[group.level].has_reads:
            return counted(every.filter(where), way, group.count)
        handed_in = submissions(self.project, group.of)
        found = every.filter(where)
        if group.count != Count():  # they are grouped, so only those that matter
            found = found.filter(submission__in=handed_in.values("pk"))
        enough = handed_in.filter(counted(found, "submission", group.count))
        return Q(pk__in=enough.values("read__case"))

    # Facts of the case itself

    def _fact_of_case(self, condition: Condition) -> Q:
        match condition.field:
            case "subject.sex":
                return rows.on_column(condition, "subject__sex")
            case "subject.site":
                return rows.on_column(condition, "subject__organisation__slug")
            case "subject.age":
                return self._age(condition)
            case "case.number":
                return rows.on_column(condition, "number")
            case "case.purpose":
                return rows.on_column(condition, "purpose")
            case "case.waits_for_adjudication":
                return Q(needs_adjudication=condition.values[0])
            case "case.recalled":
                recalled = Recall.objects.filter(project=self.project, case__isnull=False)
                there = Q(pk__in=recalled.values("case"))
                return there if condition.values[0] else ~there
            case "case.reference":
                return self._reference(condition)
            case "case.time_points":
                return number_of(rows.rows_of("study", self.project), "case", "pk", condition)
            case "case.readers":
                handed_in = submissions(self.project, "handed_in").filter(read__kind=Read.Kind.READ)
                return number_of(handed_in, "read__case", "read__reader", condition)
        raise KeyError(condition.field)

    def _age(self, condition: Condition) -> Q:
        first = (
            CaseStudy.objects.filter(case__project=self.project)
            .order_by("case_id", "position", "pk")
            .distinct("case_id")
        )
        known_only = condition.op == "unknown"
        asked = Condition("study.age", "known") if known_only else _as("study.age", condition)
        there = CaseStudy.objects.filter(rows.on_column(asked, "study__age_years"), pk__in=first.values("pk"))
        there_q = Q(pk__in=there.values("case"))
        return ~there_q if known_only else there_q

    def _reference(self, condition: Condition) -> Q:
        standards = ReferenceStandard.objects.filter(case__project=self.project)
        wanted = {str(value) for value in condition.values}
        there = Q(pk__in=standards.filter(how__in=wanted).values("case"))
        if "none" in wanted:
            there |= ~Q(pk__in=standards.values("case"))
        return ~there if condition.op == "is_not" else there


def _as(field: str, condition: Condition) -> Condition:
    return Condition(field, condition.op, condition.values, condition.unit)


def counted(found: QuerySet[Any], way: str, count: Count) -> Q:
    """Of a case (or submission, where `way` leads to it) with so many of these rows; those without any count
    as 0, so “at most 2” is what doesn't have more."""
    if count == Count():
        return Q(pk__in=found.values(way))
    if count.most == 0:
        return ~Q(pk__in=found.values(way))
    groups = found.order_by().values(way).annotate(rows=CountRows("pk"))
    if count.least == 0:
        return ~Q(pk__in=groups.filter(rows__gt=count.most).values(way))
    within = Q(rows__gte=count.least)
    if count.most is not None:
        within &= Q(rows__lte=count.most)
    return Q(pk__in=groups.filter(within).values(way))


def number_of(found: QuerySet[Any], way: str, what: str, condition: Condition) -> Q:
    """How many different there are, held against the condition's number. What has none counts as 0."""
    groups = found.order_by().values(way).annotate(rows=CountRows(what, distinct=True))
    op, numbers = condition.op, [int(number) for number in condition.numbers()]
    holds = rows.compared(F("rows"), op, numbers)
    if _holds(0, op, numbers):
        return ~Q(pk__in=groups.filter(~holds).values(way))
    return Q(pk__in=groups.filter(holds).values(way))


def _holds(number: int, op: str, numbers: list[int]) -> bool:
    match op:
        case "is":
            return number == numbers[0]
        case "is_not":
            return number != numbers[0]
        case ">=":
            return number >= numbers[0]
        case "<=":
            return number <= numbers[0]
        case ">":
            return number > numbers[0]
        case "<":
            return number < numbers[0]
    return numbers[0] <= number <= numbers[1]
