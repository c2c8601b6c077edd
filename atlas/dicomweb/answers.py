"""How the raw ASGI roads answer: a body, or a problem told in a sentence."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

type Send = Callable[[dict[str, Any]], Awaitable[None]]
type Headers = list[tuple[bytes, bytes]]

NOSNIFF = (b"x-content-type-options", b"nosniff")


class Problem(Exception):
    """An answer other than what was asked for: a status and a sentence."""

    def __init__(self, status: int, reason: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, list(headers)


def sign_in_first() -> Problem:
    return Problem(401, "Sign in first.", (b"www-authenticate", b'Bearer realm="Atlas"'))


async def send_problem(problem: Problem, send: Send, *, is_head: bool) -> None:
    body = json.dumps({"reason": problem.reason}).encode()
    headers = [(b"cache-control", b"no-store"), *problem.headers]
    await send_body(send, b"application/json", body, headers, status=problem.status, is_head=is_head)


async def send_body(
    send: Send,
    content_type: bytes,
    body: bytes,
    headers: Headers,
    *,
    status: int = 200,
    is_head: bool = False,
) -> None:
    """An answer that is in memory already."""
    start = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        NOSNIFF,
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": b"" if is_head else body})


async def send_empty(send: Send, status: int, headers: Headers) -> None:
    """An answer without content, as 204 and 304 are."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
