"""Wakes whoever waits for messages to another node: the request that its node holds open, or the agent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from channels.layers import get_channel_layer

from atlas import fanout
from network.models import Node

RING = {"type": "federation.ring"}


def group_name(node: Node) -> str:
    """The group of channels that hears when something waits for this node."""
    return f"federation.{node.public_id}"


def ring(node: Node) -> None:
    """After the commit. A ring that gets lost costs a delay, never a message: all look by themselves, too."""
    fanout.broadcast(group_name(node), RING)


@asynccontextmanager
async def listening(node: Node) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Within it, awaiting what it gives returns at the next ring, also one that came meanwhile; and when
    rings may have been missed. Raises TimeoutError where the database doesn't answer."""
    layer = get_channel_layer()
    groups = (group_name(node), fanout.GAP_GROUP)
    channel = await layer.new_channel()

    async def heard() -> None:
        await layer.receive(channel)

    try:
        for group in groups:
            await layer.group_add(group, channel)
        yield heard
    finally:
        for group in groups:
            await layer.group_discard(group, channel)
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                while True:  # an unread ring would keep the channel alive
                    await layer.receive(channel)
