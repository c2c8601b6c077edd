"""QIDO-RS (PS3.18 10.6): searches for studies, series and instances."""

from atlas.dicomweb.answers import Problem, Send
from atlas.dicomweb.requests import Request


async def search(request: Request, level: str, uids: tuple[str | None, ...], send: Send) -> None:
    raise Problem(501, "This search isn't here yet.")
