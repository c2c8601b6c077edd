"""A cohort in an address: ?cohort=… holds its text form, or its JSON."""

import json
from collections.abc import Sequence
from typing import Protocol

from annotations.cohort.language.errors import CohortError
from annotations.cohort.language.expression import TEXT_LENGTH_MAX, Expression
from annotations.cohort.language.parse import parse
from annotations.cohort.language.text import read, written

NAME = "cohort"


class Params(Protocol):
    """A QueryDict, or what answers like one."""

    def getlist(self, key: str, /) -> Sequence[object]: ...


def as_params(expression: Expression) -> dict[str, str]:
    return {NAME: written(expression)}


def from_params(params: Params) -> Expression | None:
    """None where the address names no cohort. Raises CohortError for one that isn't understood, also for an
    empty one."""
    given = params.getlist(NAME)
    if not given:
        return None
    if len(given) > 1:
        raise CohortError(f"The address names {len(given)} cohorts, where it may name one.", place=NAME)
    return from_text(str(given[0]))


def from_text(text: str) -> Expression:
    """The text form, or JSON as text. Raises CohortError."""
    if not text.lstrip().startswith("{"):
        return read(text)
    if len(text) > TEXT_LENGTH_MAX:
        raise CohortError(f"It is longer than {TEXT_LENGTH_MAX} characters.")
    try:
        parsed = json.loads(text)
    except RecursionError:
        raise CohortError("It is nested too deep.") from None
    except ValueError as error:
        raise CohortError(f"This is no JSON: {error}") from None
    return parse(parsed)
