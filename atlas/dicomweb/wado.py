"""WADO-RS (PS3.18 10.4): instances, metadata, frames, pictures."""

from collections.abc import Awaitable, Callable

from atlas.dicomweb.answers import Send
from atlas.dicomweb.requests import Request

type Service = Callable[[Request, tuple[str | None, ...], Send], Awaitable[None]]

SERVICES: dict[str, Service] = {}
