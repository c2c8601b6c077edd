"""The comparisons of a project as plain rows, without cases that must stay closed to who asks."""

import datetime
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from annotations.models import Case, Comparison, Read, ReferenceStandard
from atlas.models import Project

_SIDE = ("id", "read_id", "round", "at", "read__reader_id", "read__kind", "read__state")
_FIELDS = (
    "case_id",
    "case__number",
    "case__subject_id",
    "case__purpose",
    "case__reference__submission_id",
    "case__reference__how",
    "case__needs_adjudication",
    "label",
    "dice",
    "surface_dice",
    "hd95_mm",
    "first_volume_mm3",
    "second_volume_mm3",
    "matched",
    "unmatched",
    "both_empty",
    "numbers",
)


KNOWN = {"present": True, "absent": False}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that were compared."""

    submission: int
    read: int
    round: int
    at: datetime.datetime
    reader: int
    kind: str
    state: str
    volume_mm3: float | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Two submissions of one case, for one label ("" for the answers). Keys are primary keys.

    `reference`: which of them, 0 or 1, is the case's reference standard, if that was found apart from the
    reads that are compared with it.
    """

    case: int
    number: int
    subject: int
    purpose: str
    label: str
    dice: float | None
    surface_dice: float | None
    hd95_mm: float | None
    matched: int
    unmatched: int
    both_empty: bool
    sides: tuple[Side, Side]
    reference: int | None
    is_adjudicated: bool
    needs_adjudication: bool
    numbers: dict[str, Any]

    @property
    def at(self) -> datetime.datetime:
        return max(side.at for side in self.sides)

    @property
    def is_between_readers(self) -> bool:
        """Two blind reads of a case that is no training: there, the truth is shown in between."""
        return self.purpose != Case.Purpose.TRAINING and all(
            side.kind == Read.Kind.READ for side in self.sides
        )

    @property
    def reader_side(self) -> Side:
        """The reader's, of a comparison with the reference."""
        return self.sides[1 - (self.reference or 0)]

    @property
    def lesions(self) -> list[dict[str, Any]]:
        return self.numbers.get("lesions", [])

    @property
    def answers(self) -> list[dict[str, Any]]:
        return self.numbers.get("answers", [])

    @property
    def not_compared(self) -> bool:
        """A reader didn't assess it, or nothing of the two lies in one place."""
        return bool(self.numbers.get("not_compared"))

    @property
    def marked(self) -> tuple[bool | None, bool | None]:
        """Whether each of them has this label in the case; None where they didn't look, or can't say."""
        told = self.numbers.get("presence")
        if told:
            return KNOWN.get(told[0]), KNOWN.get(told[1])
        has = [bool(self.matched or side.volume_mm3) for side in self.sides]
        return has[0], has[1]


def comparisons_of(
    project: Project, closed: Collection[int] = (), of_case: Case | None = None
) -> list[Compared]:
    """All that counts: reads that are not set aside, each with its latest submission that was compared."""
    rows = list(_rows(project, closed, of_case))
    latest: dict[int, int] = {}
    for row in rows:
        for side in row.sides:
            latest[side.read] = max(latest.get(side.read, 0), side.round)
    return [row for row in rows if all(side.round == latest[side.read] for side in row.sides)]


def _rows(project: Project, closed: Collection[int], of_case: Case | None) -> Iterator[Compared]:
    found = Comparison.objects.filter(case__project=project)
    if of_case is not None:
        found = found.filter(case=of_case)
    if closed:
        found = found.exclude(case__in=closed)
    sides = [f"{which}__{name}" for which in ("first", "second") for name in _SIDE]
    values = found.order_by("case__number", "label", "pk").values_list(*_FIELDS, *sides)
    for row in values.iterator(chunk_size=5000):
        one = dict(zip(_FIELDS, row, strict=False))
        rest: tuple[Any, ...] = row[len(_FIELDS) :]
        first = Side(*(*rest[: len(_SIDE)], one["first_volume_mm3"]))
        second = Side(*(*rest[len(_SIDE) :], one["second_volume_mm3"]))
        if Read.State.SET_ASIDE in (first.state, second.state):
            continue
        reference = _reference(one, first, second)
        if reference is None and Read.Kind.ADJUDICATION in (first.kind, second.kind):
            continue  # an adjudication that is no longer the result
        yield Compared(
            case=one["case_id"],
            number=one["case__number"],
            subject=one["case__subject_id"],
            purpose=one["case__purpose"],
            label=one["label"],
            dice=one["dice"],
            surface_dice=one["surface_dice"],
            hd95_mm=one["hd95_mm"],
            matched=one["matched"],
            unmatched=one["unmatched"],
            both_empty=one["both_empty"],
            sides=(first, second),
            reference=reference,
            is_adjudicated=one["case__reference__how"] == ReferenceStandard.How.ADJUDICATED,
            needs_adjudication=one["case__needs_adjudication"],
            numbers=one["numbers"] or {},
        )


def _reference(one: dict[str, Any], first: Side, second: Side) -> int | None:
    """A read that two readers agreed on is no reference for either: it is one of the two."""
    stands_apart = (
        one["case__reference__how"] == ReferenceStandard.How.ADJUDICATED
        or one["case__purpose"] != Case.Purpose.ORDINARY
    )
    submission = one["case__reference__submission_id"]
    if submission is None or not stands_apart:
        return None
    return {first.submission: 0, second.submission: 1}.get(submission)
