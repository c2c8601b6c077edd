"""Writes into the audit trail who looked at which images, and who took them away: one line a user, series
and hour. Each names the dataset, so that it still tells something when the series is no more."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.utils import timezone

from accounts import audit
from accounts.models import AuditRecord, User
from atlas.models import Series

VIEWED, DOWNLOADED = "series.viewed", "series.downloaded"

audit.register("series.viewed", "series.downloaded")

_REMEMBERED_MAX = 20_000
_remembered: dict[tuple[int, int, str], datetime] = {}
"""(user, series, verb) → the hour of the last line this process knows of: spares a query, nothing depends
on it."""


def record_viewing(user: User, *series: Series) -> None:
    """Call when a manifest opens or pixels are first asked for; repeating it within the hour does nothing."""
    _record(user, [one.pk for one in series], VIEWED)


def record_taking(user: User, series: Iterable[int]) -> None:
    """Call when files of these series are sent; repeating it within the hour does nothing."""
    _record(user, series, DOWNLOADED)


def taken_lately(user: User, series: Collection[int]) -> set[int]:
    """Those of which this process knows that their taking was written down within the hour. Asks nobody."""
    hour = _hour()
    return {pk for pk in series if _remembered.get((user.pk, pk, DOWNLOADED)) == hour}


def _record(user: User, series: Iterable[int], verb: str) -> None:
    hour = _hour()
    new = [pk for pk in series if _remembered.get((user.pk, pk, verb)) != hour]
    if not new:
        return
    lines = AuditRecord.objects.filter(
        object_type="series", object_id__in=new, at__gte=hour, actor=user, verb=verb
    )
    written = set(lines.values_list("object_id", flat=True))
    if set(new) - written:
        for one in Series.objects.filter(pk__in=set(new) - written).select_related("study"):
            audit.record(user, verb, one, dataset=one.study.dataset_id)
    if len(_remembered) + len(new) >= _REMEMBERED_MAX:
        _remembered.clear()
    _remembered.update({(user.pk, pk, verb): hour for pk in new})


def _hour() -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0)
