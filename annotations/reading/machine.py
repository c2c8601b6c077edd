"""The states of a read, and what leads from one to the next."""

from django.utils import timezone

from annotations.models import Read

S = Read.State

OPEN = frozenset({S.ASSIGNED, S.IN_PROGRESS, S.RETURNED})
"""The reader is at work, or should be."""
HANDED_IN = frozenset({S.SUBMITTED, S.ACCEPTED})
FINISHED = frozenset({S.ACCEPTED, S.SET_ASIDE})
"""A reader's work on a case is over: what other roles allow them there holds again."""

# action: (states it may start from, state it leads to)
TRANSITIONS: dict[str, tuple[frozenset[str], str]] = {
    "open": (frozenset({S.ASSIGNED}), S.IN_PROGRESS),
    "submit": (OPEN, S.SUBMITTED),
    "return": (frozenset({S.SUBMITTED}), S.RETURNED),
    "accept": (frozenset({S.SUBMITTED}), S.ACCEPTED),
    "set_aside": (OPEN | {S.SUBMITTED}, S.SET_ASIDE),
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
