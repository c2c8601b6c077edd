"""A node's request that is held open: answered by what comes, or by nothing once the wait is over."""

import asyncio
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from network.federation import exchange, hub, membership, messages
from tests.network.federation.conftest import Answer, Peer, _ask

pytestmark = pytest.mark.django_db(transaction=True)

in_thread = sync_to_async


@pytest.fixture
def looks(monkeypatch) -> list[float]:
    """When the hub looked whether something waits, for those whose requests it holds open."""
    looks: list[float] = []
    really = messages.waiting

    def look(node) -> list[dict[str, Any]]:
        found = really(node)
        looks.append(time.monotonic())
        return found

    monkeypatch.setattr(messages, "waiting", look)
    return looks


async def waits(peer: Peer, looks: list[float], wait_s: float = 25) -> "asyncio.Task[Answer]":
    """A request that the hub holds open, and has looked for once."""
    before = len(looks)
    request, body, _ = await in_thread(peer.signed)("fetch", {"confirmed": {}, "wait_s": wait_s})
    asking = asyncio.create_task(_ask(request, [body], False))
    async with asyncio.timeout(10):
        while len(looks) == before:
            await asyncio.sleep(0.01)
    assert not asking.done()
    return asking


async def test_a_message_that_comes_meanwhile_is_the_answer(layer, porto, kinds, looks):
    asking = await waits(porto, looks)
    began = time.monotonic()
    await in_thread(messages.send)(porto.node, "told", {"number": 7})
    answer = await asyncio.wait_for(asking, 10)
    assert time.monotonic() - began < 5
    assert [each["body"] for each in answer.said["messages"]] == [{"number": 7}]
    assert len(looks) == 2  # it slept in between
    assert hub._waiting == {}
    assert exchange._under_way == {}


async def test_a_message_to_another_node_wakes_nobody_else(layer, porto, administrator, kinds, looks):
    other = await in_thread(membership.Node.objects.create)(
        part="member", slug="lisbon", name="Lisbon", public_key="c" * 64
    )
    asking = await waits(porto, looks, wait_s=1)
    await in_thread(messages.send)(other, "told", {"number": 7})
    assert (await asyncio.wait_for(asking, 10)).said["messages"] == []
    assert len(looks) == 2  # at first, and when the time was over


async def test_nothing_is_the_answer_once_the_wait_is_over(layer, porto, looks):
    began = time.monotonic()
    asking = await waits(porto, looks, wait_s=0.5)
    answer = await asyncio.wait_for(asking, 10)
    assert (answer.status, answer.said["messages"]) == (200, [])
    assert 0.5 <= time.monotonic() - began < 5


async def test_a_node_waits_once(layer, porto, looks):
    first = await waits(porto, looks)
    second = await waits(porto, looks, wait_s=0.5)
    assert (await asyncio.wait_for(first, 5)).said["messages"] == []
    assert (await asyncio.wait_for(second, 5)).status == 200


async def test_who_is_suspended_meanwhile_hears_so(layer, porto, administrator, looks):
    asking = await waits(porto, looks)
    await in_thread(membership.suspend)(by=administrator, node=porto.node)
    answer = await asyncio.wait_for(asking, 10)
    assert (answer.status, "suspended" in answer.reason) == (403, True)


async def test_a_request_that_is_sent_again_by_others_ends_no_waiting(layer, porto, kinds, looks):
    request, body, _ = await in_thread(porto.signed)("fetch", {"confirmed": {}, "wait_s": 25})
    asking = asyncio.create_task(_ask(request, [body], False))
    async with asyncio.timeout(10):
        while not hub._waiting:
            await asyncio.sleep(0.01)
    assert (await _ask(request, [body], False)).status == 401
    assert not asking.done()
    await in_thread(messages.send)(porto.node, "told", {"number": 7})
    assert len((await asyncio.wait_for(asking, 10)).said["messages"]) == 1
