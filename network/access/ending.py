"""What time does to access: letters before and after its end, and the words on pages.

The end itself needs none of this: every query asks whether a grant still holds.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts import audit, revocation
from network.access import crossing, grants, letters
from network.access.states import State
from network.models import AccessItem, AccessPart

audit.register("access.over")

WARNED_BEFORE = timedelta(days=14)
PARTS_AT_ONCE = 500


def run() -> int:
    """Tell of what ended or will end soon. Idempotent; returns the number of parts that something was said
    of."""
    today = timezone.localdate()
    due = AccessItem.objects.filter(part__state=State.GRANTED, withdrawn_at=None).exclude(granted_mode="")
    over = due.filter(ends_on__lt=today, ended_at=None)
    soon = due.filter(warned_at=None, ends_on__lte=today + WARNED_BEFORE)
    parts = (over | soon).order_by("part").values_list("part", flat=True).distinct()[:PARTS_AT_ONCE]
    return sum(_tell(pk) for pk in list(parts))


@transaction.atomic
def _tell(part_id: int) -> bool:
    rows = AccessPart.objects.select_for_update(of=("self",)).select_related("request__by")
    part = rows.filter(pk=part_id, state=State.GRANTED).first()
    if part is None:
        return False
    now, today = timezone.now(), timezone.localdate()
    items = list(part.items.exclude(granted_mode="").filter(withdrawn_at=None).select_related("listing"))
    over = [item for item in items if item.ends_on and item.ends_on < today and item.ended_at is None]
    soon = [
        item
        for item in items
        if item.ends_on and today <= item.ends_on <= today + WARNED_BEFORE and item.warned_at is None
        and item.ends_on - WARNED_BEFORE > timezone.localdate(part.agreed_at or now)
    ]  # fmt: skip
    for item in items:
        if item.ends_on and item.ends_on <= today + WARNED_BEFORE:
            item.warned_at = item.warned_at or now
        if item in over:
            item.ended_at = now
        item.save(update_fields=["warned_at", "ended_at"])
    if soon:
        letters.to_requester(part, "warned", soon)
    if over:
        letters.to_requester(part, "over", over)
        revocation.announce()
        if not grants.holds(part):
            part.state = State.ENDED
            part.save(update_fields=["state", "changed_at"])
            audit.record(None, "access.over", part)
            crossing.send_state(part)
    return True
