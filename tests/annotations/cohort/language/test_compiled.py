"""What the database finds is what the language means: every field, every operator, any nesting."""

import random
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from annotations.cohort.language import CohortError, cases_matching, parse, parse_text, written
from annotations.cohort.language.fields import FIELDS
from annotations.cohort.language.standing import submissions
from annotations.cohort.material import reader_identifier
from annotations.cohort.policies import acceptable_submissions
from annotations.models import Case, Release
from atlas.models import Project
from tests.annotations.cohort.language.expressions import OWN_VALUES, conditions, expressions
from tests.annotations.cohort.language.meaning import matching
from tests.annotations.cohort.language.random_world import build
from tests.annotations.cohort.language.stored_world import stored
from tests.annotations.cohort.language.world import World
from tests.cast import person

WORLDS = 5
DATABASE = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@dataclass
class Stored:
    world: World
    project: Project
    asks: User

    @property
    def own(self) -> dict[str, list[str]]:
        readers = {one.reader for case in self.world.cases for one in case.reads}
        return {**OWN_VALUES, "read.reader": sorted(self.world.names[reader] for reader in readers)}

    def found(self, expression: Any) -> list[int]:
        with transaction.atomic():  # an error of the database must not spoil the worlds
            return list(cases_matching(self.project, expression, self.asks).values_list("number", flat=True))


@pytest.fixture(scope="module")
def worlds(django_db_setup: None, django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock(), transaction.atomic():
        people = [person(f"of-worlds-{at}") for at in range(4)]
        found = []
        for seed in range(WORLDS):
            world = build(random.Random(seed))
            project = stored(world, f"world-{seed}", people, _name)
            found.append(Stored(world, project, people[0]))
        yield found
        transaction.set_rollback(True)


def _name(project: Project, user: User) -> str:
    return reader_identifier(Release(project=project), user.public_id)


@given(data=st.data())
@settings(DATABASE, max_examples=250)
def test_the_database_finds_what_the_language_means(worlds: list[Stored], data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(range(WORLDS)).map(worlds.__getitem__))
    expression = parse(data.draw(expressions(one.own)))
    assert one.found(expression) == matching(one.world, expression), written(expression)


EVERY = [(key, op) for key, field in FIELDS.items() for op in field.operators]


@pytest.mark.parametrize(("key", "op"), EVERY)
def test_each_field_means_what_it_says_with_each_operator(worlds: list[Stored], key: str, op: str) -> None:
    @given(data=st.data())
    @settings(DATABASE, max_examples=6)
    def holds(data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(range(WORLDS)).map(worlds.__getitem__))
        expression = parse(data.draw(conditions(None, one.own, key=key, op=op)))
        negated = parse_text(f"not {written(expression)}")
        assert one.found(expression) == matching(one.world, expression), written(expression)
        assert one.found(negated) == matching(one.world, negated), written(negated)

    holds()


def test_no_fact_that_matters_is_missing_from_the_worlds(worlds: list[Stored]) -> None:
    """Or the tests above would compare nothing with nothing."""
    for key in FIELDS:
        found = {
            len(one.found(parse({"field": key, "op": op, "value": value})))
            for one in worlds
            for op, value in _some(key, one)
        }
        assert found - {0}, key
    closed = [case for one in worlds for case in one.world.cases if case.reads]
    assert closed


def _some(key: str, one: Stored) -> list[tuple[str, Any]]:
    field = FIELDS[key]
    if field.kind == "number":
        return [(">=", field.least)]
    if field.kind == "text":
        return [("contains", "thin")]
    if field.kind == "yes_no":
        return [("is", True), ("is", False)]
    return [("has" if field.kind == "codes" else "is", value) for value in field.values or one.own[key]]


def test_the_result_of_a_case_is_what_a_release_would_hold(worlds: list[Stored]) -> None:
    for one in worlds:
        result = submissions(one.project, "result").values_list("pk", flat=True)
        released = acceptable_submissions(one.project).values_list("pk", flat=True)
        assert sorted(result) == sorted(released)
        assert result


def test_cases_of_other_projects_are_never_found(worlds: list[Stored]) -> None:
    one, other = worlds[:2]
    found = cases_matching(one.project, parse({"all": []}), one.asks)
    assert set(found.values_list("project", flat=True)) == {one.project.pk}
    assert found.count() == len(one.world.cases) == len(other.world.cases)


@pytest.mark.parametrize(
    "value", ["'; DROP TABLE annotations_case; --", "%", "_", "\\", "' OR 1=1", "x'\"\\%s"]
)
def test_what_looks_like_sql_is_a_plain_value(worlds: list[Stored], value: str) -> None:
    for op in ("is", "contains", "starts_with"):
        expression = parse({"field": "series.description", "op": op, "value": value})
        assert worlds[0].found(expression) == matching(worlds[0].world, expression)
    with pytest.raises(CohortError):
        worlds[0].found(parse({"field": "mark.label", "op": "is", "value": value}))
    assert Case.objects.exists()


@pytest.mark.parametrize(
    ("text", "place", "close"),
    [
        ("mark(label is tumor)", "character 15", "tumour"),
        ("series.modality is CTT", "character 20", "CT"),
        ("not study.dataset is mr2", "character 22", "mr-2"),
    ],
)
def test_a_value_that_the_project_does_not_know_is_an_error(
    worlds: list[Stored], text: str, place: str, close: str
) -> None:
    with pytest.raises(CohortError) as raised:
        worlds[0].found(parse_text(text))
    assert (raised.value.place, raised.value.known[0]) == (place, close)


def test_the_number_of_queries_does_not_grow_with_the_project(worlds: list[Stored]) -> None:
    expression = parse_text("mark(label is tumour and longest_mm >= 5) at least 2 or series.modality is CT")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert worlds[0].found(expression)
    asked = [one["sql"] for one in queries if one["sql"].startswith("SELECT")]
    assert len(asked) == 3  # labels, modalities, cases
