"""Objects of the archive that apps above give out as they are, such as the pack of a released series. They
say so here, and are never imported.

A pinned object outlives the generation it was made for. Where bytes must go for somebody's protection, apps
above let go first.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from atlas.models import Series


def nothing_more() -> None:
    """Nothing is left to do after the commit."""


@dataclass(frozen=True, slots=True)
class LetGo:
    """What an app has given up: its objects, whose bytes must go too, and what is to be done after that."""

    objects: Iterable[str] = ()
    afterwards: Callable[[], None] = nothing_more


@dataclass(frozen=True, slots=True)
class Pinner:
    """`among` says which of some objects are pinned. `let_go` gives up everything that was made of the pixels
    of a series, within the caller's transaction."""

    among: Callable[[Collection[str]], set[str]]
    let_go: Callable[[Series], LetGo]


_pinners: dict[str, Pinner] = {}


def register_pinner(name: str, pinner: Pinner) -> None:
    """Naming one twice replaces it."""
    _pinners[name] = pinner


def pinned_among(keys: Collection[str]) -> set[str]:
    """Those of the objects that somebody still gives out."""
    return {key for pinner in _pinners.values() for key in pinner.among(keys)} if keys else set()


def let_go(series: Series) -> list[LetGo]:
    """Have every app above give up what it made of the pixels of a series."""
    return [pinner.let_go(series) for pinner in _pinners.values()]
