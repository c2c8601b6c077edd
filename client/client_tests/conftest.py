"""A node with a release of three cases, and a home of one's own for the client."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from atlas_client.remote import RemoteRelease
from atlas_client.server import Server
from client_tests.fake_node import TOKEN, FakeNode, serving


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the person who runs the tests is read or written."""
    for name in ("ATLAS_URL", "ATLAS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def node() -> Iterator[FakeNode]:
    node = FakeNode()
    made = random.Random(7)
    for case in (1, 2, 3):
        path = f"cases/000{case}/images/CT_a.nii.gz"
        node.files[path] = made.randbytes(200_000 + case)
        node.cases[path] = case
    node.files |= {"labels.json": b"{}", "empty.txt": b"", "manifest.json": b'{"files": []}'}
    with serving(node):
        yield node


@pytest.fixture
def release(node: FakeNode) -> RemoteRelease:
    """With little patience, and none wasted."""
    return RemoteRelease(Server(node.url, TOKEN, patience_s=2, sleep=lambda seconds: None), "respond@2")
