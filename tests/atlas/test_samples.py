"""The sample archive is fetched once, resumed when broken off, and never trusted unchecked."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from atlas import samples

CONTENT = bytes(range(256)) * 4000


class Index:
    """A package index on the loopback that remembers what it was asked for."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.breaks_off_after: int | None = None
        self.ranges: list[str | None] = []


@pytest.fixture
def index(monkeypatch) -> Iterator[Index]:
    state = Index()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/simple/"):
                name = samples.FILENAME
                page = f'<a href="/files/{name}#sha256={samples.SHA256}">{name}</a>'.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)
                return
            wanted = self.headers.get("Range")
            state.ranges.append(wanted)
            begin = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
            body = state.content[begin:]
            self.send_response(206)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.breaks_off_after])

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in samples.INDEX_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://user:secret@127.0.0.1:{server.server_port}/simple/")
    monkeypatch.setattr(samples, "PUBLIC_INDEX", f"http://127.0.0.1:{server.server_port}/nothing/")
    monkeypatch.setattr(samples, "SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(samples, "SIZE_BYTES", len(CONTENT))
    yield state
    server.shutdown()
    server.server_close()


def test_it_is_downloaded_once_and_progress_is_told(index, tmp_path):
    told: list[tuple[int, int]] = []
    archive = samples.fetch_pyradiomics_archive(tmp_path, lambda done, total: told.append((done, total)))
    assert archive.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    samples.fetch_pyradiomics_archive(tmp_path)
    assert len(index.ranges) == 1


def test_a_download_that_broke_off_goes_on_where_it_stopped(index, tmp_path):
    index.breaks_off_after = 300_000
    with pytest.raises(samples.SampleError, match="could not be downloaded"):
        samples.fetch_pyradiomics_archive(tmp_path)
    there = (tmp_path / samples.FILENAME).with_suffix(".part").stat().st_size
    assert 0 < there < len(CONTENT)
    index.breaks_off_after = None
    assert samples.fetch_pyradiomics_archive(tmp_path).read_bytes() == CONTENT
    assert index.ranges[-1] == f"bytes={there}-"


def test_a_file_with_other_bytes_is_refused_and_not_kept(index, tmp_path):
    index.content = CONTENT[::-1]
    with pytest.raises(samples.SampleError, match="SHA-256"):
        samples.fetch_pyradiomics_archive(tmp_path)
    assert not (tmp_path / samples.FILENAME).exists()
    index.content = CONTENT
    assert samples.fetch_pyradiomics_archive(tmp_path).read_bytes() == CONTENT


def test_without_an_index_the_error_says_what_to_do_and_hides_the_password(monkeypatch, tmp_path):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://user:secret@127.0.0.1:9/simple/")
    monkeypatch.setattr(samples, "PUBLIC_INDEX", "http://127.0.0.1:9/simple/")
    with pytest.raises(samples.SampleError) as refusal:
        samples.fetch_pyradiomics_archive(tmp_path)
    text = str(refusal.value)
    assert str(tmp_path) in text
    assert "Connect to a package index" in text
    assert "secret" not in text


def test_the_cache_is_where_the_environment_says(monkeypatch):
    monkeypatch.delenv("ATLAS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert samples.cache_folder() == Path("/somewhere/atlas")
    monkeypatch.setenv("ATLAS_CACHE", "/elsewhere")
    assert samples.cache_folder() == Path("/elsewhere")
