"""A node changes its key: brought to the hub in this process, interrupted at each step, and gone on with."""

from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ValidationError

from accounts.models import AuditRecord
from network.federation import agent, hub, joining, keys
from network.federation.client import HubClient, HubRefused
from network.models import Node

ADDRESS = "http://localhost"


class Killed(BaseException):
    """The process ends here."""


class Wire(httpx.AsyncBaseTransport):
    """From the node to the hub, which has its keys elsewhere. `is_cut`: answers get lost on the way."""

    def __init__(self, settings: Any, hub_keys: Path) -> None:
        self.settings, self.hub_keys = settings, hub_keys
        self.is_cut = False
        self.roads: list[str] = []

    @contextmanager
    def at_the_hub(self):
        own, self.settings.KEYS_DIR = self.settings.KEYS_DIR, self.hub_keys
        try:
            yield
        finally:
            self.settings.KEYS_DIR = own

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.roads.append(request.url.path)
        content = await request.aread()
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "raw_path": request.url.raw_path,
            "query_string": b"",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
        }
        with self.at_the_hub():
            await hub.application(scope, receive, send)
        if self.is_cut:
            raise httpx.ReadError("cut")

        async def body():
            for each in sent[1:]:
                yield each["body"]

        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=body())


@pytest.fixture
def wire(one_thread, settings, tmp_path, monkeypatch, db) -> Wire:
    wire = Wire(settings, tmp_path / "hub")
    settings.KEYS_DIR = tmp_path / "node"

    class Client(HubClient):
        def __init__(self, address: str) -> None:
            super().__init__(address)
            self._http = httpx.AsyncClient(base_url=self.origin, transport=wire)

    monkeypatch.setattr(joining, "HubClient", Client)
    monkeypatch.setattr(agent, "in_thread", sync_to_async)
    monkeypatch.setattr(joining, "members", Node.objects.none)  # one table holds what both know
    return wire


@pytest.fixture
def our_hub(wire) -> Node:
    """As the node knows it."""
    with wire.at_the_hub():
        public_key = keys.public_hex(keys.private_key())
    keys.private_key()
    return Node.objects.create(part="hub", slug="hub", name="Hub", address=ADDRESS, public_key=public_key)


@pytest.fixture
def porto(our_hub) -> Node:
    """The node as the hub knows it."""
    public_key = keys.public_hex(keys.private_key())
    return Node.objects.create(part="member", slug="porto", name="Porto", public_key=public_key)


def own_key() -> str:
    return keys.public_hex(keys.private_key())


def key_at_hub() -> str:
    return Node.objects.get(part="member").public_key


def ask_as_agent(our_hub: Node) -> dict[str, Any]:
    """One request as the node's agent makes it."""

    async def ask() -> dict[str, Any]:
        async with joining.HubClient(ADDRESS) as client:
            one = agent.Agent(our_hub)
            one._client = client
            return await one._call("fetch", {"confirmed": {}, "wait_s": 0})

    return async_to_sync(ask)()


def test_a_new_key_takes_the_place_of_the_old_one_on_both_sides(wire, our_hub, porto):
    before = own_key()
    told = joining.change_key(by=None)
    assert own_key() == key_at_hub() != before
    assert told == keys.fingerprint(own_key())
    assert not keys.next_is_there()
    assert ask_as_agent(our_hub)["messages"] == []
    assert wire.roads == ["/federation/key/", "/federation/fetch/"]
    assert AuditRecord.objects.filter(verb="hub.key_changed").count() == 1
    assert AuditRecord.objects.filter(verb="node.key_changed", object_id=porto.pk).count() == 1


def test_before_the_hub_heard_of_it_the_old_key_goes_on(wire, our_hub, porto, monkeypatch):
    def killed(*args: Any, **kwargs: Any) -> None:
        raise Killed

    before = own_key()
    with monkeypatch.context() as patch:
        patch.setattr(joining, "_call", killed)
        with pytest.raises(Killed):
            joining.change_key(by=None)
    waiting = keys.public_hex(keys.next_private_key())
    assert ask_as_agent(our_hub)["messages"] == []
    assert own_key() == key_at_hub() == before
    joining.change_key(by=None)  # somebody asks again: with the key that was made
    assert own_key() == key_at_hub() == waiting


@pytest.mark.parametrize("how", ["the process was killed", "the answer was lost"])
def test_once_the_hub_has_it_the_agent_finishes_the_change_by_itself(wire, our_hub, porto, monkeypatch, how):
    def killed() -> None:
        raise Killed

    before = own_key()
    with monkeypatch.context() as patch:
        if how == "the answer was lost":
            patch.setattr(wire, "is_cut", True)
            with pytest.raises(ValidationError, match="broke"):
                joining.change_key(by=None)
        else:
            patch.setattr(keys, "take_next", killed)
            with pytest.raises(Killed):
                joining.change_key(by=None)
    new = keys.public_hex(keys.next_private_key())
    assert (own_key(), key_at_hub()) == (before, new)
    with pytest.raises(HubRefused):  # of this request; the change is finished meanwhile
        ask_as_agent(our_hub)
    assert own_key() == key_at_hub() == new
    assert not keys.next_is_there()
    assert ask_as_agent(our_hub)["messages"] == []
    assert wire.roads == ["/federation/key/", *(f"/federation/{road}/" for road in ("fetch", "key", "fetch"))]


def test_a_key_that_the_hub_does_not_know_is_not_changed_by_the_agent(wire, our_hub, porto):
    Node.objects.filter(pk=porto.pk).update(public_key="d" * 64)
    before = own_key()
    with pytest.raises(HubRefused):
        ask_as_agent(our_hub)
    assert wire.roads == ["/federation/fetch/"]
    assert own_key() == before


def test_two_keys_of_which_the_hub_knows_neither_stay(wire, our_hub, porto):
    before, waiting = own_key(), keys.public_hex(keys.next_private_key())
    Node.objects.filter(pk=porto.pk).update(public_key=keys.public_hex(Ed25519PrivateKey.generate()))
    with pytest.raises(joining.Unreachable, match="isn't known"):
        ask_as_agent(our_hub)
    assert (own_key(), keys.public_hex(keys.next_private_key())) == (before, waiting)
