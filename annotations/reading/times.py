"""How long a read is read. The room sends a beat every few seconds; this adds them up.

Only the reader's own room beats, and only while the read can be changed. Who leads the project learns the
sum; no reader ever learns another's.
"""

import math
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts import permissions
from accounts.models import User
from annotations.models import Case, Read, ReadTime
from annotations.reading import overview, policies

BEAT_S_MAX = 120.0
"""A room that had no connection sends what it missed in one beat: no more of it than this counts."""


@transaction.atomic
def beat(*, user: User, read_id: str, active_s: float, idle_s: float) -> None:
    """So many seconds went by on the reader's screen since the last beat: at work, and without a hand moving.

    Never counts a moment twice, whatever is sent and from however many windows: a beat counts back from now
    at most to where the one before it ended. Numbers below zero count as none; a read that is no longer open
    for changes counts nothing. Raises as `policies.own_read_or_404`.
    """
    read = policies.own_read_or_404(user, read_id, lock=True)
    if read.state not in Read.EDITABLE:
        return
    active_s, idle_s = _seconds(active_s), _seconds(idle_s)
    now = timezone.now()
    time, _ = ReadTime.objects.get_or_create(read=read)
    if active_s + idle_s:
        time.open_s += _since(time.open_until, now, min(active_s + idle_s, BEAT_S_MAX))
        time.open_until = max(time.open_until or now, now)
    if active_s:
        time.active_s += _since(time.active_until, now, min(active_s, BEAT_S_MAX))
        time.active_until = max(time.active_until or now, now)
    time.open_s = max(time.open_s, time.active_s)
    time.save()


def times_for(user: User, case: Case) -> dict[int, ReadTime]:
    """By read (primary key): the times of a case that this person may know. A lead knows those of all reads
    that they may know of, which are none of others' on a case they read themselves."""
    if not permissions.allows(user, "manage_project", case.project):
        return {}
    known = overview.known_reads(user, case.project).filter(case=case)
    return {time.read_id: time for time in ReadTime.objects.filter(read__in=known.values("pk"))}


def _seconds(sent: float) -> float:
    return sent if math.isfinite(sent) and sent > 0 else 0.0


def _since(counted_until: datetime | None, now: datetime, seconds: float) -> float:
    """How many of the last seconds are not counted yet."""
    if counted_until is None:
        return seconds
    return min(seconds, max((now - counted_until) / timedelta(seconds=1), 0.0))
