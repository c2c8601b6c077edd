"""`stow`: 1,000 CT images by STOW-RS. Atlas de-identifies each, Orthanc stores it as it is; both sync."""

from benchmarks.images import Scanner
from benchmarks.load import multipart, send_all
from benchmarks.measure import Result, pairs
from benchmarks.node import DATASET, BenchNode
from benchmarks.peers import Orthanc

IMAGES = 1_000


def run() -> list[Result]:
    scanner = Scanner()
    with BenchNode() as node, Orthanc() as orthanc:

        def per_second(port: int, path: str, headers: dict[str, str], each: int, senders: int) -> float:
            images = scanner.study(IMAGES)
            bodies = [multipart(images[at : at + each]) for at in range(0, IMAGES, each)]
            return IMAGES / send_all(port, path, bodies, headers, senders=senders)

        def ours(each: int, senders: int) -> float:
            return per_second(node.port, f"/dicomweb/datasets/{DATASET}/studies", node.headers, each, senders)

        def peer(each: int, senders: int) -> float:
            orthanc.forget_all()
            return per_second(orthanc.port, f"{orthanc.url}/studies", {}, each, senders)

        return [
            pairs(
                "stow 1 × 50",
                lambda _: ours(50, 1),
                lambda _: peer(50, 1),
                n=3,
                unit="images/s",
                note="de-identified, against Orthanc as it is; one sender, 50 a request",
                goal=1.25,
            ),
            pairs(
                "stow 4 × 1",
                lambda _: ours(1, 4),
                lambda _: peer(1, 4),
                n=3,
                unit="images/s",
                note="de-identified, against Orthanc as it is; four senders, one a request",
                goal=1.0,
            ),
        ]
