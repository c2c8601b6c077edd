"""A channels layer over PostgreSQL's NOTIFY: what one process says, the websockets of all processes hear.

Who is in a group is known only to the process (and event loop) that holds the websocket. A
`group_send` is one NOTIFY; every process hears it and passes it on to its own members. Sending
uses a connection of its own, never the caller's transaction: NOTIFY inside a transaction makes
commits wait for each other. Services therefore call `broadcast` from `transaction.on_commit`.

Delivery is at most once. While the database restarts, messages are lost: so a message names what
changed (ids and numbers) and whoever hears it reads the rest. A consumer that must know about
such a gap adds itself to GAP_GROUP and hears {"type": "fanout.gap"} when listening works again.
"""

import asyncio
import json
import logging
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from asgiref.sync import async_to_sync, sync_to_async
from channels.exceptions import ChannelFull
from channels.layers import BaseChannelLayer, get_channel_layer
from django.db import connections
from psycopg import sql

logger = logging.getLogger(__name__)

NOTIFY_CHANNEL = "atlas_fanout"
MESSAGE_BYTES_MAX = 7000  # PostgreSQL takes payloads below 8000 bytes; the rest is for the envelope
GAP_GROUP = "fanout.gap"
GAP_MESSAGE = {"type": "fanout.gap"}
RECONNECT_S = (0.1, 0.2, 0.5, 1.0, 2.0)  # pauses between attempts; the last one repeats
LISTEN_TIMEOUT_S = 15.0

Message = Mapping[str, Any]


def broadcast(group: str, message: Message) -> None:
    """Send `message` to the members of `group` in all processes, from synchronous code, after a commit.

    Raises ValueError where the message is too large or isn't JSON: send ids.
    """
    layer = get_channel_layer()
    if isinstance(layer, PostgresChannelLayer):
        layer.group_send_sync(group, message)
    else:
        async_to_sync(layer.group_send)(group, dict(message))


def connection_parameters(alias: str = "default") -> dict[str, Any]:
    """psycopg's keywords for the database that Django uses now (in tests: the test database)."""
    parameters = connections[alias].get_connection_params()
    for django_only in ("context", "cursor_factory", "prepare_threshold"):
        parameters.pop(django_only, None)
    return parameters


class PostgresChannelLayer(BaseChannelLayer):
    """`CHANNEL_LAYERS = {"default": {"BACKEND": "atlas.fanout.PostgresChannelLayer"}}`.

    capacity: messages a channel holds before its next ones are dropped (group_send) or refused (send).
    expiry: seconds after which a full channel counts as abandoned and leaves its groups.
    """

    extensions = ("groups", "flush")

    def __init__(self, *, alias: str = "default", capacity: int = 100, expiry: int = 60) -> None:
        super().__init__(expiry=expiry, capacity=capacity)
        self.alias = alias
        self._prefix = f"specific.{uuid.uuid4().hex}"
        self._sender = _Sender(alias)
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Mailroom] = WeakKeyDictionary()

    # Channels -----------------------------------------------------------------------------------

    async def new_channel(self, prefix: str = "") -> str:
        """A new name for a channel of this process."""
        name = f"{self._prefix}!{uuid.uuid4().hex}"
        mailroom = self._mailroom()
        mailroom.open(name)
        await mailroom.listening()
        return name

    async def send(self, channel: str, message: Message) -> None:
        self.require_valid_channel_name(channel)
        if "!" not in channel:
            raise ValueError(
                f"{channel!r} names a channel that several processes would share. Defer a job for work, "
                "and send to a group to tell many."
            )
        payload = _encode("channel", channel, message)
        mailroom = self._mailroom()
        if mailroom.has(channel):
            mailroom.put(channel, json.loads(payload)["message"])
        else:
            await self._notify(payload)

    async def receive(self, channel: str) -> dict[str, Any]:
        self.require_valid_channel_name(channel)
        mailroom = self._mailroom()
        await mailroom.listening()
        return await mailroom.take(channel)

    # Groups -------------------------------------------------------------------------------------

    async def group_add(self, group: str, channel: str) -> None:
        """Returns when messages to the group sent from now on will reach the channel."""
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        mailroom = self._mailroom()
        mailroom.join(group, channel)
        await mailroom.listening()

    async def group_discard(self, group: str, channel: str) -> None:
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        self._mailroom().leave(group, channel)

    async def group_send(self, group: str, message: Message) -> None:
        self.require_valid_group_name(group)
        await self._notify(_encode("group", group, message))

    def group_send_sync(self, group: str, message: Message) -> None:
        self.require_valid_group_name(group)
        self._sender.notify(_encode("group", group, message))

    # Ending -------------------------------------------------------------------------------------

    async def flush(self) -> None:
        self._mailroom().forget_all()

    async def close(self) -> None:
        """Stop listening in this event loop and close the sending connection."""
        mailroom = self._loops.pop(asyncio.get_running_loop(), None)
        if mailroom is not None:
            await mailroom.close()
        self._sender.close()

    def _mailroom(self) -> "_Mailroom":
        loop = asyncio.get_running_loop()
        mailroom = self._loops.get(loop)
        if mailroom is None:
            mailroom = self._loops[loop] = _Mailroom(self.alias, self.capacity, self.expiry)
        return mailroom

    async def _notify(self, payload: str) -> None:
        await sync_to_async(self._sender.notify, thread_sensitive=False)(payload)


def _encode(kind: str, name: str, message: Message) -> str:
    try:
        text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    except TypeError as error:
        raise ValueError(f"A message to {name!r} must be JSON: {error}. Send ids, not objects.") from error
    size = len(text.encode())
    if size > MESSAGE_BYTES_MAX:
        raise ValueError(
            f"A message of {size} bytes to {name!r} is too large (at most {MESSAGE_BYTES_MAX}). "
            "Send the ids of what changed; whoever hears it reads the rest."
        )
    return f'{{"{kind}":{json.dumps(name)},"message":{text}}}'


class _Sender:
    """One connection a process for NOTIFY, opened when first needed and again when it broke."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._lock = threading.Lock()
        self._connection: psycopg.Connection | None = None
        self._database: str | None = None

    def notify(self, payload: str) -> None:
        with self._lock:
            reused = self._connection is not None
            try:
                self._execute(payload)
            except psycopg.OperationalError:
                self._drop()
                if not reused:
                    raise
                self._execute(payload)  # the server restarted since the last message

    def _execute(self, payload: str) -> None:
        parameters = connection_parameters(self._alias)
        if self._connection is not None and self._database != parameters["dbname"]:
            self._drop()
        if self._connection is None:
            self._connection = psycopg.connect(**parameters, autocommit=True)
            self._database = parameters["dbname"]
            # A notification is not kept, so its commit need not wait for the disk.
            self._connection.execute("SET synchronous_commit TO off")
        self._connection.execute("SELECT pg_notify(%s, %s)", [NOTIFY_CHANNEL, payload])

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass
class _Channel:
    queue: asyncio.Queue[dict[str, Any]]
    groups: set[str] = field(default_factory=set)
    receivers: int = 0
    last_read: float = field(default_factory=time.monotonic)


class _Mailroom:
    """The channels and groups of one event loop, and the task that listens to the database for them."""

    def __init__(self, alias: str, capacity: int, expiry_s: float) -> None:
        self._alias = alias
        self._capacity = capacity
        self._expiry_s = expiry_s
        self._channels: dict[str, _Channel] = {}
        self._members: dict[str, dict[str, None]] = {}  # group -> channels, in the order they joined
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # Channels -----------------------------------------------------------------------------------

    def has(self, name: str) -> bool:
        return name in self._channels

    def open(self, name: str) -> _Channel:
        if name not in self._channels:
            self._channels[name] = _Channel(asyncio.Queue(self._capacity))
        return self._channels[name]

    def put(self, name: str, message: dict[str, Any]) -> None:
        """Raises ChannelFull."""
        try:
            self._channels[name].queue.put_nowait(message)
        except asyncio.QueueFull:
            raise ChannelFull(name) from None

    async def take(self, name: str) -> dict[str, Any]:
        channel = self.open(name)
        channel.receivers += 1
        try:
            message = await channel.queue.get()
            channel.last_read = time.monotonic()
            return message
        finally:
            channel.receivers -= 1
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                self._forget_if_idle(name)

    def _forget_if_idle(self, name: str) -> None:
        channel = self._channels.get(name)
        if channel and not channel.groups and not channel.receivers and channel.queue.empty():
            del self._channels[name]

    def _forget(self, name: str) -> None:
        for group in self._channels.pop(name).groups:
            self._remove_member(group, name)

    def forget_all(self) -> None:
        self._channels.clear()
        self._members.clear()

    # Groups -------------------------------------------------------------------------------------

    def join(self, group: str, name: str) -> None:
        self.open(name).groups.add(group)
        self._members.setdefault(group, {})[name] = None

    def leave(self, group: str, name: str) -> None:
        self._remove_member(group, name)
        if name in self._channels:
            self._channels[name].groups.discard(group)
            self._forget_if_idle(name)

    def _remove_member(self, group: str, name: str) -> None:
        members = self._members.get(group, {})
        members.pop(name, None)
        if not members:
            self._members.pop(group, None)

    def deliver(self, group: str, message: dict[str, Any]) -> None:
        for name in list(self._members.get(group, ())):
            try:
                self.put(name, dict(message))  # a copy each: consumers may change theirs
            except ChannelFull:
                if time.monotonic() - self._channels[name].last_read > self._expiry_s:
                    self._forget(name)
                    logger.warning("Nobody reads %s any more: removed from its groups.", name)
                else:
                    logger.warning(
                        "%s is full (%d messages): one to %s dropped.", name, self._capacity, group
                    )

    # Listening ----------------------------------------------------------------------------------

    async def listening(self) -> None:
        """Returns once the database passes messages on to this loop. Raises TimeoutError."""
        if self._task is None or self._task.done():
            self._ready.clear()
            self._task = asyncio.create_task(self._listen_forever(), name="atlas fan-out")
        async with asyncio.timeout(LISTEN_TIMEOUT_S):
            await self._ready.wait()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen_forever(self) -> None:
        failures = 0
        heard_before = False
        while True:
            try:
                parameters = connection_parameters(self._alias)
                async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as database:
                    await database.execute(sql.SQL("LISTEN {}").format(sql.Identifier(NOTIFY_CHANNEL)))
                    self._ready.set()
                    failures = 0
                    if heard_before:
                        logger.info("Fan-out listens again.")
                        self.deliver(GAP_GROUP, GAP_MESSAGE)
                    heard_before = True
                    async for notification in database.notifies():
                        self._pass_on(notification.payload)
            except psycopg.OperationalError as error:
                self._ready.clear()
                if failures == 0:
                    logger.warning("Fan-out lost the database and reconnects: %s", error)
                await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])
                failures += 1

    def _pass_on(self, payload: str) -> None:
        content = json.loads(payload)
        if "group" in content:
            self.deliver(content["group"], content["message"])
        elif self.has(content["channel"]):
            try:
                self.put(content["channel"], content["message"])
            except ChannelFull:
                logger.warning("%s is full: a message dropped.", content["channel"])
