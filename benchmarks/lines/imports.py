"""`imports`: a folder of 1,000 CT images imported by command and de-identified; dcmtk's storescu sending the
same folder to Orthanc, and `cp` of it with an fsync of each file as the limit."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.images import Scanner, write_folder
from benchmarks.measure import Result, pairs
from benchmarks.node import DATASET, BenchNode
from benchmarks.peers import Orthanc

IMAGES = 1_000


def run() -> list[Result]:
    scanner = Scanner()
    with (
        BenchNode() as node,
        Orthanc() as orthanc,
        # Beside the node's own objects, so that all write to one disk.
        tempfile.TemporaryDirectory(prefix="atlas-bench-", dir="/tmp") as place,
    ):
        folder, copy = Path(place, "study"), Path(place, "copy")

        def fresh() -> None:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(copy, ignore_errors=True)
            write_folder(folder, scanner.study(IMAGES))
            subprocess.run(["sync"], check=True)

        def timed(*command: str) -> float:
            begin = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            return IMAGES / (time.perf_counter() - begin)

        def atlas(_: int) -> float:
            fresh()
            begin = time.perf_counter()
            node.manage("import_dicom", str(folder), "--dataset", DATASET)
            return IMAGES / (time.perf_counter() - begin)

        def cp(_: int) -> float:
            return timed("sh", "-c", f"cp -r {folder} {copy} && find {copy} -type f -exec sync {{}} +")

        def storescu(_: int) -> float:
            orthanc.forget_all()
            return timed("storescu", "+sd", "-aec", "PEER", "127.0.0.1", str(orthanc.dicom_port), str(folder))

        return [
            pairs(
                f"imports, {name}",
                atlas,
                peer,
                n=3,
                unit="images/s",
                note=f"de-identified, whole command, against {said}",
                goal=goal,
            )
            for name, said, goal, peer in (
                ("cp", "cp with fsync", 0.5, cp),
                ("orthanc", "storescu into Orthanc", 5.0, storescu),
            )
        ]
