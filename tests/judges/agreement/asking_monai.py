"""MONAI's numbers for two masks. It needs a PyTorch that Atlas doesn't, so it has an environment of its own
and is asked over files; `scripts/prepare_monai.sh` installs it."""

import json
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
WORKER = Path(__file__).with_name("monai_worker.py")


class NoMonai(Exception):
    """It can't be had on this machine; the text says why."""


class Monai:
    """One process of MONAI, for as many questions as there are. Raises NoMonai."""

    def __enter__(self) -> "Monai":
        prepared = subprocess.run(
            ["sh", "scripts/prepare_monai.sh"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if prepared.returncode:
            raise NoMonai(prepared.stderr.strip())
        python = prepared.stdout.strip().splitlines()[-1]
        self.folder = tempfile.TemporaryDirectory(prefix="atlas-monai-")
        self.process = subprocess.Popen(
            [python, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.files = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.communicate()
        self.folder.cleanup()

    def keep(
        self,
        first: np.ndarray,
        second: np.ndarray,
        spacing_mm: tuple[float, float, float],
        tolerance_mm: float,
    ) -> Path:
        """Write two masks, bool[slices, rows, columns], for `numbers`."""
        self.files += 1
        path = Path(self.folder.name, f"{self.files}.npz")
        np.savez(path, first=first, second=second, spacing_mm=spacing_mm, tolerance_mm=tolerance_mm)
        return path

    def numbers(self, kept: Path) -> dict[str, float]:
        """dice, surface_dice and hd95_mm, and the seconds that they took without reading the file."""
        if self.process.stdin is None or self.process.stdout is None:
            raise NoMonai("MONAI's process has no pipes.")
        self.process.stdin.write(f"{kept}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise NoMonai("MONAI's process has ended.")
        return json.loads(line)
