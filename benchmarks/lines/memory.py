"""`memory`: what web and worker hold after many rounds of storing and reading, against what they held after
the second round. Flat means that it doesn't follow the number of images."""

from pathlib import Path

from benchmarks.images import Scanner
from benchmarks.load import many, multipart, send_all
from benchmarks.measure import Result, against_limit
from benchmarks.node import DATASET, WEB_PROCESSES, BenchNode
from benchmarks.served import found

ROUNDS, WARM_ROUNDS, IMAGES = 6, 2, 600
ALLOWED = 1.15
ACCEPT = {"Accept": 'multipart/related; type="application/octet-stream"'}


def run() -> list[Result]:
    scanner = Scanner()
    with BenchNode() as node:
        warm = after = {}
        for at in range(1, ROUNDS + 1):
            bodies = [multipart([image]) for image in scanner.study(IMAGES)]
            send_all(node.port, f"/dicomweb/datasets/{DATASET}/studies", bodies, node.headers, senders=4)
            del bodies
            paths = [f"{image}/frames/1" for image in found(node.port, "/dicomweb", node.headers).images]
            many(node.port, paths, node.headers | ACCEPT, clients=8, seconds=4)
            after = _memory(node)
            if at == WARM_ROUNDS:
                warm = after
        return [
            against_limit(
                f"memory of {name}",
                after[name],
                warm[name] * ALLOWED,
                unit="MB",
                n=ROUNDS,
                note=f"after {ROUNDS} rounds of {IMAGES} images stored and read; after {WARM_ROUNDS}: "
                f"{warm[name]:.0f} MB",
            )
            for name in ("web", "worker")
        ]


def _memory(node: BenchNode) -> dict[str, float]:
    webs = [_resident_mb(node.pid(f"web{number}")) for number in range(1, WEB_PROCESSES + 1)]
    return {"web": max(webs), "worker": _resident_mb(node.pid("worker1"))}


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
