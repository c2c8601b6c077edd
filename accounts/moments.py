"""Moments as pages of a trail have them in their address and their form."""

import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.requests import SignedInRequest


def before(request: SignedInRequest) -> datetime.datetime | None:
    """Up to which moment a page of a trail goes. Anything that is none asks for the newest."""
    try:
        found = parse_datetime(request.GET.get("before", "")[:40])
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None


def midnight(day: datetime.date | None, *, days: int = 0) -> datetime.datetime | None:
    """When a day begins, or one so many days later. None for none, and beyond the end of the calendar."""
    if day is None:
        return None
    try:
        whole = datetime.datetime.combine(day + datetime.timedelta(days=days), datetime.time())
        return timezone.make_aware(whole)
    except OverflowError:
        return None
