"""`make pictures`: what each demo account sees, page by page, in light and dark, as PNG files.

Starts a throwaway demo node and follows the links of its pages, one page of each shape. With NODE it looks
at a demo that runs already; with DOCS=1 it takes the few pictures of docs/pictures/ instead, and draws for
them in reader1's case lung2, unless something is drawn there.
"""

import os
import re
import shutil
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from atlas.management.commands.demo import ACCOUNTS, PASSWORD
from tests.e2e.conftest import launch_options
from tests.e2e.node import ROOT, Node
from tests.e2e.room import BEEN_AROUND, Room

FOLDER = ROOT / ".atlas-pictures"
DOCS_FOLDER = ROOT / "docs" / "pictures"
DOCS_SIZE = {"width": 1600, "height": 900}
DOCS_BYTES_MAX = 250_000
PAGES_MAX = 60
SEED_TIMEOUT_S = 900
PICTURE_TIMEOUT_MS = 30_000
LOAD_TIMEOUT_MS = 120_000
READING_ROOM = re.compile(r"^/reads/")
NOT_A_PAGE = re.compile(r"^/api/(?!docs)|^/static/|sign-out|/archive/|/files/")


def main() -> int:
    take = _docs_pictures if os.environ.get("DOCS") == "1" else _all_pages
    with _demo_address() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        taken = take(browser, address)
        browser.close()
    for picture in taken:
        print(f"{picture.relative_to(ROOT)}  {picture.stat().st_size // 1000} kB")
    return 0 if taken else 1


@contextmanager
def _demo_address() -> Iterator[str]:
    """The demo that NODE names, or one of our own until the end."""
    if running := os.environ.get("NODE"):
        yield running
        return
    with Node(demo=True) as node:
        print("Preparing a demo node …", flush=True)
        node.manage("seed_demo", timeout_s=SEED_TIMEOUT_S)
        node.manage("seed_catalogue", timeout_s=SEED_TIMEOUT_S)
        yield node.base_url


def _signed_in(browser: Browser, address: str, account: str, size: dict[str, int]) -> BrowserContext:
    context = browser.new_context(
        base_url=address,
        viewport=size,
        locale="en-GB",
        timezone_id="UTC",  # type: ignore[arg-type]
    )
    context.add_init_script(BEEN_AROUND)
    page = context.new_page()
    page.goto("/sign-in/")
    page.fill("input[name=username]", account)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    page.close()
    return context


# Every page -------------------------------------------------------------------------------------


def _all_pages(browser: Browser, address: str) -> list[Path]:
    shutil.rmtree(FOLDER, ignore_errors=True)
    return [picture for name in (None, *ACCOUNTS) for picture in _look_around(browser, address, name)]


def _look_around(browser: Browser, address: str, account: str | None) -> list[Path]:
    """Follow the links from the first page of `account` (None: a stranger)."""
    size = {"width": 1440, "height": 900}
    if account:
        context = _signed_in(browser, address, account, size)
    else:
        context = browser.new_context(base_url=address, viewport=size)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/home/" if account else "/")
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
    return sorted(folder.glob("*.png"))


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
    return [path for path in paths if not NOT_A_PAGE.search(path)]


def _shape(path: str) -> str:
    """`/projects/lung/cases/7/` and `/projects/liver/cases/8/` show the same page."""
    path = re.sub(r"/(projects|organisations|datasets|reads|worklist)/(?!new/)[^/]+/", r"/\1/…/", path)
    return re.sub(r"/\d+(?=/)", "/…", path)


# The documentation's ----------------------------------------------------------------------------


def _docs_pictures(browser: Browser, address: str) -> list[Path]:
    DOCS_FOLDER.mkdir(parents=True, exist_ok=True)
    reader = _signed_in(browser, address, "reader1", DOCS_SIZE)
    taken = [_room_picture(reader), _page_picture(reader, "worklist", "/worklist/")]
    reader.close()
    lead = _signed_in(browser, address, "lead", DOCS_SIZE)
    page = lead.new_page()
    page.goto("/projects/")
    project = page.locator("main a[href^='/projects/']:not([href$='/new/'])").first.get_attribute("href")
    page.close()
    taken.append(_page_picture(lead, "project", f"{project}"))
    taken.append(_page_picture(lead, "release", f"{project}releases/1/"))
    lead.close()
    stranger = browser.new_context(base_url=address, viewport=DOCS_SIZE)  # type: ignore[arg-type]
    taken.append(_page_picture(stranger, "front", "/"))
    stranger.close()
    return taken


def _page_picture(context: BrowserContext, name: str, path: str) -> Path:
    page = context.new_page()
    page.emulate_media(color_scheme="light")
    page.goto(path)
    page.wait_for_load_state("networkidle", timeout=PICTURE_TIMEOUT_MS)
    return _kept(page, name)


def _room_picture(reader: BrowserContext) -> Path:
    """Lung window, a tumour painted and measured, the brush in hand."""
    room = Room(reader, _read_of_last_chest(reader)).open()
    page = room.page
    page.wait_for_function(
        "() => { const s = atlasRoom.state(), l = atlasRoom.loaded(s.series);"
        " return l.total > 0 && l.loaded === l.total }",
        timeout=LOAD_TIMEOUT_MS,
    )
    if not room.marks() and room.state()["read"] in ("assigned", "in_progress", "returned"):
        _draw(room)
    segment = next(mark["id"] for mark in room.marks() if mark["kind"] == "segment")
    page.locator(f"[data-testid=finding][data-annotation='{segment}']").click()
    index, plane = _widest(room, segment)
    room.go_to_slice(index)
    room.press("2")  # lung
    room.press("b")
    room.saved()
    column, row = np.argwhere(plane).mean(axis=0)[::-1]
    room.press("+")
    x, y = room.client_of(column, row)
    page.mouse.move(x, y)
    page.mouse.down(button="middle")
    page.mouse.move(x - 120, y - 60)
    page.mouse.up(button="middle")
    page.mouse.move(x - 160, y - 30)
    page.wait_for_timeout(500)  # the last frame is painted
    return _kept(page, "room")


def _read_of_last_chest(reader: BrowserContext) -> str:
    page = reader.new_page()
    page.goto("/worklist/")
    rows = page.locator("tr[data-read]").filter(has_text="Chest CT")
    reads = {row.locator("a").first.inner_text(): row.get_attribute("data-read") for row in rows.all()}
    page.close()
    return str(reads[max(reads)])


def _draw(room: Room) -> None:
    """Takes the outline that came with the images over, and measures it where it is widest."""
    page = room.page
    page.get_by_test_id("copy-imported").first.click()
    page.wait_for_function("() => atlasRoom.marks().some(mark => mark.voxels > 0)")
    room.saved()
    segment = room.marks()[0]["id"]
    index, plane = _widest(room, segment)
    room.go_to_slice(index)
    long, short = _diameters(plane)
    room.press("x")
    room.drag(room.client_of(*long[0]), room.client_of(*long.mean(axis=0)), room.client_of(*long[1]))
    room.drag(room.client_of(*short[0]), room.client_of(*short.mean(axis=0)), room.client_of(*short[1]))
    page.wait_for_function("() => atlasRoom.marks().some(mark => mark.kind === 'bidirectional')")
    room.saved()


def _widest(room: Room, segment: str) -> tuple[int, np.ndarray]:
    """The slice, from 0, with most of the segment, and bool[rows, columns] of it."""
    answer = room.context.request.get(f"/api/v1/series/{room.state()['series']}/manifest/")
    places = {sop: index for index, sop in enumerate(answer.json()["frames"]["sop"])}
    planes = [p for p in room.stored()["planes"] if p["annotation"] == segment and p["rle"]]
    widest = max(planes, key=lambda p: _voxels(room, p))
    room.go_to_slice(places[widest["sop"]])
    rows, columns = answer.json()["pixel"]["rows"], answer.json()["pixel"]["columns"]
    return places[widest["sop"]], room.stored_plane(segment, rows, columns, widest["sop"])


def _voxels(room: Room, plane: dict[str, Any]) -> int:
    place = [plane["annotation"], plane["sop"], plane["frame"]]
    return room.page.evaluate("place => atlasRoom.voxels(...place)", place)


def _diameters(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the longest diameter of a mask, and of the one across its middle, (column, row) each."""
    inside = np.argwhere(plane)[:, ::-1].astype(float)
    distances = np.linalg.norm(inside[:, None] - inside[None, :], axis=2)
    first, last = np.unravel_index(distances.argmax(), distances.shape)
    long = inside[[first, last]]
    along = (long[1] - long[0]) / distances[first, last]
    across = np.array([-along[1], along[0]])
    middle = long.mean(axis=0)
    near = inside[np.abs((inside - middle) @ along) <= 0.8]
    sideways = (near - middle) @ across
    return long, np.stack([middle + across * sideways.min(), middle + across * sideways.max()])


def _kept(page: Page, name: str) -> Path:
    """The page as WebP, as good as the limit allows."""
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    file = DOCS_FOLDER / f"{name}.webp"
    for quality in (92, 84, 76, 68, 60):
        picture.save(file, quality=quality, method=6)
        if file.stat().st_size < DOCS_BYTES_MAX:
            break
    page.close()
    return file


if __name__ == "__main__":
    sys.exit(main())
