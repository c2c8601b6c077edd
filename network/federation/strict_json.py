"""JSON of another node, bounded: what comes out of here can be kept in the database and walked safely."""

import json
import math
from typing import Any, NoReturn

DEPTH_MAX = 40


class Malformed(ValueError):
    """This isn't JSON that is accepted here. The text is a sentence."""


def parse(raw: bytes, *, depth_max: int = DEPTH_MAX) -> dict[str, Any]:
    """The object that `raw` holds. Raises Malformed: for anything but an object in UTF-8, for nesting beyond
    `depth_max`, for numbers that aren't finite, and for text that PostgreSQL can't keep."""
    try:
        value = json.loads(raw.decode(), parse_constant=_no_constant)
    except RecursionError as error:
        raise Malformed("The JSON is nested too deeply.") from error
    except ValueError as error:
        raise Malformed("The body isn't JSON in UTF-8.") from error
    if not isinstance(value, dict):
        raise Malformed("The body has to be a JSON object.")
    _check(value, depth_max)
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check(value: Any, depth_max: int) -> None:
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        here, depth = waiting.pop()
        if isinstance(here, str):
            _check_text(here)
        elif isinstance(here, float):
            if not math.isfinite(here):
                raise Malformed("The JSON holds a number that isn't finite.")
        elif isinstance(here, dict | list):
            if depth > depth_max:
                raise Malformed(f"The JSON is nested too deeply: at most {depth_max} levels.")
            if isinstance(here, dict):
                for name in here:
                    _check_text(name)
                waiting += [(each, depth + 1) for each in here.values()]
            else:
                waiting += [(each, depth + 1) for each in here]


def _check_text(text: str) -> None:
    if "\0" in text:
        raise Malformed("The JSON holds text with a NUL character.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Malformed("The JSON holds half of a surrogate pair.") from error
