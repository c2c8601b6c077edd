"""`imports`: a folder of CT images imported by command and de-identified, whole command with its start: 3,000
against `cp` with an fsync of each file as the limit, 1,000 against dcmtk's storescu sending them to Orthanc.

The command leaves describing the series to the node's workers, as the peers describe nothing at all."""

import shutil
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.images import Scanner, write_folder
from benchmarks.measure import Result, pairs
from benchmarks.node import DATASET, BenchNode
from benchmarks.peers import Orthanc

IMAGES, IMAGES_COPIED = 1_000, 3_000


def run() -> list[Result]:
    scanner = Scanner()
    with (
        BenchNode() as node,
        Orthanc() as orthanc,
        # Beside the node's own objects, so that all write to one disk.
        tempfile.TemporaryDirectory(prefix="atlas-bench-", dir="/tmp") as place,
    ):
        folder, copy = Path(place, "study"), Path(place, "copy")

        def fresh(images: int) -> None:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(copy, ignore_errors=True)
            write_folder(folder, scanner.study(images))
            subprocess.run(["sync"], check=True)

        def timed(images: int, *command: str) -> float:
            begin = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            return images / (time.perf_counter() - begin)

        def atlas(images: int, _: int) -> float:
            fresh(images)
            begin = time.perf_counter()
            node.manage("import_dicom", str(folder), "--dataset", DATASET, "--seal-later")
            return images / (time.perf_counter() - begin)

        def cp(_: int) -> float:
            return timed(
                IMAGES_COPIED, "sh", "-c", f"cp -r {folder} {copy} && find {copy} -type f -exec sync {{}} +"
            )

        def storescu(_: int) -> float:
            orthanc.forget_all()
            return timed(
                IMAGES, "storescu", "+sd", "-aec", "PEER", "127.0.0.1", str(orthanc.dicom_port), str(folder)
            )

        return [
            pairs(
                f"imports, {name}",
                partial(atlas, images),
                peer,
                n=3,
                unit="images/s",
                note=f"{images} de-identified and indexed, whole command, against {said}",
                goal=goal,
            )
            for name, said, images, goal, peer in (
                ("cp", "cp with fsync", IMAGES_COPIED, 0.5, cp),
                ("orthanc", "storescu into Orthanc", IMAGES, 5.0, storescu),
            )
        ]
