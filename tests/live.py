"""The browser's side of websockets."""

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator
from channels.auth import AuthMiddlewareStack
from django.conf import settings
from django.test import Client

from network.routing import application


class Page(ApplicationCommunicator):
    """One open page of who is signed in at this client; of nobody without one."""

    def __init__(self, path: str, client: Client | None = None) -> None:
        name = settings.SESSION_COOKIE_NAME
        cookie = client and f"{name}={client.cookies[name].value}".encode()
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": [(b"cookie", cookie)] if cookie else [],
            "subprotocols": [],
        }
        super().__init__(AuthMiddlewareStack(application), scope)

    async def connect(self) -> bool:
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(timeout=10))["type"] == "websocket.accept"

    async def say(self, message: Any) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        await self.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> Any:
        return json.loads((await self.receive_output(timeout=10))["text"])

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=10)
