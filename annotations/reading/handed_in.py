"""What one reader handed in for a case, as it is compared: marks label by label, and what was said."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

from annotations.measures.agreement.lesions import Lesion
from annotations.models import Submission
from annotations.reading.journal import State, state_at
from annotations.reading.journal.answers import STATE
from annotations.reading.journal.values import STATES
from annotations.reading.lesions import lesions_of

CHOSEN = ("choice", "code")
"""Types of questions whose answer is one of a list."""
LEVEL_OF = {"choice": "nominal", "code": "nominal", "number": "interval"}


class HandedIn:
    """A submission with its marks as they stood; runs are kept as they are stored, voxels made when asked."""

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.schema = submission.read.schema

    @cached_property
    def state(self) -> State:
        return state_at(self.submission.read, self.submission.edit_number)

    @cached_property
    def said(self) -> dict[tuple[str, str, str], Any]:
        """By (of, id, answer)."""
        return {
            (one.value["of"], one.value["id"], one.value["answer"]): one.value.get("value")
            for one in self.state.answers
        }

    @cached_property
    def labels(self) -> list[str]:
        return [label["key"] for label in self.schema.labels]

    def lesions(self, label: str) -> list[Lesion]:
        return lesions_of(self.submission, labels=[label], state=self.state).get(label, [])

    def presence(self, label: str) -> str | None:
        """Whether the case shows the label: as its marks say, else as was answered, else None."""
        states = {mark.value["state"] for mark in self.state.annotations if mark.value["label"] == label}
        stated: str | None = self.said.get(("label", label, STATE))
        marked: str | None = next((state for state in STATES if state in states), None)
        return stated if marked is None else marked

    def looked_for(self, label: str) -> bool:
        """False where it was said that the label wasn't assessed: no mark means nothing then."""
        return self.presence(label) != "not_assessed"


def shared_questions(first: HandedIn, second: HandedIn) -> list[Mapping[str, Any]]:
    """The questions that both were asked and whose answers can be compared, as the newer version has them."""
    newer, older = sorted((first.schema, second.schema), key=lambda schema: -schema.version)
    asked = {one["key"]: one["type"] for one in older.questions}
    return [
        one for one in newer.questions if one["type"] in LEVEL_OF and asked.get(one["key"]) == one["type"]
    ]


def compared_answer(question: Mapping[str, Any], about: str, first: Any, second: Any) -> dict[str, Any]:
    """One question with what two readers said; None for what a reader left out."""
    return {
        "question": question["key"],
        "name": question["text"],
        "about": about,
        "level": level_of(question),
        "choices": [option["key"] for option in question["options"]],
        "first": first,
        "second": second,
    }


def level_of(question: Mapping[str, Any]) -> str:
    """Nominal, ordinal or interval. A list is in order where its options count: PI-RADS 1, PI-RADS 2, …"""
    level = LEVEL_OF[question["type"]]
    if question["type"] in CHOSEN and _count_up([option["name"] for option in question["options"]]):
        return "ordinal"
    return level


def _count_up(names: Sequence[str]) -> bool:
    numbers = [re.findall(r"\d+", name) for name in names]
    if len(names) < 3 or not all(numbers):
        return False
    counted = [int(found[0]) for found in numbers]
    return all(one < other for one, other in pairwise(counted))
