"""A lead watches a project: the plots are drawn and can be stepped through, and what changes appears."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.node import Node

CASES = 60
FILL = f"""
from tests import crowd
of = crowd.build(cases={CASES}, readers=4, slug="watched")
of.lead.set_password("lantern-orchard-51")
of.lead.save()
"""
ONE_MORE_SUBMITTED = """
from annotations.models import Read
from annotations.reading import reads
read = Read.objects.filter(case__project__slug="watched", state="in_progress").first()
read.schema.labels = [label | {"required": False} for label in read.schema.labels]
read.schema.save()
reads.submit(user=read.reader, read_id=read.public_id, number=read.last_edit_number)
"""


@pytest.fixture
def node(node: Node):
    node.python(FILL)
    return node


def test_a_lead_watches_and_goes_to_the_worst_case(node: Node, arrive) -> None:
    lead = arrive(node)
    lead.signs_in("watched-lead", "lantern-orchard-51")
    page = lead.page
    lead.goes_to("/projects/watched/")

    # The progress is drawn; the arrow keys say each value, and a table has them all.
    progress = page.locator("atlas-plot[kind=progress]")
    expect(progress.locator("svg path").first).to_be_attached()
    stage = progress.locator(".stage")
    stage.focus()
    page.keyboard.press("End")
    expect(progress.locator("output")).to_have_text(re.compile("All done on .* at this pace"))
    page.keyboard.press("Home")
    expect(progress.locator("output")).to_have_text(re.compile(f"0 of {CASES} done"))
    page.get_by_text("As a table").click()
    expect(page.get_by_role("columnheader", name="Cases done")).to_be_visible()
    page.keyboard.press("Escape")
    page.mouse.click(5, 5)  # what holds the focus isn't replaced under somebody's hands

    # Another read is handed in: the page follows by itself.
    waiting = page.locator(".todo li", has_text="for review").locator("span")
    before = int(re.sub(r"\D", "", waiting.inner_text()))
    node.python(ONE_MORE_SUBMITTED)
    expect(waiting).to_have_text(re.compile(rf"^{before + 1} reads"), timeout=15_000)
    expect(progress.locator("svg path").first).to_be_attached()

    # All measures, with drift and diameters drawn.
    page.get_by_role("link", name="All measures").click()
    expect(page.get_by_role("heading", name="Reader by reader")).to_be_visible()
    expect(page.locator("atlas-plot[kind=drift] svg path").first).to_be_attached()
    dots = page.locator("atlas-plot[kind=bland-altman]").first
    expect(dots.locator("circle").first).to_be_attached()
    dots.locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    expect(dots.locator("output")).to_have_text(re.compile(r"Case \d+: mean"))
    with page.expect_download() as saved:
        page.get_by_role("link", name="Comparisons, CSV").click()
    assert saved.value.path().read_text().startswith("case,purpose,label")

    # One click on the worst case opens it.
    page.locator("#worst a.strong").first.click()
    expect(page).to_have_url(re.compile(r"/projects/watched/cases/\d+/"))
