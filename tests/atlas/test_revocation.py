"""A right that is taken away is gone in all web processes at once, not when a decision has aged."""

import asyncio
import time

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers

from accounts import permissions, revocation
from accounts.services.tokens import make_token, revoke_token
from atlas import access
from atlas.archive import generations
from atlas.dicomweb import decisions
from atlas.dicomweb import revocation as hearing
from atlas.dicomweb.decisions import Credentials, Decisions
from atlas.fanout import PostgresChannelLayer
from tests.cast import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

WITHIN_S = 2.0  # far below DECISION_S


@pytest.fixture
async def known():
    """Decisions of a web process that hears of revocations, which never age here."""
    access._remembered.clear()
    layer, before = PostgresChannelLayer(), channel_layers["default"]
    channel_layers.set("default", layer)
    hearing.listen_here()
    hearing.listen_here()  # a request later
    task = hearing._listening[asyncio.get_running_loop()]
    await asyncio.sleep(0.5)
    yield Decisions(clock=lambda: 0.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await layer.close()
    channel_layers.set("default", before)


async def becomes(expected: bool, known: Decisions, credentials: Credentials, series_id: str) -> bool:
    """Whether the road is open as expected, soon."""
    ends = time.monotonic() + WITHIN_S
    while time.monotonic() < ends:
        decision = await known.ask(credentials, series_id, 1)
        if bool(decision.manifest_key) is expected:
            return True
        await asyncio.sleep(0.02)
    return False


def session_of(user) -> Credentials:
    return Credentials(signed_in(user).cookies["sessionid"].value, "")


async def test_a_role_taken_away_closes_the_road_at_once(known, chest, manager, dataset):
    credentials = await sync_to_async(session_of)(manager)
    assert await becomes(True, known, credentials, chest.public_id)
    await sync_to_async(permissions.revoke)(user=manager, role="data_manager", scope=dataset)
    assert await becomes(False, known, credentials, chest.public_id)


async def test_without_news_a_decision_is_remembered(known, chest, manager, dataset, monkeypatch):
    credentials = await sync_to_async(session_of)(manager)
    assert await becomes(True, known, credentials, chest.public_id)
    monkeypatch.setattr(revocation, "_listeners", {})
    await sync_to_async(permissions.revoke)(user=manager, role="data_manager", scope=dataset)
    await asyncio.sleep(0.5)
    assert await becomes(True, known, credentials, chest.public_id)


async def test_a_token_revoked_opens_nothing_at_once(known, chest, manager):
    token, secret = await sync_to_async(make_token)(by=manager)
    credentials = Credentials("", f"Bearer {secret}")
    assert await becomes(True, known, credentials, chest.public_id)
    await sync_to_async(revoke_token)(by=manager, token=token)
    assert await becomes(False, known, credentials, chest.public_id)


async def test_signing_out_closes_the_road_at_once(known, chest, manager):
    client = await sync_to_async(signed_in)(manager)
    credentials = Credentials(client.cookies["sessionid"].value, "")
    assert await becomes(True, known, credentials, chest.public_id)
    await sync_to_async(client.logout)()
    assert await becomes(False, known, credentials, chest.public_id)


async def test_forgotten_generations_are_not_remembered(known, chest, manager):
    credentials = await sync_to_async(session_of)(manager)
    first = (await known.ask(credentials, chest.public_id, 1)).manifest_key
    await sync_to_async(generations.forget_generations)(chest)
    ends = time.monotonic() + WITHIN_S
    while (now := await known.ask(credentials, chest.public_id, 1)).manifest_key == first:
        assert time.monotonic() < ends
        await asyncio.sleep(0.02)
    assert (now.generation, now.objects_of(1)) == (2, None)


async def test_what_was_asked_before_the_news_is_not_remembered_after_it(chest, manager, monkeypatch):
    """The database answers “yes”; before the answer is here, the role is taken away."""
    known = Decisions(clock=lambda: 0.0)
    answers = [decisions.Decision(True, 1, "key"), decisions.Decision(True)]
    release = asyncio.Event()

    async def slow(credentials, series_id):
        answer = answers.pop(0)
        await release.wait()
        return answer

    monkeypatch.setattr(decisions, "_decide", slow)
    credentials = Credentials("session", "")
    early = asyncio.create_task(known.ask(credentials, chest.public_id, 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    decisions.forget_everything()
    late = asyncio.create_task(known.ask(credentials, chest.public_id, 1))
    await asyncio.sleep(0)
    release.set()
    assert (await early).manifest_key == "key"
    assert (await late).manifest_key == ""
    assert (await known.ask(credentials, chest.public_id, 0)).manifest_key == ""
