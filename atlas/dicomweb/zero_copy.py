"""Sends bytes of a file from the page cache to the client without passing through Python's memory.

uvicorn knows only `http.response.body`. This protocol adds the `http.response.zerocopysend` of ASGI's
extensions: whatever the socket takes at once goes by sendfile(2), the rest, if any, as a usual body.
"""

import asyncio
import os
from typing import Any, TypedDict

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from atlas.dicomweb.answers import Send

EXTENSION = "http.response.zerocopysend"
WAITS = "atlas.waits"
"""An application that waits for news puts this into its scope's extensions: it is told that the client has
gone when the process stops."""
PIECE_BYTES = 64 * 1024
HEAD_S = 20.0
"""Within which the head of a request has to be there: nobody holds a connection by sending a byte at a time.
For bodies, those who read them set the time."""


class FileBytes(TypedDict):
    """The message. `file` stays the sender's to close, after the call has returned."""

    type: str
    file: int
    offset: int
    count: int
    more_body: bool


class Protocol(HttpToolsProtocol):
    """uvicorn's, whose `send` takes files, too; requests that only wait don't hold up a shutdown, and whoever
    doesn't come to the end of a head is hung up on."""

    _waits_for_head = True
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._limit_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._waits_for_head = False
        self._limit_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._waits_for_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._waits_for_head = False
        super().on_headers_complete()

    def _limit_head(self) -> None:
        if self._waits_for_head and self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_S, self._head_is_late)
        elif not self._waits_for_head and self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
        else:  # the answer to the request before it is still under way
            self._head_timer = self.loop.call_later(HEAD_S, self._head_is_late)

    def shutdown(self) -> None:
        cycle = self.cycle
        if cycle is not None and WAITS in cycle.scope.get("extensions", {}):
            cycle.disconnected = True
            cycle.message_event.set()
        super().shutdown()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.scope["extensions"] = {EXTENSION: {}}
        cycle.send = _Sending(cycle)  # type: ignore[method-assign]
        super()._start_asgi_task(cycle, app)


class _Sending:
    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._send = cycle.send

    async def __call__(self, message: Any) -> None:
        if message["type"] == EXTENSION:
            await self._send_file(message)
        else:
            await self._send(message)

    async def _send_file(self, message: FileBytes) -> None:
        cycle, transport = self._cycle, self._cycle.transport
        file, offset, left, more = message["file"], message["offset"], message["count"], message["more_body"]
        if transport.get_write_buffer_size():
            await asyncio.sleep(0)  # the loop writes what waits, such as the head, at the end of its turn
        is_tight = False
        try:
            while True:
                if cycle.flow.write_paused and not cycle.disconnected:
                    await cycle.flow.drain()
                sent = self._straight(file, offset, left)
                cycle.expected_content_length -= sent
                offset, left = offset + sent, left - sent
                rest = os.pread(file, min(left, PIECE_BYTES), offset)
                if len(rest) < min(left, PIECE_BYTES):
                    raise EOFError("The file became shorter while it was sent.")
                offset, left = offset + len(rest), left - len(rest)
                if left and not is_tight:
                    # Paused until nothing waits any more, so that the next piece goes straight again.
                    transport.set_write_buffer_limits(high=0)
                    is_tight = True
                await self._send({"type": "http.response.body", "body": rest, "more_body": more or left > 0})
                if not left:
                    return
                await asyncio.sleep(0)  # the loop's turn: to write, or to find that nobody listens any more
                if cycle.disconnected or transport.is_closing():
                    return
        finally:
            if is_tight:
                transport.set_write_buffer_limits()

    def _straight(self, file: int, offset: int, count: int) -> int:
        """Bytes that the socket took at once."""
        transport = self._cycle.transport
        if (
            not count
            or transport.get_write_buffer_size()
            or transport.is_closing()
            or self._cycle.disconnected
        ):
            return 0
        try:
            return os.sendfile(transport.get_extra_info("socket").fileno(), file, offset, count)
        except OSError:
            return 0  # full, or broken: the transport finds out which


def takes_files(send: Send) -> bool:
    return isinstance(send, _Sending)
