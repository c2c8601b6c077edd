"""A listing in short, as lists of datasets show it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from accounts.permissions import Someone
from network.catalogue.holdings import COLUMNS, NOT_IMAGES
from network.catalogue.pictures import Picture, seen_by
from network.catalogue.wording import ACCESS_ICONS, value_words
from network.models import Listing, ListingFacet

MODALITIES_MAX = 5


@dataclass(frozen=True)
class Card:
    listing: Listing
    modalities: list[str]
    labelled: str
    picture: Picture | None

    @property
    def per_subject(self) -> float | None:
        subjects, studies = self.listing.subjects, self.listing.studies
        return studies / subjects if subjects and studies else None

    @property
    def access_icon(self) -> str:
        return ACCESS_ICONS[self.listing.access]


def cards_of(user: Someone, listings: Sequence[Listing]) -> list[Card]:
    """`listings` come from `search.in_order`. The number of queries doesn't depend on them."""
    modalities: dict[int, list[str]] = defaultdict(list)
    order = {code: place for place, code in enumerate(COLUMNS)}
    rows = ListingFacet.objects.filter(facet="modality", listing__in=[one.pk for one in listings])
    for listing, code in sorted(rows.values_list("listing", "value"), key=lambda row: order.get(row[1], 99)):
        if code not in NOT_IMAGES:
            modalities[listing].append(value_words("modality", code))
    pictures = seen_by(user, listings)
    return [
        Card(
            listing,
            modalities[listing.pk][:MODALITIES_MAX],
            labelled(listing),
            next(iter(pictures.get(listing.pk, ())), None),
        )
        for listing in listings
    ]


def labelled(listing: Listing) -> str:
    """How well a listing is labelled, in a few words; empty where nothing may be told of it."""
    if _is_some(listing, "two_readers"):
        return gettext("2 or more readers, masks")
    if _is_some(listing, "one_reader"):
        return gettext("1 reader, masks")
    return gettext("Measurements") if _is_some(listing, "measurements") else ""


def _is_some(listing: Listing, name: str) -> bool:
    number = getattr(listing, f"labelled_{name}")
    return number not in (None, "0")
