"""What the objects in storage are for. Apps above name theirs, so that `verify_archive` neither takes them
for orphans nor passes them by."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Holding:
    """An object that some row names: what its bytes must be, and what it is, in a few words."""

    key: str
    size: int
    sha256: str
    what: str


type Holder = Callable[[], Iterator[Holding]]

_holders: dict[str, Holder] = {}


def register_holder(name: str, holder: Holder) -> None:
    """Say what an app keeps in storage. Naming one twice replaces it."""
    _holders[name] = holder


def holdings() -> Iterator[Holding]:
    """Everything that apps above keep in storage."""
    for holder in _holders.values():
        yield from holder()
