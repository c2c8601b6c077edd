"""A running node and Chromium for tests in a browser.

These tests never use Django's ORM in their own process: Playwright's loop runs in it. They ask the
node through its pages and API, or with `node.manage(…)` and `node.python(…)`.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.e2e.narrow import narrow_case
from tests.e2e.node import ROOT, Node
from tests.e2e.room import BEEN_AROUND, Room, sign_in
from tests.e2e.steps import Person, people_at

PICTURES_OF_FAILURES = ROOT / ".tools" / "failures"

CHROMIUM_FLAGS = [
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


LISTED = """
from accounts.models import User
from atlas.models import Dataset
from network import listings
manager = User.objects.get(username="manager")
for dataset in Dataset.objects.all():
    listings.set_terms(manager, dataset, is_listed=True)
"""


def chromium_path() -> str:
    named = os.environ.get("ATLAS_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if named is None:
        pytest.fail(
            "No Chromium: run `make test`, which finds or installs it, or name one with ATLAS_CHROMIUM.",
            pytrace=False,
        )
    return named


def launch_options() -> dict:
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return {
        "executable_path": chromium_path(),
        "args": [*CHROMIUM_FLAGS, *(["--no-sandbox"] if as_root else [])],
    }


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in this same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            # Those that share the demo stay together in one process, with its node and browser.
            shares = "demo" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.xdist_group("browser on the demo" if shares else "browser"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """In several processes the groups must hold: tests of one file build on one node."""
    if session.config.getoption("loadgroup", False):
        here = Path(__file__).parent
        own = [item.nodeid for item in session.items if here in item.path.parents]
        if loose := [name for name in own if "@" not in name]:
            raise pytest.UsageError(f"pytest-xdist doesn't keep these tests together: {loose[:3]} …")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    report = yield
    if report.when == "call" and report.failed and isinstance(item, pytest.Function):
        for name, value in item.funcargs.items():
            if isinstance(value, Page) and not value.is_closed():
                _picture(value, item.name, name, report)
            elif name == "arrive":
                for place, person in enumerate(value.seated):
                    _picture(person.page, item.name, f"person{place + 1}", report)
            elif isinstance(value, Node):
                report.sections.append(("the node's log", value.log_tail()))
    return report


def _picture(page: Page, test: str, name: str, report: pytest.TestReport) -> None:
    PICTURES_OF_FAILURES.mkdir(parents=True, exist_ok=True)
    file = PICTURES_OF_FAILURES / f"{test}-{name}.png".replace("/", "-")
    page.screenshot(path=file)
    report.sections.append(("what the browser showed", f"{page.url}\n{file}"))


@pytest.fixture(scope="package")
def standing_node() -> Iterator[Node]:
    """The one that goes on running while files come and go."""
    with Node() as node:
        yield node


@pytest.fixture(scope="module")
def node(standing_node: Node) -> Node:
    """A node that is empty when a file begins; its tests share it. One that needs its own makes a `Node`."""
    standing_node.empty()
    return standing_node


@pytest.fixture(scope="package")
def demo(pyradiomics_archive: Path) -> Iterator[Node]:
    """A node with the demo's people, five real cases and a release.

    Shared: a test changes its own case only."""
    with Node(demo=True) as node:
        node.manage("seed_demo")
        node.python(LISTED)
        yield node


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reader1(demo, chromium):
    """Someone of the demo, who signs in once a file: a node slows down who signs in again and again."""
    context = sign_in(chromium, demo, "reader1")
    yield context
    context.close()


@pytest.fixture(scope="module")
def narrow_series(demo: Node, tmp_path_factory, request) -> str:
    """A read of reader1's, of the file's own: pixels twice as high as wide."""
    name = request.module.__name__.rpartition("test_")[2]
    return narrow_case(demo, tmp_path_factory.mktemp(name), name)


@pytest.fixture
def room(reader1, narrow_series):
    """The room with the narrow series."""
    room = Room(reader1, narrow_series).open()
    yield room
    room.close()


@pytest.fixture
def context(chromium: Browser, node: Node) -> Iterator[BrowserContext]:
    """A browser profile of its own, nothing cached. `page.goto("/worklist/")` goes to the node."""
    context = chromium.new_context(
        base_url=node.base_url, viewport={"width": 1440, "height": 900}, locale="en-GB", timezone_id="UTC"
    )
    context.add_init_script(BEEN_AROUND)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page in which an uncaught error or a violation of the content security policy fails the test."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None,
    )
    yield page
    assert errors == [], f"The page had errors: {errors}"


@pytest.fixture
def arrive(chromium: Browser) -> Iterator[Callable[..., Person]]:
    """`arrive(node)` is a person at their own browser, nobody signed in."""
    with people_at(chromium) as arrive:
        yield arrive
