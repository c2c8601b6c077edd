"""Three nodes and their people: a question, a request, two committees, and images read where they are.

The hub's researcher asks across the network, asks for two datasets of two hospitals, and gets one of them.
The tests stand in the order of the story; each builds on those before it.
"""

import json
import re
import time
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.network_of_three import PASSWORD, NetworkOfThree
from tests.e2e.room import BEEN_AROUND

HUB_NAME = "Network hub (demo)"
NORTH, SOUTH = "Karlsund University Hospital (demo)", "Hospital de Belvale (demo)"
TITLE = "Early lung lesions"
NEWS_S = 60
"""How long a message may take from one node to another, here where all share two cores."""


@pytest.fixture(scope="module")
def network() -> Iterator[NetworkOfThree]:
    with NetworkOfThree() as network:
        yield network


@pytest.fixture(scope="module")
def seat(chromium: Browser) -> Iterator[Callable[[str], BrowserContext]]:
    """A browser of its own for each person, kept from test to test."""
    seats: dict[str, BrowserContext] = {}

    def seat_of(person: str) -> BrowserContext:
        if person not in seats:
            seats[person] = chromium.new_context(
                viewport={"width": 1366, "height": 768}, locale="en-GB", timezone_id="UTC"
            )
            seats[person].add_init_script(BEEN_AROUND)
            seats[person].set_default_timeout(20_000)
            seats[person].new_page()
        return seats[person]

    yield seat_of
    for context in seats.values():
        context.close()


@pytest.fixture
def researcher(network: NetworkOfThree, seat) -> Page:
    return signed_in(seat("researcher").pages[0], network.address("hub"), "researcher")


def signed_in(page: Page, address: str, username: str) -> Page:
    page.goto(f"{address}/sign-in/")
    if page.get_by_label("User name").is_visible():
        page.get_by_label("User name").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/sign-in/" not in url)
    return page


def until(page: Page, is_so: Callable[[], bool]) -> None:
    """Loads the page again until news from another node has come."""
    ends = time.monotonic() + NEWS_S
    while not is_so():
        assert time.monotonic() < ends, page.get_by_role("main").inner_text()
        page.wait_for_timeout(500)
        page.reload()


def looks_good(page: Page) -> None:
    """Axe finds nothing against WCAG A and AA, and nothing has to be scrolled sideways."""
    page.evaluate(AXE_SCRIPT)
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", rules)
    assert [one["id"] for one in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_question_is_answered_by_both_hospitals(network: NetworkOfThree, researcher: Page) -> None:
    researcher.goto(f"{network.address('hub')}/questions/?cohort=series.modality+is+CT")
    researcher.get_by_role("button", name=re.compile(r"Ask \d nodes?")).click()
    researcher.wait_for_url(re.compile(r"/questions/[0-9a-z]{12}/"))
    answers = researcher.locator(".answers")
    for title in ("Chest CT", "Lung screening CT", "Liver CT follow-up"):
        row = answers.get_by_role("row").filter(has=researcher.get_by_text(title, exact=True))
        expect(row.get_by_role("cell").first).to_have_text(re.compile(r"^\d+$"), timeout=NEWS_S * 1000)
    subjects, studies = (int(row.get_by_role("cell").nth(n).inner_text()) for n in (0, 1))
    assert 10 <= subjects <= 28  # sixteen, moved a little
    assert studies > subjects  # two time points each


def test_a_request_goes_to_both_committees(network: NetworkOfThree, researcher: Page) -> None:
    for title in ("Chest CT", "Breast MR"):
        researcher.goto(f"{network.address('hub')}/catalogue/")
        researcher.get_by_role("link", name=re.compile(f"^{title}")).click()
        researcher.get_by_role("link", name="Request access").first.click()
        researcher.get_by_label("View on the node").check()
        researcher.get_by_role("button", name="Put it into your request").click()
        researcher.wait_for_url("**/access/requests/**")
    researcher.get_by_label("Name of the study").fill(TITLE)
    researcher.get_by_label("Where you work").fill("Institute of Imaging, Testville")
    researcher.get_by_label("Purpose").fill("Whether early lesions are found by two readers alike.")
    researcher.get_by_role("group", name="The data are for").get_by_role("checkbox").first.check()
    researcher.get_by_role("button", name="Send to the committees").click()
    expect(researcher.get_by_role("heading", name=TITLE)).to_be_visible()


def opens_request(network: NetworkOfThree, seat, node: str) -> Page:
    page = signed_in(seat(f"committee {node}").pages[0], network.address(node), "committee")
    page.goto(f"{network.address(node)}/access/committee/")
    link = page.get_by_role("link", name=TITLE)
    until(page, link.is_visible)
    link.click()
    return page


def test_one_committee_approves_and_the_other_refuses(network: NetworkOfThree, seat) -> None:
    north = opens_request(network, seat, "north")
    expect(north.get_by_text("Mei-Ling Chen").first).to_be_visible()
    if not north.get_by_label("Agreement").input_value():
        north.get_by_label("Agreement").fill("The images are used for this study alone.")
    north.get_by_role("button", name="Approve").click()
    expect(north.get_by_text("Approved").first).to_be_visible()
    south = opens_request(network, seat, "south")
    south.get_by_text("Refuse", exact=True).click()
    south.get_by_label("Reason").fill("Consent doesn't cover this.")
    south.get_by_role("button", name="Refuse all of it").click()
    expect(south.get_by_text("Refused").first).to_be_visible()


def test_the_agreement_opens_what_was_approved(network: NetworkOfThree, researcher: Page) -> None:
    researcher.goto(f"{network.address('hub')}/access/")
    researcher.get_by_role("link", name=TITLE).click()
    accept = researcher.get_by_role("button", name="Accept: open access")
    until(researcher, accept.is_visible)
    until(researcher, researcher.get_by_text("Consent doesn't cover this.").is_visible)
    researcher.get_by_label("I accept this agreement").check()
    accept.click()
    granted = researcher.locator(".part").filter(has_text=NORTH).get_by_text("Access is open")
    until(researcher, granted.first.is_visible)


def test_the_images_are_read_at_the_node_with_the_hubs_word(
    network: NetworkOfThree, researcher: Page
) -> None:
    north = network.address("north")
    researcher.goto(f"{north}/access/datasets/chest-ct/")
    assert researcher.url.startswith(f"{north}/sign-in/")
    researcher.get_by_role("link", name=f"Sign in with {HUB_NAME}").click()
    expect(researcher.get_by_text(f"{NORTH} asks who you are.")).to_be_visible()
    looks_good(researcher)
    researcher.get_by_role("button", name="Go on").click()
    researcher.wait_for_url(f"{north}/access/datasets/chest-ct/")
    expect(researcher.get_by_text("You may view these images on this node until")).to_be_visible()
    researcher.get_by_role("link", name="View", exact=True).first.click()
    with researcher.expect_response(re.compile("/pixels/"), timeout=60_000) as pixels:
        pass
    assert pixels.value.status in {200, 206}
    expect(researcher.locator("canvas").first).to_be_visible(timeout=60_000)


STUDIES = """
import json
from atlas.models import Study
found = []
for study in Study.objects.select_related("dataset").prefetch_related("series"):
    series = study.series.first()
    found.append({"dataset": study.dataset.slug, "study": study.public_id, "uid": study.study_instance_uid,
        "series": series.public_id, "series_uid": series.series_instance_uid, "generation": series.generation,
        "image": series.instances.first().sop_instance_uid})
print("found " + json.dumps(found))
"""


def images_of(network: NetworkOfThree, key: str, dataset: str) -> dict:
    said = network.python(key, STUDIES)
    found = json.loads(next(line for line in said.splitlines() if line.startswith("found "))[6:])
    return next(one for one in found if one["dataset"] == dataset)


def roads_to(one: dict) -> list[str]:
    """Every address that leads to images, or to what is known of them."""
    study = f"/dicomweb/studies/{one['uid']}"
    series = f"{study}/series/{one['series_uid']}"
    image = f"{series}/instances/{one['image']}"
    return [
        f"/access/datasets/{one['dataset']}/",
        f"/access/studies/{one['study']}/",
        f"/api/v1/access/studies/{one['study']}/",
        f"/datasets/{one['dataset']}/",
        f"/datasets/{one['dataset']}/members/",
        f"/api/v1/datasets/{one['dataset']}/studies/",
        f"/api/v1/series/{one['series']}/manifest/",
        f"/api/v1/series/{one['series']}/pack/",
        f"/api/v1/series/{one['series']}/derived/",
        f"/pixels/{one['series']}/{one['generation']}/0",
        f"/pixels/{one['series']}/{one['generation']}/0-1",
        f"/thumbnails/{one['series']}/{one['generation']}",
        study,
        f"{study}/metadata",
        f"{study}/rendered",
        series,
        f"{series}/metadata",
        f"{series}/thumbnail",
        image,
        f"{image}/frames/1",
        f"{image}/rendered",
        f"{image}/bulkdata/7FE00010",
        f"/dicomweb/datasets/{one['dataset']}/studies",
    ]


def statuses(page: Page, address: str, one: dict) -> dict[str, int]:
    found = {}
    for road in roads_to(one):
        answer = page.request.get(f"{address}{road}", max_redirects=0)
        found[road] = answer.status
    return found


def test_a_refused_dataset_stays_closed_on_every_road(network: NetworkOfThree, researcher: Page) -> None:
    south = network.address("south")
    researcher.goto(f"{south}/sign-in/")
    researcher.get_by_role("link", name=f"Sign in with {HUB_NAME}").click()
    researcher.get_by_role("button", name="Go on").click()
    researcher.wait_for_url(re.compile(re.escape(south)))
    assert researcher.request.get(f"{south}/account/", max_redirects=0).status == 200  # signed in there
    refused = statuses(researcher, south, images_of(network, "south", "breast-mr"))
    assert set(refused.values()) <= {403, 404}, refused
    found = researcher.request.get(f"{south}/dicomweb/studies")
    assert found.status == 204  # QIDO-RS finds nothing at all


def test_a_dataset_nobody_asked_for_stays_closed_beside_the_open_one(
    network: NetworkOfThree, researcher: Page
) -> None:
    north = network.address("north")
    open_one, closed = (images_of(network, "north", name) for name in ("chest-ct", "liver-ct-follow-up"))
    assert set(statuses(researcher, north, closed).values()) <= {403, 404}
    allowed = statuses(researcher, north, open_one)
    assert allowed[f"/access/datasets/{open_one['dataset']}/"] == 200
    assert allowed[f"/pixels/{open_one['series']}/{open_one['generation']}/0"] == 200
    assert allowed[f"/api/v1/series/{open_one['series']}/pack/"] in {403, 404}  # to look at, not to keep
    assert allowed[f"/datasets/{open_one['dataset']}/"] in {403, 404}  # the data manager's page


def test_access_that_is_withdrawn_ends_at_once(network: NetworkOfThree, seat, researcher: Page) -> None:
    committee = opens_request(network, seat, "north")
    committee.get_by_text("Withdraw access").click()
    committee.get_by_label("Reason").fill("The study has ended.")
    committee.get_by_role("button", name="Withdraw").click()
    expect(committee.get_by_text("The study has ended.").first).to_be_visible()
    closed = statuses(researcher, network.address("north"), images_of(network, "north", "chest-ct"))
    assert set(closed.values()) <= {403, 404}, closed
    researcher.goto(f"{network.address('hub')}/access/")
    researcher.get_by_role("link", name=TITLE).click()
    until(researcher, researcher.get_by_text("The study has ended.").first.is_visible)


def test_a_project_is_shared_with_a_reader_of_another_node(network: NetworkOfThree, seat) -> None:
    hub, north = network.address("hub"), network.address("north")
    reader = signed_in(seat("reader").pages[0], hub, "reader")
    reader.goto(f"{hub}/account/")
    identity = reader.locator("code").first.inner_text()
    lead = signed_in(seat("lead").pages[0], north, "lead")
    members = f"{north}/projects/lung-lesions-across-hospitals/members/"
    lead.goto(members)
    lead.get_by_label(f"Identity at {HUB_NAME}").fill(identity)
    lead.get_by_role("button", name="Share").click()
    expect(lead.get_by_text(f"{HUB_NAME} writes to them.")).to_be_visible()
    reader.goto(f"{north}/projects/lung-lesions-across-hospitals/")
    reader.get_by_role("link", name=f"Sign in with {HUB_NAME}").click()
    reader.get_by_role("button", name="Go on").click()
    reader.wait_for_url(f"{north}/projects/lung-lesions-across-hospitals/")
    lead.goto(members)
    row = lead.get_by_role("row").filter(has_text="Ingrid Solberg")
    expect(row).to_contain_text(HUB_NAME)
    row.get_by_role("button", name=re.compile("Take the role")).click()
    expect(lead.get_by_role("row").filter(has_text="Ingrid Solberg")).to_have_count(0)
    assert reader.request.get(f"{north}/projects/lung-lesions-across-hospitals/").status == 404


def test_the_pages_of_signing_in_are_for_everyone(network: NetworkOfThree, seat) -> None:
    """Someone whom the node doesn't expect, and what they see on the way out."""
    hub, north = network.address("hub"), network.address("north")
    page = seat("nobody expected").pages[0]
    page.goto(f"{north}/sign-in/")
    looks_good(page)
    page.get_by_role("link", name=f"Sign in with {HUB_NAME}").click()
    expect(page.get_by_text(f"{NORTH} asks who you are.")).to_be_visible()
    looks_good(page)
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Which account here is yours?")).to_be_visible()
    looks_good(page)
    page.goto(f"{north}/sign-out/network/")
    looks_good(page)
    page.get_by_role("link", name=f"Sign out of {HUB_NAME}").click()
    expect(page).to_have_url(f"{hub}/oidc/sign-out/")
    looks_good(page)
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
