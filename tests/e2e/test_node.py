"""The node as its operator knows it: it starts, comes back when parts of it are killed, and stops."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.e2e.node import ROOT, Node


def health(node: Node) -> dict:
    with urllib.request.urlopen(f"{node.base_url}/health", timeout=20) as response:
        return json.load(response)


def test_health_names_each_part_that_is_ready(node):
    answer = health(node)
    assert answer.pop("ready") is True
    assert answer == dict.fromkeys(["database", "migrations", "worker", "cache"], "ready")


def test_a_killed_web_process_is_replaced_and_waiting_requests_are_answered(node):
    killed = node.pid("web1")
    node.kill()
    assert health(node)["ready"] is True  # the socket stayed open: the request waited
    assert node.pid("web1") != killed


def test_a_job_whose_worker_was_killed_runs_again(node):
    node.python(
        """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute(
        "INSERT INTO procrastinate_workers (last_heartbeat)"
        " VALUES (now() - interval '1 hour') RETURNING id"
    )
    cursor.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status, args, worker_id)"
        " VALUES ('default', 'atlas.jobs.clear_finished_jobs', 'doing', '{\\"timestamp\\": 1}', %s)",
        [cursor.fetchone()[0]],
    )
"""
    )
    state = "from procrastinate.contrib.django.models import ProcrastinateJob as J\n"
    state += "print(J.objects.filter(args__timestamp=1).values_list('status', flat=True).get())"
    deadline = time.monotonic() + 40
    while (status := node.python(state).strip()) != "succeeded":
        assert time.monotonic() < deadline, f"the job is still {status}\n{node.log_tail()}"
        time.sleep(1)


def test_a_crash_of_everything_at_once_is_recovered_from(node):
    node.python("from django.core.cache import cache; cache.set('kept', 'yes', None)")
    node.crash()
    node.start()
    assert node.python("from django.core.cache import cache; print(cache.get('kept'))").strip() == "yes"


def test_a_second_node_on_the_same_port_is_told_so(node):
    done = subprocess.run(
        [sys.executable, "manage.py", "serve", f"--port={node.port}"],
        cwd=ROOT,
        env=node.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert f"Port {node.port} is in use" in done.stderr
    assert health(node)["ready"] is True


def test_a_stopped_node_leaves_no_process_and_no_listener():
    with Node() as own:
        pids = [own.pid(name) for name in ("supervisor", "web1", "worker1")]
        own.stop()
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", own.port)) != 0
        assert not (own.home / "postgres" / "data" / "postmaster.pid").exists()


def test_the_browser_opens_the_front_page(node, page):
    response = page.goto("/")
    assert response is not None
    assert response.status == 200
    assert "Atlas" in page.title()
