"""A subject is erased: the counts of its datasets are made anew without it, at once."""

from atlas.erasers import Erased
from atlas.models import Subject
from network.facts.building import build
from network.facts.held import facts_of
from network.facts.keys import keys_of
from network.listings.publishing import take_out
from network.models import ListingVersion


def erase(subject: Subject) -> Erased:
    """Within the caller's transaction, before its images go."""
    versions = (
        ListingVersion.objects.exclude(facts_key="")
        .filter(listing__dataset__studies__subject=subject)
        .select_related("listing__dataset__organisation")
        .distinct()
    )
    key, erased = int(keys_of([subject.public_id])[0]), frozenset([subject.public_id])
    counted = 0
    for version in versions:
        listing, before = version.listing, facts_of([version.facts_key])
        left_out = before.about.get("left_out", [])
        if listing.dataset is None or (key not in before.keys.tolist() and subject.public_id not in left_out):
            continue
        now = build(listing.dataset, leaving_out=[*left_out, subject.public_id])
        take_out(listing, version, before, now, erased=erased)
        counted += 1
    return Erased({"datasets counted anew": counted} if counted else {})
