"""Clients that cost little, so that the server is measured: prepared bodies, kept connections, wrk."""

import http.client
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

READ_BYTES = 1024 * 1024
BOUNDARY = b"atlas-bench-boundary"
STOW_TYPE = f'multipart/related; type="application/dicom"; boundary={BOUNDARY.decode()}'


class Wrong(Exception):
    """A server answered something else than the benchmark needs."""


def multipart(images: Sequence[bytes]) -> bytes:
    """A STOW-RS request body."""
    head = b"--" + BOUNDARY + b"\r\nContent-Type: application/dicom\r\n\r\n"
    return b"".join(head + image + b"\r\n" for image in images) + b"--" + BOUNDARY + b"--\r\n"


def send_all(
    port: int, path: str, bodies: Sequence[bytes], headers: dict[str, str], *, senders: int
) -> float:
    """POST every body by so many senders at once; returns seconds. Raises Wrong unless each answers 200."""
    waiting, lock, wrong = list(bodies), threading.Lock(), []
    sent = headers | {"Content-Type": STOW_TYPE, "Accept": "application/dicom+json"}

    def send() -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        while not wrong:
            with lock:
                if not waiting:
                    break
                body = waiting.pop()
            line.request("POST", path, body, sent)
            answer = line.getresponse()
            text = answer.read()
            if answer.status != 200:
                wrong.append(f"{answer.status} {text[:300]!r}")
        line.close()

    threads = [threading.Thread(target=send) for _ in range(senders)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    if wrong:
        raise Wrong(wrong[0])
    return seconds


def fetch(port: int, path: str, headers: dict[str, str]) -> tuple[float, int]:
    """GET to the last byte, uncompressed, thrown away; returns (seconds, bytes)."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    line.connect()
    buffer, size = bytearray(READ_BYTES), 0
    begin = time.perf_counter()
    line.request("GET", path, headers={"Accept-Encoding": "identity"} | headers)
    answer = line.getresponse()
    while got := answer.readinto(buffer):
        size += got
    seconds = time.perf_counter() - begin
    line.close()
    if answer.status != 200:
        raise Wrong(f"{answer.status} {bytes(buffer[:300])!r}")
    return seconds, size


@dataclass(frozen=True, slots=True)
class Throughput:
    per_second: float
    p50_ms: float


def many(
    port: int, paths: Sequence[str], headers: dict[str, str], *, clients: int, seconds: float
) -> Throughput:
    """GET these paths in turn by so many clients at once (wrk). Raises Wrong where an answer isn't 200."""
    if shutil.which("wrk") is None:
        raise SystemExit("The benchmark needs wrk (Debian: wrk).")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "paths.lua")
        script.write_text(_SCRIPT.format(paths=",\n".join(f'"{path}"' for path in paths)))
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "30s", "--latency", "-s"]
        for name, value in ({"Accept-Encoding": "identity"} | headers).items():
            command += ["-H", f"{name}: {value}"]
        command[command.index("-s") : command.index("-s") + 1] = ["-s", str(script)]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True, timeout=300
        )
    said = done.stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise Wrong(said)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    half = re.search(r"50%\s+([0-9.]+)(us|ms|s)", said)
    if not rate or not half:
        raise Wrong(said)
    return Throughput(float(rate[1]), float(half[1]) * {"us": 0.001, "ms": 1, "s": 1000}[half[2]])


_SCRIPT = """
local paths = {{
{paths}
}}
local at = 0
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
"""
