"""Sends each connection to the part that answers it."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.security.websocket import AllowedHostsOriginValidator

from atlas.dicomweb import revocation

PIXEL_ROADS = ("/pixels/", "/thumbnails/")
DICOMWEB_ROAD = "/dicomweb/"
FEDERATION_ROAD = "/federation/"


class Router:
    """An ASGI application that chooses by scope type and the start of the path."""

    def __init__(self, *, http: Any, pixels: Any, dicomweb: Any, federation: Any, websocket: Any) -> None:
        self.http = http
        self.pixels = pixels
        self.dicomweb = dicomweb
        self.federation = federation
        self.websocket = AllowedHostsOriginValidator(AuthMiddlewareStack(websocket))

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self.websocket(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(PIXEL_ROADS):
            revocation.listen_here()
            await self.pixels(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(DICOMWEB_ROAD):
            revocation.listen_here()
            await self.dicomweb(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(FEDERATION_ROAD):
            await self.federation(scope, receive, send)
        else:
            await self.http(scope, receive, send)
