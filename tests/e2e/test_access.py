"""A dataset is asked for, opened by its committee, and looked at in the viewer: by pages alone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.node import Node
from tests.e2e.room import PASSWORD
from tests.e2e.steps import people_at

FIRST_IMAGE_MS = 60_000

SCENE = """
from accounts import permissions
from accounts.models import Organisation, User
from atlas.archive import intake, sealing
from atlas.models import Dataset
from network.models import Listing
from tests.atlas.held import nothing_found
from tests.atlas.slices import series

people = {
    name: User.objects.create_user(name, f"{name}@hospital.example", "%s", first_name=name.title())
    for name in ("mira", "anna")
}
organisation = Organisation.objects.create(name="Karlsund University Hospital", slug="karlsund", country="SE")
permissions.grant(user=people["anna"], role="access_committee", scope=organisation)
dataset = Dataset.objects.create(
    organisation=organisation, name="Lung nodules", slug="lung", organ="lung", deidentification="already_done"
)
Listing.objects.create(
    dataset=dataset, slug="lung", title=dataset.name, organisation=organisation.name,
    organisation_slug="karlsund", country="SE", is_listed=True,
)
files = series([(0, 0, z) for z in range(0, 25, 5)])
source = [intake.from_bytes(f"{at}.dcm", data) for at, data in enumerate(files)]
outcomes = list(intake.take_in(source, dataset=dataset))
nothing_found()
sealing.seal(outcomes[0].series_id)
"""


@pytest.fixture(scope="module")
def hospital(node: Node) -> Node:
    node.python(SCENE % PASSWORD)
    return node


def no_offence(page: Page) -> None:
    """Axe's rules A and AA, in light and dark, without colours on their way from one to the other."""
    page.emulate_media(reduced_motion="reduce")
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_from_the_catalogue_to_the_viewer(hospital: Node, chromium: Browser) -> None:
    with people_at(chromium) as arrive:
        mira, anna = (arrive(hospital, width=1366, height=768) for _ in range(2))
        mira.signs_in("mira", PASSWORD)
        anna.signs_in("anna", PASSWORD)
        its_researcher_asks(mira)
        its_committee_approves(anna)
        its_researcher_agrees(mira)
        images_are_looked_at_and_nothing_else(mira)
        its_committee_sees_who_looked_and_withdraws(anna)
        assert mira.page.goto("/access/datasets/lung/").status == 404
        assert not anna.errors
        # Of a form that is refused and a page that is closed the browser says so, too.
        mira.errors[:] = [error for error in mira.errors if "Failed to load resource" not in error]


def its_researcher_asks(mira) -> None:
    page = mira.page
    mira.goes_to("/access/add/lung/")
    no_offence(page)
    page.get_by_label("View on the node").check()
    mira.clicks("Put it into your request")
    mira.clicks("Send to the committees")
    expect(page.get_by_text("Choose at least one kind of research.")).to_be_visible()
    no_offence(page)
    page.get_by_label("Name of the study").fill("Small nodules")
    page.get_by_label("Where you work").fill("University of Lund")
    page.get_by_label("Purpose", exact=True).fill("We train a model that finds small nodules.")
    page.get_by_label("Biomedical research").check()
    mira.clicks("Keep it for later")
    vote = {"name": "vote.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 yes"}
    page.get_by_label("Document", exact=True).set_input_files(files=[vote])
    mira.clicks("Attach")
    expect(page.get_by_role("link", name="vote.pdf")).to_be_visible()
    no_offence(page)
    mira.clicks("Send to the committees")
    expect(page.get_by_text("The committee has it")).to_be_visible()
    no_offence(page)


def its_committee_approves(anna) -> None:
    page = anna.page
    anna.goes_to("/access/committee/")
    no_offence(page)
    anna.clicks("Small nodules")
    expect(page.get_by_role("link", name="vote.pdf")).to_be_visible()
    no_offence(page)
    anna.clicks("Approve")
    expect(page.get_by_text("Approved: waits for the agreement")).to_be_visible()


def its_researcher_agrees(mira) -> None:
    page = mira.page
    page.reload()
    expect(page.get_by_text("Nobody tries to find out who a subject is")).to_be_visible()
    no_offence(page)
    page.get_by_label("I accept this agreement").check()
    mira.clicks("Accept: open access")
    mira.goes_to("/access/")
    no_offence(page)
    mira.clicks("Lung nodules")


def images_are_looked_at_and_nothing_else(mira) -> None:
    page = mira.page
    expect(page.get_by_text("You may view these images on this node until")).to_be_visible()
    expect(page.locator("a[href*='/pack/']")).to_have_count(0)
    no_offence(page)
    mira.clicks("View")
    expect(page.get_by_text("For looking only: nothing is marked or saved")).to_be_visible()
    page.wait_for_function(
        "() => window.atlasRoom?.hung().some((pane) => pane.shown !== null)", timeout=FIRST_IMAGE_MS
    )
    expect(page.get_by_test_id("undo")).to_have_count(0)
    expect(page.get_by_label("Findings")).to_have_count(0)
    page.keyboard.press("ArrowDown")


def its_committee_sees_who_looked_and_withdraws(anna) -> None:
    page = anna.page
    page.reload()
    page.get_by_text("Withdraw access").click()
    no_offence(page)
    page.get_by_label("Reason").fill("The study is over.")
    anna.clicks("Withdraw")
    expect(page.get_by_text("The study is over.")).to_be_visible()
    anna.clicks("Who accessed what")
    row = page.get_by_role("row").filter(has_text="Small nodules").first
    expect(row).to_contain_text("viewed")
    no_offence(page)
