"""`stroke`: how long a stroke of the brush takes until it is on disk, while two hundred people draw."""

import base64
import http.client
import json
import random
import threading
import time
import uuid
from datetime import UTC, datetime

import numpy as np

from annotations.measures import masks
from benchmarks.images import COLUMNS, ROWS, Scanner
from benchmarks.load import Wrong, multipart, send_all
from benchmarks.measure import Result, against_limit
from benchmarks.node import DATASET, BenchNode

READERS, STROKES, PACE_S = 200, 8, 4.0
P95_LIMIT_MS = 100.0
RADIUS = 12  # pixels of the brush, moved by its own width for each stroke

_READERS = f"""
import json
from accounts import permissions
from accounts.models import Organisation, User
from accounts.services.tokens import make_token
from annotations.models import LabelSchema, Read
from annotations.reading import assignment, cases
from atlas.models import Dataset, DatasetGrant, Project, Series, Study
organisation, dataset = Organisation.objects.get(), Dataset.objects.get(slug="{DATASET}")
lead = User.objects.create_user("lead", password="bench-bench-bench")
project = Project.objects.create(organisation=organisation, name="Bench", slug="bench", created_by=lead)
permissions.grant(user=lead, role="lead", scope=project)
DatasetGrant.objects.create(dataset=dataset, project=project, granted_by=lead)
LabelSchema.objects.create(project=project, version=1, created_by=lead, labels=[
    {{"key": "lesion", "name": "Lesion", "color": "#f5a742", "kinds": ["segment"], "code": None,
     "required": False}}])
cases.add_cases(by=lead, project=project, study_ids=list(Study.objects.values_list("pk", flat=True)))
series = Series.objects.get()
readers = [User.objects.create_user(f"reader{{n}}") for n in range({READERS})]
for reader in readers:
    permissions.grant(user=reader, role="reader", scope=project)
assignment.assign(by=lead, project=project, cases=list(project.cases.all()), readers=readers)
tokens = {{reader.pk: make_token(by=reader, name="bench")[1] for reader in readers}}
print(json.dumps({{
    "series": series.public_id,
    "sops": list(series.instances.order_by("sop_instance_uid").values_list("sop_instance_uid", flat=True)),
    "reads": {{read.public_id: tokens[read.reader_id] for read in Read.objects.all()}},
}}))
"""
_KEPT = """
import json
from annotations.models import Read
print(json.dumps(dict(Read.objects.values_list("public_id", "last_edit_number"))))
"""


class _Reader:
    """One person with one read, who draws on one image after the other and waits for "saved"."""

    def __init__(self, port: int, read: str, token: str, series: str, sops: list[str]) -> None:
        self.path = f"/api/v1/reads/{read}/edits/"
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.series, self.sops, self.segment = series, sops, str(uuid.uuid4())
        self.tab = str(uuid.uuid4())
        self.sent = 0

    def begin(self) -> None:
        """The segment itself, before anything is drawn."""
        value = {"kind": "segment", "label": "lesion", "series": self.series, "state": "present", "note": ""}
        self._send([self._edit({"annotation": self.segment}, value | {"origin": {"from": "reader"}})])

    def stroke(self, number: int) -> float:
        """Seconds until a stroke over one image is acknowledged."""
        plane = np.zeros((ROWS, COLUMNS), dtype=bool)
        rows, columns = np.ogrid[:ROWS, :COLUMNS]
        for step in range(6):
            at = 100 + 2 * RADIUS * step + number
            plane |= (rows - at) ** 2 + (columns - at) ** 2 <= RADIUS**2
        rle = base64.b64encode(masks.encode(plane)).decode()
        target = {"annotation": self.segment, "sop": self.sops[number % len(self.sops)], "frame": 1}
        edits = [self._edit(target, {"rle": rle, "rows": ROWS, "columns": COLUMNS})]
        begin = time.perf_counter()
        self._send(edits)
        return time.perf_counter() - begin

    def _edit(self, target: dict, value: dict) -> dict:
        identity, group = str(uuid.uuid4()), str(uuid.uuid4())
        at = datetime.now(UTC).isoformat()
        about = {"id": identity, "group": group, "inverts": None, "at": at, "seen": 0}
        return about | {"object": target, "value": value}

    def _send(self, edits: list[dict]) -> None:
        self.line.request("POST", self.path, json.dumps({"tab": self.tab, "edits": edits}), self.headers)
        answer = self.line.getresponse()
        text = answer.read()
        self.line.close()  # a server keeps no connection for as long as people think
        if answer.status != 200 or any(one["status"] != "applied" for one in json.loads(text)["results"]):
            raise Wrong(f"{answer.status} {text[:300]!r}")
        self.sent += len(edits)


def run() -> list[Result]:
    with BenchNode() as node:
        bodies = [multipart(Scanner().study(STROKES))]
        send_all(node.port, f"/dicomweb/datasets/{DATASET}/studies", bodies, node.headers, senders=1)
        node.wait_until_packed()
        made = json.loads(node.python(_READERS).strip().splitlines()[-1])
        readers = [
            _Reader(node.port, read, token, made["series"], made["sops"])
            for read, token in made["reads"].items()
        ]
        for reader in readers:
            reader.begin()
        took = _all_draw(readers)
        kept = json.loads(node.python(_KEPT).strip().splitlines()[-1])
        lost = sum(reader.sent for reader in readers) - sum(kept.values())
        if lost:
            raise SystemExit(f"{lost} acknowledged edits are not in the journal.")
    note = f"until it is on disk; {READERS} people at once, a stroke each every {PACE_S:g} s; none lost"
    return [
        against_limit(
            "stroke p95",
            float(np.percentile(took, 95)) * 1000,
            P95_LIMIT_MS,
            unit="ms",
            n=len(took),
            note=note,
        )
    ]


def _all_draw(readers: list[_Reader]) -> list[float]:
    took: list[float] = []
    wrong: list[BaseException] = []
    lock = threading.Lock()

    def draw(reader: _Reader, first_after_s: float) -> None:
        try:
            time.sleep(first_after_s)
            for number in range(STROKES):
                seconds = reader.stroke(number)
                with lock:
                    took.append(seconds)
                time.sleep(max(0.0, PACE_S - seconds))
        except BaseException as error:
            wrong.append(error)

    begins = random.Random(7)
    threads = [threading.Thread(target=draw, args=(reader, begins.uniform(0, PACE_S))) for reader in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return took
