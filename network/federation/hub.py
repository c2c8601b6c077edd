"""A hub's roads for nodes, as an ASGI application beside Django:

    GET  /federation/identity     who this node is: name and key (open to anyone)
    POST /federation/join/        a node brings its key and the secret of an invitation
    POST /federation/fetch/       a node confirms messages and gets those that wait for it, or waits for some
    POST /federation/messages/    a node leaves messages, and confirms those that they answer
    POST /federation/key/         a node changes its key
    POST /federation/leave/       a node goes

Each POST is signed (`signing`), and so is its answer. The head is verified before the body is read, so only
members can send one; a nonce counts once. A node sees and changes nothing but its own row and mailbox, since
no road takes the name of a node: who asks is who signed.

A `fetch` that has to wait holds no thread and no connection to the database: it sleeps in the event loop
until the bell rings.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError

from atlas.archive.keys import KeyUnusable
from atlas.dicomweb.answers import Problem
from atlas.dicomweb.zero_copy import WAITS
from network.federation import bell, health, membership, messages, signing
from network.federation.exchange import (
    SMALL_BODY_BYTES_MAX,
    Exchange,
    Gone,
    Sender,
    heard_once,
    in_thread,
    opened,
    require_active,
)
from network.federation.health import software_version
from network.federation.nodes import this_node
from network.models import Node

logger = logging.getLogger(__name__)

WAIT_MAX_S = 25.0
"""Proxies give up a silent request after 30 or 60 seconds."""

MESSAGES_MAX = 100


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """ASGI 3, http."""
    exchange = Exchange(scope, receive)
    try:
        status, said = 200, await _answer(exchange)
    except Problem as problem:
        status, said = problem.status, {"reason": problem.reason}
    except (OperationalError, InterfaceError, TimeoutError):
        status, said = 503, {"reason": "The hub's database doesn't answer just now. Try again."}
    except Gone:
        return
    except Exception:
        logger.exception("A request of a node failed.")
        status, said = 500, {"reason": "The hub failed at this. Its log says why."}
    finally:
        exchange.leave()
    await exchange.send(send, status, said)


async def _answer(exchange: "Exchange") -> dict[str, Any]:
    path = exchange.scope["path"].removeprefix("/federation").strip("/")
    method = exchange.scope["method"]
    if path == "identity":
        if method not in ("GET", "HEAD"):
            raise Problem(405, "Who this node is, is read with GET.")
        return await in_thread(_identity)()
    if path not in ROADS:
        raise Problem(404, "There is no such road between nodes.")
    if method != "POST":
        raise Problem(405, "Nodes talk by POST.")
    return await ROADS[path](exchange)


# Roads ------------------------------------------------------------------------------------------


def _identity() -> dict[str, Any]:
    try:
        me = this_node()
    except KeyUnusable as error:
        logger.error("%s", error)  # its path is for the administrator only
        raise Problem(
            503, "This node's key isn't there. Its administrator finds the reason in the log."
        ) from error
    return {
        "name": me.name,
        "country": me.country,
        "address": me.address,
        "public_key": me.public_key,
        "software": software_version(),
    }


async def _join(exchange: Exchange) -> dict[str, Any]:
    exchange.require_host()
    try:
        signed = signing.verify_request(exchange.request)
    except signing.Untrusted as error:
        raise Problem(401, str(error)) from error
    body = await exchange.body(signed, SMALL_BODY_BYTES_MAX)
    secret = body.get("secret")
    if not isinstance(secret, str) or len(secret) > 100:
        raise Problem(400, "An invitation's secret is missing.")
    try:
        node = await in_thread(membership.admit)(secret=secret, public_key=signed.key, told=body)
    except membership.NotAdmitted as error:
        raise Problem(403, str(error)) from error
    exchange.nonce = signed.nonce
    return {"hub": await in_thread(_identity)(), "node": {"slug": node.slug, "name": node.name}}


type Look = Callable[[], list[dict[str, Any]]]
"""Asks the database what waits for a node."""

_waiting: dict[int, asyncio.Event] = {}
"""By node: what ends the request that it holds open in this process, when it opens another one."""


async def _fetch(exchange: Exchange) -> dict[str, Any]:
    sender, body = await opened(exchange)
    node = sender.node
    confirmed, wait_s = _confirmed(body.get("confirmed", {})), _seconds(body.get("wait_s", 0))
    first = partial(_take_word, sender, confirmed, body.get("health"))
    found = await (_wait(exchange, node, wait_s, first) if wait_s else in_thread(first)())
    return {"messages": found, "catalogue_wanted": not node.catalogue_digest}


def _take_word(sender: Sender, confirmed: dict[str, str], told: Any) -> list[dict[str, Any]]:
    """Note that the node lives, how it is, and what it has; returns what waits for it."""
    heard_once(sender)
    node = sender.node
    if isinstance(told, dict):
        ahead_s = (sender.signed.created - datetime.now(UTC)).total_seconds()
        node.health = {**health.checked(told), "clock_ahead_s": round(ahead_s)}
        node.software = membership.version(told.get("software"))
        node.save(update_fields=["health", "software"])
    if confirmed:
        messages.confirm(node, confirmed)
    return messages.waiting(node)


async def _wait(exchange: Exchange, node: Node, wait_s: float, first: Look) -> list[dict[str, Any]]:
    """What the node gets as soon as there is something, or nothing after `wait_s`. `first` looks first."""
    deadline = asyncio.get_running_loop().time() + wait_s
    exchange.scope.setdefault("extensions", {})[WAITS] = {}
    try:
        async with bell.listening(node) as heard:
            return await in_thread(first)() or await _until_found(exchange, node, deadline, heard)
    finally:
        exchange.scope["extensions"].pop(WAITS, None)


async def _until_found(
    exchange: Exchange, node: Node, deadline: float, heard: Callable[[], Awaitable[None]]
) -> list[dict[str, Any]]:
    if before := _waiting.get(node.pk):
        before.set()  # its connection is probably dead: a node waits once
    _waiting[node.pk] = newer = asyncio.Event()
    gone = asyncio.ensure_future(exchange.hung_up())
    superseded = asyncio.ensure_future(newer.wait())
    ring: asyncio.Future[Any] | None = None
    try:
        while (left_s := deadline - asyncio.get_running_loop().time()) > 0:
            ring = asyncio.ensure_future(heard())
            done, _ = await asyncio.wait(
                [ring, gone, superseded], timeout=left_s, return_when=asyncio.FIRST_COMPLETED
            )
            if gone in done:
                raise Gone
            if superseded in done:
                return []
            if ring in done:
                await ring
            if found := await in_thread(_look)(node):
                return found
        return []
    finally:
        if _waiting.get(node.pk) is newer:
            del _waiting[node.pk]
        tasks: list[asyncio.Future[Any]] = [gone, superseded, *([ring] if ring else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _look(node: Node) -> list[dict[str, Any]]:
    node.refresh_from_db(fields=["state", "catalogue_digest"])
    require_active(node)
    return messages.waiting(node)


async def _messages(exchange: Exchange) -> dict[str, Any]:
    sender, body = await opened(exchange)
    incoming = body.get("messages")
    if not isinstance(incoming, list) or len(incoming) > MESSAGES_MAX:
        raise Problem(400, f"At most {MESSAGES_MAX} messages, as a list.")
    try:
        done = await in_thread(_take_messages)(sender, incoming, _confirmed(body.get("confirmed", {})))
    except messages.Refused as error:
        raise Problem(400, str(error)) from error
    return {"done": done}


def _take_messages(sender: Sender, incoming: list[Any], confirmed: dict[str, str]) -> dict[str, str]:
    """First what they say, then what they confirm: a question that was answered isn't noted as fetched."""
    heard_once(sender)
    done = messages.accept(sender.node, incoming)
    if confirmed:
        messages.confirm(sender.node, confirmed)
    return done


async def _key(exchange: Exchange) -> dict[str, Any]:
    """Both keys sign. The hub may have heard of this before, and the node not: then it knows the new one."""
    exchange.require_host()
    try:
        new = signing.verify_request(exchange.request, tag=signing.NEW_KEY_TAG)
        old = signing.verify_request(exchange.request)
    except signing.Untrusted as error:
        raise Problem(401, str(error)) from error
    node = await in_thread(_holder)(old.key, new.key)
    exchange.nonce = old.nonce
    require_active(node)
    body = await exchange.body(old, SMALL_BODY_BYTES_MAX)  # both cover the same digest of it
    await in_thread(heard_once)(Sender(node, old))
    if body.get("public_key") != new.key:
        raise Problem(400, "The body names another key than the one that signed.")
    try:
        await in_thread(membership.change_key)(node, new.key)
    except membership.NotAdmitted as error:
        raise Problem(403, str(error)) from error
    return {}


def _holder(old: str, new: str) -> Node:
    members = Node.objects.filter(part=Node.Part.MEMBER).exclude(state=Node.State.LEFT)
    node = members.filter(public_key=old).first() or members.filter(public_key=new).first()
    if node is None:
        raise Problem(401, "The key isn't known here.")
    return node


async def _leave(exchange: Exchange) -> dict[str, Any]:
    sender, _ = await opened(exchange, SMALL_BODY_BYTES_MAX)
    await in_thread(heard_once)(sender)
    await in_thread(membership.left)(sender.node)
    return {}


ROADS: dict[str, Callable[[Exchange], Awaitable[dict[str, Any]]]] = {
    "join": _join,
    "fetch": _fetch,
    "messages": _messages,
    "key": _key,
    "leave": _leave,
}


# What a body may hold ---------------------------------------------------------------------------


def _confirmed(told: Any) -> dict[str, str]:
    is_right = (
        isinstance(told, dict)
        and len(told) <= 2 * MESSAGES_MAX
        and all(isinstance(sentence, str) for sentence in told.values())
    )
    if not is_right:
        raise Problem(
            400, "What is confirmed has to be an object: ids of messages, and why they were refused."
        )
    return told


def _seconds(told: Any) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float):
        raise Problem(400, "wait_s has to be a number of seconds.")
    return min(max(float(told), 0.0), WAIT_MAX_S)
