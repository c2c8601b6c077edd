"""`make pictures`: what each demo account sees, page by page, in light and dark, as PNG files.

Starts a throwaway demo node and follows the links of its pages, one page of each shape.
"""

import re
import shutil
import sys
from collections import deque
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from atlas.management.commands.demo import ACCOUNTS, PASSWORD
from tests.e2e.conftest import launch_options
from tests.e2e.node import ROOT, Node

FOLDER = ROOT / ".atlas-pictures"
PAGES_MAX = 60
READING_ROOM = re.compile(r"^/reads/")
NOT_A_PAGE = re.compile(r"^/api/(?!docs)|^/static/|sign-out|/archive/|/files/")
PICTURE_TIMEOUT_MS = 30_000


def main() -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    with Node(demo=True) as node, sync_playwright() as playwright:
        node.manage("seed_demo", timeout_s=600)
        browser = playwright.chromium.launch(**launch_options())
        taken = sum(_look_around(browser, node, name) for name in (None, *ACCOUNTS))
        browser.close()
    print(f"{taken} pictures in {FOLDER}")
    return 0 if taken else 1


def _look_around(browser: Browser, node: Node, account: str | None) -> int:
    """Follow the links from the first page of `account` (None: a stranger); returns how many pictures."""
    context = browser.new_context(base_url=node.base_url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto("/")
    if account:
        page.goto("/sign-in/")
        page.fill("input[name=username]", account)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: "/sign-in/" not in url)
    folder = FOLDER / (account or "stranger")
    waiting, seen = deque([urlsplit(page.url).path]), set()
    while waiting and len(seen) < PAGES_MAX:
        path = waiting.popleft()
        if _shape(path) in seen:
            continue
        seen.add(_shape(path))
        response = page.goto(path)
        if response is None or "text/html" not in response.headers.get("content-type", ""):
            continue
        _take(page, folder, path)
        waiting.extend(_links(page))
    context.close()
    return len(list(folder.glob("*.png")))


def _take(page: Page, folder: Path, path: str) -> None:
    name = path.strip("/").replace("/", "-") or "front"
    if READING_ROOM.match(path):  # dark always; its images take a moment
        page.wait_for_load_state("networkidle", timeout=PICTURE_TIMEOUT_MS)
        page.screenshot(path=folder / f"{name}.png")
        return
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.screenshot(path=folder / f"{name}-{scheme}.png", full_page=True)


def _links(page: Page) -> list[str]:
    """Paths of this node's pages that the page links to: no downloads, no API, not the way out."""
    hrefs = page.eval_on_selector_all("a[href]:not([download])", "links => links.map(link => link.href)")
    own = urlsplit(page.url).netloc
    paths = [urlsplit(href).path for href in hrefs if urlsplit(href).netloc == own]
    return [
        path for path in paths if not re.search(r"^/api/(?!docs)|^/static/|sign-out|/archive/|/files/", path)
    ]


def _shape(path: str) -> str:
    """`/projects/lung/cases/7/` and `/projects/liver/cases/8/` show the same page."""
    path = re.sub(r"/(projects|organisations|datasets|reads|worklist)/(?!new/)[^/]+/", r"/\1/…/", path)
    return re.sub(r"/\d+(?=/)", "/…", path)


if __name__ == "__main__":
    sys.exit(main())
