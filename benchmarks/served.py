"""One series of 300 images on Atlas (imported, de-identified, sealed) and the same images on Orthanc."""

import http.client
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.images import Scanner, write_folder
from benchmarks.load import multipart, send_all
from benchmarks.node import DATASET, BenchNode
from benchmarks.peers import Orthanc

IMAGES = 300


@dataclass(frozen=True, slots=True)
class Server:
    """Where a series is: port, path of the series below the DICOMweb root, paths of its images."""

    port: int
    series: str
    images: list[str]
    headers: dict[str, str]


@contextmanager
def served() -> Iterator[tuple[Server, Server]]:
    """(Atlas, Orthanc), both running, both with the series at rest."""
    with serving() as (node, orthanc):
        yield found(node.port, "/dicomweb", node.headers), found(orthanc.port, orthanc.url, {})


@contextmanager
def serving() -> Iterator[tuple[BenchNode, Orthanc]]:
    """The same, as programs."""
    with BenchNode() as node, Orthanc() as orthanc, tempfile.TemporaryDirectory() as place:
        images = Scanner().study(IMAGES)
        write_folder(Path(place, "study"), images)
        node.manage("import_dicom", str(Path(place, "study")), "--dataset", DATASET)
        node.wait_until_packed()
        bodies = [multipart(images[at : at + 50]) for at in range(0, IMAGES, 50)]
        send_all(orthanc.port, f"{orthanc.url}/studies", bodies, {}, senders=1)
        yield node, orthanc


def found(port: int, root: str, headers: dict[str, str]) -> Server:
    """The first series that a DICOMweb server lists."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def search(path: str) -> list[dict]:
        line.request("GET", f"{root}/{path}", headers=headers | {"Accept": "application/dicom+json"})
        answer = line.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"Searching {path} answered {answer.status}: {text[:300]!r}")
        return json.loads(text)

    series = search("series?limit=1")[0]
    study_uid, series_uid = series["0020000D"]["Value"][0], series["0020000E"]["Value"][0]
    path = f"{root}/studies/{study_uid}/series/{series_uid}"
    uids = [
        one["00080018"]["Value"][0]
        for one in search(f"studies/{study_uid}/series/{series_uid}/instances?limit={IMAGES}")
    ]
    line.close()
    if len(uids) < IMAGES:
        raise SystemExit(f"{path} lists {len(uids)} images and should have {IMAGES}.")
    return Server(port, path, [f"{path}/instances/{uid}" for uid in uids], headers)
