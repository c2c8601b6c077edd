"""What an administrator sees of the nodes: states in words, what waits, what was said last."""

from dataclasses import dataclass

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext

from network.federation.membership import members_ever
from network.federation.nodes import is_online
from network.models import Listing, Message, Node

CLOCK_OFF_S = 30
"""Beyond this a node's clock is told of: at 120 s its messages are refused."""

DISK_LOW_BYTES = 10 * 1024**3
SHOWN_MAX = 20


@dataclass(frozen=True)
class State:
    """`verdict` colours it: "good", "warn", "bad" or ""."""

    verdict: str
    words: str


@dataclass(frozen=True)
class Member:
    node: Node
    state: State
    waiting: int
    datasets: int
    troubles: list[str]

    @property
    def jobs_waiting(self) -> int | None:
        return self.node.health.get("jobs_waiting")

    @property
    def messages_waiting(self) -> int | None:
        """For us, there."""
        return self.node.health.get("messages_waiting")

    @property
    def disk_free_bytes(self) -> int | None:
        return self.node.health.get("disk_free_bytes")


def state_of(node: Node) -> State:
    if node.state == Node.State.LEFT:
        return State("", gettext("Has left"))
    if node.state == Node.State.SUSPENDED:
        return State("warn", gettext("Suspended"))
    if node.trouble:
        return State("bad", gettext("In trouble"))
    if node.last_seen_at is None:
        return State("warn", gettext("Not heard of yet"))
    return State("good", gettext("Online")) if is_online(node) else State("warn", gettext("Away"))


def troubles_of(node: Node) -> list[str]:
    """What somebody should look after, in sentences; those of the node itself are in its own words."""
    health = node.health
    found = [str(each) for each in health.get("troubles", [])]
    ahead_s = health.get("clock_ahead_s", 0)
    if abs(ahead_s) > CLOCK_OFF_S:
        said = (
            gettext("Its clock is %(seconds)s seconds ahead of ours.")
            if ahead_s > 0
            else gettext("Its clock is %(seconds)s seconds behind ours.")
        )
        found.append(said % {"seconds": abs(ahead_s)})
    free = health.get("disk_free_bytes")
    if free is not None and free < DISK_LOW_BYTES:
        found.append(gettext("Its disk is almost full."))
    return found


def members() -> list[Member]:
    """Those that take part first, then the suspended, then those that have left; by name. Three queries at
    most, however many there are."""
    rows = _with_counts(members_ever())
    order = {Node.State.ACTIVE: 0, Node.State.SUSPENDED: 1, Node.State.LEFT: 2}
    found = [_member(node) for node in rows]
    return sorted(found, key=lambda each: (order[Node.State(each.node.state)], each.node.name))


def member(public_id: str) -> Member | None:
    node = _with_counts(members_ever().filter(public_id=public_id)).first()
    return _member(node) if node is not None else None


def _with_counts(nodes: QuerySet[Node]) -> QuerySet[Node]:
    waiting = Message.objects.filter(node=OuterRef("pk"), confirmed_at=None).order_by()
    listed = Listing.objects.filter(node=OuterRef("pk"), is_listed=True).order_by()
    return nodes.annotate(
        waiting=Coalesce(Subquery(waiting.values("node").annotate(n=Count("pk")).values("n")), 0),
        datasets=Coalesce(Subquery(listed.values("node").annotate(n=Count("pk")).values("n")), 0),
    )


def _member(node: Node) -> Member:
    return Member(node, state_of(node), node.waiting, node.datasets, troubles_of(node))  # type: ignore[attr-defined]


def said_to(node: Node) -> QuerySet[Message]:
    """The messages to this node, latest first, without their bodies."""
    return node.messages.defer("body").order_by("-pk")[:SHOWN_MAX]
