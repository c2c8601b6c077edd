"""Writes into the audit trail that someone changed marks: one line a person, read and hour.

What was changed is in the journal of the read; the line says from which edit on.
"""

from functools import partial

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import AuditRecord, User
from annotations.models import Read

audit.register("read.marked")

_REMEMBERED_MAX = 20_000
_remembered: dict[tuple[int, int], str] = {}
"""(user, read) → the hour of the last line this process knows of: spares a query, nothing depends on it."""


def note_marked(user: User, read: Read, *, edit_number: int) -> None:
    """Call within the transaction that appends edits, with the number of the first of them."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    key, stamp = (user.pk, read.pk), hour.isoformat()
    if _remembered.get(key) == stamp:
        return
    lines = AuditRecord.objects.filter(
        object_type="read", object_id=read.pk, at__gte=hour, actor=user, verb="read.marked"
    )
    if not lines.exists():
        audit.record(user, "read.marked", read, edit_number=edit_number)
    transaction.on_commit(partial(_remember, key, stamp))


def _remember(key: tuple[int, int], stamp: str) -> None:
    if len(_remembered) >= _REMEMBERED_MAX:
        _remembered.clear()
    _remembered[key] = stamp
