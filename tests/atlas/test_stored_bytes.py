"""Bytes from storage as answers: in their order, with their headers, and what is told when they are lost."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse

from atlas.api.stored import StoredBytes
from atlas.archive.storage import new_key, storage
from atlas.handler import Handler

DATA = bytes(range(256)) * 20_000  # some pieces of a megabyte


@pytest.fixture
def key(settings, tmp_path: Path) -> str:
    settings.OBJECTS_DIR = tmp_path / "objects"
    key = new_key()
    storage().put_durable(key, DATA)
    return key


async def sent(response: HttpResponse | StoredBytes) -> tuple[dict[str, Any], bytes]:
    """The start of the answer and its body, as a web server gets them."""
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    await Handler().send_response(response, send)
    assert [message["type"] for message in messages[1:]] == ["http.response.body"] * (len(messages) - 1)
    assert [message.get("more_body", False) for message in messages[1:]] == [True] * (len(messages) - 2) + [
        False
    ]
    return messages[0], b"".join(message["body"] for message in messages[1:])


def pieces(key: str) -> list[bytes | tuple[str, int, int]]:
    return [b"head", (key, 0, 100), b"between", (key, 100, len(DATA) - 100), b"", b"end"]


WHOLE = b"head" + DATA[:100] + b"between" + DATA[100:] + b"end"


@pytest.mark.django_db
async def test_pieces_come_in_their_order_with_the_answers_headers(key: str) -> None:
    response = StoredBytes(iter(pieces(key)), status=206, headers={"ETag": '"x"', "Content-Type": "a/b"})
    response.set_cookie("seen", "yes", httponly=True)
    start, body = await sent(response)
    assert body == WHOLE
    headers = dict(start["headers"])
    assert start["status"] == 206
    assert (headers[b"etag"], headers[b"content-type"]) == (b'"x"', b"a/b")
    assert headers[b"set-cookie"].startswith(b"seen=yes; HttpOnly")


def test_who_iterates_gets_the_same(key: str) -> None:
    assert b"".join(StoredBytes(pieces(key))) == WHOLE


@pytest.mark.django_db
async def test_an_object_that_is_gone_is_told_while_nothing_was_sent(key: str) -> None:
    storage().delete(key)
    start, body = await sent(StoredBytes([(key, 0, 10)], headers={"ETag": '"x"'}))
    assert start["status"] == 500
    assert "can't be read" in json.loads(body)["reason"]
    assert b"etag" not in dict(start["headers"])


@pytest.mark.django_db
async def test_an_object_that_goes_meanwhile_breaks_the_answer(key: str) -> None:
    """Less than was announced is an error to every client; bytes of zeros would not be."""

    def going():
        yield key, 0, 100
        yield b"between"
        storage().delete(key)
        yield key, 100, 100

    with pytest.raises(EOFError):
        await sent(StoredBytes(going()))


@pytest.mark.django_db
async def test_other_answers_go_as_ever() -> None:
    start, body = await sent(HttpResponse(b"hello", status=201))
    assert (start["status"], body) == (201, b"hello")
