"""A small project as plain Python: people, cases, and what readers said of them."""

from dataclasses import dataclass, field
from typing import Any

from annotations.models import Read, Submission


@dataclass
class Handed:
    round: int
    marks: list[dict[str, Any]]
    labels: list[dict[str, Any]]
    row: Submission | None = None


@dataclass
class AnyRead:
    reader: int
    """Which of the world's people."""
    kind: str
    state: str
    round: int
    handed: list[Handed]
    row: Read | None = None

    @property
    def last(self) -> Handed | None:
        return self.handed[-1] if self.handed and self.state != "set_aside" else None


@dataclass
class AnyCase:
    number: int
    subject: dict[str, Any]
    purpose: str
    waits: bool
    recalled: bool
    studies: list[dict[str, Any]]
    """In order, each with `series`."""
    reads: list[AnyRead]
    reference: tuple[str, Handed] | None
    comparisons: list[dict[str, Any]]
    releases: list[tuple[int, bool]]
    """(number, whether the case was withdrawn)."""


@dataclass
class World:
    people: int
    """The first asks, and reads some cases themselves."""
    cases: list[AnyCase]
    names: dict[int, str] = field(default_factory=dict)
    """Of people, as releases name them."""
