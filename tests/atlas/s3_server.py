"""A real S3 server for tests: SeaweedFS, from a wheel."""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEY, SECRET, BUCKET = "atlas", "atlas-secret", "images"
STARTS_WITHIN_S = 60.0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def running_s3_server() -> Iterator[str]:
    """Its address, while it runs. A bucket is made when first written to."""
    folder = Path(tempfile.mkdtemp(prefix="atlas-s3-"))
    (folder / "s3.json").write_text(
        json.dumps(
            {
                "identities": [
                    {
                        "name": "atlas",
                        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
                        "actions": ["Admin", "Read", "Write", "List"],
                    }
                ]
            }
        )
    )
    port, roles = free_port(), ("master", "volume", "filer")
    ports = {f"-{role}.port": free_port() for role in roles}
    ports |= {f"-{role}.port.grpc": free_port() for role in roles} | {"-s3.port.grpc": free_port()}
    server = subprocess.Popen(
        [
            Path(sys.executable).with_name("weed"),
            "server",
            f"-dir={folder}",
            "-ip=127.0.0.1",
            "-s3",
            f"-s3.port={port}",
            f"-s3.config={folder / 's3.json'}",
            f"-s3.localSocket={folder / 's3.sock'}",
            f"-filer.localSocket={folder / 'filer.sock'}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-volume.max=20",
            "-master.volumeSizeLimitMB=64",
            "-master.electionTimeout=1s",
            *(f"{name}={number}" for name, number in ports.items()),
        ],
        stdout=(folder / "log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server, folder / "log")
        yield address
    finally:
        server.kill()  # asked politely, it takes half a minute; nothing of it is kept
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    ends = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < ends:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=2)
        except urllib.error.HTTPError:
            return  # it answers: 403 for someone without a key
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"The S3 server did not start:\n{log.read_text()[-3000:]}")
