"""`reading`: the pages and the API of a project of 10,000 cases and 50 readers; the limit is 100 ms for the
slowest twentieth of each."""

import http.client
import json
import statistics
import time

from benchmarks.measure import Result, against_limit
from benchmarks.node import BenchNode

CASES, READERS = 10_000, 50
TIMES = 40
LIMIT_MS = 100.0
_LOAD = f"""
import json
from importlib import import_module
from django.conf import settings
from django.db import connection
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from annotations.reading.overview import kept
from tests import crowd

def session_of(user):
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key

of = crowd.build(cases={CASES}, readers={READERS})
kept.work_out(of.project.pk, of.lead.pk)
connection.cursor().execute("ANALYZE")  # as autovacuum does within a minute of so many rows
people = {{"lead": of.lead, "reviewer": of.reviewer, "reader": of.readers[0]}}
print(json.dumps([[session_of(people[who]), crowd.addresses(of, who)] for who in crowd.PAGES]))
"""


def run() -> list[Result]:
    with BenchNode() as node:
        printed = node.manage("shell", "--no-imports", "--command", _LOAD, timeout_s=1800)
        people = json.loads(printed.strip().splitlines()[-1])
        taken = {
            f"{who} {path}": ms for who, ms_of in _milliseconds(node, people) for path, ms in ms_of.items()
        }
    slowest = max(taken, key=lambda name: _p95(taken[name]))
    every = [ms for all_ms in taken.values() for ms in all_ms]
    return [
        against_limit(
            "reading p95",
            _p95(taken[slowest]),
            LIMIT_MS,
            unit="ms",
            n=len(every),
            note=f"the slowest of {len(taken)} pages and calls, {slowest.split(' ', 1)[1]}; "
            f"{CASES:,} cases, {READERS} readers; median of all {statistics.median(every):.0f} ms",
        )
    ]


def _p95(milliseconds: list[float]) -> float:
    return statistics.quantiles(milliseconds, n=20)[-1]


def _milliseconds(
    node: BenchNode, people: list[tuple[str, list[str]]]
) -> list[tuple[int, dict[str, list[float]]]]:
    """Each person's pages in turn, again and again; the first round isn't counted."""
    line = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
    found: list[tuple[int, dict[str, list[float]]]] = [
        (at, {path: [] for path in paths}) for at, (_, paths) in enumerate(people)
    ]
    for round_ in range(TIMES + 1):
        for at, (session, paths) in enumerate(people):
            for path in paths:
                begin = time.perf_counter()
                line.request("GET", path, headers={"Cookie": f"sessionid={session}", "Accept": "*/*"})
                answer = line.getresponse()
                answer.read()
                ms = (time.perf_counter() - begin) * 1000
                if answer.status != 200:
                    raise SystemExit(f"{path} answered {answer.status}.")
                if round_:
                    found[at][1][path].append(ms)
    line.close()
    return found
