"""What is remembered of who may see what is forgotten by all web processes when a right is taken away.

Decisions age by themselves (see `decisions`), so a message that is lost costs seconds, not safety.
"""

import asyncio
import logging
from weakref import WeakKeyDictionary

import psycopg
from channels.layers import get_channel_layer

from atlas.dicomweb import decisions, remembered
from atlas.fanout import GAP_GROUP, broadcast

logger = logging.getLogger(__name__)

GROUP = "decisions"
AGAIN_AFTER_S = 1.0

_listening: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[None]] = WeakKeyDictionary()


def tell_all() -> None:
    """Have every web process forget."""
    broadcast(GROUP, {"type": "decisions.forget"})


def listen_here() -> None:
    """Hear of it in this event loop from now on. Called for every request: it begins once."""
    loop = asyncio.get_running_loop()
    task = _listening.get(loop)
    if task is None or task.done():
        _listening[loop] = loop.create_task(_listen(), name="revocations")


async def _listen() -> None:
    while True:
        try:
            layer = get_channel_layer()
            channel = await layer.new_channel()
            for group in (GROUP, GAP_GROUP):  # a gap: something may have been said that nobody heard
                await layer.group_add(group, channel)
            forget_here()  # and before anyone listened
            while True:
                await layer.receive(channel)
                forget_here()
        except (TimeoutError, OSError, psycopg.Error) as error:
            logger.warning("Revocations are not heard (%s); trying again.", error)
            await asyncio.sleep(AGAIN_AFTER_S)


def forget_here() -> None:
    """In this process."""
    decisions.forget_everything()
    remembered.forget_everything()
