"""How many subjects, studies, series and images an expression finds: disclosed, of published versions."""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import Organisation
from annotations.cohort.language.expression import Expression
from network.models import Listing


@dataclass(frozen=True, slots=True)
class Counts:
    """None: fewer subjects than may be told, or none."""

    subjects: int | None
    studies: int | None
    series: int | None
    images: int | None

    def as_json(self) -> dict[str, int | None]:
        return {
            "subjects": self.subjects,
            "studies": self.studies,
            "series": self.series,
            "images": self.images,
        }


NOTHING = Counts(None, None, None, None)


@dataclass(frozen=True, slots=True)
class Answered:
    """What one dataset says. `version`: which of its versions was counted."""

    listing: Listing
    version: str
    counts: Counts


def count(listing: Listing, expression: Expression) -> Counts:
    """Of one own listing, whether it answers questions or not. Raises CohortError (`require_shared`)."""
    raise NotImplementedError


def answer(
    expression: Expression, *, decided: bool = False, organisations: Iterable[Organisation] | None = None
) -> list[Answered]:
    """Of the own listings that answer by themselves; `decided`: a person has said yes, so those that ask a
    person answer as well (only those of `organisations`, where they are named). By slug.

    Raises CohortError where it can't be asked across nodes.
    """
    raise NotImplementedError
