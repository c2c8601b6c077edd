"""A hub in this process, and peers that talk to it as nodes do, or as somebody who would like to be one."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from accounts import permissions
from network.federation import exchange, hub, keys, membership, messages, nodes, signing
from network.models import Node
from tests.cast import person

HOST = "localhost"


@pytest.fixture(autouse=True)
def nothing_counted_yet():
    """Not asked here: these tests look at no page with figures."""


@pytest.fixture
def one_thread(monkeypatch):
    """Work that the hub does in threads is done in the test's own, on its connection to the database."""
    for module in (exchange, hub):
        monkeypatch.setattr(module, "in_thread", sync_to_async)


@pytest.fixture
def keys_dir(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"
    return settings.KEYS_DIR


@pytest.fixture
def administrator(db):
    user = person("ines", "Inês", "Sousa")
    permissions.grant(user=user, role="administrator", scope=None)
    return user


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        return self.said["reason"]


def ask(
    request: signing.Request, body: bytes, *, pieces: list[bytes] | None = None, stalls: bool = False
) -> Answer:
    """The hub's answer to a request as it stands. stalls: the end of its body never comes."""
    return async_to_sync(_ask)(request, [body] if pieces is None else pieces, stalls)


async def _ask(request: signing.Request, pieces: list[bytes], stalls: bool) -> Answer:
    waiting = list(pieces)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if waiting:
            piece = waiting.pop(0)
            return {"type": "http.request", "body": piece, "more_body": stalls or bool(waiting)}
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    _, _, rest = request.url.partition("://")
    host, slash, target = rest.partition("/")
    path, _, query = (slash + target).partition("?")
    headers = {"host": host, **request.headers}
    scope = {
        "type": "http",
        "method": request.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }
    await hub.application(scope, receive, send)
    return Answer(
        sent[0]["status"],
        {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]},
        b"".join(each["body"] for each in sent[1:]),
    )


@dataclass
class Peer:
    """Whoever holds this key."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    node: Node | None = None

    @property
    def public_key(self) -> str:
        return keys.public_hex(self.key)

    def signed(self, road: str, body: dict[str, Any] | bytes) -> tuple[signing.Request, bytes, str]:
        """A request, its body, and its nonce."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = signing.Request(
            "POST", f"http://{HOST}/federation/{road}/", {"content-type": "application/json"}
        )
        return request, content, signing.sign_request(request, content, self.key)

    def post(self, road: str, body: dict[str, Any] | bytes) -> Answer:
        """What the hub answers; an answer that it signed is verified."""
        request, content, nonce = self.signed(road, body)
        answer = ask(request, content)
        if "signature" in answer.headers:
            hub_key = nodes.this_node().public_key
            whole = signing.Answer(answer.status, answer.headers, request)
            signing.verify_answer(whole, answer.body, public_key=hub_key, nonce=nonce)
        else:
            assert answer.status != 200
        return answer

    def fetch(self, **body: Any) -> list[dict[str, Any]]:
        answer = self.post("fetch", {"confirmed": {}, "wait_s": 0, **body})
        assert answer.status == 200, answer.reason
        return answer.said["messages"]


@pytest.fixture
def this_hub(one_thread, keys_dir, administrator) -> nodes.Identity:
    return nodes.this_node()


def joined(administrator, name: str = "Porto") -> Peer:
    """A peer that came with an invitation."""
    peer = Peer()
    secret = membership.invite(by=administrator, name=name, country="PT").text.split("#")[1].split(".")[0]
    answer = peer.post("join", {"secret": secret, "software": "0.1.0"})
    assert answer.status == 200, answer.reason
    peer.node = Node.objects.get(public_key=peer.public_key)
    return peer


@pytest.fixture
def porto(this_hub, administrator) -> Peer:
    return joined(administrator)


@pytest.fixture
def kinds(monkeypatch):
    """Two kinds of message of these tests' own: "told" goes to members, "said" comes from them. What arrives
    is appended to the list that this gives; a body with "fail" raises that."""
    arrived: list[tuple[str, dict[str, Any]]] = []

    def receive(node: Node, body: dict[str, Any]) -> None:
        arrived.append((node.slug, body))
        if "refuse" in body:
            raise messages.Refused(body["refuse"])
        if "fail" in body:
            raise RuntimeError(body["fail"])

    monkeypatch.setattr(
        messages, "SENT_BY", {**messages.SENT_BY, "told": Node.Part.HUB, "said": Node.Part.MEMBER}
    )
    monkeypatch.setattr(messages, "_kinds", dict(messages._kinds))
    messages.register("told", receive)
    messages.register("said", receive)
    return arrived
