"""`next_case`: from the key to the first image of the next case, through ten cases in one page; and what the
page holds in memory after the tenth against after the second."""

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.images import Scanner, write_folder
from benchmarks.measure import Result, against_limit
from benchmarks.node import DATASET, BenchNode
from benchmarks.viewers import AtlasRoom, prepare, profile

CASES, IMAGES, WARM_CASES = 10, 100, 2
LIMIT_MS = 200.0
MEMORY_ALLOWED = 1.10
SETTLED_MS = 3000

_LOADED = """() => {
    const { loaded, total } = window.atlasRoom.loaded(window.atlasRoom.state().series);
    return total > 0 && loaded === total;
}"""
_TOOK = """() => {
    const [key] = performance.getEntriesByName('atlas-next-case').slice(-1);
    const [shown] = performance.getEntriesByName('atlas-shown').slice(-1);
    return key && shown && shown.startTime > key.startTime ? shown.startTime - key.startTime : null;
}"""


def run() -> list[Result]:
    with BenchNode() as node, tempfile.TemporaryDirectory() as place:
        scanner = Scanner()
        for number in range(CASES):
            write_folder(Path(place, f"study{number}"), scanner.study(IMAGES))
        node.manage("import_dicom", place, "--dataset", DATASET)
        node.wait_until_packed(CASES)
        prepare(node)
        with sync_playwright() as playwright, profile(playwright) as browser:
            room = AtlasRoom(browser, node, is_slow=False)
            room.open()
            took, memory = _through_all(room.page)
    note = (
        f"to the first image of the next case, {IMAGES} images of 512 × 512 each, fetched ahead; software GL"
    )
    warm = memory[WARM_CASES - 1]
    return [
        against_limit("next_case", statistics.median(took), LIMIT_MS, unit="ms", n=len(took), note=note),
        against_limit(
            "memory of the room",
            memory[-1],
            warm * MEMORY_ALLOWED,
            unit="MB",
            n=CASES,
            note=f"of the page's process after {CASES} cases; after {WARM_CASES}: {warm:.0f} MB",
        ),
    ]


def _through_all(page: Page) -> tuple[list[float], list[float]]:
    """Milliseconds from key to image, and megabytes after each case."""
    took, memory = [], []
    for number in range(CASES):
        page.wait_for_function(_LOADED, timeout=60_000)
        page.wait_for_timeout(SETTLED_MS)
        memory.append(_renderer_mb())
        if number == CASES - 1:
            break
        page.keyboard.press("n")
        page.wait_for_function(_TOOK, timeout=30_000)
        took.append(page.evaluate(_TOOK))
    return took, memory


def _renderer_mb() -> float:
    """Of the largest of Chromium's pages, in MB resident."""
    found = [0.0]
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and b"--type=renderer" in (process / "cmdline").read_bytes():
                pages = int((process / "statm").read_text().split()[1])
                found.append(pages * 4096 / 1e6)
        except OSError:  # it ended meanwhile
            continue
    return max(found)
