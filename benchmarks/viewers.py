"""Two reading rooms in one Chromium: Atlas as it is, and OHIF on Orthanc behind nginx."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from benchmarks.node import DATASET, BenchNode
from benchmarks.peers import Nginx, Orthanc
from tests.e2e.conftest import launch_options
from tests.e2e.room import BEEN_AROUND
from tests.judges import ohif

PATIENCE_MS = 120_000
THOUGHT_MS = 2000
"""For which a reader looks at the list before they choose, in both."""
SIZE = {"width": 1440, "height": 900}
# As in a hospital's network between two buildings, or at home.
SLOW_LINE = {"offline": False, "latency": 20, "downloadThroughput": 50e6 / 8, "uploadThroughput": 50e6 / 8}

_READ = f"""
from accounts import permissions
from accounts.models import Organisation, User
from annotations.models import LabelSchema, Read
from annotations.reading import assignment, cases
from atlas.models import Dataset, DatasetGrant, Project, Study
organisation, dataset = Organisation.objects.get(), Dataset.objects.get(slug="{DATASET}")
lead = User.objects.create_user("lead", password="bench-bench-bench")
reader = User.objects.create_user("reader", password="bench-bench-bench")
project = Project.objects.create(organisation=organisation, name="Bench", slug="bench", created_by=lead)
permissions.grant(user=lead, role="lead", scope=project)
permissions.grant(user=reader, role="reader", scope=project)
DatasetGrant.objects.create(dataset=dataset, project=project, granted_by=lead)
LabelSchema.objects.create(project=project, version=1, created_by=lead, labels=[
    {{"key": "lesion", "name": "Lesion", "color": "#f5a742", "kinds": ["segment", "length"], "code": None,
     "required": False}}])
cases.add_cases(by=lead, project=project, study_ids=list(Study.objects.values_list("pk", flat=True)))
assignment.assign(by=lead, project=project, cases=list(project.cases.all()), readers=[reader])
"""

# Looked at in each turn of the page's own clock: the moment in Unix milliseconds at which it became true.
_WATCH = """
(() => {
  if (window.benchSeen) return;
  const seen = { first: null, last: null };
  window.benchSeen = seen;
  const first = () => %(first)s;
  const last = () => %(last)s;
  const look = () => {
    try {
      if (seen.first === null && first()) seen.first = Date.now();
      if (seen.first !== null && seen.last === null && last()) seen.last = Date.now();
    } catch { /* not there yet */ }
    if (seen.last === null) requestAnimationFrame(look);
  };
  look();
})()
"""
_ATLAS = {
    "first": "window.atlasRoom && window.atlasRoom.state().shown !== null",
    "last": """(() => {
        const { loaded, total } = window.atlasRoom.loaded(window.atlasRoom.state().series);
        return total > 0 && loaded === total;
    })()""",
}
_OHIF = {
    "first": "window.cornerstone.getRenderingEngines()[0].getViewports()[0].csImage !== undefined",
    "last": """(() => {
        const viewport = window.cornerstone.getRenderingEngines()[0].getViewports()[0];
        const ids = viewport.getImageIds();
        return ids.length > 1 && ids.every((id) => window.cornerstone.cache.getImage(id));
    })()""",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """From the click on a row to the first image, and to the last of the series, in seconds; what it took."""

    first_s: float
    last_s: float
    requests: int
    bytes: int


class _Room:
    """A page that is opened again and again; the profile keeps its HTTP cache."""

    def __init__(self, context: BrowserContext, base_url: str, *, is_slow: bool) -> None:
        self.base_url = base_url
        self.page: Page = context.new_page()
        self._line = context.new_cdp_session(self.page)
        self._received: list[float] = []
        self._line.send("Network.enable")
        self._line.on("Network.loadingFinished", lambda one: self._received.append(one["encodedDataLength"]))
        if is_slow:
            self._line.send("Network.emulateNetworkConditions", SLOW_LINE)

    def close(self) -> None:
        self.page.close()

    def _timed(self, watch: dict[str, str], click: Any) -> Opened:
        self.page.wait_for_timeout(THOUGHT_MS)
        # Before the click for a viewer that stays in its page, and in the page to come for one that loads.
        self.page.evaluate("() => { window.benchSeen = null }")
        self.page.evaluate(_WATCH % watch)
        self.page.add_init_script(_WATCH % watch)
        self._received.clear()
        begin = time.time() * 1000
        click()
        self.page.wait_for_function("() => window.benchSeen?.first", timeout=PATIENCE_MS)
        # What had come by now is what the first image took, to a frame's time.
        taken = list(self._received)
        self.page.wait_for_function("() => window.benchSeen.last", timeout=PATIENCE_MS)
        seen = self.page.evaluate("() => window.benchSeen")
        return Opened(
            (seen["first"] - begin) / 1000, (seen["last"] - begin) / 1000, len(taken), int(sum(taken))
        )


class AtlasRoom(_Room):
    def __init__(self, context: BrowserContext, node: BenchNode, *, is_slow: bool) -> None:
        super().__init__(context, node.base_url, is_slow=is_slow)
        self.page.add_init_script(BEEN_AROUND)
        self.page.goto(f"{self.base_url}/sign-in/")
        if "/sign-in/" in self.page.url:
            self.page.get_by_label("User name").fill("reader")
            self.page.get_by_label("Password", exact=True).fill("bench-bench-bench")
            self.page.keyboard.press("Enter")
            self.page.wait_for_url(lambda url: "/sign-in/" not in url)

    def open(self) -> Opened:
        self.page.goto(f"{self.base_url}/worklist/")
        link = self.page.locator("tbody a[href^='/reads/']").first
        link.wait_for()
        return self._timed(_ATLAS, link.click)


class OhifRoom(_Room):
    def open(self) -> Opened:
        self.page.goto(f"{self.base_url}/")
        self.page.get_by_role("cell", name="CT", exact=True).first.click(timeout=PATIENCE_MS)
        button = self.page.get_by_text("Basic Viewer", exact=True).first
        button.wait_for()
        return self._timed(_OHIF, button.click)


class OhifBehindNginx(Nginx):
    """OHIF's files with a year's cache, and Orthanc below /dicom-web: as its documentation has it."""

    def __init__(self, orthanc: Orthanc) -> None:
        super().__init__(Path())
        # nginx's own user may not look into the cache of whoever runs this.
        self.files = shutil.copytree(ohif.fetch(), self.folder / "ohif")
        self._orthanc = orthanc

    def command(self) -> list[str]:
        command = super().command()
        (self.folder / "app-config.js").write_text(ohif.CONFIG.replace("/dicomweb", "/dicom-web"))
        settings = self.folder / "nginx.conf"
        settings.write_text(
            settings.read_text().replace(
                f"root {self.files}; }}",
                f"""root {self.files};
        include /etc/nginx/mime.types;
        types {{ application/wasm wasm; }}
        gzip_static on;
        location / {{ try_files $uri /index.html; expires 1y; }}
        location = /index.html {{ expires -1; }}
        location = /app-config.js {{ alias {self.folder}/app-config.js; expires 1y; }}
        location /dicom-web/ {{
            proxy_pass http://127.0.0.1:{self._orthanc.port};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_buffering off;
        }}
    }}""",
            )
        )
        return command


def prepare(node: BenchNode) -> None:
    """A reader with one read of what the node holds."""
    node.python(_READ)


@contextmanager
def profile(playwright: Any) -> Iterator[BrowserContext]:
    """One browser for both, with a profile on disk as a person's has: scripts of any size are kept."""
    with tempfile.TemporaryDirectory() as folder:
        context = playwright.chromium.launch_persistent_context(folder, viewport=SIZE, **launch_options())
        yield context
        context.close()
