"""A subject is erased: the counts of its datasets are made anew without it, at once."""

import logging

from atlas.archive.storage import ObjectMissing
from atlas.erasers import Erased
from atlas.models import Study, Subject
from network.facts.building import build
from network.facts.columns import Facts
from network.facts.held import facts_of
from network.facts.keys import keys_of
from network.listings.publishing import leave_out_no_more, take_out
from network.models import Listing, ListingVersion

logger = logging.getLogger(__name__)


def erase(subject: Subject) -> Erased:
    """Within the caller's transaction, before its images go."""
    held = Study.objects.filter(subject=subject).values("dataset")
    locked = Listing.objects.select_for_update().filter(dataset__in=held).order_by("pk")
    versions = (
        ListingVersion.objects.exclude(facts_key="")
        .filter(listing__in=list(locked.values_list("pk", flat=True)))  # nobody publishes meanwhile
        .select_related("listing__dataset__organisation")
    )
    key, erased = int(keys_of([subject.public_id])[0]), frozenset([subject.public_id])
    counted, superseded = 0, list[str]()
    for version in versions:
        listing, before = version.listing, _facts_of(version)
        if listing.dataset is None:
            continue
        left_out = before.about.get("left_out", []) if before else []
        if before and key not in before.keys.tolist():
            if subject.public_id in left_out:
                leave_out_no_more(version, before, subject.public_id)
                superseded.append(version.facts_key)
            continue
        now = build(listing.dataset, leaving_out=[*left_out, subject.public_id])
        take_out(listing, version, before, set(now.keys.tolist()), erased=erased)
        superseded.append(version.facts_key)
        counted += 1
    return Erased({"datasets counted anew": counted} if counted else {}, superseded)


def _facts_of(version: ListingVersion) -> Facts | None:
    """None where they are lost: that keeps nobody from being erased."""
    try:
        return facts_of([version.facts_key])
    except ObjectMissing:
        logger.warning("The facts of dataset %s are not in storage.", version.listing.slug)
        return None
