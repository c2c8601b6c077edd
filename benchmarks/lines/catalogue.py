"""`catalogue`: a node's answer to a question, and searches of the public catalogue with its facets, with 1 to
5 random filters on the real metadata of 1 M series in 179 datasets; the limit is 50 ms for the slowest
twentieth."""

import http.client
import json
import random
import statistics
import time
from urllib.parse import urlencode

from benchmarks.measure import Result, against_limit
from benchmarks.node import BenchNode

QUESTIONS = 200
LIMIT_MS = 50.0
_ASK = """
import json, random, sys, time
from annotations.cohort.language import CohortError, parse_text
from benchmarks.lines.catalogue import question
from network.facts import counting
from network.models import ListingFacet
values = {}
for facet, value in ListingFacet.objects.values_list("facet", "value").distinct():
    values.setdefault(facet, []).append(value)
chance = random.Random(1)
counting.answer(parse_text("everything"))  # facts are read from storage once a process
taken, told = [], 0
for _ in range(%d):
    expression = parse_text(question(chance, values))
    begin = time.perf_counter()
    found = counting.answer(expression)
    taken.append((time.perf_counter() - begin) * 1000)
    told += any(one.counts.subjects for one in found)
print(json.dumps({"taken": taken, "told": told, "datasets": len(found)}))
"""


def run() -> list[Result]:
    with BenchNode() as node:
        node.manage("load_catalogue_sample", timeout_s=3600)
        asked = json.loads(node.python(_ASK % QUESTIONS, timeout_s=600).strip().splitlines()[-1])
        values = _values(node)
        searched = _milliseconds(node, values)
    if asked["told"] < QUESTIONS / 4:
        raise SystemExit(f"Only {asked['told']} questions found anybody: that measures nothing.")
    return [
        _line(
            "count p95",
            asked["taken"],
            f"1 to 5 conditions to {asked['datasets']} datasets, 86,362 subjects, 1,044,191 series",
        ),
        _line(
            "catalogue p95", searched, "words and 1 to 5 facets, with the counts of every facet, over HTTP"
        ),
    ]


def _line(name: str, taken: list[float], note: str) -> Result:
    p95 = statistics.quantiles(taken, n=20)[-1]
    note = f"{note}; median {statistics.median(taken):.1f} ms"
    return against_limit(name, p95, LIMIT_MS, unit="ms", n=len(taken), note=note)


def question(chance: random.Random, values: dict[str, list[str]]) -> str:
    """1 to 5 conditions of subjects and series, joined at random; some of one and the same series."""

    def quoted(facet: str) -> str:
        return json.dumps(chance.choice(values[facet]), ensure_ascii=False)

    series = {
        "modality": lambda: f"modality is {quoted('modality')}",
        "body_part": lambda: f"body_part is {quoted('body_part')}",
        "manufacturer": lambda: f"manufacturer is {quoted('manufacturer')}",
        "images": lambda: f"images >= {chance.choice((10, 50, 100, 200))}",
    }
    subject = (
        lambda: f"subject.sex is {chance.choice('FM')}",
        lambda: f"subject.age >= {chance.choice((40, 50, 60, 70))}",
        lambda: f"case.time_points >= {chance.choice((2, 3))}",
        lambda: f"study(interval >= {chance.choice((28, 91, 182))})",
        lambda: f"series(modality is {quoted('modality')}) at least {chance.choice((2, 3))}",
    )
    wanted = chance.randint(1, 5)
    parts = []
    while wanted:
        if wanted > 1 and chance.random() < 0.3:
            some = chance.sample(sorted(series), chance.randint(2, min(wanted, 3)))
            parts.append(f"series({' and '.join(series[name]() for name in some)})")
            wanted -= len(some)
        else:
            one = series[chance.choice(sorted(series))]
            parts.append(f"series.{one()}" if chance.random() < 0.5 else chance.choice(subject)())
            wanted -= 1
        if chance.random() < 0.15:
            parts[-1] = f"not {parts[-1]}"
    return chance.choice((" and ", " and ", " or ")).join(parts)


def _values(node: BenchNode) -> dict[str, list[str]]:
    line = http.client.HTTPConnection("127.0.0.1", node.port, timeout=120)
    line.request("GET", "/api/v1/catalogue/datasets/", headers={"Accept": "application/json"})
    answer = json.loads(line.getresponse().read())
    line.close()
    return {name: [str(one["value"]) for one in found] for name, found in answer["facets"].items() if found}


def _milliseconds(node: BenchNode, values: dict[str, list[str]]) -> list[float]:
    chance = random.Random(2)
    line = http.client.HTTPConnection("127.0.0.1", node.port, timeout=120)
    taken = []
    for at in range(QUESTIONS + 10):
        names = chance.sample(sorted(values), min(len(values), chance.randint(1, 5)))
        asked = [(name, chance.choice(values[name])) for name in names]
        if chance.random() < 0.3:
            asked.append(
                ("q", chance.choice(("lung", "breast", "brain mr", "cancer imaging", "prostate ct")))
            )
        begin = time.perf_counter()
        line.request(
            "GET", f"/api/v1/catalogue/datasets/?{urlencode(asked)}", headers={"Accept": "application/json"}
        )
        answer = line.getresponse()
        body = answer.read()
        if at >= 10:  # the first ones open connections to the database
            taken.append((time.perf_counter() - begin) * 1000)
        if answer.status != 200:
            raise SystemExit(f"{asked} answered {answer.status}: {body[:300]!r}")
    line.close()
    return taken
