"""Two real nodes, one the other's hub: they find each other, and no message is lost or acts twice, whoever is
killed in the middle."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from atlas import postgres
from tests.e2e.node import Node

pytestmark = pytest.mark.xdist_group("messages between nodes")

type Pair = tuple[Node, Node]

COUNT = 60
"""Messages a kill."""

SEND = """
from datetime import timedelta
from django.utils import timezone
from network.federation import messages, nodes
node = nodes.members().get()
until = (timezone.now() + timedelta(hours=1)).isoformat()
for number in range({first}, {first} + {count}):
    # A question that no node understands: each is answered with that.
    body = {{"question": f"q{{number}}", "expression": {{"no": "language"}}, "expires_at": until}}
    messages.send(node, "question", body)
"""

STATE = """
import json
from network.models import Message, Node, ReceivedMessage
received = ReceivedMessage.objects.exclude(kind="catalogue").exclude(done_at=None).order_by("done_at")
print(json.dumps({
    "sent": list(Message.objects.exclude(kind="catalogue").values_list("public_id", flat=True)),
    "waiting": Message.objects.filter(confirmed_at=None).count(),
    "received": list(received.values_list("uid", flat=True)),
    "nodes": list(Node.objects.values("name", "part", "state", "trouble", "catalogue_digest", "software")),
}))
"""


def state_of(node: Node) -> dict:
    return json.loads(node.python(STATE))


def wait_for(condition: Callable[[], bool], *, timeout_s: float, what: str, pair: Pair) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            tails = "\n\n".join(node.log_tail() for node in pair)
            raise AssertionError(f"After {timeout_s} s: {what}\n{tails}")
        time.sleep(0.5)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A hub, and a node that joined it by command."""
    hub, node = Node(), Node()
    for each, name in ((hub, "The hub"), (node, "A node")):
        each.environment |= {"ATLAS_NODE_NAME": name, "ATLAS_ADDRESS": each.base_url}
    with hub, node:
        hub.manage(
            "create_administrator",
            "--username=ines",
            "--email=ines@example.org",
            "--password-stdin",
            stdin="a long enough secret 4711\n",
        )
        invitation = hub.manage("invite_node", "Porto", "--country=PT", "--by=ines")
        assert "takes part in" in node.manage("join_hub", "--yes", stdin=invitation)
        yield hub, node


def test_the_agent_appears_by_itself_and_publishes(pair):
    hub, node = pair
    wait_for(
        lambda: all(each["catalogue_digest"] for each in state_of(hub)["nodes"]),
        timeout_s=60,
        what="the hub has no catalogue of the node",
        pair=pair,
    )
    assert node.pid("agent")
    with pytest.raises(KeyError):
        hub.pid("agent")  # it has no hub
    (member,) = state_of(hub)["nodes"]
    assert (member["name"], member["part"], member["state"]) == ("Porto", "member", "active")
    assert member["software"]
    assert state_of(node)["nodes"][0]["trouble"] == ""


def kill_the_agent(hub: Node, node: Node) -> None:
    os.kill(node.pid("agent"), signal.SIGKILL)


def kill_the_hubs_web(hub: Node, node: Node) -> None:
    hub.kill()


def kill_the_nodes_database(hub: Node, node: Node) -> None:
    os.kill(postgres.postmaster_pid(node.home), signal.SIGKILL)


def kill_the_hubs_database(hub: Node, node: Node) -> None:
    os.kill(postgres.postmaster_pid(hub.home), signal.SIGKILL)


def crash_the_node(hub: Node, node: Node) -> None:
    node.crash()
    node.start()


def crash_the_hub(hub: Node, node: Node) -> None:
    hub.crash()
    hub.start()


KILLS = (
    kill_the_agent,
    kill_the_hubs_web,
    kill_the_nodes_database,
    kill_the_hubs_database,
    crash_the_node,
    crash_the_hub,
)


def test_nothing_is_lost_or_acts_twice_whoever_is_killed(pair):
    hub, node = pair
    for turn, kill in enumerate(KILLS):
        hub.wait_until_ready()  # its database may have been killed just now
        hub.python(SEND.format(first=turn * COUNT, count=COUNT))  # delivery begins with the first
        kill(hub, node)

    def is_done() -> bool:
        try:
            at_hub, at_node = state_of(hub), state_of(node)
        except AssertionError:  # a database is being started again
            return False
        all_answered = len(at_hub["received"]) == len(KILLS) * COUNT
        return all_answered and not at_hub["waiting"] and not at_node["waiting"]

    wait_for(is_done, timeout_s=120, what="messages still wait", pair=pair)
    at_hub, at_node = state_of(hub), state_of(node)
    assert len(at_hub["sent"]) == len(KILLS) * COUNT
    assert at_node["received"] == at_hub["sent"]  # each once, in order
    assert at_hub["received"] == at_node["sent"]  # and so the answers


def test_a_web_process_that_stops_is_not_held_up_by_who_waits(pair):
    hub, _ = pair
    hub.python("from network.models import Node; Node.objects.update(last_seen_at=None)")
    seen = "from network.models import Node; print(Node.objects.get().last_seen_at is not None)"
    wait_for(
        lambda: "True" in hub.python(seen), timeout_s=60, what="the node doesn't ask", pair=pair
    )  # and waits now
    web, started = hub.pid("web1"), time.monotonic()
    os.kill(web, signal.SIGTERM)
    while hub.pid("web1") == web and time.monotonic() - started < 20:
        time.sleep(0.05)
    took_s = time.monotonic() - started
    hub.wait_until_ready()
    assert took_s < 15, f"it took {took_s:.1f} s"  # who waits, waits for 25


def test_the_agent_ends_when_the_node_leaves(pair):
    hub, node = pair
    agent = node.pid("agent")
    assert "has left" in node.manage("leave_hub")

    def has_ended() -> bool:
        try:
            os.kill(agent, 0)
        except ProcessLookupError:
            return True
        return False

    wait_for(has_ended, timeout_s=45, what="the agent still runs", pair=pair)
    assert state_of(hub)["nodes"][0]["state"] == "left"
