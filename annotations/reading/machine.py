"""The states of a read, what leads from one to the next, and who may do it: data, from which
`draw_reading_states` draws docs/reading-states.md."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.utils import timezone

from annotations.models import Read

S = Read.State

OPEN = frozenset({S.ASSIGNED, S.IN_PROGRESS, S.RETURNED})
"""The reader is at work, or should be."""
HANDED_IN = frozenset({S.SUBMITTED, S.ACCEPTED})
FINISHED = frozenset({S.ACCEPTED, S.SET_ASIDE})
"""A reader's work on a case is over: what other roles allow them there holds again."""


class Capacity(StrEnum):
    """As what someone meets a read."""

    READER = "reader"
    REVIEWER = "reviewer"
    LEAD = "lead"
    FELLOW = "fellow"
    """Another reader of the same case, where the project reads in the open: looks, and does nothing."""


@dataclass(frozen=True)
class Action:
    """`target` None: the read stays where it is. `by_itself`: when the node does it without being asked."""

    name: str
    title: str
    sources: frozenset[str]
    target: str | None
    by: frozenset[Capacity]
    by_itself: str = ""


def _action(
    name: str, title: str, sources: Iterable[str], target: str | None, by: str, by_itself: str = ""
) -> Action:
    capacities = frozenset(Capacity(word) for word in by.split())
    return Action(name, title, frozenset(sources), target, capacities, by_itself)


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        _action("open", "Open, or draw", {S.ASSIGNED}, S.IN_PROGRESS, "reader"),
        _action("lock_unaided", "Lock the unaided read", OPEN, None, "reader"),
        _action("submit", "Hand in", OPEN, S.SUBMITTED, "reader"),
        _action("return", "Return with reasons", {S.SUBMITTED}, S.RETURNED, "reviewer lead"),
        _action(
            "accept",
            "Accept",
            {S.SUBMITTED},
            S.ACCEPTED,
            "reviewer lead",
            "when it is handed in, of adjudications, of training cases, and where nobody reviews",
        ),
        _action("reopen", "Reopen with a reason", {S.ACCEPTED}, S.RETURNED, "lead"),
        _action("set_aside", "Set aside", OPEN, S.SET_ASIDE, "lead", "when its reader leaves the project"),
        _action("take_up", "Take up again", {S.SET_ASIDE}, S.IN_PROGRESS, "lead"),
    )
}


def may(read: Read, action: str) -> bool:
    """Whether the read is where this action begins."""
    return read.state in ACTIONS[action].sources


def actions_of(capacity: Capacity, state: str) -> frozenset[str]:
    """What someone who meets a read as this may do while it is there."""
    return frozenset(
        name for name, action in ACTIONS.items() if capacity in action.by and state in action.sources
    )


def move(read: Read, action: str, **changes: object) -> bool:
    """Move the read on, with other columns in the same statement; False where it isn't there any more.

    The condition is part of the UPDATE, so of two that move at once only one does.
    """
    sources, target = ACTIONS[action].sources, ACTIONS[action].target
    changes |= {"changed_at": timezone.now()} | ({"state": target} if target else {})
    moved = Read.objects.filter(pk=read.pk, state__in=sources, round=read.round).update(**changes)
    if moved:
        for name, value in changes.items():
            setattr(read, name, value)
    return bool(moved)


# Drawn --------------------------------------------------------------------------------------------


def drawing() -> str:
    """The machine as a Mermaid diagram and a table, in Markdown."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {S.ASSIGNED.name}: assigned, or taken"]
    lines += [f'    state "{state.label}" as {state.name}' for state in S]
    for action in ACTIONS.values():
        for state in S:
            if state in action.sources and action.target:
                lines.append(f"    {state.name} --> {S(action.target).name}: {action.title.lower()}")
    lines += [
        f"    {S.ACCEPTED.name} --> [*]",
        "```",
        "",
        "| action | from | to | who | by itself |",
        "| --- | --- | --- | --- | --- |",
    ]
    for action in ACTIONS.values():
        sources = ", ".join(state.label for state in S if state in action.sources)
        target = S(action.target).label if action.target else "stays"
        who = ", ".join(capacity for capacity in Capacity if capacity in action.by)
        lines.append(f"| {action.title} | {sources} | {target} | {who} | {action.by_itself} |")
    return "\n".join(lines) + "\n"
