"""OHIF as its makers ship it (npm, @ohif/app; downloaded once), with `/dicomweb` proxied to a node."""

import http.client
import os
import shutil
import tarfile
import urllib.request
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from atlas import samples

VERSION = "3.13.2"
ADDRESS = f"https://registry.npmjs.org/@ohif/app/-/app-{VERSION}.tgz"

CONFIG = """
window.config = {
  routerBasename: null, extensions: [], modes: [], showStudyList: true, maxNumberOfWebWorkers: 2,
  showWarningMessageForCrossOrigin: false, showCPUFallbackMessage: false,
  strictZSpacingForVolumeViewport: true,
  investigationalUseDialog: { option: 'never' },
  defaultDataSourceName: 'atlas',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'atlas',
    configuration: {
      friendlyName: 'Atlas', name: 'atlas',
      wadoUriRoot: '/dicomweb', qidoRoot: '/dicomweb', wadoRoot: '/dicomweb',
      qidoSupportsIncludeField: true, imageRendering: 'wadors', thumbnailRendering: 'wadors',
      enableStudyLazyLoad: true, supportsFuzzyMatching: false, supportsWildcard: true,
      bulkDataURI: { enabled: true }, omitQuotationForMultipartRequest: true,
    },
  }],
};
"""


def fetch() -> Path:
    """The folder with the built viewer."""
    folder = samples.cache_folder() / f"ohif-{VERSION}"
    if (folder / "index.html").is_file():
        return folder
    registry = os.environ.get("NPM_CONFIG_REGISTRY", "https://registry.npmjs.org").rstrip("/")
    archive = samples.cache_folder() / f"ohif-{VERSION}.tgz"
    archive.parent.mkdir(parents=True, exist_ok=True)
    address = ADDRESS.replace("https://registry.npmjs.org", registry)
    with urllib.request.urlopen(address, timeout=120) as answer, archive.open("wb") as file:
        shutil.copyfileobj(answer, file)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(archive) as packed:
        packed.extractall(partial, filter="data")
    (partial / "package" / "dist").rename(folder)
    archive.unlink()
    return folder


class Viewer:
    """`with Viewer(node_port, token) as viewer:` serves OHIF at `viewer.base_url`."""

    def __init__(self, node_port: int, token: str) -> None:
        folder = fetch()

        class Handler(SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __init__(self, *arguments: object) -> None:
                super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                if self.path.startswith("/dicomweb/"):
                    self._pass_on()
                elif self.path.startswith("/app-config.js"):
                    self._send(200, "text/javascript", CONFIG.encode())
                elif (folder / self.path.split("?")[0].lstrip("/")).is_file():
                    super().do_GET()
                else:  # a page of the viewer: its router reads the address
                    self._send(200, "text/html", (folder / "index.html").read_bytes())

            def _pass_on(self) -> None:
                asked.append(self.path)
                connection = http.client.HTTPConnection("127.0.0.1", node_port, timeout=60)
                kept = ("Accept", "Host", "If-None-Match")
                headers = {name: self.headers[name] for name in kept if name in self.headers}
                connection.request("GET", self.path, headers={**headers, "Authorization": f"Bearer {token}"})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status >= 400:
                    refused.append((answer.status, self.path, body[:300].decode(errors="replace")))
                self._send(answer.status, answer.headers.get("Content-Type", ""), body)
                connection.close()

            def _send(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                if kind:
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.asked = asked = list[str]()
        self.refused = refused = list[tuple[int, str, str]]()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Viewer":
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
