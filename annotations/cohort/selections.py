"""Which files of a release somebody wants: of some formats, parts or cases, or all of them.

What is about all cases (labels, splits, the manifest and the like) belongs to every choice, so that what is
fetched explains itself.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from annotations.models import Release, ReleaseCase, ReleaseFile

NOT_PARTED = "none"
PARTS = {**{part.value: part.value for part in ReleaseCase.Part if part.value}, NOT_PARTED: ""}
"""By the word that addresses and the client use."""
CASES_MAX = 1000

_NAMES = {"format": "formats", "part": "parts", "case": "cases"}
_NUMBER = re.compile(r"0*([0-9]{1,9})")


@dataclass(frozen=True)
class Selection:
    """Formats by key, parts as `ReleaseCase.part`, cases by number; empty: all."""

    formats: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    cases: frozenset[int] = frozenset()

    def of(self, files: QuerySet[ReleaseFile]) -> QuerySet[ReleaseFile]:
        """Those of a release's files that are chosen."""
        if self.formats:
            files = files.filter(format__in=[*self.formats, ""])
        about_all = Q(release_case=None)
        if self.parts:
            files = files.filter(about_all | Q(release_case__part__in=self.parts))
        if self.cases:
            files = files.filter(about_all | Q(release_case__number__in=self.cases))
        return files


def selection_from(
    params: Iterable[tuple[str, list[str]]], release: Release, others: Collection[str] = ()
) -> Selection:
    """From the parameters of an address: `formats=nifti,tables&parts=train`; each may come several times, be
    called by its singular, and hold several words. `others` are parameters that somebody else reads.

    Raises ValidationError, by parameter, for what the release doesn't have and for what nobody knows.
    """
    wanted: dict[str, list[str]] = {"formats": [], "parts": [], "cases": []}
    problems: dict[str, str] = {}
    for name, values in params:
        plural = _NAMES.get(name, name)
        if plural in wanted:
            words = [word.strip() for value in values for word in value.split(",")]
            if not all(words):
                problems[name] = "A word is missing: write them with a comma between, and none at the end."
            wanted[plural] += words
        elif name not in others:
            known = ", ".join([*wanted, *others])
            problems[name] = f"This address doesn't know that. It knows {known}."
    for format_ in wanted["formats"]:
        if format_ and format_ not in release.formats:
            problems["formats"] = (
                f"The release has no format {format_[:40]!r}. It has {', '.join(release.formats)}."
            )
    for part in wanted["parts"]:
        if part and part not in PARTS:
            problems["parts"] = f"There is no part {part[:40]!r}. Parts are {', '.join(PARTS)}."
    numbers = [_NUMBER.fullmatch(word) for word in wanted["cases"] if word]
    if len(numbers) > CASES_MAX:
        problems["cases"] = f"Name at most {CASES_MAX} cases at once."
    elif not all(numbers):
        problems["cases"] = "Cases are named by their number."
    if problems:
        raise ValidationError(problems)
    return Selection(
        frozenset(wanted["formats"]),
        frozenset(PARTS[part] for part in wanted["parts"]),
        frozenset(int(number[1]) for number in numbers if number),
    )
