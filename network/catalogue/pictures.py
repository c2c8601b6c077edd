"""Which pictures stand for a dataset, and who sees them: those who see its images anyway, and anyone where
its organisation lets the catalogue show them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse

from accounts.permissions import Someone
from atlas import policies
from atlas.models import Dataset, Series
from network.models import Listing, ListingPicture

PICTURES_MAX = 6
LOOKED_AT = 300


@dataclass(frozen=True)
class Picture:
    """`modality`: DICOM's code."""

    address: str
    modality: str


@transaction.atomic
def choose(listing: Listing) -> int:
    """Of the longest series, one a subject, the modalities in turn; returns how many were found."""
    chosen = _chosen(listing.dataset) if listing.dataset else []
    listing.pictures.all().delete()
    ListingPicture.objects.bulk_create(
        ListingPicture(listing=listing, number=number, series_id=series)
        for number, series in enumerate(chosen, start=1)
    )
    return len(chosen)


def _chosen(dataset: Dataset) -> list[int]:
    shown = (
        Series.objects.filter(study__dataset=dataset, generation__gt=0, frame_count__gt=0)
        .exclude(thumbnail_key="")
        .exclude(modality__in=policies.ABOUT_IMAGES)
        .order_by("-frame_count", "pk")
        .values_list("pk", "modality", "study__subject")
    )
    waiting: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for pk, modality, subject in shown[:LOOKED_AT]:
        waiting[modality].append((pk, subject))
    chosen: list[int] = []
    subjects: set[int] = set()
    while any(waiting.values()) and len(chosen) < PICTURES_MAX:
        for queue in waiting.values():
            while queue:
                pk, subject = queue.pop(0)
                if subject not in subjects:
                    chosen.append(pk)
                    subjects.add(subject)
                    break
    return chosen[:PICTURES_MAX]


def seen_by(user: Someone, listings: Sequence[Listing]) -> dict[int, list[Picture]]:
    """By the listing's primary key. Two questions to the database, or three with someone signed in."""
    by_pk = {listing.pk: listing for listing in listings if listing.dataset_id}
    rows = list(ListingPicture.objects.filter(listing__in=by_pk).select_related("series").order_by("number"))
    own: set[int] = set()
    if user.is_authenticated and rows:
        seen = policies.visible_series(user).filter(pk__in=[row.series_id for row in rows])
        own = set(seen.values_list("pk", flat=True))
    found: dict[int, list[Picture]] = defaultdict(list)
    for row in rows:
        listing, series = by_pk[row.listing_id], row.series
        if not series.thumbnail_key:
            continue
        if row.series_id in own:
            address = f"/thumbnails/{series.public_id}/{series.generation}"
        elif may_be_shown(listing):
            address = reverse("catalogue-picture", args=(listing.slug, row.number))
        else:
            continue
        found[listing.pk].append(Picture(address, series.modality))
    return found


def may_be_shown(listing: Listing) -> bool:
    """To anyone. Not of a dataset with fewer subjects than may be told."""
    return listing.shows_pictures and listing.subjects is not None
