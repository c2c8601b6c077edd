"""`release`: labelled cases of 512 × 512 × 60 voxels, two segments each, written as NIfTI, SEG and tables,
against the same by pydicom, highdicom and nibabel; both must find the same voxels. And the memory of a worker
that writes 1,000 small cases against one that writes 100."""

import json
import tempfile
from pathlib import Path

from benchmarks import labelled
from benchmarks.measure import Result, against_limit, compared
from benchmarks.node import DATASET, BenchNode

CASES, ROUNDS, SERIES, SLICES = 25, 4, 4, 60
SMALL, MANY, SMALL_SIDE, SMALL_SLICES = 100, 1000, 64, 6
ALLOWED = 1.05
GOAL = 2.0
_AGAINST_HAND = "from benchmarks import releasing; releasing.against_hand({cases}, {rounds})"
_MAKE_SMALL = "from benchmarks import releasing; releasing.make_small({cases})"
_PEAK = "from benchmarks import releasing; releasing.peak_of({cases})"


def run() -> list[Result]:
    return [*_against_hand(), _memory()]


def _against_hand() -> list[Result]:
    with BenchNode() as node:
        _import(node, SERIES, SLICES)
        found = _told(node, _AGAINST_HAND.format(cases=CASES, rounds=ROUNDS))
    cases = CASES * ROUNDS
    written = compared(
        "release, written",
        [(ours, hand) for ours, hand in found["measured"]],
        unit="s a case",
        note=f"{cases} cases of 512 × 512 × {SLICES}, two segments; against highdicom and nibabel by hand; "
        f"{found['compared']} compared voxel for voxel",
        goal=GOAL,
        more_is_better=False,
    )
    certified = Result(
        "release, certificate",
        ours=found["certificate_s"],
        peer=written.ours,
        ratio=written.ours / found["certificate_s"],
        unit="s a case",
        n=min(10, CASES),
        note="reading every file back and comparing it, against writing it; only watched",
    )
    return [written, certified]


def _memory() -> Result:
    with BenchNode() as node:
        _import(node, 1, SMALL_SLICES, side=SMALL_SIDE)
        node.manage("shell", "--no-imports", "--command", _MAKE_SMALL.format(cases=MANY), timeout_s=1200)
        few, many = (_told(node, _PEAK.format(cases=cases)) for cases in (SMALL, MANY))
    return against_limit(
        "release, memory",
        many,
        few * ALLOWED,
        unit="MB",
        n=MANY,
        note=f"at most, writing and reading back {MANY} small cases; of {SMALL}: {few:.0f} MB",
    )


def _import(node: BenchNode, count: int, slices: int, *, side: int = 512) -> None:
    with tempfile.TemporaryDirectory() as place:
        for seed in range(count):
            labelled.write_study(Path(place, str(seed)), slices=slices, seed=seed, side=side)
        node.manage("import_dicom", place, "--dataset", DATASET, timeout_s=600)
        node.wait_until_packed(count)


def _told(node: BenchNode, code: str):
    said = node.manage("shell", "--no-imports", "--command", code, timeout_s=3600)
    return json.loads(said.strip().splitlines()[-1])
