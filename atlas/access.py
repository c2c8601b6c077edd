"""Writes into the audit trail who looked at which images: one line a user, series and hour."""

from django.utils import timezone

from accounts import audit
from accounts.models import AuditRecord, User
from atlas.models import Series

audit.register("series.viewed")

_REMEMBERED_MAX = 20_000
_remembered: dict[tuple[int, int], str] = {}
"""(user, series) → the hour of the last line this process knows of: spares a query, nothing depends on it."""


def record_viewing(user: User, series: Series) -> None:
    """Call when a manifest opens or pixels are first asked for; repeating it within the hour does nothing."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    key = (user.pk, series.pk)
    if _remembered.get(key) == hour.isoformat():
        return
    lines = AuditRecord.objects.filter(
        object_type="series", object_id=series.pk, at__gte=hour, actor=user, verb="series.viewed"
    )
    if not lines.exists():
        audit.record(user, "series.viewed", series)
    if len(_remembered) >= _REMEMBERED_MAX:
        _remembered.clear()
    _remembered[key] = hour.isoformat()
