"""A node's agent: the process that talks to its hub. It calls out only; nothing ever calls the node.

Three things go on at once: it holds a request open until messages come, acts upon them and confirms them; it
brings the messages that wait for the hub; it publishes the catalogue when that has changed. Whatever fails is
tried again, with pauses that grow and are never the same twice, so that many nodes don't come back in step.

Nothing is kept in this process that it couldn't lose: it may be killed at any moment.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from atlas.archive.keys import KeyUnusable
from atlas.fanout import connection_parameters
from network.federation import bell, catalogue, health, joining, keys, messages, nodes, signing, strict_json
from network.federation.client import HubClient, HubRefused, Unreachable
from network.federation.exchange import in_thread
from network.models import Node

logger = logging.getLogger(__name__)

WAIT_S = 25.0
HEALTH_EVERY_S = 60.0
PUBLISH_EVERY_S = 15.0
NOTE_EVERY_S = 5.0
LOOK_EVERY_S = 15.0
"""Without a ring. It only matters where one got lost."""

PAUSE_FIRST_S, PAUSE_MAX_S = 1.0, 60.0
LOCK = 0x41544C4147454E54
"""PostgreSQL's advisory lock that makes the agent of a node the only one, however many are started."""

TROUBLES = (
    Unreachable,
    HubRefused,
    signing.Untrusted,
    strict_json.Malformed,
    KeyUnusable,
    DatabaseError,
    InterfaceError,
    TimeoutError,
    OSError,
)
"""What passes by itself, or by somebody's hand; anything else ends the process, and it is started again."""


class _HubChanged(Exception):
    """This node left its hub, or joined another one."""


class Backoff:
    """Pauses between attempts: they double up to a minute, each cut by up to half at random."""

    def __init__(self) -> None:
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def next_pause_s(self) -> float:
        longest = min(PAUSE_MAX_S, PAUSE_FIRST_S * 2 ** min(self._failures, 10))
        self._failures += 1
        return longest * random.uniform(0.5, 1.0)  # noqa: S311


async def run() -> None:
    """Talk to the hub for as long as there is one."""
    backoff = Backoff()
    while True:
        try:
            hub = await in_thread(nodes.hub)()
            if hub is None:
                return
            async with _alone():
                backoff.reset()
                await Agent(hub).run()
        except* _HubChanged:
            pass
        except* (DatabaseError, InterfaceError, psycopg.Error, TimeoutError, OSError) as group:
            logger.warning("The agent goes on as soon as the database answers: %s", group.exceptions[0])
            await asyncio.sleep(min(backoff.next_pause_s(), 5.0))


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """Within it this is the node's only agent. Waits for its turn; raises psycopg.Error where the lock is
    lost, since then the database is away."""
    async with await psycopg.AsyncConnection.connect(**connection_parameters(), autocommit=True) as database:
        while True:
            cursor = await database.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            row = await cursor.fetchone()
            if row and row[0]:
                break
            await asyncio.sleep(LOOK_EVERY_S / 5)
        async with asyncio.TaskGroup() as group:
            holding = group.create_task(_hold(database))
            yield
            holding.cancel()


async def _hold(database: psycopg.AsyncConnection[Any]) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY_S / 3)
        await database.execute("SELECT 1")


class Agent:
    """Talks to one hub until it changes."""

    def __init__(self, hub: Node) -> None:
        self.hub = hub
        self._told_health_at = -HEALTH_EVERY_S
        self._is_wanted = False
        self._wanted = asyncio.Event()
        self._trouble: str | None = None
        self._confirmed: dict[str, str] = {}
        """What this node has, and the hub doesn't know that yet: by message, why it was refused or ""."""
        self._bringing = asyncio.Lock()
        self._noted_at = 0.0

    async def run(self) -> None:
        async with HubClient(self.hub.address) as client:
            self._client = client
            async with asyncio.TaskGroup() as group:
                group.create_task(self._again_and_again(self._fetch))
                group.create_task(self._again_and_again(self._bring))
                group.create_task(self._again_and_again(self._publish))

    async def _again_and_again(self, work: Any) -> None:
        """`work` goes round and round by itself; after trouble it starts again."""
        backoff = Backoff()
        while True:
            try:
                await work(backoff)
            except TROUBLES as trouble:
                await self._note(trouble)
                await asyncio.sleep(backoff.next_pause_s())

    # What comes ---------------------------------------------------------------------------------

    async def _fetch(self, backoff: Backoff) -> None:
        while True:
            body: dict[str, Any] = {"wait_s": WAIT_S}
            tells = time.monotonic() - self._told_health_at >= HEALTH_EVERY_S
            if tells:
                body["health"] = await in_thread(health.of_this_node)(self.hub)
            answer = await self._call("fetch", body, timeout_s=WAIT_S + 20)
            if tells:
                self._told_health_at = time.monotonic()
            await self._note(None)
            if answer.get("catalogue_wanted") is True:
                self._is_wanted = True
                self._wanted.set()
            incoming = answer.get("messages")
            if not isinstance(incoming, list):
                raise strict_json.Malformed("The hub's answer holds no list of messages.")
            if not incoming:
                backoff.reset()
                continue
            try:
                accepted = await in_thread(messages.accept)(self.hub, incoming)
            except messages.Refused as error:
                raise strict_json.Malformed(str(error)) from error
            self._confirmed |= accepted
            await self._bring_some()  # what answers them goes with the word that they are here
            if len(accepted) == len(incoming):
                backoff.reset()
            else:  # the rest comes again, and had better not at once
                await asyncio.sleep(backoff.next_pause_s())

    # What goes ----------------------------------------------------------------------------------

    async def _bring(self, backoff: Backoff) -> None:
        async with bell.listening(self.hub) as heard:
            while True:
                brought, taken = await self._bring_some()
                if not brought:
                    backoff.reset()
                    await _either(heard(), LOOK_EVERY_S)
                elif taken < brought:
                    await asyncio.sleep(backoff.next_pause_s())

    async def _bring_some(self) -> tuple[int, int]:
        """Of what waits for the hub. Returns how many messages were brought, and how many it took."""
        async with self._bringing:  # nothing is brought twice
            found = await in_thread(messages.waiting)(self.hub)
            if not found:
                return 0, 0
            answer = await self._call("messages", {"messages": found})
            done = answer.get("done")
            if not isinstance(done, dict) or not all(isinstance(each, str) for each in done.values()):
                raise strict_json.Malformed("The hub's answer doesn't say what it took.")
            await in_thread(messages.confirm)(self.hub, done)
            return len(found), len(done)

    async def _publish(self, backoff: Backoff) -> None:
        while True:
            is_wanted, self._is_wanted = self._is_wanted, False
            self._wanted.clear()
            await in_thread(catalogue.publish_if_changed)(self.hub, is_wanted=is_wanted)
            backoff.reset()
            await asyncio.sleep(1.0)
            await _either(self._wanted.wait(), PUBLISH_EVERY_S)

    # Both ---------------------------------------------------------------------------------------

    async def _call(self, road: str, body: dict[str, Any], *, timeout_s: float = 60.0) -> dict[str, Any]:
        """Goes with what has to be confirmed. Raises _HubChanged, and what HubClient.call raises."""
        key = await in_thread(self._key)()
        told = dict(self._confirmed)
        try:
            answer = await self._client.call(
                road, {**body, "confirmed": told}, key=key, hub_key=self.hub.public_key, timeout_s=timeout_s
            )
        except HubRefused as refusal:
            if refusal.status == 401 and keys.next_is_there():
                logger.warning("A change of this node's key was interrupted: it goes on.")
                await in_thread(joining.finish_key_change)()
            raise
        for uid in told:
            self._confirmed.pop(uid, None)
        return answer

    def _key(self) -> Ed25519PrivateKey:
        """To sign with. Raises _HubChanged, since nobody else may get what is for this hub."""
        now = nodes.hub()
        known = (self.hub.pk, self.hub.public_key, self.hub.address)
        if now is None or (now.pk, now.public_key, now.address) != known:
            raise _HubChanged
        return keys.private_key()

    async def _note(self, trouble: BaseException | None) -> None:
        """Tell the pages how it goes, and the log when that has changed."""
        sentence = "" if trouble is None else _in_words(trouble)
        now = time.monotonic()
        if sentence == self._trouble and now - self._noted_at < NOTE_EVERY_S:
            return
        self._noted_at = now
        if sentence != self._trouble:
            self._trouble = sentence
            if sentence:
                logger.warning("The exchange with the hub failed: %s", sentence)
            else:
                logger.info("The exchange with the hub goes well.")
        with suppress(DatabaseError, InterfaceError):  # it is in the log
            await in_thread(_keep)(self.hub.pk, sentence)


def _in_words(trouble: BaseException) -> str:
    if isinstance(trouble, DatabaseError | InterfaceError | TimeoutError | OSError):
        return "This node's database doesn't answer, or its disk fails. The log says more."
    if isinstance(trouble, KeyUnusable):
        return "This node's key file can't be read. The log says which one."
    return str(trouble)


def _keep(hub_pk: int, trouble: str) -> None:
    changes: dict[str, Any] = {"trouble": trouble[:500]}
    if not trouble:
        changes["last_seen_at"] = timezone.now()
    Node.objects.filter(pk=hub_pk).update(**changes)


async def _either(waited_for: Any, timeout_s: float) -> None:
    """Returns when that has happened, or the time is over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await waited_for
