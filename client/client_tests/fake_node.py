"""A node with one release, in this process: it can be slow, break off, change its mind, or be hostile."""

import hashlib
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PLACE = "/api/v1/projects/respond/releases/2/"
TOKEN = "atlas_a-token-that-is-good"
PASSWORD = "correct horse"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def archive_of(files: dict[str, bytes]) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, data in sorted(files.items()):
            archive.writestr(f"respond-release-2/{path}", data)
    return stream.getvalue()


class FakeNode:
    """`files` are the release; `before` may answer a request instead, or do something first."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.withdrawn: set[str] = set()
        self.lines: list[dict[str, Any]] | None = None  # of the manifest, as a hostile node sends them
        self.cases: dict[str, int] = {}
        self.state = "ready"
        self.agreement = ""
        self.use: dict[str, Any] | None = {"purpose": "To train.", "at": "2026-11-23T08:00:00Z"}
        self.before: Callable[[Request], bool] = lambda request: False
        self.asked: list[tuple[str, str, str]] = []
        """(method, path, Range) of every request."""
        self.stated: list[dict[str, Any]] = []
        self.url = ""

    def facts(self) -> dict[str, Any]:
        manifest = self.files.get("manifest.json", b"")
        gone = sorted({self.cases[path] for path in self.withdrawn})
        return {
            "name": "respond@2",
            "project": {"slug": "respond", "name": "RESPOND"},
            "number": 2,
            "title": "Second look",
            "licence": "CC BY 4.0",
            "citation": "",
            "state": self.state,
            "cases_total": 3,
            "cases_done": 1,
            "problem": "",
            "frozen_at": "2026-11-20T08:00:00Z",
            "manifest_sha256": sha256(manifest) if manifest else "",
            "formats": [{"format": "nifti", "title": "NIfTI", "files": 3, "bytes": 3000}],
            "parts": [{"part": "train", "cases": 2, "files": 2, "bytes": 2000}],
            "withdrawn_cases": [{"case": case, "at": "", "reason": "Consent."} for case in gone],
            "agreement": {"text": self.agreement, "is_accepted": self.use is not None}
            if self.agreement
            else None,
            "use": self.use,
        }

    def manifest(self) -> list[dict[str, Any]]:
        if self.lines is not None:
            return self.lines
        return [
            {
                "path": path,
                "format": "nifti" if path in self.cases else "",
                "part": "train" if path in self.cases else "",
                "case": self.cases.get(path),
                "size": len(data),
                "sha256": sha256(data),
                "withdrawn_at": "2026-11-21T00:00:00Z" if path in self.withdrawn else None,
                "url": "https://elsewhere.example/never-asked",
            }
            for path, data in sorted(self.files.items())
        ]

    def of_files(self) -> list[tuple[str, str]]:
        """(path, Range) of every request for a file so far."""
        start = f"{PLACE}files/"
        return [(path[len(start) :], span) for _, path, span in self.asked if path.startswith(start)]


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    node: FakeNode

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        node = self.node
        address = urlsplit(self.path)
        self.place = unquote(address.path)
        self.params = {key: values[0] for key, values in parse_qs(address.query).items()}
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.sent = json.loads(self.body or b"{}") if method == "POST" else {}
        node.asked.append((method, self.place, self.headers.get("Range", "")))
        if node.before(self):
            return
        if method == "POST" and self.place == "/api/v1/tokens/":
            if self.sent["password"] != PASSWORD:
                self.tell(403, {"reason": "No account has this user name and password."})
            else:
                self.tell(201, {"token": TOKEN, "id": "abc", "expires_at": "2026-12-23T08:00:00Z"})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.tell(401, {"reason": "This token is unknown, ended or revoked. Make a new one."})
        elif self.place in ("/api/v1/releases/", "/api/v1/projects/respond/releases/"):
            self.tell(200, {"count": 1, "results": [node.facts()]})
        elif self.place == PLACE:
            self.tell(200, node.facts())
        elif self.place == f"{PLACE}use/":
            node.stated.append(self.sent)
            node.use = {"purpose": self.sent["purpose"], "at": "2026-11-23T08:00:00Z"}
            self.tell(200, node.use)
        elif self.place == f"{PLACE}manifest/":
            self._manifest()
        elif self.place.startswith(f"{PLACE}files/"):
            self._file(self.place.removeprefix(f"{PLACE}files/"))
        elif self.place == f"{PLACE}archive/":
            self.give(archive_of(node.files), etag=sha256(repr(sorted(node.files.items())).encode()))
        else:
            self.tell(404, {"reason": "There is no such release, or it is not for you."})

    def _manifest(self) -> None:
        if self.node.state != "ready":
            self.tell(409, {"reason": "Release 2 is being written: 1 of 3 cases done."})
            return
        lines = self.node.manifest()
        first, limit = int(self.params.get("offset", 0)), int(self.params.get("limit", 1000))
        told = {
            "count": len(lines),
            "next": "https://elsewhere.example/page",
            "files": lines[first : first + limit],
        }
        self.tell(200, told)

    def _file(self, path: str) -> None:
        node = self.node
        if path in node.withdrawn:
            self.tell(410, {"reason": "Case 1 was withdrawn from this release on 2026-11-21. Consent."})
        elif path not in node.files:
            self.tell(404, {"reason": "The release has no such file; its manifest names them all."})
        else:
            self.give(node.files[path])

    def tell(self, status: int, content: Any, **headers: str) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def give(self, data: bytes, *, breaks_after: int | None = None, etag: str = "") -> None:
        """The bytes, or the range that is asked for; the connection may break in the midst of it."""
        etag = f'"{etag or sha256(data)}"'
        first, span = 0, re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        is_part = span is not None and self.headers.get("If-Range", etag) == etag
        if is_part and span:
            first = int(span[1])
        whole, data = len(data), data[: int(span[2]) + 1] if is_part and span and span[2] else data
        if first >= len(data) > 0:
            self.tell(416, {"reason": "Beyond the end."}, Content_Range=f"bytes */{len(data)}")
            return
        self.send_response(206 if is_part else 200)
        if is_part:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{whole}")
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        body = data[first:]
        if breaks_after is not None and breaks_after < len(body):
            self.wfile.write(body[:breaks_after])
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True
        else:
            self.wfile.write(body)


class Serving(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever breaks connections off hears of broken pipes."""


@contextmanager
def serving(node: FakeNode) -> Iterator[FakeNode]:
    handler = type("Handler", (Request,), {"node": node})
    server = Serving(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    node.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield node
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
