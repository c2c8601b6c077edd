"""`queries`: QIDO-RS with random filters on the real metadata of 1 M series; the limit is 50 ms for the
slowest twentieth, and the whole may not be slower than a tenth of it."""

import http.client
import json
import os
import random
import statistics
import time
from urllib.parse import quote, urlencode

from benchmarks.measure import Result, against_limit
from benchmarks.node import BenchNode

QUERIES = 200
LIMIT_MS = 50.0
_LOAD = """
from network import sample
sample.load("bench", range({first}, {last}), full={full})
"""
_VALUES = """
import json
from django.db.models import F
from atlas.models import Series
pks = list(Series.objects.order_by("public_id").values_list("pk", flat=True)[:400])
print(json.dumps([[str(part or "") for part in row] for row in Series.objects.filter(pk__in=pks).values_list(
    "study__subject__pseudonym", "study__date", "study__description", "study__study_instance_uid",
    "modality", "description", "body_part", "number", "series_instance_uid", "study__subject__sex")]))
"""


def run() -> list[Result]:
    full = os.environ.get("ATLAS_BENCH_FULL") == "1"
    with BenchNode() as node:
        figures = {}
        for name, first, last in (("a tenth", 0, 1), ("the whole", 1, 10)):
            code = _LOAD.format(first=first, last=last, full=full)
            node.manage("shell", "--no-imports", "--command", code, timeout_s=6 * 3600)
            rows = json.loads(node.python(_VALUES).strip().splitlines()[-1])
            figures[name] = _milliseconds(node, rows)
    whole, tenth = figures["the whole"], figures["a tenth"]
    size = "59 M instances" if full else "instances of a hundredth of them"
    return [
        against_limit(
            "queries p95",
            _p95(whole),
            LIMIT_MS,
            unit="ms",
            n=QUERIES,
            note=f"1 to 5 filters, 1,044,191 series, {size}; median {statistics.median(whole):.1f} ms",
        ),
        Result(
            "queries, tenth to whole",
            ours=_p95(whole),
            peer=_p95(tenth),
            ratio=_p95(tenth) / _p95(whole),
            unit="ms",
            n=QUERIES,
            note="p95 of the whole against p95 of a tenth",
            goal=0.5,
        ),
    ]


def _p95(milliseconds: list[float]) -> float:
    return statistics.quantiles(milliseconds, n=20)[-1]


def _milliseconds(node: BenchNode, rows: list[list[str]]) -> list[float]:
    chance = random.Random(1)
    line = http.client.HTTPConnection("127.0.0.1", node.port, timeout=120)
    headers = node.headers | {"Accept": "application/dicom+json", "Accept-Encoding": "identity"}
    taken = []
    for _ in range(QUERIES):
        path = _query(chance, rows)
        begin = time.perf_counter()
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        body = answer.read()
        taken.append((time.perf_counter() - begin) * 1000)
        if answer.status not in (200, 204):
            raise SystemExit(f"{path} answered {answer.status}: {body[:300]!r}")
        if taken[-1] > LIMIT_MS and os.environ.get("ATLAS_BENCH_TELL"):
            print(f"{taken[-1]:.0f} ms {path}")
    line.close()
    return taken


def _query(chance: random.Random, rows: list[list[str]]) -> str:
    """A search for studies, series or instances with 1 to 5 filters that fit at least one series, mostly."""
    patient, date, study_words, study, modality, words, part, number, series, sex = chance.choice(rows)
    day = date.replace("-", "") or "20100101"
    level = chance.choice(("studies", "series", "series", "instances"))
    filters = {
        "PatientID": chance.choice((patient, patient[:6] + "*", patient[:3] + "?" + patient[4:])),
        "StudyDate": chance.choice((day, f"{day[:4]}0101-{day[:4]}1231", f"{day}-", f"-{day}")),
        "StudyDescription": chance.choice((study_words, _some(chance, study_words))),
        "PatientSex": sex,
        "StudyInstanceUID": study,
    }
    if level == "studies":
        filters["ModalitiesInStudy"] = modality
    else:
        filters |= {
            "Modality": modality,
            "SeriesDescription": chance.choice((words, _some(chance, words))),
            "BodyPartExamined": part,
            "SeriesNumber": number,
            "SeriesInstanceUID": series,
        }
    filled = [name for name, value in filters.items() if value]
    chosen = chance.sample(filled, min(len(filled), chance.randint(1, 5)))
    asked = {name: filters[name] for name in chosen} | {"limit": str(chance.choice((25, 100)))}
    if chance.random() < 0.3:
        asked["offset"] = str(chance.choice((25, 100)))
    return f"/dicomweb/{level}?{urlencode(asked, quote_via=quote)}"


def _some(chance: random.Random, words: str) -> str:
    """A word of a description between asterisks."""
    found = [word for word in words.split() if len(word) > 2 and "\\" not in word]
    return f"*{chance.choice(found)}*" if found else words
