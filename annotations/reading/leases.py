"""For how long a case taken from the queue is kept for its reader.

Whoever is at it keeps it: every saved change and every open room renews the lease. Once it has run out,
others may take the case as well. Nothing of the read is touched by that: its reader is told, may go on and
hand it in, and what they hand in counts.
"""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.models import User
from annotations.models import Read
from annotations.reading import machine
from annotations.reading.broadcasts import tell_read
from annotations.reading.designs import design_of

audit.register("read.lease_renewed")

RENEWED_EVERY = 12
"""A lease is written anew once a twelfth of it has passed, not with every stroke."""


def filling() -> Q:
    """Of reads: those that fill a place of their case. Not what is set aside, nor an open one whose lease has
    run out."""
    at_it = Q(lease_until=None) | Q(lease_until__gt=timezone.now())
    return Q(kind=Read.Kind.READ) & ~Q(state=Read.State.SET_ASIDE) & (~Q(state__in=machine.OPEN) | at_it)


def has_run_out(read: Read) -> bool:
    return read.state in machine.OPEN and read.lease_until is not None and read.lease_until <= timezone.now()


def keep(user: User, read: Read) -> None:
    """Its reader is at it: the lease begins again. If it had run out they are told, on all their pages.

    Reads without a lease, and those of others, stay as they are.
    """
    if read.lease_until is None or read.state not in machine.OPEN or read.reader_id != user.pk:
        return
    now, length = timezone.now(), timedelta(hours=design_of(read.case.project).lease_hours)
    before, until = read.lease_until, now + length
    if before > until - length / RENEWED_EVERY:
        return
    # Of several pages one renews.
    if not Read.objects.filter(pk=read.pk, lease_until=before).update(lease_until=until):
        return
    read.lease_until = until
    if before <= now:
        audit.record(user, "read.lease_renewed", read)
        tell_read(read, {"type": "lease", "ran_out": before.isoformat(), "until": until.isoformat()})
