"""What people do at the pages, as they would: by the words on buttons and fields, with mouse and keys.

A step ends when the page says that it is done, so that the next may follow at once.
"""

import email
import email.policy
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.e2e.node import Node
from tests.e2e.room import BEEN_AROUND, Room

PATIENCE_S = 10.0  # with a page
WORKER_S = 60.0  # how long the node's worker may take for a few images


class Person:
    """Someone at their own computer: a browser profile with one page.

    An error in the console, an uncaught one or a violation of the content security policy is kept in
    `errors`.
    """

    def __init__(self, chromium: Browser, node: Node, *, width: int = 1440, height: int = 900) -> None:
        self.node = node
        self.context = chromium.new_context(
            base_url=node.base_url,
            viewport={"width": width, "height": height},
            locale="en-GB",
            timezone_id="UTC",
        )
        self.context.add_init_script(BEEN_AROUND)
        self.context.set_default_timeout(PATIENCE_S * 1000)
        self.errors: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(f"{self.page.url}: {error}"))
        self.page.on(
            "console",
            lambda said: (
                self.errors.append(f"{self.page.url}: {said.text}") if said.type == "error" else None
            ),
        )

    def _hears(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.errors.append(f"{self.page.url}: {said.text}")

    # Anywhere

    def goes_to(self, path: str) -> None:
        # None where the page was just reading itself again, as live pages do: then that took its place.
        answer = self.page.goto(path) or self.page.goto(path)
        assert answer is not None
        assert answer.ok, f"{path} answered {answer.status}"

    def clicks(self, name: str) -> None:
        """A link or button of exactly this name; the first where a page has it twice."""
        button = self.page.get_by_role("button", name=name, exact=True)
        self.page.get_by_role("link", name=name, exact=True).or_(button).first.click()

    def fills(self, **fields: str) -> None:
        """Types into fields by their labels: `user_name` is “User name”."""
        for name, text in fields.items():
            self.field(name.replace("_", " ").capitalize()).fill(text)

    def field(self, label: str) -> Locator:
        """By its label, whether or not it says “optional” after it."""
        return self.page.get_by_label(re.compile(rf"^{re.escape(label)}( optional)?$"))

    def chooses(self, label: str, option: str) -> None:
        self.field(label).select_option(label=option)

    def sees(self, text: str | re.Pattern[str], timeout_s: float = 5) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=timeout_s * 1000)

    def sees_heading(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("heading", name=text).first).to_be_visible()

    def reloads_until(self, is_so: Callable[[Page], bool], timeout_s: float = WORKER_S) -> None:
        """For pages that don't follow by themselves."""
        deadline = time.monotonic() + timeout_s
        while not is_so(self.page):
            assert time.monotonic() < deadline, f"{self.page.url} stays as it is\n{self.node.log_tail()}"
            self.page.reload()

    def row(self, text: str) -> Locator:
        return self.page.get_by_role("row").filter(has_text=text)

    # The doors

    def signs_in(self, username: str, password: str) -> None:
        self.goes_to("/sign-in/")
        self.fills(user_name=username, password=password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "/sign-in/" not in url)

    def signs_out(self) -> None:
        self.clicks("Sign out")
        expect(self.page.get_by_role("link", name="Sign in", exact=True).first).to_be_visible()

    def accepts_invitation(self, letter: str, *, first: str, last: str, username: str, password: str) -> None:
        """Follows the letter's link and makes an account."""
        self.goes_to(link_in(letter))
        self.fills(
            first_name=first,
            last_name=last,
            user_name=username,
            password=password,
            the_same_password_again=password,
        )
        self.clicks("Make my account")
        self.sees("You are now")

    def forgets_password(self, address: str, new: str) -> None:
        """Asks for a letter at the sign-in page, follows its link and chooses another password."""
        self.goes_to("/sign-in/")
        self.clicks("Password forgotten")
        self.page.get_by_label(re.compile("^Email|^E-mail")).fill(address)
        self.clicks("Send the letter")
        self.sees_heading("Look into your mail")
        self.goes_to(link_in(letter_to(self.node, address, "asked for a new password")))
        for field in self.page.locator("input[type=password]").all():
            field.fill(new)
        self.clicks("Set it")
        self.sees("Your new password is set")

    # Organisations, datasets, images

    def creates_organisation(self, name: str, country: str) -> None:
        self.goes_to("/organisations/")
        self.clicks("Create the first")
        self.fills(name=name)
        self.chooses("Country", country)
        self.clicks("Create")
        self.sees_heading(f"Members of {name}")

    def invites(self, address: str, role: str) -> None:
        """On an organisation's page of members."""
        self.page.get_by_label("E-mail address").fill(address)
        self.chooses("Role", role)
        self.clicks("Send the letter")
        expect(self.row(address)).to_be_visible()

    def creates_dataset(self, organisation: str, name: str, organ: str) -> None:
        """Declared to hold images that are de-identified before they arrive."""
        self.goes_to("/organisations/")
        self.clicks(organisation)
        self.clicks("New dataset")
        self.fills(name=name, description="Two subjects with a tumour each.", licence="CC BY 4.0")
        self.chooses("Place of the primary tumour", organ)
        self.page.get_by_label("Images are de-identified before they arrive").check()
        self.clicks("Create")
        self.sees_heading(name)

    def takes_in(self, *files: Path, says: str) -> None:
        """Chooses files, or a folder, on the import page, and waits for its verdict."""
        folder = len(files) == 1 and files[0].is_dir()
        self.page.locator("#folder" if folder else "#files").set_input_files(files[0] if folder else files)
        expect(self.page.locator("#verdict")).to_contain_text(says, timeout=WORKER_S * 1000)

    def drops(self, *files: Path, says: str) -> None:
        """Drops files on the import page, as dragged from the desktop."""
        drop = self.page.locator("#drop")
        # The files come into the page through a field of their own: a page can't read a path.
        self.page.evaluate(
            "() => { const field = document.createElement('input'); field.id = 'dragged';"
            " field.type = 'file'; field.multiple = true; document.body.append(field) }"
        )
        self.page.locator("#dragged").set_input_files(files)
        carried = self.page.evaluate_handle(
            "() => { const carried = new DataTransfer(), field = document.getElementById('dragged');"
            " for (const file of field.files) carried.items.add(file); field.remove(); return carried }"
        )
        for event in ("dragenter", "dragover", "drop"):
            drop.dispatch_event(event, {"dataTransfer": carried})
        expect(self.page.locator("#verdict")).to_contain_text(says, timeout=WORKER_S * 1000)

    # Projects

    def creates_project(self, name: str) -> None:
        self.goes_to("/projects/")
        self.clicks("New project")
        self.fills(name=name, description="Which lesions shrink.")
        self.clicks("Create the project")
        self.sees("The project is there, and you lead it.")

    def invites_member(self, address: str, role: str) -> None:
        """On a project's page of members."""
        self.page.get_by_label("E-mail address").fill(address)
        self.page.get_by_label(role, exact=True).check()
        self.clicks("Add")
        self.sees(f"A letter to {address} is on its way.")

    def names_label(self, place: int, name: str, *kinds: str, required: bool = False) -> None:
        """In row `place`, from 1, of the form of labels."""
        field = self.page.get_by_label(f"Name of label {place}")
        field.fill(name)
        row = self.page.get_by_role("row").filter(has=field)
        row.locator("[data-pick=kinds] > summary").click()
        for kind in row.locator(".kinds label").all():
            kind.get_by_role("checkbox").set_checked(kind.inner_text().strip() in kinds)
        self.page.get_by_label(f"Label {place} is required").set_checked(required)

    # Reading

    def opens_case(self, described: str) -> "ReadingRoom":
        """From the worklist, the first case with these words."""
        self.goes_to("/worklist/")
        self.page.locator("tr[data-read]").filter(has_text=described).first.get_by_role("link").click()
        return ReadingRoom(self)

    def downloads(self, link: str, folder: Path) -> Path:
        with self.page.expect_download() as coming:
            self.clicks(link)
        to = folder / coming.value.suggested_filename
        coming.value.save_as(to)
        return to


class ReadingRoom(Room):
    """The reading room in the page that a person already has open."""

    def __init__(self, person: Person) -> None:
        self.person, self.context, self.page, self.errors = person, person.context, person.page, person.errors
        self.page.wait_for_url(re.compile("/reads/"))
        self.read = self.page.url.rstrip("/").rsplit("/", 1)[-1]
        self.wait_for_image()

    def draws_length(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """From voxel to voxel, (column, row) each, on the slice shown."""
        self.chooses_tool("length")
        before = self.saving()["number"]
        self.drag(self.client_of(*start), self.client_of(*end))
        self.saved(before + 1)

    def paints(self, *voxels: tuple[int, int]) -> str:
        """A stroke with the brush through these voxels; returns the segment's id."""
        self.chooses_tool("brush")
        before = self.saving()["number"]
        self.drag(*(self.client_of(*voxel) for voxel in voxels))
        self.saved(before + 1)
        return self.state()["selected"]

    def chooses_tool(self, tool: str) -> None:
        """Waits until the read is open for marks: then the tools are there."""
        self.page.get_by_test_id(f"tool-{tool}").click()
        assert self.state()["tool"] == tool

    def submits(self) -> None:
        button = self.page.get_by_test_id("submit")
        expect(button).to_have_attribute("aria-disabled", "false")
        button.click()
        button.click()  # asks once more
        self.shows_state(re.compile("^Submitted"))

    def shows_state(self, words: str | re.Pattern[str]) -> None:
        """In the bar, by itself."""
        expect(self.page.get_by_test_id("read-state")).to_have_text(words, timeout=PATIENCE_S * 1000)

    def shows_people(self, *initials: str) -> None:
        """Who else has the read open now, by itself."""
        others = self.page.locator("header.bar .av:not(.me)")
        expect(others).to_have_text(list(initials), timeout=PATIENCE_S * 1000)

    def shows_voxels(self, annotation: str, count: int) -> None:
        """So many of a segment, by itself."""
        self.page.wait_for_function("([id, n]) => window.atlasRoom.voxels(id) === n", arg=[annotation, count])

    def pins_comment(self, text: str, voxel: tuple[int, int]) -> None:
        """On the slice shown."""
        self.press("t")
        self.page.mouse.click(*self.client_of(*voxel))
        expect(self.page.get_by_text("Pinned to a point on slice")).to_be_visible()
        self.page.get_by_test_id("new-comment").fill(text)
        self.page.get_by_test_id("send-comment").click()
        expect(self.page.get_by_test_id("comments")).to_contain_text(text)

    def accepts(self) -> None:
        self.page.get_by_test_id("accept").click()
        self.page.get_by_test_id("accept").click()  # it asks whether it is meant
        self.shows_state(re.compile("^Accepted"))

    def returns(self, why: str) -> None:
        self.page.get_by_test_id("return").click()
        self.page.get_by_test_id("return-text").fill(why)
        self.page.get_by_test_id("return").click()


@contextmanager
def people_at(chromium: Browser) -> Iterator[Callable[..., Person]]:
    """A function that seats a person at a node: what their pages do wrong fails the test in the end."""
    seated: list[Person] = []

    def arrive(node: Node, **screen: int) -> Person:
        seated.append(Person(chromium, node, **screen))
        return seated[-1]

    arrive.seated = seated  # type: ignore[attr-defined]
    try:
        yield arrive
    finally:
        for person in seated:
            person.context.close()
    errors = [error for person in seated for error in person.errors]
    assert errors == [], "\n".join(["The pages had errors:", *errors])


# Letters


def letter_to(node: Node, address: str, containing: str, timeout_s: float = 10) -> str:
    """The text of the newest letter to this address with these words."""
    deadline = time.monotonic() + timeout_s
    while True:
        for text in _letters(node, address):
            if containing in text:
                return text
        assert time.monotonic() < deadline, f"No letter to {address} with “{containing}” came."
        time.sleep(0.05)


def _letters(node: Node, address: str) -> Iterator[str]:
    files = sorted((node.home / "mail").glob("*.log"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in files:
        for part in file.read_text().split("-" * 79):
            letter = email.message_from_string(part.strip(), policy=email.policy.default)
            if letter["To"] == address:
                yield letter.get_content()


def link_in(letter: str) -> str:
    found = re.search(r"https?://\S+", letter)
    assert found, f"No link in:\n{letter}"
    return found.group()
