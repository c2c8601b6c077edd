"""Django's handler of ASGI, which sends bytes from storage by the same short road as pixels go."""

from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpResponseBase

from atlas.api.stored import StoredBytes
from atlas.archive.storage import ObjectMissing
from atlas.dicomweb import streams
from atlas.dicomweb.answers import Problem, send_problem


class Handler(ASGIHandler):
    async def send_response(self, response: HttpResponseBase, send: Any) -> None:
        if not isinstance(response, StoredBytes):
            await super().send_response(response, send)
            return
        # All has been asked: a download of hours holds no connection to the database.
        await sync_to_async(close_old_connections)()
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()
        ]
        headers += [
            (b"set-cookie", cookie.output(header="").strip().encode("latin-1"))
            for cookie in response.cookies.values()
        ]
        start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
        try:
            await streams.send_answer(send, start, response.pieces)
        except ObjectMissing as error:
            await send_problem(streams.lost(error), send, is_head=False)
        except Problem as problem:
            await send_problem(problem, send, is_head=False)
