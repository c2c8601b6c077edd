"""A request of a node, as a hub takes it apart: who signed it, what it holds; and the signed answer to it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import connection
from django.http.request import split_domain_port, validate_host
from django.utils import timezone

from atlas.dicomweb.answers import Problem
from network.federation import keys, signing, strict_json
from network.models import Node

BODY_BYTES_MAX = 10 * 1024 * 1024
SMALL_BODY_BYTES_MAX = 16 * 1024
BODY_S = 30.0
"""A body that takes longer to arrive is given up: nobody holds a connection by sending a byte at a time."""

INLINE_BYTES_MAX = 64 * 1024
"""Smaller bodies are digested in the event loop: a change of threads would take longer."""

REQUESTS_MAX = 6
"""That one node may have under way in one process."""

JSON = "application/json"

threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="federation")

_under_way: dict[int, int] = {}
"""By node: how many of its requests this process answers."""


def in_thread[**P, R](function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    return database_sync_to_async(function, thread_sensitive=False, executor=threads)


class Gone(Exception):
    """The node hung up."""


@dataclass(frozen=True)
class Sender:
    node: Node
    signed: signing.Signed


class Exchange:
    """One request and its answer."""

    def __init__(self, scope: dict[str, Any], receive: Any) -> None:
        self.scope, self._receive = scope, receive
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        path = scope.get("raw_path") or scope["path"].encode()
        query = scope.get("query_string", b"")
        target = path.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
        # The scheme isn't covered: behind a proxy that ends TLS it is another one here.
        self.request = signing.Request(scope["method"], f"http://{headers.get('host', '')}{target}", headers)
        self.nonce = ""
        """Of the request, once its sender is known: then the answer is signed."""
        self._node_pk: int | None = None

    def enter(self, node: Node) -> None:
        """Count it among those that this node has under way. Raises Problem where they are too many."""
        if _under_way.get(node.pk, 0) >= REQUESTS_MAX:
            raise Problem(429, f"A node may have {REQUESTS_MAX} requests under way, no more.")
        self._node_pk = node.pk
        _under_way[node.pk] = _under_way.get(node.pk, 0) + 1

    def leave(self) -> None:
        if self._node_pk is not None:
            _under_way[self._node_pk] -= 1
            if not _under_way[self._node_pk]:
                del _under_way[self._node_pk]

    def require_host(self) -> None:
        domain, _ = split_domain_port(self.request.headers.get("host", ""))
        if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
            raise Problem(400, "This node doesn't answer to that host name (ATLAS_HOSTS lists its names).")

    async def body(self, signed: signing.Signed, bytes_max: int) -> dict[str, Any]:
        """The signed JSON object that was sent. Raises Problem."""
        content = await self._content(bytes_max)
        try:
            if len(content) > INLINE_BYTES_MAX:
                return await asyncio.to_thread(_checked_body, self.request, signed, content)
            return _checked_body(self.request, signed, content)
        except signing.Untrusted as error:
            raise Problem(401, str(error)) from error
        except strict_json.Malformed as error:
            raise Problem(400, str(error)) from error

    async def _content(self, bytes_max: int) -> bytes:
        too_large = Problem(413, f"A message between nodes has at most {bytes_max} bytes.")
        length = self.request.headers.get("content-length", "")
        if length.isdigit() and int(length[:20]) > bytes_max:
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_S):
                while True:
                    event = await self._receive()
                    if event["type"] == "http.disconnect":
                        raise Gone
                    body += event.get("body", b"")
                    if len(body) > bytes_max:
                        raise too_large
                    if not event.get("more_body"):
                        return bytes(body)
        except TimeoutError as error:
            raise Problem(408, f"The body took longer than {BODY_S:.0f} seconds.") from error

    async def hung_up(self) -> None:
        """Returns when the node has gone. Call it once the body is read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def send(self, send: Any, status: int, said: dict[str, Any]) -> None:
        """Signed, where the request was one that could be verified."""
        answer = signing.Answer(status, {"content-type": JSON}, self.request)
        content = await asyncio.to_thread(_signed_content, answer, said, self.nonce)
        headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
        headers += [
            (b"content-length", str(len(content)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if status in (408, 413):
            headers.append((b"connection", b"close"))  # the rest of its body isn't waited for
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if self.scope["method"] == "HEAD" else content})


def _checked_body(request: signing.Request, signed: signing.Signed, content: bytes) -> dict[str, Any]:
    signing.require_body(request, signed, content)
    return strict_json.parse(content)


def _signed_content(answer: signing.Answer, said: dict[str, Any], nonce: str) -> bytes:
    content = json.dumps(said, separators=(",", ":")).encode()
    if nonce:
        signing.sign_answer(answer, content, keys.private_key(), nonce=nonce)
    return content


# Who asks ---------------------------------------------------------------------------------------


async def opened(exchange: Exchange, bytes_max: int = BODY_BYTES_MAX) -> tuple[Sender, dict[str, Any]]:
    """The member that sent this, and its body; it counts once `heard_once` has passed. Raises Problem."""
    exchange.require_host()
    sender = await in_thread(_sender)(exchange.request)
    exchange.nonce = sender.signed.nonce
    require_active(sender.node)
    exchange.enter(sender.node)
    return sender, await exchange.body(sender.signed, bytes_max)


def _sender(request: signing.Request) -> Sender:
    claimed = signing.claimed_key(request)
    members = Node.objects.filter(part=Node.Part.MEMBER).exclude(state=Node.State.LEFT)
    node = members.filter(public_key=claimed).first() if claimed else None
    try:
        signed = signing.verify_request(
            request, is_known=lambda key: node is not None and key == node.public_key
        )
    except signing.Untrusted as error:
        raise Problem(401, str(error)) from error
    if node is None:
        raise Problem(401, "The key isn't known here.")
    return Sender(node, signed)


def require_active(node: Node) -> None:
    if node.state == Node.State.SUSPENDED:
        raise Problem(
            403,
            "The hub's administrator has suspended this node. What waits for it is kept until it is resumed.",
        )
    if node.state == Node.State.LEFT:
        raise Problem(401, "The key isn't known here.")


_TAKE = """
    WITH taken AS (
        INSERT INTO network_seennonce (node_id, nonce, expires_at) VALUES (%(node)s, %(nonce)s, %(until)s)
        ON CONFLICT DO NOTHING RETURNING node_id
    )
    UPDATE network_node SET last_seen_at = %(now)s FROM taken WHERE network_node.id = taken.node_id
"""


def heard_once(sender: Sender) -> None:
    """Take its nonce and note that the node lives, in one round trip, as every request does. Raises Problem
    (401) the second time."""
    signed, now = sender.signed, timezone.now()
    until = signed.expires + 2 * signing.SKEW
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"node": sender.node.pk, "nonce": signed.nonce, "until": until, "now": now})
        if not cursor.rowcount:
            raise Problem(401, "This message arrived before: a signed message counts once.")
    sender.node.last_seen_at = now
