"""Real images go in as any others do; what comes out is handed to tools that Atlas has no part in."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import chromium  # noqa: F401  (a fixture)
from tests.e2e.node import Node


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that drive a browser come last: while it runs, Django's ORM can't be asked in this process."""
    items.sort(key=lambda item: "chromium" in getattr(item, "fixturenames", ()))


@pytest.fixture
def objects(settings, tmp_path: Path) -> Path:
    """Storage of its own."""
    settings.OBJECTS_DIR = tmp_path / "objects"
    return settings.OBJECTS_DIR


@pytest.fixture(scope="session")
def dciodvfy():
    """Runs dicom3tools' validator on a file; returns the lines that call something an error."""
    program = os.environ.get("DCIODVFY") or shutil.which("dciodvfy")
    if not program:
        pytest.fail("dciodvfy is not here: install the package dicom3tools.", pytrace=False)

    def errors_of(file: Path) -> list[str]:
        done = subprocess.run([program, str(file)], capture_output=True, text=True, check=False)
        report = done.stdout + done.stderr
        known = ("\nSegmentation", "Image", "\nComprehensive3DSR", "\nRTStructureSet")
        assert any(kind in f"\n{report}" for kind in known), f"it says nothing of this file: {report}"
        return [line for line in report.splitlines() if line.startswith("Error")]

    return errors_of


@pytest.fixture(scope="session")
def demo(pyradiomics_archive: Path) -> Iterator[Node]:
    """A node with the demo's people, to which real series are added."""
    with Node(demo=True) as node:
        node.manage("seed_demo")
        yield node
