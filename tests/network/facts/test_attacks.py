"""Who knows somebody and may ask anything tries to learn what else is true of them.

The attacker knows that one subject is in the dataset and something that nobody else has: their age, sex and
scanner together. They want to know whether the subject has a certain diagnosis. In half of the worlds it has,
and only that differs. Whoever guesses is right in half of them; so must the attacker be.
"""

import random
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest

from annotations.cohort.language import parse_text
from annotations.cohort.language.shared import require_shared
from network.disclosure import Policy
from network.facts.columns import Facts
from network.facts.evaluating import cells, matching
from network.figures import totals
from tests.network.facts.world import Person, in_columns

POLICY = Policy(10)
WORLDS = 24
HAS = "clinical(condition is SCT:1)"
ALONE = "subject.age >= 85 and subject.sex is F and series.manufacturer is Bolt"
"""Of the subject, and of nobody else."""
MASKS = [
    "case.time_points >= 2",
    "series.modality is CT",
    "series.body_part is CHEST",
    "subject.sex is M",
    "subject.age < 60",
    "clinical(status is stable)",
]

type Answer = tuple[int | None, ...]
type Asking = Callable[[str], Answer]


@cache
def world(number: int, has_it: bool) -> Facts:
    """160 subjects. Two worlds of a number differ in what the first one has."""
    chance = random.Random(number)
    found = [_person(chance) for _ in range(160)]
    for at, one in enumerate(found):
        one.public_id = f"{number}-{at}"
        if one.age is not None and one.age >= 85 and one.sex == "F":
            for study in one.studies:
                for series in study["series"]:
                    series["manufacturer"] = "Acme"
    target = found[0]
    target.age, target.sex = 87, "F"
    target.studies[0]["series"][0]["manufacturer"] = "Bolt"
    target.clinical = [{"kind": "condition", "condition": "SCT:1" if has_it else "SCT:2"}]
    return in_columns(found, seed=number)


def _person(chance: random.Random) -> Person:
    def series() -> dict[str, object]:
        return {
            "modality": chance.choice(["CT", "MR"]),
            "body_part": chance.choice(["CHEST", "ABDOMEN"]),
            "manufacturer": chance.choice(["Acme", "Acme", "Bolt"]),
            "images": chance.randint(20, 400),
            "plane": None,
            "phases": None,
            "finding": [],
        }

    studies = [
        {"position": at + 1, "days_since_first": 0, "series": [series() for _ in range(chance.randint(1, 3))]}
        for at in range(chance.randint(1, 3))
    ]
    clinical = [{"kind": "condition", "condition": chance.choice(["SCT:1", "SCT:2"])}]
    if chance.random() < 0.5:
        clinical.append({"kind": "status", "status": "stable"})
    return Person(chance.choice("FM"), chance.randint(30, 89), studies, clinical, [], [])


def asking(facts: Facts) -> Asking:
    def ask(text: str) -> Answer:
        expression = parse_text(text)
        require_shared(expression)
        told = totals(cells(facts, expression, POLICY)[0], POLICY)
        return tuple(told.values())

    return ask


def test_without_protection_two_questions_would_tell() -> None:
    """So the tests below are of something."""
    facts, other = world(0, True), world(0, False)
    assert np.flatnonzero(matching(facts, parse_text(ALONE))).tolist() == [0]
    apart = parse_text(f"{HAS} and not ({ALONE})")
    counts = [
        [int(matching(each, asked).sum()) for asked in (parse_text(HAS), apart)] for each in (facts, other)
    ]
    assert [first - second for first, second in counts] == [1, 0]


def subtractions() -> Iterator[tuple[str, str]]:
    """Pairs of questions, the second without the subject whatever else is asked."""
    apart = f"not ({ALONE})"
    yield HAS, f"{HAS} and {apart}"
    yield f"{HAS} or {ALONE}", HAS
    yield HAS, f"{HAS} and (subject.age < 85 or subject.sex is M or not series.manufacturer is Bolt)"
    for mask in MASKS:
        yield f"{HAS} and ({mask} or {ALONE})", f"{HAS} and {mask} and {apart}"
        yield f"{HAS} or {mask}", f"({HAS} and {apart}) or {mask}"
        yield (
            f"{HAS} and ({mask} or subject.age >= 80)",
            f"{HAS} and ({mask} or subject.age >= 80) and {apart}",
        )


@pytest.mark.parametrize("pair", list(subtractions()), ids=lambda pair: pair[1])
def test_two_questions_that_differ_by_one_subject_get_the_same_answer(pair: tuple[str, str]) -> None:
    """Whether the subject has it or not: nothing is left to subtract."""
    for number in range(3):
        for has_it in (True, False):
            ask = asking(world(number, has_it))
            first, second = ask(pair[0]), ask(pair[1])
            assert first == second, (number, has_it)


SPREAD = (
    f"({HAS} and subject.age < 85) or ({HAS} and subject.age >= 85 and subject.sex is M) or "
    f"({HAS} and subject.age >= 85 and subject.sex is F and not series.manufacturer is Bolt)"
)
"""Everyone who has it but the subject, put together of parts none of which is about the subject alone."""


def test_who_is_left_out_part_by_part_is_not_found_either() -> None:
    """The parts come to the same as asking for all of them; or the whole age group is left out, and the
    subject with it. Which of the two happens has next to nothing to do with what the subject has."""
    apart = {True: 0, False: 0}
    for number in range(WORLDS):
        for has_it in (True, False):
            ask = asking(world(number, has_it))
            apart[has_it] += ask(SPREAD) != ask(HAS)
    assert abs(apart[True] - apart[False]) <= WORLDS // 10


def test_many_subtractions_together_are_no_better_than_chance() -> None:
    """The mean of all differences, with the best threshold that the attacker could know."""
    differences: dict[bool, list[float]] = {True: [], False: []}
    for number in range(WORLDS):
        for has_it in (True, False):
            ask = asking(world(number, has_it))
            found = []
            for first, second in (*subtractions(), (HAS, SPREAD)):
                one, other = ask(first)[0], ask(second)[0]
                found.append(0.0 if one is None or other is None else float(one - other))
            differences[has_it].append(float(np.mean(found)))
    assert _best_share(differences[True], differences[False]) < 0.68


def test_all_numbers_at_once_tell_nothing_either() -> None:
    """Studies, series and images have noise of their own; whether anything differs is what tells."""
    right = 0
    for number in range(WORLDS):
        has_it = random.Random(-number).random() < 0.5
        ask = asking(world(number, has_it))
        says = any(ask(first) != ask(second) for first, second in list(subtractions())[:6])
        right += says == has_it
    assert abs(right / WORLDS - 0.5) < 0.2


def _best_share(with_it: list[float], without: list[float]) -> float:
    """How often the best threshold between two lists is right."""
    every = sorted({*with_it, *without})
    found = [
        (sum(one > limit for one in with_it) + sum(one <= limit for one in without))
        / (len(with_it) + len(without))
        for limit in every
    ]
    return max(*found, *(1 - share for share in found))


@pytest.mark.parametrize(
    "text",
    [
        "subject.age >= 90 and subject.sex is F",
        "series(manufacturer is Bolt and modality is US) and subject.age >= 40",
        f"({ALONE}) and {HAS}",
    ],
)
def test_nobody_is_made_up_where_nobody_is(text: str) -> None:
    """Leaving out parts one after the other must not end in a number for a question that finds nobody."""
    for number in range(4):
        assert asking(world(number, True))(text) == (None,) * 4


def test_an_answer_is_near_what_was_asked() -> None:
    for number in range(4):
        facts = world(number, True)
        for text in (HAS, *MASKS, f"{HAS} and subject.sex is M", "not series.modality is CT"):
            exact = int(matching(facts, parse_text(text)).sum())
            told = asking(facts)(text)[0]
            assert told is None or abs(told - exact) <= 9 + 12 * (1 + text.count(" and "))
            assert (told is None) is (exact < 10) or 10 <= exact <= 12
