"""`series`: 300 images of one series to the last byte; Orthanc, and nginx with one file of that size."""

import tempfile
from pathlib import Path

from benchmarks.load import fetch
from benchmarks.measure import Result, pairs
from benchmarks.peers import Nginx
from benchmarks.served import served

ACCEPT = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}


def run() -> list[Result]:
    with served() as (atlas, orthanc), tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        size = fetch(atlas.port, atlas.series, atlas.headers | ACCEPT)[1]
        Path(place, "series").write_bytes(bytes(size))
        with Nginx(Path(place)) as nginx:
            ours = lambda _: fetch(atlas.port, atlas.series, atlas.headers | ACCEPT)[0]
            return [
                pairs(
                    f"series, {name}",
                    ours,
                    peer,
                    n=7,
                    unit="s",
                    note=f"against {name}, {size / 1e6:.0f} MB",
                    goal=goal,
                    more_is_better=False,
                )
                for name, goal, peer in (
                    ("orthanc", 1.5, lambda _: fetch(orthanc.port, orthanc.series, ACCEPT)[0]),
                    ("nginx", 0.8, lambda _: fetch(nginx.port, "/series", {})[0]),
                )
            ]
