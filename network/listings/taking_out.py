"""A subject is erased: the counts of its datasets are made anew without it, at once."""

import logging

from atlas.archive.storage import ObjectMissing
from atlas.erasers import Erased
from atlas.models import Subject
from network.facts.building import build
from network.facts.columns import Facts
from network.facts.held import facts_of
from network.facts.keys import keys_of
from network.listings.publishing import take_out
from network.models import ListingVersion

logger = logging.getLogger(__name__)


def erase(subject: Subject) -> Erased:
    """Within the caller's transaction, before its images go."""
    versions = (
        ListingVersion.objects.exclude(facts_key="")
        .filter(listing__dataset__studies__subject=subject)
        .select_related("listing__dataset__organisation")
        .distinct()
    )
    key, erased = int(keys_of([subject.public_id])[0]), frozenset([subject.public_id])
    superseded: list[str] = []
    for version in versions:
        listing, before = version.listing, _facts_of(version)
        if listing.dataset is None:
            continue
        left_out = before.about.get("left_out", []) if before else []
        if before and key not in before.keys.tolist() and subject.public_id not in left_out:
            continue
        now = build(listing.dataset, leaving_out=[*left_out, subject.public_id])
        take_out(listing, version, before, now, erased=erased)
        superseded.append(version.facts_key)
    return Erased({"datasets counted anew": len(superseded)} if superseded else {}, superseded)


def _facts_of(version: ListingVersion) -> Facts | None:
    """None where they are lost: that keeps nobody from being erased."""
    try:
        return facts_of([version.facts_key])
    except ObjectMissing:
        logger.warning("The facts of dataset %s are not in storage.", version.listing.slug)
        return None
