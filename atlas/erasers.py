"""Who else keeps something of a subject: apps above register how they erase it, and are never imported."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from atlas.models import Subject


def nothing_more() -> None:
    """Nothing is left to do after the commit."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What went: rows by what they are (for people), objects whose bytes must go once the rows are gone, what
    is then to be done at once, and what people should know."""

    counts: Mapping[str, int] = field(default_factory=dict)
    objects: Iterable[str] = ()
    afterwards: Callable[[], None] = nothing_more
    notes: Iterable[str] = ()


type Eraser = Callable[[Subject], Erased]
"""Deletes an app's rows about a subject, within the caller's transaction."""

_erasers: dict[str, Eraser] = {}


def register_eraser(name: str, eraser: Eraser) -> None:
    """Naming one twice replaces it."""
    _erasers[name] = eraser


def erase_above(subject: Subject) -> list[Erased]:
    """Have every app above erase what it keeps of a subject."""
    return [eraser(subject) for eraser in _erasers.values()]
