"""The peers, started for a run and stopped after it, with fair settings: Orthanc and nginx on loopback."""

import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

# Orthanc neither compresses answers nor forgets to sync; its other settings are Debian's defaults.
ORTHANC = {
    "Name": "Peer",
    "RemoteAccessAllowed": False,
    "AuthenticationEnabled": False,
    "HttpCompressionEnabled": False,
    "StorageCompression": False,
    "SyncStorageArea": True,
    "KeepAlive": True,
    "TcpNoDelay": True,
    "DicomAet": "PEER",
    "DicomCheckCalledAet": False,
    "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"],
    "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
}
NGINX = """
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {files}; }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class _Process:
    """A program with a folder of its own, stopped by its own id, its folder removed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="atlas-bench-", dir="/tmp"))
        self.port = free_port()
        self._program: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def __enter__(self):
        program = self.command()
        if shutil.which(program[0]) is None:
            raise SystemExit(f"The benchmark needs {program[0]} (Debian: {self.package}).")
        with (self.folder / "log").open("wb") as log:
            self._program = subprocess.Popen(program, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"{program[0]} did not start:\n{(self.folder / 'log').read_text()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._program is not None:
            self._program.terminate()
            self._program.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


class Orthanc(_Process):
    """Orthanc with its DICOMweb plugin; `url` is the DICOMweb root's path."""

    package = "orthanc, orthanc-dicomweb"
    url = "/dicom-web"

    def command(self) -> list[str]:
        self.dicom_port = free_port()
        settings = ORTHANC | {
            "HttpPort": self.port,
            "DicomPort": self.dicom_port,
            "StorageDirectory": str(self.folder / "store"),
            "IndexDirectory": str(self.folder / "index"),
        }
        (self.folder / "settings.json").write_text(json.dumps(settings))
        return ["Orthanc", str(self.folder / "settings.json")]

    def forget_all(self) -> None:
        """Delete every patient, so that each round stores into an empty archive."""
        line = http.client.HTTPConnection("127.0.0.1", self.port)
        line.request("GET", "/patients")
        for patient in json.loads(line.getresponse().read()):
            line.request("DELETE", f"/patients/{patient}")
            line.getresponse().read()
        line.close()


class Nginx(_Process):
    """nginx serving the files of a folder: the limit of handing out bytes that lie on a disk."""

    package = "nginx"

    def __init__(self, files: Path) -> None:
        super().__init__()
        self.files = files

    def command(self) -> list[str]:
        self.folder.chmod(0o755)
        (self.folder / "nginx.conf").write_text(
            NGINX.format(folder=self.folder, files=self.files, port=self.port)
        )
        return ["nginx", "-c", str(self.folder / "nginx.conf"), "-g", "daemon off;"]
