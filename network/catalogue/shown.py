"""What the page of a dataset says of its last version. Figures of other nodes are read as what they are: text
and numbers from somewhere else, of which only what has the right shape is shown."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from annotations.cohort.language.fields import FINDINGS
from network.catalogue.holdings import LABELS
from network.catalogue.menus import ORDERS
from network.catalogue.query import Query
from network.catalogue.wording import value_words
from network.dcat.terms import GROUPS
from network.facets import FACETS
from network.models import Listing, ListingFacet

LABELLED = {
    "two_readers": _("Masks by 2 or more readers"),
    "one_reader": _("Masks by 1 reader"),
    "measurements": _("Measurements only"),
    "none": _("None yet"),
}
AGREEMENT = {
    "dice": "Dice",
    "surface_dice": _("Surface Dice"),
    "hd95_mm": _("HD95, mm"),
    "kappa": _("Cohen's kappa"),
    "alpha": _("Krippendorff's alpha"),
    "icc": "ICC(2,1)",
}
SHOWN_TERMS = (
    "population", "provenance", "collection_methods", "tier", "health_categories", "legal_basis", "purpose",
    "conditions", "documentation", "contact_page",
)  # fmt: skip
VALUES_MAX = 12
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True)
class Line:
    """`number`: None where it may not be told. `address`: "" or what it leads to."""

    words: str
    number: int | None
    address: str = ""


@dataclass(frozen=True)
class Block:
    """A list of numbers with its longest."""

    key: str
    title: str
    lines: list[Line]
    more: int = 0

    @property
    def longest(self) -> int:
        return max((line.number or 0 for line in self.lines), default=0)


@dataclass(frozen=True)
class Agreed:
    words: str
    median: float
    n: int | None


def blocks_of(listing: Listing, facets: Iterable[ListingFacet]) -> list[Block]:
    """The facets that differ between its subjects."""
    by_key: dict[str, list[ListingFacet]] = {}
    for row in facets:
        by_key.setdefault(row.facet, []).append(row)
    blocks = []
    for key, facet in FACETS.items():
        rows = by_key.get(key, [])
        if facet.of == "dataset" or not rows:
            continue
        order = {value: place for place, value in enumerate(ORDERS.get(key, ()))}
        rows.sort(key=lambda row: (order.get(row.value, 99), -(row.subjects or 0), row.value))
        here = reverse("catalogue")
        lines = [
            Line(value_words(key, row.value), row.subjects, f"{here}{_query(key, row.value)}")
            for row in rows[:VALUES_MAX]
        ]
        blocks.append(Block(key, gettext(facet.words), lines, max(0, len(rows) - VALUES_MAX)))
    return blocks


def _query(facet: str, value: str) -> str:
    return Query(chosen={facet: (value,)}).address()


def labels_of(figures: Mapping[str, Any]) -> Block:
    found = _mapping(figures, "labels")
    lines = [Line(gettext(LABELLED[key]), _count(found[key])) for key in LABELS if key in found]
    return Block("labels", gettext("Labels"), lines)


def quality_of(figures: Mapping[str, Any]) -> Block:
    found = _mapping(figures, "quality")
    lines = [
        Line(_capital(gettext(FINDINGS.get(code, code.replace("_", " ")))), _count(number))
        for code, number in sorted(found.items(), key=lambda one: -(_count(one[1]) or 0))
        if code
    ]
    return Block("quality", "", lines[:VALUES_MAX], max(0, len(lines) - VALUES_MAX))


def agreement_of(figures: Mapping[str, Any]) -> list[Agreed]:
    found = []
    for key, words in AGREEMENT.items():
        measured = _mapping(figures, "agreement").get(key)
        if not isinstance(measured, dict) or not isinstance(measured.get("median"), int | float):
            continue
        found.append(Agreed(gettext(words), float(measured["median"]), _count(measured.get("n"))))
    return found


def growth_of(figures: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Months, "2026-11", with the number that is told of each."""
    rows = figures.get("growth")
    if not isinstance(rows, list):
        return []
    return [
        (row[0], row[1])
        for row in rows
        if isinstance(row, list)
        and len(row) == 2
        and MONTH.fullmatch(str(row[0]))
        and _count(row[1]) is not None
    ]


def said_of(listing: Listing) -> list[tuple[str, list[str], str]]:
    """What a person said of it: (title, lines, an address they lead to or "")."""
    found = []
    fields = {field.key: field for group in GROUPS for field in group.fields}
    for key in SHOWN_TERMS:
        field, value = fields.get(key), listing.terms.get(key)
        if field is None or not value:
            continue
        choices = {choice.key: choice.title for choice in field.choices}
        values = value if isinstance(value, list) else [value]
        lines = [gettext(choices.get(str(one), str(one))) for one in values]
        is_address = field.kind == "address" and lines[0].startswith(("https://", "http://"))
        found.append((gettext(field.title), lines, lines[0] if is_address else ""))
    return found


def citation_of(listing: Listing) -> str:
    """What the organisation wants, else made of name, organisation, year and version."""
    if own := listing.terms.get("citation"):
        return str(own)
    year = listing.published_at.year if listing.published_at else ""
    address = settings.NODE_ADDRESS + reverse("catalogue-dataset", args=(listing.slug,))
    return (
        f"{listing.organisation} ({year}). {listing.title} (version {listing.version}) [Data set]. {address}"
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _mapping(figures: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = figures.get(name)
    return found if isinstance(found, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
