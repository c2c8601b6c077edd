"""Who has a read open: a row a page, forgotten when the page falls silent."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from annotations.models import Presence, Read
from annotations.reading import policies
from annotations.reading.policies import Capacity

FORGOTTEN_AFTER_S = 60  # three pings


@dataclass(frozen=True)
class Person:
    name: str
    initials: str
    capacity: str
    tab: str


@transaction.atomic
def arrive(*, user: User, read: Read, tab: UUID) -> bool:
    """A page is there, or still there; False where the tab's id is someone else's."""
    now = timezone.now()
    Presence.objects.filter(seen_at__lt=now - timedelta(seconds=FORGOTTEN_AFTER_S)).delete()
    here = {"read": read, "seen_at": now}
    _, is_new = Presence.objects.get_or_create(tab=tab, defaults=here | {"user": user})
    return is_new or Presence.objects.filter(tab=tab, user=user).update(**here) == 1


def leave(*, user: User, tab: UUID) -> None:
    Presence.objects.filter(tab=tab, user=user).delete()


def people_shown_to(user: User, read: Read) -> list[Person]:
    """Who is there, for someone who may see the read.

    A reader sees their own pages, and reviewers while the read is under review. Another reader, who may look
    where a project reads in the open, sees nobody and is shown to nobody.
    """
    since = timezone.now() - timedelta(seconds=FORGOTTEN_AFTER_S)
    present = Presence.objects.filter(read=read, seen_at__gte=since).select_related("user").order_by("pk")
    under_review = read.state == Read.State.SUBMITTED
    own = policies.capacity_of(user, read)
    people, capacities = [], {user.pk: own}
    for one in present:
        if read.reader_id == user.pk and one.user_id != user.pk and not under_review:
            continue
        if own is Capacity.FELLOW and one.user_id != user.pk:
            continue
        if one.user_id not in capacities:
            capacities[one.user_id] = policies.capacity_of(one.user, read)
        capacity: Capacity | None = capacities[one.user_id]
        if capacity is not None and (capacity is not Capacity.FELLOW or one.user_id == user.pk):
            people.append(Person(one.user.display_name, one.user.initials, capacity, str(one.tab)))
    return people
