"""`frames`: one frame of 512 kB by WADO-RS, at 1, 8 and 64 clients; Orthanc, and nginx as the limit."""

import tempfile
from pathlib import Path

from benchmarks.load import many
from benchmarks.measure import Result, pairs
from benchmarks.peers import Nginx
from benchmarks.served import IMAGES, served

ACCEPT = {"Accept": 'multipart/related; type="application/octet-stream"'}
SECONDS = 4.0
FRAME_BYTES = 512 * 512 * 2


def run() -> list[Result]:
    with served() as (atlas, orthanc), tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        for number in range(IMAGES):
            Path(place, f"{number}.raw").write_bytes(bytes(FRAME_BYTES))
        with Nginx(Path(place)) as nginx:
            servers = {
                "atlas": (atlas.port, [f"{image}/frames/1" for image in atlas.images], atlas.headers),
                "orthanc": (orthanc.port, [f"{image}/frames/1" for image in orthanc.images], {}),
                "nginx": (nginx.port, [f"/{number}.raw" for number in range(IMAGES)], {}),
            }

            def measured(name: str, clients: int):
                port, paths, headers = servers[name]
                return many(port, paths, headers | ACCEPT, clients=clients, seconds=SECONDS)

            results = [
                pairs(
                    "frames p50 at 1",
                    lambda _: measured("atlas", 1).p50_ms,
                    lambda _: measured("orthanc", 1).p50_ms,
                    n=3,
                    unit="ms",
                    note="against Orthanc, one client",
                    goal=1.0,
                    more_is_better=False,
                )
            ]
            for clients in (8, 64):
                for peer, goal in (("orthanc", 3.0), ("nginx", 0.8)):
                    results.append(
                        pairs(
                            f"frames at {clients}, {peer}",
                            lambda _, clients=clients: measured("atlas", clients).per_second,
                            lambda _, clients=clients, peer=peer: measured(peer, clients).per_second,
                            n=3,
                            unit="frames/s",
                            note=f"against {peer}, {clients} clients",
                            goal=goal,
                        )
                    )
            return results
