"""A table of clinical facts by its pages: sent, mapped, tried, read, and the timeline beside the studies."""

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.node import Node
from tests.e2e.room import PASSWORD
from tests.e2e.steps import WORKER_S, people_at

SCENE = """
import datetime
from accounts import permissions
from accounts.models import Organisation, User
from atlas.archive.keys import organisation_key
from atlas.dicom.deidentify import Keys
from atlas.models import Dataset, Study, Subject

user = User.objects.create_user(username="ines", email="ines@hospital.example", password="%s",
                                first_name="Ines", last_name="Carvalho")
organisation = Organisation.objects.create(name="Karlsund University Hospital", slug="karlsund", country="SE")
dataset = Dataset.objects.create(organisation=organisation, name="Lung cancer under treatment", slug="lung",
    deidentification="at_the_door", deidentification_options=["dates"])
permissions.grant(user=user, role="data_manager", scope=dataset)
keys = Keys(organisation_key(organisation))
subject = Subject.objects.create(organisation=organisation, pseudonym=keys.subject("0047-11"), sex="F")
for number, days in enumerate((0, 84, 190)):
    day = datetime.date(2021, 3, 1) + datetime.timedelta(days=days + keys.shift_days("0047-11"))
    Study.objects.create(organisation=organisation, dataset=dataset, subject=subject, date=day,
        study_instance_uid=f"1.2.3.{number}", description="CT chest")
print(subject.public_id, subject.pseudonym)
"""

TABLE = (  # as Excel saves it in Germany
    "PatID;Diagnose;Diagnosedatum;T;N;M;UICC;Chemo start;Chemo end;OP-Datum;Ansprechen;vom;Nachname\r\n"
    '="0047-11";C34.1;10.02.2021;cT2a;N1;M0;IIB;05.04.2021;21.06.2021;20.07.2021;PR;01.06.2021;Müller\r\n'
    "9999;C34.1;10.02.2021;;;;;;;;;;Meier\r\n"
).encode("cp1252")


@pytest.fixture(scope="module")
def desk(node: Node) -> tuple[Node, str, str]:
    """A node, the address of a subject's page, and the subject's pseudonym."""
    public_id, pseudonym = node.python(SCENE % PASSWORD).split()[-2:]
    return node, f"/datasets/lung/subjects/{public_id}/", pseudonym


def test_from_a_table_to_the_timeline(desk: tuple[Node, str, str], chromium: Browser, tmp_path: Path) -> None:
    node, address, pseudonym = desk
    table = tmp_path / "Verläufe.csv"
    table.write_bytes(TABLE)
    with people_at(chromium) as arrive:
        person = arrive(node, width=1366, height=768)
        page = person.page
        person.signs_in("ines", PASSWORD)
        person.goes_to("/datasets/lung/")
        person.clicks("Clinical facts")
        page.get_by_label("Table (CSV) or FHIR R4 bundle (JSON)").set_input_files(table)
        person.clicks("Send")
        the_columns_are_mapped(page)
        person.clicks("Read it")
        expect(page.get_by_text("1 row taken, 1 refused; 8 facts of this file are kept.")).to_be_visible(
            timeout=WORKER_S * 1000
        )
        refused = page.get_by_role("row").filter(has_text="No subject of this dataset has images")
        expect(refused).to_contain_text("PatID")
        no_offence(page)
        person.goes_to("/datasets/lung/")
        page.get_by_role("link", name=pseudonym).first.click()
        the_timeline_is_to_scale(page)
        the_timeline_is_walked_by_keys(page)
        for theme in ("light", "dark"):
            page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            no_offence(page)
        person.signs_out()
        assert page.goto(address).url.endswith(f"/sign-in/?next={address}")
        assert not person.errors


def the_columns_are_mapped(page: Page) -> None:
    expect(page.get_by_role("heading", name="What the columns hold")).to_be_visible()
    content = page.content()
    assert "0047-11" not in content
    assert "Müller" not in content
    page.get_by_label("PatID").select_option(label="Patient ID, as in the images")
    page.get_by_label("Diagnose", exact=True).select_option(label="Code of the condition")
    page.get_by_label("Ansprechen").select_option(label="Disease status")
    page.get_by_label("vom").select_option(label="Date of the status")
    page.get_by_role("button", name="Try the first rows").click()
    expect(page.get_by_text("Malignant neoplasm of bronchus and lung").first).to_be_visible()
    expect(page.get_by_label("vom")).to_have_value("status.date")
    no_offence(page)


def the_timeline_is_to_scale(page: Page) -> None:
    """Surgery lay 141 days behind the first study, the third study 190."""
    drawing = page.locator("svg.lanes")
    studies = drawing.locator(".study circle")
    expect(studies).to_have_count(3)
    places = [float(studies.nth(at).get_attribute("cx") or 0) for at in range(3)]
    day = (places[2] - places[0]) / 190
    surgery = drawing.get_by_role("link", name="Treatment: Surgery").locator("circle")
    assert float(surgery.get_attribute("cx") or 0) == pytest.approx(places[0] + 141 * day, abs=0.2)
    chemotherapy = drawing.locator(".treatment .moment rect")
    assert float(chemotherapy.get_attribute("width") or 0) == pytest.approx(77 * day, abs=0.2)
    rows = page.locator("table.events tbody tr")
    expect(rows).to_have_count(3 + 5)
    expect(rows.first).to_contain_text("Malignant neoplasm of bronchus and lung")
    expect(rows.first).to_contain_text("-19")


def the_timeline_is_walked_by_keys(page: Page) -> None:
    mark = page.locator("svg.lanes").get_by_role("link", name="Treatment: Surgery")
    mark.focus()
    page.keyboard.press("Enter")
    expect(page.locator("table.events tr:target")).to_contain_text("Surgery")


def no_offence(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert not found, json.dumps([(one["id"], one["nodes"][0]["html"]) for one in found], indent=1)
