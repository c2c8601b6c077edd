"""Wakes whoever waits for messages to another node: the request that its node holds open, or the agent."""

from atlas import fanout
from network.models import Node

RING = {"type": "federation.ring"}


def group_name(node: Node) -> str:
    """The group of channels that hears when something waits for this node."""
    return f"federation.{node.public_id}"


def ring(node: Node) -> None:
    """After the commit. A ring that gets lost costs a delay, never a message: all look by themselves, too."""
    fanout.broadcast(group_name(node), RING)
