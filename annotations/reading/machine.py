"""The states of a read, and what leads from one to the next."""

from django.utils import timezone

from annotations.models import Read

S = Read.State

# action: (states it may start from, state it leads to)
TRANSITIONS: dict[str, tuple[frozenset[str], str]] = {
    "open": (frozenset({S.ASSIGNED}), S.IN_PROGRESS),
    "submit": (frozenset({S.ASSIGNED, S.IN_PROGRESS, S.RETURNED}), S.SUBMITTED),
    "return": (frozenset({S.SUBMITTED}), S.RETURNED),
    "accept": (frozenset({S.SUBMITTED}), S.ACCEPTED),
}


def may(read: Read, action: str) -> bool:
    return read.state in TRANSITIONS[action][0]


def move(read: Read, action: str, **changes: object) -> bool:
    """Move the read on, with other columns in the same statement; False where it isn't there any more.

    The condition is part of the UPDATE, so of two that move at once only one does.
    """
    sources, target = TRANSITIONS[action]
    changes |= {"state": target, "changed_at": timezone.now()}
    moved = Read.objects.filter(pk=read.pk, state__in=sources, round=read.round).update(**changes)
    if moved:
        for name, value in changes.items():
            setattr(read, name, value)
    return bool(moved)
