"""Every kind of page with care: axe's rules A and AA in light and dark, no scrolling sideways, no error."""

import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import expect
from pydicom.uid import generate_uid

from tests.atlas.slices import header, part_10, pixels
from tests.e2e.room import PASSWORD
from tests.e2e.steps import Person, ReadingRoom, letter_to, link_in, people_at

SCREEN = {"width": 1366, "height": 768}  # the smallest that a hospital's desk still has
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

STRANGER = ""
PAGES = {  # who opens it, and its address; places in braces come from `places`
    "front": [(STRANGER, "/"), ("manager", "/")],
    "catalogue": [(STRANGER, "/catalogue/?organ=lung"), (STRANGER, "/catalogue/?q=nothing+like+this")],
    "catalogue-hospitals": [(STRANGER, "/hospitals/")],
    "catalogue-dataset": [(STRANGER, "/catalogue/lung-ct/"), ("manager", "/catalogue/lung-ct/")],
    "sign-in": [(STRANGER, "/sign-in/")],
    "password-reset": [(STRANGER, "/password-reset/")],
    "password-reset-sent": [(STRANGER, "/password-reset/sent/")],
    "password_reset_confirm": [(STRANGER, "{reset}")],
    "invitation": [(STRANGER, "{invitation}"), ("scientist", "{invitation}"), (STRANGER, "/invitations/no/")],
    "account": [("lead", "/account/")],
    "change-password": [("lead", "/account/password/")],
    "administrators": [("root", "/administrators/")],
    "organisations": [("root", "/organisations/"), ("manager", "/organisations/")],
    "organisation-new": [("root", "/organisations/new/")],
    "organisation": [
        ("root", "/organisations/{organisation}/"),
        ("manager", "/organisations/{organisation}/"),
    ],
    "organisation-vault": [("manager", "/organisations/{organisation}/vault/")],
    "organisation-members": [("manager", "/organisations/{organisation}/members/")],
    "datasets": [("manager", "/datasets/")],
    "dataset-new": [("manager", "/organisations/{organisation}/datasets/new/")],
    "dataset": [("manager", "/datasets/lung-ct/")],
    "dataset-edit": [("manager", "/datasets/lung-ct/edit/")],
    "dataset-deidentification": [("manager", "/datasets/lung-ct/deidentification/")],
    "dataset-deidentification-preview": [("manager", "/datasets/lung-ct/deidentification/preview/")],
    "dataset-receivers": [("manager", "/datasets/lung-ct/receivers/")],
    "dataset-members": [("manager", "/datasets/lung-ct/members/")],
    "dataset-import": [("manager", "/datasets/lung-ct/import/")],
    "clinical": [("manager", "/datasets/lung-ct/clinical/")],
    "clinical-import": [],  # these two are looked at in test_clinical
    "subject": [],
    "quarantine": [("manager", "/datasets/lung-ct/quarantine/"), ("manager", "/datasets/held/quarantine/")],
    "quarantined-image": [("manager", "/datasets/held/quarantine/{held}/")],
    "upload": [("manager", "/datasets/lung-ct/uploads/{upload}/")],
    "api-docs": [("scientist", "/api/docs/")],
    "projects": [("lead", "/projects/"), ("manager", "/projects/"), ("scientist", "/projects/")],
    "project-new": [("lead", "/projects/new/")],
    "project": [
        ("lead", "{project}"),
        ("reviewer", "{project}"),
        ("reader1", "{project}"),
        ("scientist", "{project}"),
    ],
    "project-edit": [("lead", "{project}edit/")],
    "project-cases": [
        ("lead", "{project}cases/"),
        ("lead", "{project}cases/?text=none"),
        ("reviewer", "{project}cases/"),
    ],
    "project-case": [("lead", "{project}cases/1/")],
    "project-agreement": [("lead", "{project}agreement/")],
    "project-reading": [("lead", "{project}reading/")],
    "project-audit": [("lead", "{project}audit/")],
    "incidental": [("manager", "/incidental/")],
    "project-hanging": [("lead", "{project}hanging/")],
    "project-hanging-new": [("lead", "{project}hanging/new/"), ("lead", "{project}hanging/new/?like=prior")],
    "project-hanging-edit": [],  # the form of the one before, filled
    "project-cases-add": [("lead", "{project}cases/add/")],
    "project-members": [("lead", "{project}members/"), ("reviewer", "{project}members/")],
    "project-labels": [("lead", "{project}labels/"), ("scientist", "{project}labels/")],
    "project-labels-edit": [("lead", "{project}labels/edit/")],
    "project-labels-version": [("lead", "{project}labels/1/")],
    "project-labels-starters": [("lead", "{project}labels/starters/")],
    "project-labels-starter": [("lead", "{project}labels/starters/recist/")],
    "project-labels-terms": [("lead", "{project}labels/terms/")],
    "project-releases": [("lead", "{project}releases/"), ("scientist", "{project}releases/")],
    "project-cohort": [("lead", "{project}cohort/")],
    "project-release-new": [("lead", "{project}releases/new/")],
    "project-release": [("lead", "{project}releases/1/"), ("scientist", "{project}releases/1/")],
    "project-release-compare": [("scientist", "{project}releases/1/compare/1/")],
    "project-prediction": [],  # the demo has no model's results
    "case-recall": [("lead", "{project}cases/1/recall/")],
    "case-recall-lift": [],  # the demo recalls no case
    "worklist": [("reader1", "/worklist/"), ("reviewer", "/worklist/"), ("lead", "/worklist/")],
    "access": [("scientist", "/access/")],
    "questions": [("scientist", "/questions/"), ("manager", "/questions/?cohort=subject.age+%3E%3D+61")],
    "question": [("scientist", "{question}")],
    "questions-held": [("manager", "/questions/held/")],
    "accesses": [("manager", "/organisations/{organisation}/accesses/")],
    "dataset-catalogue": [("manager", "/datasets/lung-ct/catalogue/")],
    "network": [("root", "/network/")],
    "node": [],  # the demo has joined no network
    # these are looked at in test_access
    **{f"access-{name}": [] for name in ("add", "request", "committee", "part", "dataset", "study")},
    # and these in test_federation
    **{f"hub-{name}": [] for name in ("who", "signed-out", "sign-out-here")},
    "not found": [("reader1", "/datasets/lung-ct/"), (STRANGER, "/nowhere/")],
    "not allowed": [("reader1", "{project}cases/")],
    "read": [],  # tests of their own, below
}
STATUS = {"not found": 404, "not allowed": 403}
NO_PAGES = {  # what only takes forms, or sends elsewhere, or fills a part of a page
    "project-labels-draft",  # there is none: see test_labels
    "project-labels-draft-discard",
    "project-labels-file",
    "project-labels-import",
    "project-labels-move",
    "project-labels-term-remove",
    "project-labels-terms-search",
    "catalogue-picture",
    *("catalogue-json-ld", "catalogue-turtle", "fdp", "fdp-catalog", "fdp-dataset", "fdp-distribution"),
    *("fdp-terms", "network-join", "network-leave", "node-invite", "node-invitation-withdraw"),
    *("access-withdraw", "access-remove", "access-attach", "access-detach", "access-document"),
    *("question-withdraw", "question-table", "question-decide"),
    *("hub-sign-in", "hub-back", "hub-disconnect", "share-project"),
    *("access-send-again", "access-drop"),
    *("access-answer", "access-agree", "accesses-table", "accesses-messages"),
    *("home", "sign-out", "make-token", "revoke-token", "dataset-grant", "dataset-grant-withdraw"),
    *("clinical-mapping", "clinical-refused", "clinical-throw-away"),
    *("dataset-receiver-change", "organisation-vault-export", "quarantined-picture", "quarantine-decide"),
    *("project-cases-assign", "project-cases-unassign", "project-member-remove", "project-letter-withdraw"),
    *("worklist-next", "worklist-panel", "worklist-take", "worklist-give-back", "worklist-adjudicate"),
    *("adjudicate", "adjudicate-hand-over", "incidental-seen", "incidental-answer"),
    *("project-act", "project-agreement-csv", "project-audit-csv", "project-figures", "project-specialties"),
    *("project-case-aside", "project-case-hand-over", "project-case-purpose", "project-reading-preview"),
    *("project-case-reopen", "worklist-case-panel"),
    *("project-hanging-preview", "project-hanging-move", "project-hanging-remove"),
    *("project-release-preview", "project-release-use", "recall-confirm"),
}
APPS = ("network.urls", "accounts.urls", "atlas.image_urls", "annotations.urls")


def test_no_kind_of_page_is_left_out():
    patterns = [pattern for app in APPS for pattern in import_module(app).urlpatterns]
    # The provider's aren't ours; addresses without a name only lead to those with one.
    known = {pattern.name for pattern in patterns if getattr(pattern, "name", None)}
    assert known == (PAGES.keys() - STATUS.keys()) | NO_PAGES


@pytest.fixture(scope="module")
def at_desk(chromium, demo) -> Iterator[Callable[[str], Person]]:
    """The person of an account at a small screen, signed in; the same one each time."""
    demo.manage(
        "create_administrator",
        "--username=root",
        "--email=root@node.example",
        "--password-stdin",
        stdin=PASSWORD + "-root",
    )
    there: dict[str, Person] = {}
    with people_at(chromium) as arrive:

        def call(account: str) -> Person:
            if account not in there:
                there[account] = arrive(demo, **SCREEN)
                if account:
                    there[account].signs_in(account, PASSWORD + ("-root" if account == "root" else ""))
            return there[account]

        yield call


@pytest.fixture(scope="module")
def held(demo, tmp_path_factory) -> str:
    """Two images in a dataset of their own that are held for text; the address of one."""
    demo.python(
        "from accounts.models import Organisation\n"
        "from atlas.models import Dataset\n"
        "Dataset.objects.create(organisation=Organisation.objects.get(), name='Held', slug='held',"
        " deidentification='already_done')"
    )
    folder = tmp_path_factory.mktemp("held")
    series = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid(), "PatientID": "held"}
    for number in (1, 2):
        image = header(InstanceNumber=number, ImagePositionPatient=[0, 0, number], **series)
        (folder / f"{number}.dcm").write_bytes(part_10(image, pixels(number)))
    demo.manage("import_dicom", str(folder), "--dataset", "held")
    return demo.python(
        "from atlas.models import Instance\n"
        "box = {'frame': 1, 'column': 2, 'row': 2, 'columns': 9, 'rows': 4, 'score': 0.9}\n"
        "images = Instance.objects.filter(series__study__dataset__slug='held')\n"
        "images.update(hold='text', text_boxes=[box])\n"
        "print(f'{images[0].series.public_id}/{images[0].original_sha256[:20]}')"
    ).strip()


@pytest.fixture(scope="module")
def places(demo, at_desk, held) -> dict[str, str]:
    """Addresses that only the node knows: of public ids, and of letters."""
    known = json.loads(
        demo.python(
            "import json\n"
            "from accounts.models import Organisation, User\n"
            "from annotations.cohort.language.expression import All\n"
            "from annotations.models import Read\n"
            "from atlas.models import Project, Upload\n"
            "from network.questions.asking import ask\n"
            "asked = ask(by=User.objects.get(username='scientist'), expression=All())\n"
            "read = lambda who, what:"
            " Read.objects.get(reader__username=who, case__subject__pseudonym=what).public_id\n"
            "print(json.dumps({\n"
            "    'organisation': Organisation.objects.get().slug,\n"
            "    'project': f'/projects/{Project.objects.get().slug}/',\n"
            "    'upload': Upload.objects.filter(dataset__slug='lung-ct').first().public_id,\n"
            "    'question': f'/questions/{asked.public_id}/',\n"
            "    'read_open': read('reader2', 'lung1'),\n"
            "    'read_submitted': read('reader2', 'brain2'),\n"
            "    'read_accepted': read('reader1', 'brain1'),\n"
            "}))"
        )
    )
    manager = at_desk("manager")
    manager.goes_to(f"/organisations/{known['organisation']}/members/")
    manager.invites("guest@nordhain.example", "Project creator")
    stranger = at_desk(STRANGER)
    stranger.goes_to("/password-reset/")
    stranger.page.locator("input[type=email]").fill("lead@nordhain.example")
    stranger.clicks("Send the letter")
    return known | {
        "held": held,
        "invitation": link_in(letter_to(demo, "guest@nordhain.example", "invites you")),
        "reset": link_in(letter_to(demo, "lead@nordhain.example", "asked for a new password")),
    }


@pytest.mark.parametrize(
    ("name", "account", "path"),
    [
        pytest.param(name, account, path, id=f"{name}-{account or 'stranger'}-{place}")
        for name, visits in PAGES.items()
        for place, (account, path) in enumerate(visits)
    ],
)
def test_a_page_is_made_with_care(name, account, path, at_desk, places):
    person = at_desk(account)
    answer = person.page.goto(path.format(**places))
    assert answer.status == (404 if path == "/invitations/no/" else STATUS.get(name, 200))
    assert ("/sign-in/" in person.page.url) == (name == "sign-in")
    looks_fine(person)


def looks_fine(person: Person, *, themes: tuple[str, ...] = ("light", "dark")) -> None:
    page = person.page
    # A page that says "not found" is itself an error in the browser's eyes.
    errors = [error for error in person.errors if "status of 40" not in error]
    person.errors.clear()
    assert errors == []
    width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width[0] <= width[1], f"{page.url} scrolls sideways: {width}"
    page.evaluate(AXE_SCRIPT)
    for theme in themes:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        found = AxeResults(
            page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", RULES)
        )
        for broken in found.response["violations"]:
            for node in broken["nodes"]:  # a place within a custom element is a list of its own
                node["target"] = [str(target) for target in node["target"]]
        assert found.violations_count == 0, f"{page.url}, {theme}\n{found.generate_report()}"


# The reading room: always dark


@pytest.mark.parametrize(
    ("account", "read"),
    [("reader2", "read_open"), ("reader1", "read_accepted"), ("reviewer", "read_submitted")],
)
def test_the_reading_room_is_made_with_care(account, read, at_desk, places):
    person = at_desk(account)
    person.goes_to(f"/reads/{places[read]}/")
    room = ReadingRoom(person)
    person.page.wait_for_load_state("networkidle")
    looks_fine(person, themes=("dark",))
    finding = person.page.get_by_test_id("finding").first
    if read != "read_open":  # the others have marks: one of them chosen
        finding.click()
        expect(person.page.get_by_test_id("chosen")).to_be_visible()
        looks_fine(person, themes=("dark",))
    for key in ("?", "Control+k", "Control+,"):
        room.press(key)
        expect(person.page.get_by_role("dialog")).to_be_visible()
        looks_fine(person, themes=("dark",))
        room.press("Escape")
        expect(person.page.get_by_role("dialog")).to_have_count(0)


# What a person did wrong, and half done


def test_a_form_that_is_refused_is_made_with_care(at_desk, places):
    person = at_desk(STRANGER)
    person.goes_to("/sign-in/")
    person.fills(user_name="reader1", password="wrong")
    person.page.keyboard.press("Enter")
    person.sees("No account has this user name and password")
    looks_fine(person)

    person = at_desk("lead")
    person.goes_to(f"{places['project']}labels/edit/")
    person.names_label(1, "Tumour")  # marked as nothing
    person.page.get_by_role("button", name="Save as version").click()
    person.sees("nothing was saved")
    looks_fine(person)


def test_refused_files_are_shown_with_care(at_desk, places, tmp_path):
    person = at_desk("manager")
    person.goes_to("/datasets/lung-ct/import/")
    (tmp_path / "letter.txt").write_text("Dear colleague")
    person.takes_in(tmp_path / "letter.txt", says="1 file was refused.")
    expect(person.row("letter.txt")).to_be_visible()
    looks_fine(person)
    person.clicks("To the delivery")
    expect(person.row("letter.txt")).to_be_visible()
    looks_fine(person)


def test_what_would_happen_to_a_file_is_shown_with_care(at_desk, places, tmp_path):
    person = at_desk("manager")
    page = person.page
    person.goes_to("/datasets/lung-ct/deidentification/preview/")
    image = header(PatientName="Berglund^Sigrid", PatientAge="093Y", InstitutionName="Nordhain")
    (tmp_path / "ct").write_bytes(part_10(image, pixels(0)))
    page.locator("#file").set_input_files(tmp_path / "ct")
    age = page.get_by_role("row").filter(has_text="PatientAge")
    expect(age).to_contain_text("removed")
    expect(page.get_by_role("row").filter(has_text="Berglund^Sigrid")).to_be_visible()
    looks_fine(person)
    page.get_by_label("Keep age, sex, height and weight").check()  # looked at anew with it
    expect(age).to_contain_text("changed")
    expect(age).to_contain_text("090Y")
    page.get_by_role("button", name=re.compile("^Kept")).click()
    expect(page.get_by_role("row").filter(has_text="Berglund")).to_have_count(0)
    page.get_by_placeholder("Tag, name or value").fill("modality")
    expect(page.locator("#rows tr")).to_have_count(1)
    looks_fine(person)
    (tmp_path / "letter.txt").write_text("Dear colleague")
    page.locator("#file").set_input_files(tmp_path / "letter.txt")
    expect(page.locator("#verdict")).to_have_text("This is not a DICOM file.")
    person.errors.clear()  # the browser counts the refusal as an error of the page


# By keys alone


def test_the_worklist_goes_by_keys(at_desk, places):
    person = at_desk("reader1")
    page = person.page
    person.goes_to("/worklist/")
    rows = page.locator("tr[data-read]")
    chosen = page.locator("tr[aria-current=true]")
    assert rows.count() >= 3
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(2)).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowUp")
    expect(chosen).to_have_count(1)
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    case = rows.nth(1).get_by_role("link").inner_text()
    expect(page.locator("#panel h1")).to_have_text(f"Case {case}")
    page.keyboard.press("Enter")
    room = ReadingRoom(person)
    expect(page.locator("h1")).to_have_text(f"Case {case}")
    before = room.state()["wanted"]
    room.press("ArrowDown")
    page.wait_for_function("n => window.atlasRoom.state().shown === n", arg=before + 1)


def test_a_person_signs_in_and_out_by_keys(chromium, demo):
    with people_at(chromium) as arrive:
        person = arrive(demo, **SCREEN)
        page = person.page
        person.goes_to("/")
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        expect(skip).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#content")).to_be_focused()
        person.goes_to("/sign-in/")
        expect(person.field("User name")).to_be_focused()
        page.keyboard.type("reader2")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/worklist/")
        out = page.get_by_role("button", name="Sign out")
        for _ in range(12):
            page.keyboard.press("Tab")
            if out.evaluate("button => button === document.activeElement"):
                break
        expect(out).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url(f"{demo.base_url}/")
        # The worklist fetches the chosen case ahead: what was still on its way belongs to nobody now.
        person.errors[:] = [error for error in person.errors if "status of 401" not in error]
