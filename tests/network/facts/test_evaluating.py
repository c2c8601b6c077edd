"""What the columns find is what the language means: every shared field, every operator, any nesting."""

import random
from typing import Any

import numpy as np
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from annotations.cohort.language import parse, parse_text, written
from annotations.cohort.language.fields import FIELDS
from annotations.cohort.language.shared import SHARED
from network.facts.building import build
from network.facts.columns import Facts, read, stacked
from network.facts.columns import written as as_file
from network.facts.evaluating import cells_of, matching
from tests.cast import person
from tests.network.facts.expressions import conditions, expressions
from tests.network.facts.world import Person, holds, in_columns, people, stored

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SIZES = (14, 1, 9)
WORLDS = [people(random.Random(seed), size) for seed, size in enumerate(SIZES)]
EVERYONE = [one for world in WORLDS for one in world]
STACK = stacked([in_columns(world, seed=at) for at, world in enumerate(WORLDS)])


def asked(facts: Facts, expression: Any) -> list[bool]:
    return [bool(one) for one in matching(facts, expression)]


def meant(expression: Any, everyone: list[Person]) -> list[bool]:
    return [holds(expression, one) for one in everyone]


@given(sent=expressions())
@settings(CALM, max_examples=400)
def test_columns_find_what_the_language_means(sent: dict[str, Any]) -> None:
    expression = parse(sent)
    assert asked(STACK, expression) == meant(expression, EVERYONE), written(expression)


@pytest.mark.parametrize("key", sorted(SHARED))
def test_each_shared_field_means_what_it_says(key: str) -> None:
    for op in FIELDS[key].operators:

        @given(sent=conditions(key=key, op=op))
        @settings(CALM, max_examples=4, database=None)
        def means(sent: dict[str, Any]) -> None:
            expression = parse(sent)
            assert asked(STACK, expression) == meant(expression, EVERYONE), written(expression)

        means()


def test_every_shared_field_is_of_somebody_in_these_worlds() -> None:
    """Or the tests above would compare nothing with nothing."""
    for key in SHARED:
        sent = {"field": key, "op": "known"}
        if "known" not in FIELDS[key].operators:
            continue
        assert any(meant(parse(sent), EVERYONE)), key


def test_a_group_of_many_conditions_is_counted_row_by_row() -> None:
    """More than fit one number of bits."""
    text = (
        "series(modality is CT and images >= 1 and images < 8 and phases >= 1 and phases < 5 and "
        "(body_part is CHEST or body_part unknown) and manufacturer known and plane known) "
        "at least 1"
    )
    expression = parse_text(text)
    assert asked(STACK, expression) == meant(expression, EVERYONE)
    assert any(asked(STACK, expression))


def test_a_file_of_facts_is_read_as_it_was_written() -> None:
    facts = in_columns(WORLDS[0])
    again = read(as_file(facts))
    for text in ("everything", "series.modality is CT", "mark(longest_mm >= 5) at least 2"):
        expression = parse_text(text)
        assert asked(again, expression) == asked(facts, expression)
    assert again.magnitudes["images"].tolist() == facts.magnitudes["images"].tolist()
    with pytest.raises(ValueError, match="publish the dataset anew"):
        read(b"something else")


def test_datasets_one_after_the_other_keep_what_is_theirs() -> None:
    parts = [in_columns(world, seed=at) for at, world in enumerate(WORLDS)]
    everyone = np.ones(len(EVERYONE), bool)
    alone = [cells_of(part, np.ones(len(part.keys), bool))[0] for part in parts]
    assert cells_of(STACK, everyone) == alone
    assert [cell.subjects for cell in alone] == list(SIZES)
    nobody = cells_of(STACK, ~everyone)
    assert [(cell.subjects, cell.key) for cell in nobody] == [(0, 0)] * len(SIZES)


# From the database -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def in_database(django_db_setup: None, django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock(), transaction.atomic():
        world = people(random.Random(7), 12)
        dataset = stored(world, "facts", person("facts-reader"), person("facts-other"))
        facts = build(dataset)
        without = build(dataset, leaving_out=[world[3].public_id])
        yield sorted(world, key=lambda one: one.public_id), facts, without
        transaction.set_rollback(True)


@given(sent=expressions())
@settings(CALM, max_examples=200)
def test_what_is_read_from_the_database_is_what_is_there(in_database: Any, sent: dict[str, Any]) -> None:
    world, facts, _ = in_database
    expression = parse(sent)
    assert asked(facts, expression) == meant(expression, world), written(expression)


def test_studies_series_and_images_are_those_with_images(in_database: Any) -> None:
    world, facts, _ = in_database
    series = [[each for study in one.studies for each in study["series"]] for one in world]
    assert facts.magnitudes["studies"].tolist() == [len(one.studies) for one in world]
    assert facts.magnitudes["series"].tolist() == [len(each) for each in series]
    assert facts.magnitudes["images"].tolist() == [sum(one["images"] for one in each) for each in series]


def test_who_is_left_out_leaves_everyone_else_as_they_were(in_database: Any) -> None:
    _, facts, without = in_database
    kept = [at for at, key in enumerate(facts.keys.tolist()) if key in set(without.keys.tolist())]
    assert len(kept) == len(facts.keys) - 1
    assert facts.digests[kept].tolist() == without.digests.tolist()
