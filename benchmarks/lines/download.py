"""`download`: one client fetches a release's large file, all of it as one ZIP, and many small files one after
another; against nginx serving the same bytes as files."""

import http.client
import json
import tempfile
import time
from pathlib import Path

from benchmarks.load import READ_BYTES, Wrong, fetch
from benchmarks.measure import Result, pairs
from benchmarks.node import BenchNode
from benchmarks.peers import Nginx

LARGE_MB, SMALL, SMALL_KB = 400, 200, 64
ROUNDS = 7
GOAL = 0.8
_MAKE = "from benchmarks import downloading; downloading.make({large}, {small}, {small_kb})"


def run() -> list[Result]:
    with BenchNode() as node, tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        code = _MAKE.format(large=LARGE_MB, small=SMALL, small_kb=SMALL_KB)
        made = json.loads(node.python(code).strip().splitlines()[-1])
        root, (large, *small) = made["root"], made["paths"]
        whole = Path(place, "whole.zip")
        whole.write_bytes(bytes(fetch(node.port, f"{root}archive/", node.headers)[1]))
        for path in (large, *small):
            file = Path(place, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(bytes(fetch(node.port, f"{root}files/{path}", node.headers)[1]))
        for folder in Path(place).rglob("*"):
            folder.chmod(0o755 if folder.is_dir() else 0o644)
        with Nginx(Path(place)) as nginx:
            ours = lambda path: fetch(node.port, root + path, node.headers)[0]
            return [
                pairs(
                    "download, large file",
                    lambda _: ours(f"files/{large}"),
                    lambda _: fetch(nginx.port, f"/{large}", {})[0],
                    n=ROUNDS,
                    unit="s",
                    note=f"{LARGE_MB} MB against nginx",
                    goal=GOAL,
                    more_is_better=False,
                ),
                pairs(
                    "download, whole as ZIP",
                    lambda _: ours("archive/"),
                    lambda _: fetch(nginx.port, "/whole.zip", {})[0],
                    n=ROUNDS,
                    unit="s",
                    note=f"{SMALL + 1} files, {whole.stat().st_size / 1e6:.0f} MB, made while it is sent; "
                    "against one file of nginx",
                    goal=GOAL,
                    more_is_better=False,
                ),
                pairs(
                    "download, small files",
                    lambda _: _one_by_one(node.port, [f"{root}files/{path}" for path in small], node.headers),
                    lambda _: _one_by_one(nginx.port, [f"/{path}" for path in small], {}),
                    n=ROUNDS,
                    unit="s",
                    note=f"{SMALL} of {SMALL_KB} kB, one after another on one connection, each with its "
                    "permission and its line in the trail; only watched",
                    more_is_better=False,
                ),
            ]


def _one_by_one(port: int, paths: list[str], headers: dict[str, str]) -> float:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    line.connect()
    buffer = bytearray(READ_BYTES)
    begin = time.perf_counter()
    for path in paths:
        line.request("GET", path, headers={"Accept-Encoding": "identity"} | headers)
        answer = line.getresponse()
        while answer.readinto(buffer):
            pass
        if answer.status != 200:
            raise Wrong(f"{path}: {answer.status}")
    seconds = time.perf_counter() - begin
    line.close()
    return seconds
