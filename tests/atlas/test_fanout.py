"""Fan-out: what one process sends, members in every process and event loop hear once."""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from channels.exceptions import ChannelFull
from django.db import connection, transaction

from atlas import fanout, postgres
from atlas.fanout import MESSAGE_BYTES_MAX, PostgresChannelLayer, broadcast
from tests.conftest import ROOT, session_home

pytestmark = pytest.mark.django_db(transaction=True)


async def heard(layer: PostgresChannelLayer, channel: str, timeout_s: float = 5.0) -> dict:
    async with asyncio.timeout(timeout_s):
        return await layer.receive(channel)


async def hears_nothing(layer: PostgresChannelLayer, channel: str, wait_s: float = 0.3) -> bool:
    try:
        await heard(layer, channel, wait_s)
    except TimeoutError:
        return True
    return False


async def test_members_of_a_group_each_hear_a_message_once(layer):
    one, two, stranger = [await layer.new_channel() for _ in range(3)]
    await layer.group_add("read.1", one)
    await layer.group_add("read.1", two)
    await layer.group_add("read.2", stranger)
    await layer.group_send("read.1", {"type": "edits", "number": 7})
    assert await heard(layer, one) == {"type": "edits", "number": 7}
    assert await heard(layer, two) == {"type": "edits", "number": 7}
    for channel in (one, two, stranger):
        assert await hears_nothing(layer, channel)


async def test_one_who_left_hears_nothing(layer):
    channel = await layer.new_channel()
    await layer.group_add("read.1", channel)
    await layer.group_add("read.2", channel)
    await layer.group_discard("read.1", channel)
    await layer.group_send("read.1", {"type": "edits", "number": 1})
    await layer.group_send("read.2", {"type": "edits", "number": 2})
    assert await heard(layer, channel) == {"type": "edits", "number": 2}
    assert await hears_nothing(layer, channel)


async def test_messages_keep_the_order_in_which_they_were_sent(layer):
    channel = await layer.new_channel()
    await layer.group_add("read.1", channel)
    for number in range(50):
        await layer.group_send("read.1", {"type": "edits", "number": number})
    assert [(await heard(layer, channel))["number"] for _ in range(50)] == list(range(50))


async def test_another_process_reaches_the_members_here(layer):
    channel = await layer.new_channel()
    await layer.group_add("project.lung", channel)
    code = (
        "import django; django.setup(); from django.db import connection;"
        f"connection.settings_dict['NAME'] = {connection.settings_dict['NAME']!r};"
        "from atlas.fanout import broadcast; broadcast('project.lung', {'type': 'release', 'number': 1})"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT, env=environment)
    assert await process.wait() == 0
    assert await heard(layer, channel) == {"type": "release", "number": 1}
    assert await hears_nothing(layer, channel)


async def test_another_event_loop_of_this_process_hears_too(layer):
    joined = threading.Event()
    messages: list[dict] = []

    async def listen_elsewhere() -> None:
        channel = await layer.new_channel()
        await layer.group_add("read.1", channel)
        joined.set()
        messages.append(await heard(layer, channel))
        await layer.close()

    thread = threading.Thread(target=lambda: asyncio.run(listen_elsewhere()))
    thread.start()
    assert await asyncio.to_thread(joined.wait, 5)
    await layer.group_send("read.1", {"type": "edits", "number": 3})
    await asyncio.to_thread(thread.join, 5)
    assert messages == [{"type": "edits", "number": 3}]


async def test_a_message_to_one_channel_reaches_it_from_here_and_from_elsewhere(layer):
    channel = await layer.new_channel()
    elsewhere = PostgresChannelLayer()
    await layer.send(channel, {"type": "hello", "from": "here"})
    await elsewhere.send(channel, {"type": "hello", "from": "elsewhere"})
    assert [(await heard(layer, channel))["from"] for _ in range(2)] == ["here", "elsewhere"]
    await elsewhere.close()


async def test_a_channel_shared_by_processes_is_refused(layer):
    with pytest.raises(ValueError, match="Defer a job"):
        await layer.send("work", {"type": "seal"})


async def test_a_message_that_is_too_large_is_refused_and_the_largest_passes(layer):
    channel = await layer.new_channel()
    await layer.group_add("read.1", channel)
    with pytest.raises(ValueError, match="Send the ids"):
        await layer.group_send("read.1", {"type": "edits", "rle": "x" * MESSAGE_BYTES_MAX})
    with pytest.raises(ValueError, match="Send the ids"):
        await layer.group_send("read.1", {"type": "edits", "rle": "é" * (MESSAGE_BYTES_MAX // 2 + 1)})
    text = "é" * ((MESSAGE_BYTES_MAX - 40) // 2)
    await layer.group_send("read.1", {"type": "edits", "text": text})
    assert (await heard(layer, channel))["text"] == text


async def test_a_message_that_is_not_json_is_refused(layer):
    with pytest.raises(ValueError, match="must be JSON"):
        await layer.group_send("read.1", {"type": "edits", "object": object()})


async def test_a_slow_consumer_loses_messages_but_blocks_nobody(layer, caplog):
    slow, quick = await layer.new_channel(), await layer.new_channel()
    for channel in (slow, quick):
        await layer.group_add("read.1", channel)
    for number in range(layer.capacity + 5):
        await layer.group_send("read.1", {"type": "edits", "number": number})
        assert (await heard(layer, quick))["number"] == number
    assert "is full" in caplog.text
    with pytest.raises(ChannelFull):
        await layer.send(slow, {"type": "hello"})
    assert (await heard(layer, slow))["number"] == 0


async def test_an_abandoned_channel_leaves_its_groups(layer, caplog):
    layer.expiry = 0
    channel = await layer.new_channel()
    await layer.group_add("read.1", channel)
    watcher = await layer.new_channel()
    await layer.group_add("read.1", watcher)
    for number in range(layer.capacity + 1):
        await layer.group_send("read.1", {"type": "edits", "number": number})
        await heard(layer, watcher)
    assert "Nobody reads" in caplog.text
    assert not layer._mailroom().has(channel)


async def test_a_closed_websocket_leaves_nothing_behind(layer):
    channel = await layer.new_channel()
    await layer.group_add("read.1", channel)
    receiving = asyncio.create_task(layer.receive(channel))
    await asyncio.sleep(0.05)
    await layer.group_discard("read.1", channel)
    receiving.cancel()
    await asyncio.gather(receiving, return_exceptions=True)
    assert not layer._mailroom().has(channel)


async def test_broadcast_is_heard_after_the_commit_and_not_after_a_rollback(layer):
    channel = await layer.new_channel()
    await layer.group_add("read.1", channel)

    def write(number: int, fail: bool) -> None:
        with transaction.atomic():
            transaction.on_commit(lambda: broadcast("read.1", {"type": "edits", "number": number}))
            if fail:
                raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError, match="rolled back"):
        await asyncio.to_thread(write, 1, True)
    await asyncio.to_thread(write, 2, False)
    assert await heard(layer, channel) == {"type": "edits", "number": 2}
    assert await hears_nothing(layer, channel)


async def test_a_lost_connection_is_made_anew_and_the_gap_is_told(layer):
    channel, watcher = await layer.new_channel(), await layer.new_channel()
    await layer.group_add("read.1", channel)
    await layer.group_add(fanout.GAP_GROUP, watcher)
    await layer.group_send("read.1", {"type": "edits", "number": 1})
    await heard(layer, channel)

    def cut() -> None:
        with psycopg.connect(**fanout.connection_parameters(), autocommit=True) as database:
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    await asyncio.to_thread(cut)
    assert await heard(layer, watcher) == fanout.GAP_MESSAGE
    await layer.group_send("read.1", {"type": "edits", "number": 2})
    assert await heard(layer, channel) == {"type": "edits", "number": 2}
    assert await hears_nothing(layer, channel)


def test_a_restart_of_the_whole_database_is_survived():
    """In a process and cluster of its own: other tests use the session's."""
    home = Path(str(session_home()) + "-restart")
    code = """
import asyncio, os, signal, sys
import django; django.setup()
from pathlib import Path
from atlas import fanout, postgres
home = Path(os.environ["ATLAS_HOME"])

async def main():
    layer = fanout.PostgresChannelLayer()
    channel = await layer.new_channel()
    await layer.group_add("read.1", channel)
    await layer.group_add(fanout.GAP_GROUP, channel)
    await layer.group_send("read.1", {"number": 1})
    print(await layer.receive(channel))
    os.kill(postgres.postmaster_pid(home), signal.SIGKILL)
    await asyncio.to_thread(postgres.ensure_running, home, durable=False)
    async with asyncio.timeout(20):
        print(await layer.receive(channel))
        await layer.group_send("read.1", {"number": 2})
        print(await layer.receive(channel))
    await layer.close()

asyncio.run(main())
"""
    environment = {**os.environ, "ATLAS_HOME": str(home), "DJANGO_SETTINGS_MODULE": "atlas.settings"}
    try:
        postgres.ensure_running(home, durable=False)
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        postgres.stop(home)
        shutil.rmtree(home, ignore_errors=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["{'number': 1}", "{'type': 'fanout.gap'}", "{'number': 2}"]
