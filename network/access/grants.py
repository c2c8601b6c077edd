"""Grants: made when someone agrees, over at midnight after their last day, or when they are withdrawn."""

import datetime
from collections.abc import Collection

from django.utils import timezone

from accounts import audit, revocation
from accounts.models import User
from network.models import AccessGrant, AccessItem, AccessPart

audit.register("access.granted", "access.closed")


def end_of(day: datetime.date) -> datetime.datetime:
    """The moment at which access until this day is over."""
    midnight = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time())
    return timezone.make_aware(midnight)


def open_for(part: AccessPart) -> list[AccessGrant]:
    """What was approved of the datasets of this node, for whoever asked. Within the caller's transaction;
    twice makes nothing more."""
    made = []
    for item in part.items.exclude(granted_mode="").select_related("listing__dataset"):
        dataset = item.listing.dataset
        if dataset is None or item.ends_on is None:
            continue
        grant, is_new = AccessGrant.objects.get_or_create(
            part=part,
            dataset=dataset,
            defaults={
                "user": part.request.by,
                "mode": item.granted_mode,
                "ends_at": end_of(item.ends_on),
            },
        )
        if is_new:
            person = part.request.by_id
            audit.record(
                part.decided_by, "access.granted", dataset, grant=grant.pk, person=person, mode=grant.mode
            )
            made.append(grant)
    return made


def close(
    part: AccessPart, *, by: User | None, reason: str, items: Collection[int] | None = None
) -> list[AccessItem]:
    """End what holds of a part, or of some of its datasets, at once. Returns what ended. Within the caller's
    transaction."""
    rows = part.items.exclude(granted_mode="").filter(withdrawn_at=None, ended_at=None)
    rows = rows.filter(ends_on__gte=timezone.localdate())
    if items is not None:
        rows = rows.filter(pk__in=items)
    ended = list(rows.select_related("listing__dataset"))
    now = timezone.now()
    for item in ended:
        item.withdrawn_at = now
        item.save(update_fields=["withdrawn_at"])
        open_ones = AccessGrant.objects.filter(part=part, dataset=item.listing.dataset, withdrawn_at=None)
        for grant in open_ones if item.listing.dataset_id else ():
            grant.withdrawn_at, grant.withdrawn_by, grant.reason = now, by, reason
            grant.save(update_fields=["withdrawn_at", "withdrawn_by", "reason"])
            audit.record(by, "access.closed", grant.dataset, grant=grant.pk, person=grant.user_id)
            revocation.announce()
    return ended


def holds(part: AccessPart) -> bool:
    """Whether anything of it may still be used."""
    rows = part.items.exclude(granted_mode="").filter(withdrawn_at=None, ends_on__gte=timezone.localdate())
    return rows.exists()
