"""Deliveries in the browser: a killed node, a closed page and a second tab cost only what was on its way."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect
from pydicom.uid import generate_uid

from tests.atlas.slices import header, part_10
from tests.e2e.room import PASSWORD

SLICES, ROWS = 24, 1024  # 2 MB each: the archive comes in seven pieces
PIECES = 7
BYTES_PER_SECOND = 12_000_000  # of the line, so that there is time to break it
WORKER_MS = 90_000


@pytest.fixture(scope="module", autouse=True)
def _people(node):
    node.python(
        "from accounts import permissions\n"
        "from accounts.models import Organisation, User\n"
        "from atlas.models import Dataset\n"
        "karlsund = Organisation.objects.create(name='Karlsund', slug='karlsund', country='SE')\n"
        f"ines = User.objects.create_user('ines', 'ines@example.org', {PASSWORD!r})\n"
        "permissions.grant(user=ines, role='manager', scope=karlsund)\n"
        "for slug in ('killed', 'closed', 'tabs', 'live', 'cancelled'):\n"
        "    Dataset.objects.create(organisation=karlsund, name=slug.capitalize(), slug=slug,"
        " deidentification='at_the_door')\n"
    )


@pytest.fixture
def signed_in(context: BrowserContext) -> BrowserContext:
    page = context.new_page()
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("ines")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    page.close()
    return context


@pytest.fixture
def delivery(tmp_path) -> list[Path]:
    """Five small files, and an archive of one series that is larger than a request should be."""
    random = np.random.default_rng(7)
    small = []
    for name, count, rows in (("small", 5, 64), ("large", SLICES, ROWS)):
        common = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid(), "PatientID": name}
        for at in range(count):
            pixels = random.integers(0, 2000, (rows, rows), dtype=np.int16)
            image = header(**common, InstanceNumber=at, ImagePositionPatient=[0, 0, at])
            small.append(tmp_path / f"{name}{at}.dcm")
            small[-1].write_bytes(part_10(image, pixels))
    archive = tmp_path / "large.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for file in small[5:]:
            packed.write(file, file.name)
    return [*small[:5], archive]


class Sender:
    """The import page in a tab, and what it sent."""

    def __init__(
        self, context: BrowserContext, slug: str, *, bytes_per_second: int = BYTES_PER_SECOND
    ) -> None:
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", lambda answer: self._keep(answer.request, answer.status))
        self.pieces: list[int] = []  # offsets that were acknowledged
        self.files = 0
        self.page.goto(f"/datasets/{slug}/import/")
        line = context.new_cdp_session(self.page)
        line.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second},
        )
        self.verdict = self.page.locator("#verdict")

    def _keep(self, request: Request, status: int) -> None:
        if status == 200 and request.method == "PATCH":
            self.pieces.append(int(request.url.rpartition("=")[2]))
        elif status == 200 and request.method == "POST" and "/files/" in request.url:
            self.files += 1

    def chooses(self, files: list[Path]) -> None:
        self.page.locator("#files").set_input_files(files)

    def waits_for_pieces(self, count: int) -> None:
        deadline = 600
        while len(self.pieces) < count:
            self.page.wait_for_timeout(50)
            deadline -= 1
            assert deadline > 0, "the pieces don't arrive"

    def ends(self, said: str) -> None:
        expect(self.verdict).to_contain_text(said, timeout=WORKER_MS)
        assert self.errors == []


def test_a_delivery_goes_on_by_itself_after_the_node_was_killed(node, signed_in, delivery):
    sender = Sender(signed_in, "killed")
    sender.chooses(delivery)
    sender.waits_for_pieces(2)
    node.crash()  # web, worker and database at once
    expect(sender.page.locator("#sending-words")).not_to_contain_text("6 of 6")
    node.start()
    sender.ends(f"{5 + SLICES} images are new, 0 were here before. All series are described")
    assert sorted(sender.pieces) == [at * 8 * 1024 * 1024 for at in range(PIECES)]  # none went twice
    sender.page.close()


def test_a_page_that_was_closed_goes_on_where_it_stopped(node, signed_in, delivery):
    first = Sender(signed_in, "closed")
    first.chooses(delivery)
    first.waits_for_pieces(3)
    first.page.wait_for_timeout(700)  # what is remembered is written twice a second
    acknowledged, files = set(first.pieces), first.files
    first.page.close()

    second = Sender(signed_in, "closed")
    expect(second.verdict).to_contain_text(re.compile("stopped midway: 5 files are here"))
    second.chooses(delivery)
    second.ends("All series are described")
    assert files == 5
    assert second.files == 0  # of the small ones none went again
    assert not acknowledged & set(second.pieces)
    assert acknowledged | set(second.pieces) >= {at * 8 * 1024 * 1024 for at in range(4, PIECES)}
    counts = node.python(
        "from atlas.models import Upload\n"
        "print(list(Upload.objects.filter(dataset__slug='closed')"
        ".values_list('stored', 'known', 'refused', 'state')))"
    )
    assert counts.strip() == f"[({5 + SLICES}, 0, 0, 'done')]"
    second.page.close()


def test_a_second_tab_delivers_by_itself(signed_in, delivery):
    first = Sender(signed_in, "tabs")
    first.chooses(delivery)
    first.waits_for_pieces(1)
    second = Sender(signed_in, "tabs")
    second.page.wait_for_timeout(1000)
    expect(second.verdict).to_be_hidden()  # nothing stopped: the other tab is busy with it
    second.chooses(delivery[:2])
    second.ends("0 images are new, 2 were here before.")
    first.ends(f"{5 + SLICES} images are new, 0 were here before.")
    for tab in (first, second):
        tab.page.close()


def test_the_dataset_s_page_follows_without_reload(signed_in, delivery):
    watcher = signed_in.new_page()
    watcher.goto("/datasets/live/")
    expect(watcher.get_by_text("No study yet")).to_be_visible()
    watcher.evaluate("window.stayed = true")
    sender = Sender(signed_in, "live", bytes_per_second=-1)
    sender.chooses(delivery)
    expect(watcher.get_by_text(f"{SLICES} images").first).to_be_visible(timeout=WORKER_MS)
    expect(watcher.locator("#studies img.thumb")).to_have_count(2, timeout=WORKER_MS)
    expect(watcher.locator("#deliveries")).to_contain_text("Done", timeout=WORKER_MS)
    expect(watcher.locator("#counts")).to_contain_text("2 subjects")
    assert watcher.evaluate("window.stayed") is True
    sender.page.close()
    watcher.close()


def test_a_cancelled_delivery_keeps_what_is_stored(signed_in, delivery):
    sender = Sender(signed_in, "cancelled", bytes_per_second=4_000_000)
    sender.chooses(delivery)
    sender.waits_for_pieces(1)
    cancel = sender.page.get_by_role("button", name="Cancel")
    cancel.click()
    cancel.click()  # asks once more
    sender.ends("5 images are new, 0 were here before. 1 file was refused.")
    expect(sender.page.locator("#refused-rows")).to_contain_text("The delivery was cancelled.")
    sender.page.close()
