"""What was chosen in the catalogue, as a question to the nodes: the cohort language knows most facets."""

import json
from collections.abc import Callable

from annotations.cohort.language.errors import CohortError
from annotations.cohort.language.shared import require_shared
from annotations.cohort.language.text import read, written
from annotations.cohort.language.url import as_params
from network.catalogue.query import Query


def _one_of(field: str, values: tuple[str, ...]) -> str:
    return f"{field} in ({', '.join(json.dumps(value) for value in values)})"


def _either(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"


def _age(decade: str) -> str:
    first = int(decade.rstrip("+").split("-")[0])
    if decade.endswith("+"):
        return f"subject.age >= {first}"
    return f"(subject.age >= {first} and subject.age < {first + 10})"


def _time_points(number: str) -> str:
    return f"case.time_points >= {number[:-1]}" if number.endswith("+") else f"case.time_points is {number}"


ASKED: dict[str, Callable[[tuple[str, ...]], str]] = {
    "sex": lambda values: _one_of("subject.sex", values),
    "age": lambda values: _either([_age(value) for value in values]),
    "time_points": lambda values: _either([_time_points(value) for value in values]),
    "condition": lambda values: f"clinical({_one_of('condition', values)})",
    "modality": lambda values: _one_of("series.modality", values),
    "manufacturer": lambda values: _one_of("series.manufacturer", values),
    "body_part": lambda values: _one_of("series.body_part", values),
}
"""Facets that are facts of subjects; what is a dataset's alone is no question to a subject."""


def cohort_of(query: Query) -> dict[str, str]:
    """What the page of questions takes in its address; empty where nothing of it can be asked."""
    try:
        parts = [ASKED[facet](values) for facet, values in query.chosen.items() if facet in ASKED]
        if not parts:
            return {}
        expression = read(" and ".join(parts))
        require_shared(expression)
        written(expression)
    except (CohortError, ValueError):  # a value from an address that nobody's subject has
        return {}
    return as_params(expression)
