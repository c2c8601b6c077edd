"""`metadata`: DICOM JSON of 300 images, uncompressed on the wire for both."""

from benchmarks.load import fetch
from benchmarks.measure import Result, pairs
from benchmarks.served import IMAGES, served

ACCEPT = {"Accept": "application/dicom+json"}


def run() -> list[Result]:
    with served() as (atlas, orthanc):
        return [
            pairs(
                "metadata",
                lambda _: fetch(atlas.port, f"{atlas.series}/metadata", atlas.headers | ACCEPT)[0],
                lambda _: fetch(orthanc.port, f"{orthanc.series}/metadata", ACCEPT)[0],
                n=7,
                unit="s",
                note=f"against Orthanc, {IMAGES} images",
                goal=5.0,
                more_is_better=False,
            )
        ]
