"""A lead chooses a cohort with mouse, keys and text, in a real browser."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.node import Node
from tests.e2e.room import sign_in

PATH = "/projects/tumours-of-brain-breast-and-lung/cohort/"


@pytest.fixture
def page(chromium: Browser, demo: Node) -> Iterator[Page]:
    context = sign_in(chromium, demo, "lead")
    page = context.new_page()
    page.goto(PATH)
    expect(page.locator("[data-count=cases]")).to_have_text("5")
    yield page
    context.close()


def _cases(page: Page) -> object:
    return page.locator("[data-count=cases]")


def test_counts_pictures_text_and_address_follow_the_form(page: Page) -> None:
    expect(page.locator("#cases img")).to_have_count(5)
    expect(page.get_by_text("No conditions: every case of the project.")).to_be_visible()

    # With keys alone: a series, its modality.
    page.get_by_role("button", name="Image series").press("Enter")
    expect(page.get_by_label("Fact")).to_be_focused()
    expect(page.locator("#asking")).to_have_text("Fill in what is marked.")
    expect(_cases(page)).to_have_text("–")  # no count of an earlier question
    expect(page.locator("#freeze")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Value")).to_be_focused()
    page.get_by_label("Value").select_option("CT")
    expect(_cases(page)).to_have_text("2")
    expect(page.locator("#cases li")).to_have_count(2)
    expect(page.locator("#text")).to_have_value("series.modality is CT")
    assert page.url.endswith("?cohort=series.modality+is+CT")

    page.get_by_role("button", name="not").first.click()
    expect(_cases(page)).to_have_text("3")
    expect(page.locator("#text")).to_have_value("not series.modality is CT")

    # The link opens the same, and leads to a release of it.
    page.reload()
    expect(_cases(page)).to_have_text("3")
    expect(page.get_by_label("Value")).to_have_value("CT")
    page.locator("#freeze").click()
    page.wait_for_url("**/releases/new/?cohort=not+series.modality+is+CT")
    expect(page.locator("main")).to_contain_text("not (modality of an image series is CT)")


def test_text_makes_the_rows_and_says_what_it_does_not_understand(page: Page) -> None:
    text = page.locator("#text")
    text.fill(
        "mark(label is tumour and longest_mm >= 1 cm) of handed_in at least 1 at most 3 or case.number < 2"
    )
    expect(page.get_by_label("Fact")).to_have_count(3)
    expect(page.get_by_label("Unit")).to_have_value("cm")
    expect(page.get_by_label("In which read")).to_have_value("handed_in")

    text.fill("mark(lable is tumour)")
    expect(page.locator("#problem")).to_have_text(
        "Character 6: There is no fact of mark “lable”. Did you mean label?"
    )
    expect(_cases(page)).to_have_text("–")
    expect(page.locator("#cases li")).to_have_count(0)
    expect(page.locator("#freeze")).to_have_attribute("aria-disabled", "true")

    text.fill("case.number > 900")
    expect(page.locator("#problem")).to_be_hidden()
    expect(_cases(page)).to_have_text("0")
    expect(page.get_by_text("No case fits.")).to_be_visible()


def test_what_is_wrong_stands_at_its_row(page: Page) -> None:
    page.get_by_role("button", name="Mark", exact=True).click()
    page.get_by_label("Fact").select_option(label="longest diameter")
    page.get_by_label("Asked of it").select_option(">=")
    page.get_by_label("Value").fill("-3")
    expect(page.locator(".condition .error")).to_have_text(
        "mark.longest_mm is 0 mm or more, so -3 decides nothing."
    )
    expect(page.get_by_label("Value")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Value").fill("3")
    expect(page.locator(".condition .error")).to_have_count(0)
    expect(_cases(page)).not_to_have_text("–")


def test_answers_to_an_earlier_question_are_ignored(page: Page) -> None:
    """The first answer is held back until the second has come."""
    held = []

    def slow(route) -> None:
        if "case.number > 3" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/v1/projects/*/cohort/?*", slow)
    page.locator("#text").fill("case.number > 3")
    page.wait_for_timeout(1000)
    page.locator("#text").fill("case.number > 4")
    expect(_cases(page)).to_have_text("1")
    assert len(held) == 1
    held[0].continue_()
    page.wait_for_timeout(1000)
    expect(_cases(page)).to_have_text("1")
    expect(page.locator("#text")).to_have_value("case.number > 4")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_use_it(page: Page, scheme: str) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.locator("#text").fill(
        "not series(modality in (CT, MR) and images >= 20) at least 2 and "
        "(subject.age > 40 or mark(label is tumour) or case.recalled is no)"
    )
    expect(page.get_by_label("Fact")).to_have_count(5)
    expect(_cases(page)).not_to_have_text("–")
    page.locator(".demo-line").evaluate("line => line.remove()")  # stands on demos only
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 1366
