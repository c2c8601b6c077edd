"""Files go from the kernel's memory to a real socket: whole, in order, with what comes before and after."""

import asyncio
import http.client
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
import uvloop

from atlas.archive.storage import storage
from atlas.dicomweb import streams, zero_copy
from atlas.dicomweb.zero_copy import EXTENSION, Protocol, takes_files

CONTENT = os.urandom(9_000_001)  # more than any socket takes at once
HEAD, TAIL = b"before ", b" after"


@pytest.fixture
def key() -> str:
    storage().put_durable("abc/object", CONTENT)
    return "abc/object"


@pytest.fixture
def ended() -> list[BaseException | None]:
    """How each answer ended."""
    return []


@pytest.fixture(params=[uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])
def port(request, key, ended) -> Iterator[int]:
    """A server that sends the object for "/", and announces more than there is for "/short"."""

    async def application(scope, receive, send):
        assert takes_files(send)
        assert EXTENSION in scope["extensions"]
        size = len(CONTENT)
        try:
            if scope["path"] == "/short":
                length = [(b"content-length", b"%d" % (size + 10))]
                await send({"type": "http.response.start", "status": 200, "headers": length})
                file = storage().open_if_cached(key, 0, size)
                place = {"file": file, "offset": 0, "count": size + 10, "more_body": False}
                await send({"type": EXTENSION, **place})
            else:
                span = (key, 0, size)
                await streams.send_pieces(send, b"text/plain", [HEAD, span, TAIL], [])
            ended.append(None)
        except BaseException as error:
            ended.append(error)
            raise

    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(application, http=Protocol, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=request.param, args=(server.serve([listening]),))
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(10)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def wait_until(true) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_byte_arrives_and_the_connection_is_used_again(port):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(3):
        line.request("GET", "/")
        answer = line.getresponse()
        assert int(answer.headers["content-length"]) == len(HEAD) + len(CONTENT) + len(TAIL)
        assert answer.read() == HEAD + CONTENT + TAIL
    line.close()


def test_a_slow_reader_gets_the_same(port):
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(20)
        line.connect(("127.0.0.1", port))
        line.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        got = bytearray()
        while piece := line.recv(200_000):
            got += piece
    assert bytes(got[got.index(b"\r\n\r\n") + 4 :]) == HEAD + CONTENT + TAIL


def test_a_file_that_is_shorter_than_announced_breaks_the_connection(port, ended):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    line.request("GET", "/short")
    with pytest.raises(http.client.IncompleteRead):
        line.getresponse().read()
    wait_until(lambda: ended)
    assert isinstance(ended[0], EOFError)


def test_a_reader_that_goes_away_leaves_no_file_open(port, ended):
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        while line.recv(1_000_000):
            pass
    wait_until(lambda: ended)
    before = open_files()
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            line.recv(1000)
    wait_until(lambda: len(ended) == 6)
    wait_until(lambda: open_files() <= before)


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: here\r\n"], ids=["nothing", "a head"])
def test_who_never_comes_to_the_end_of_a_head_is_hung_up_on(port, monkeypatch, begun):
    monkeypatch.setattr(zero_copy, "HEAD_S", 0.5)
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(begun)
        line.settimeout(0.05)
        while time.monotonic() - began < 10:
            try:
                if not line.recv(100):
                    break
            except TimeoutError:
                if begun:
                    line.sendall(b"X-More: of it\r\n")
            except OSError:
                break
    assert 0.4 < time.monotonic() - began < 5


def test_a_line_that_is_used_outlives_the_time_for_a_head(port, monkeypatch):
    monkeypatch.setattr(zero_copy, "HEAD_S", 0.2)
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(3):
        line.request("GET", "/")
        answer = line.getresponse()
        time.sleep(0.3)  # the answer takes longer than a head may
        assert len(answer.read()) == len(HEAD) + len(CONTENT) + len(TAIL)
        kept = line.sock
        time.sleep(0.3)
        assert line.sock is kept
    line.close()


def test_without_such_a_server_the_bytes_are_read(key):
    messages = []

    async def send(message):
        messages.append(message)

    asyncio.run(streams.send_pieces(send, b"text/plain", [HEAD, (key, 5, 100_000)], []))
    assert [message["type"] for message in messages] == ["http.response.start"] + 2 * ["http.response.body"]
    assert messages[2]["body"] == CONTENT[5:100_005]


def test_bytes_beyond_the_end_are_an_error_and_an_object_that_is_gone_too(key):
    with pytest.raises(EOFError):
        storage().open_if_cached(key, len(CONTENT) - 100, 200)
    descriptor = storage().open_if_cached(key, 0, len(CONTENT))
    if descriptor is not None:
        os.close(descriptor)
