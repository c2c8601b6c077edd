"""The list of own listings that the hub gets, and what a hub takes of another node's list: hostile until it
is found to be whole, bounded and plain."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django_countries import countries

from atlas.models import Dataset
from network.disclosure import NOISE_MOST
from network.facets import FACETS, VALUE_LENGTH_MAX
from network.figures import COUNTED
from network.listings import words
from network.listings.publishing import replace_facets
from network.models import AccessItem, Listing, ListingVersion, Node

LISTINGS_MAX = 5000
LISTING_BYTES_MAX = 200_000
DEPTH_MAX = 6
VALUES_MAX = 2000
"""Of one facet of one listing."""
VERSIONS_MAX = 200
"""Of one listing, told at once: the latest."""
VERSIONS_KEPT_MAX = 5000
"""Of one listing, kept in all: a version a day for more than ten years. Counts change only with enough new
subjects, so a node that makes more of them has a fault, or fills this one."""
MOST = {"subjects": 10**8, "studies": 10**9, "series": 2 * 10**9, "images": 10**12}
"""No node holds more: anything beyond is a mistake, and wouldn't fit its column."""
MEDIAN_MOST = {"dice": 1, "surface_dice": 1}
MM_MOST = 10_000
"""Of any other figure of agreement: a distance."""
DAYS_MOST = 40_000
MONTHS_MAX = 1200
FIRST_DAY = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
"""So far another node's clock may go wrong."""
AT_ONCE = 500
"""Rows of a statement."""
TEXT_LENGTH_MAX = 10_000

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
VERSION = re.compile(r"(?:0|[1-9]\d{0,5})(?:\.(?:0|[1-9]\d{0,5})){2}\Z")
MONTH = re.compile(r"(?:19|20)\d{2}-(?:0[1-9]|1[0-2])\Z")
NAME = re.compile(r"[a-z0-9_]{1,40}\Z")
SCRIPT = re.compile(r"\s*(?:javascript|vbscript|data|file)\s*:", re.IGNORECASE)


class ListingError(ValueError):
    """What is wrong with a list of listings, as a sentence for the node that sent it."""


def document() -> list[dict[str, Any]]:
    """The own listed listings, by slug: what `store_remote` reads at the hub."""
    listings = Listing.objects.filter(node=None, is_listed=True).exclude(version="").order_by("slug")
    versions: dict[int, list[dict[str, str]]] = {}
    for one in ListingVersion.objects.filter(listing__in=listings).order_by("-pk").defer("figures"):
        told = {"version": one.version, "published_at": one.published_at.isoformat(), "note": one.note}
        versions.setdefault(one.listing_id, []).append(told)
    return [
        {
            **{name: getattr(listing, name) for name in (*_TEXTS, *_CHOICES, "slug", "terms", "version")},
            "country": listing.country,
            "published_at": listing.published_at.isoformat() if listing.published_at else None,
            "figures": listing.figures,
            "versions": versions.get(listing.pk, [])[:VERSIONS_MAX],
        }
        for listing in listings.defer("words")
    ]


@transaction.atomic
def store_remote(node: Node, document: list[dict[str, Any]]) -> int:
    """Replace the listings of another node by what it sent; returns how many. Raises ListingError for a list
    that isn't whole and right: then nothing changes. Twice changes nothing."""
    if not isinstance(document, list) or len(document) > LISTINGS_MAX:
        raise ListingError(f"A catalogue is a list of at most {LISTINGS_MAX} listings.")
    read = [_Read(each, at).listing() for at, each in enumerate(document, start=1)]
    slugs = [listing["slug"] for listing, _ in read]
    if len(set(slugs)) < len(slugs):
        raise ListingError("Two of its listings have the same slug.")
    known = {one.slug: one for one in Listing.objects.filter(node=node).select_for_update()}
    kept: list[tuple[Listing, list[dict[str, Any]]]] = []
    made: list[Listing] = []
    changed: list[Listing] = []
    for values, versions in read:
        values |= {"slug": f"{node.slug}--{values['slug']}", "is_listed": True}
        listing = known.get(values["slug"])
        if listing is None:
            listing = Listing(node=node, **values)
            made.append(listing)
        elif any(getattr(listing, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(listing, name, value)
            changed.append(listing)
        kept.append((listing, versions))
    Listing.objects.bulk_create(made, batch_size=AT_ONCE)
    if changed:
        Listing.objects.bulk_update(changed, [name for name in read[0][0] if name != "slug"], AT_ONCE)
    _keep_versions(kept)
    gone = Listing.objects.filter(node=node).exclude(pk__in=[one.pk for one, _ in kept])
    asked_for = AccessItem.objects.filter(listing__in=gone.values("pk"))
    gone.filter(pk__in=list(asked_for.values_list("listing", flat=True))).update(is_listed=False)
    gone.filter(is_listed=True).delete()
    replace_facets([*made, *changed])
    words.write([one.pk for one in [*made, *changed]])
    return len(kept)


def _keep_versions(kept: list[tuple[Listing, list[dict[str, Any]]]]) -> None:
    """Versions that this node was told of stay, each with the figures it had when it was the last. Raises
    ListingError for other figures under a version that is known, as counts change only with a version, and
    for more versions than are kept."""
    of_these = ListingVersion.objects.filter(listing__in=[listing.pk for listing, _ in kept])
    told = dict(of_these.filter(version=F("listing__version")).values_list("listing", "figures"))
    there = set(of_these.values_list("listing", "version"))
    kept_of = Counter(listing for listing, _ in there)
    made: list[ListingVersion] = []
    for listing, versions in kept:
        if told.get(listing.pk) and told[listing.pk] != listing.figures:
            raise ListingError(
                f"{listing.slug} has other counts than before under the same version, {listing.version}."
            )
        for one in reversed(versions):
            if (listing.pk, one["version"]) in there:
                continue
            there.add((listing.pk, one["version"]))
            kept_of[listing.pk] += 1
            if kept_of[listing.pk] > VERSIONS_KEPT_MAX:
                raise ListingError(
                    f"{listing.slug} has had {VERSIONS_KEPT_MAX} versions, as many as are kept of one "
                    "dataset. Take it out of the catalogue, and publish it anew as another dataset."
                )
            figures = listing.figures if one["version"] == listing.version else {}
            made.append(ListingVersion(listing=listing, figures=figures, **one))
    ListingVersion.objects.bulk_create(made, batch_size=AT_ONCE)


# Reading what was sent ---------------------------------------------------------------------------

_TEXTS = {
    "title": 200, "description": TEXT_LENGTH_MAX, "licence": 80, "organisation": 200, "organisation_slug": 60,
}  # fmt: skip
_CHOICES = {
    "organ": set(Dataset.Organ.values),
    "access": set(Listing.Access.values),
    "answers": set(Listing.Answers.values),
}


class _Read:
    """One listing as it was sent. Raises ListingError with its number and the field."""

    def __init__(self, sent: object, number: int) -> None:
        self.place = number
        if not isinstance(sent, dict):
            raise ListingError(f"Listing {number} is no object.")
        self.sent: dict[str, Any] = sent
        _require_depth(sent, DEPTH_MAX, self)
        if len(json.dumps(sent)) > LISTING_BYTES_MAX:
            raise ListingError(f"Listing {number} is larger than {LISTING_BYTES_MAX} bytes.")

    def wrong(self, field: str, what: str) -> ListingError:
        return ListingError(f"Listing {self.place}: {field} {what}.")

    def listing(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        found: dict[str, Any] = {
            name: self.text(self.sent, name, most, lines=name == "description")
            for name, most in _TEXTS.items()
        }
        for name, known in _CHOICES.items():
            if self.sent.get(name) not in known:
                raise self.wrong(name, f"is none of {', '.join(sorted(known))}")
            found[name] = self.sent[name]
        for name in ("title", "organisation"):
            if not found[name].strip():
                raise self.wrong(name, "is empty")
        found["slug"] = self.matching(self.sent, "slug", SLUG, 60)
        self.matching(self.sent, "organisation_slug", SLUG, 60)
        found["version"] = self.matching(self.sent, "version", VERSION, 20)
        found["country"] = self.sent.get("country")
        if found["country"] not in dict(countries):
            raise self.wrong("country", "is no code of ISO 3166-1")
        found["published_at"] = self.moment(self.sent, "published_at")
        found["terms"] = self.terms()
        found["figures"] = figures = self.figures(self.inner(self.sent, "figures"))
        found |= {name: figures[name] for name in COUNTED}
        return found, self.versions()

    def text(self, of: Mapping[str, Any], name: str, most: int, *, lines: bool = False) -> str:
        value = of.get(name)
        if not isinstance(value, str):
            raise self.wrong(name, "is no text")
        if len(value) > most:
            raise self.wrong(name, f"is longer than {most} characters")
        plain = value.replace("\n", " ").replace("\r", " ").replace("\t", " ") if lines else value
        if not plain.isprintable():
            raise self.wrong(name, "holds characters that can't be shown")
        return value

    def matching(self, of: Mapping[str, Any], name: str, pattern: re.Pattern[str], most: int) -> str:
        value = self.text(of, name, most)
        if not pattern.match(value):
            raise self.wrong(name, "is not well formed")
        return value

    def moment(self, of: Mapping[str, Any], name: str) -> datetime:
        try:
            found = parse_datetime(self.text(of, name, 40))
        except ValueError:
            found = None
        if found is None or timezone.is_naive(found):
            raise self.wrong(name, "is no date and time with its zone")
        if not FIRST_DAY <= found <= timezone.now() + AHEAD:
            raise self.wrong(name, "lies in the future, or long before any node")
        return found

    def inner(self, of: Mapping[str, Any], name: str) -> dict[str, Any]:
        value = of.get(name)
        if not isinstance(value, dict):
            raise self.wrong(name, "is no object")
        return value

    def count(self, of: Mapping[str, Any], name: str, most: int | None) -> int | None:
        """`most`: of the whole; None where that itself isn't told, so nothing may be."""
        value = of.get(name)
        if value is None:
            return None
        if type(value) is not int or value < 0:
            raise self.wrong(name, "is no count")
        if most is None or value > most:
            raise self.wrong(name, "counts more than there are")
        return value

    def number(self, of: Mapping[str, Any], name: str, most: float) -> float | None:
        value = of.get(name)
        if value is None:
            return None
        if type(value) not in (int, float) or not 0 <= value <= most:  # nor is NaN
            raise self.wrong(name, f"is no number from 0 to {most}")
        return float(value)

    def terms(self) -> dict[str, Any]:
        """Texts and lists of texts, by name; network.dcat knows which it shows, and how."""
        found = self.inner(self.sent, "terms")
        if len(found) > 100:
            raise self.wrong("terms", "has more than 100 fields")
        for name, value in found.items():
            if not NAME.match(name):
                raise self.wrong("terms", "has a field whose name is not well formed")
            every = value if isinstance(value, list) else [value]
            if len(every) > 100:
                raise self.wrong(f"terms.{name}", "has more than 100 values")
            for one in every:
                text = self.text({name: one}, name, TEXT_LENGTH_MAX, lines=True)
                if SCRIPT.match(text):
                    raise self.wrong(f"terms.{name}", "is an address that no browser should open")
        return found

    def figures(self, sent: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {name: self.count(sent, name, MOST[name]) for name in COUNTED}
        subjects = found["subjects"]
        if subjects is None and any(found[name] is not None for name in COUNTED):
            raise self.wrong("figures", "tell images of too few subjects to be told")
        facets = self.inner(sent, "facets")
        if not facets.keys() <= FACETS.keys():
            raise self.wrong("facets", f"has others than {', '.join(FACETS)}")
        found["facets"] = {name: self.told(facets, name, subjects) for name in facets}
        found["followed"] = self.count(sent, "followed", subjects)
        found["median_interval_days"] = self.number(sent, "median_interval_days", DAYS_MOST)
        found["labels"] = self.told(sent, "labels", subjects)
        found["quality"] = self.told(sent, "quality", subjects)
        found["agreement"] = self.agreement(self.inner(sent, "agreement"), subjects)
        found["growth"] = self.growth(sent.get("growth"), subjects)
        return found

    def told(self, of: Mapping[str, Any], name: str, most: int | None) -> dict[str, int | None]:
        values = self.inner(of, name)
        if len(values) > VALUES_MAX:
            raise self.wrong(name, f"has more than {VALUES_MAX} values")
        for value in values:
            self.text({name: value}, name, VALUE_LENGTH_MAX)
        return {value: self.count({name: one}, name, most) for value, one in values.items()}

    def agreement(self, sent: dict[str, Any], subjects: int | None) -> dict[str, Any]:
        if len(sent) > 20 or not all(NAME.match(name) for name in sent):
            raise self.wrong("agreement", "has names that are not well formed")
        found = {}
        for name in sent:
            one, where = self.inner(sent, name), f"agreement.{name}"
            median = self.number({where: one.get("median")}, where, MEDIAN_MOST.get(name, MM_MOST))
            found[name] = {"median": median, "n": self.count({where: one.get("n")}, where, subjects)}
        return found

    def growth(self, sent: object, subjects: int | None) -> list[list[Any]]:
        """Months in order. Each subject comes once: together they have what the whole has, but for noise."""
        if not isinstance(sent, list) or len(sent) > MONTHS_MAX:
            raise self.wrong("growth", "is no list of months")
        found: list[list[Any]] = []
        for each in sent:
            if not (isinstance(each, list) and len(each) == 2 and isinstance(each[0], str)):
                raise self.wrong("growth", "is no list of months and subjects")
            if not MONTH.match(each[0]) or self.count({"growth": each[1]}, "growth", subjects) is None:
                raise self.wrong("growth", "has what is no month, or no count")
            if found and each[0] <= found[-1][0]:
                raise self.wrong("growth", "has months that are not in order")
            found.append([each[0], each[1]])
        if sum(one[1] for one in found) > (subjects or 0) + NOISE_MOST * (len(found) + 1):
            raise self.wrong("growth", "counts more than there are")
        return found

    def versions(self) -> list[dict[str, Any]]:
        sent = self.sent.get("versions")
        if not isinstance(sent, list) or not 1 <= len(sent) <= VERSIONS_MAX:
            raise self.wrong("versions", f"is no list of 1 to {VERSIONS_MAX}")
        found = []
        for at, _ in enumerate(sent):
            one = self.inner({"versions": sent[at]}, "versions")
            found.append(
                {
                    "version": self.matching(one, "version", VERSION, 20),
                    "published_at": self.moment(one, "published_at"),
                    "note": self.text(one, "note", 500, lines=True),
                }
            )
        if self.sent["version"] not in [one["version"] for one in found]:
            raise self.wrong("versions", "doesn't have the version that is told")
        return found


def _require_depth(value: object, left: int, read: _Read) -> None:
    if isinstance(value, dict | list):
        if not left:
            raise read.wrong("something", f"is nested deeper than {DEPTH_MAX} levels")
        for each in value.values() if isinstance(value, dict) else value:
            _require_depth(each, left - 1, read)
