"""What a cohort expression finds, as the cohort page and the API tell it: how many, and which cases."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from accounts.models import User
from annotations.cohort import facts
from annotations.cohort.language import as_json, as_text, cases_matching, written
from annotations.cohort.language.compiled import closed_to
from annotations.cohort.language.counts import Counts, found_by
from annotations.cohort.language.expression import Expression, is_about_readings
from annotations.cohort.language.fields import FIELDS
from annotations.cohort.language.known import names_of, values_of
from annotations.cohort.language.offered import offered
from annotations.cohort.language.rows import IS_IMAGE_SERIES
from annotations.models import Case, CaseStudy
from annotations.reading.policies import cases_for
from atlas.models import Project, Series
from atlas.pictures import cover_of


@dataclass(frozen=True)
class Answer:
    """`being_read`: cases left out because whoever asks still reads them; `facts_waiting`: submissions whose
    marks aren't in columns yet."""

    expression: dict[str, Any]
    text: str
    words: str
    counts: Counts
    cases_in_project: int
    being_read: int
    facts_waiting: int
    case_ids: list[int]


@dataclass(frozen=True)
class ChosenCase:
    number: int
    title: str
    sex: str
    age: int | None
    time_points: int
    modalities: list[str]
    picture: Series | None
    """None where there is none, or whoever asks may not see the images."""


def answer(project: Project, expression: Expression, by: User) -> Answer:
    """Raises CohortError for values that the project doesn't know."""
    found = found_by(cases_matching(project, expression, by))
    asks_readings = is_about_readings(expression)
    return Answer(
        expression=as_json(expression),
        text=written(expression),
        words=as_text(expression, names_of(project, expression)),
        counts=found.counts,
        cases_in_project=Case.objects.filter(project=project).count(),
        being_read=closed_to(project, by).count() if asks_readings else 0,
        facts_waiting=facts.without_facts(project, by) if asks_readings else 0,
        case_ids=found.case_ids,
    )


def told_of(case_ids: Sequence[int], by: User) -> list[ChosenCase]:
    """In the order of the keys. Four queries."""
    cases = Case.objects.select_related("subject").in_bulk(list(case_ids))
    shown = set(cases_for(by).filter(pk__in=case_ids).values_list("pk", flat=True))
    ages: dict[int, list[int | None]] = defaultdict(list)
    of_case: dict[int, list[Series]] = defaultdict(list)
    points = CaseStudy.objects.filter(case__in=case_ids).select_related("study")
    cases_of: dict[int, list[int]] = defaultdict(list)
    for point in points.order_by("case_id", "position"):
        ages[point.case_id].append(point.study.age_years)
        cases_of[point.study_id].append(point.case_id)
    for one in Series.objects.filter(IS_IMAGE_SERIES, study__in=list(cases_of)).order_by("pk"):
        for case_id in cases_of[one.study_id]:
            of_case[case_id].append(one)
    return [
        ChosenCase(
            number=cases[pk].number,
            title=cases[pk].title,
            sex=cases[pk].subject.sex,
            age=ages[pk][0] if ages[pk] else None,
            time_points=len(ages[pk]),
            modalities=sorted({one.modality for one in of_case[pk] if one.modality}),
            picture=cover_of(of_case[pk]) if pk in shown else None,
        )
        for pk in case_ids
        if pk in cases
    ]


# What may be asked ------------------------------------------------------------------------------


def fields_of(project: Project) -> dict[str, Any]:
    """Every field with the values that the project knows; words in the reader's language."""
    return offered(FIELDS.values(), partial(values_of, project))
