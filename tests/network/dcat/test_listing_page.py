"""What a manager says of a dataset's place in the catalogue, on its page."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import permissions
from atlas.models import Dataset
from network.dcat import terms
from network.models import Listing
from tests.cast import person, signed_in, study_of
from tests.network.dcat.listed import SAID

pytestmark = pytest.mark.django_db

CHOSEN = {"is_listed": "on", "access": "counts", "answers": "itself"}


@pytest.fixture
def dataset(karlsund) -> Dataset:
    made = Dataset.objects.create(
        organisation=karlsund, name="Lung nodules", slug="lung", organ="lung", description="By CT."
    )
    for number in range(14):
        study_of(made, f"L-{number}", "2024-01-01", "CT")
    return made


@pytest.fixture
def page(dataset: Dataset) -> str:
    return reverse("dataset-catalogue", args=[dataset.slug])


def sent(said: dict) -> dict:
    """As a browser sends it: words and addresses one a line."""
    lists = {key: value for key, value in said.items() if isinstance(value, list)}
    one_a_line = {
        key: "\n".join(value) for key, value in lists.items() if terms.FIELDS[key].kind != "choices"
    }
    return CHOSEN | said | one_a_line


def test_a_manager_says_what_only_a_person_can_say(owner, dataset: Dataset, page: str) -> None:
    browser = signed_in(owner)
    answer = browser.post(page, sent(SAID))
    assert (answer.status_code, answer["Location"]) == (302, page)
    listing = Listing.objects.get(dataset=dataset)
    assert listing.terms == SAID
    assert (listing.is_listed, listing.access, listing.answers, listing.shows_pictures) == (
        True, "counts", "itself", False
    )  # fmt: skip
    shown = browser.get(page).content.decode()
    assert "Consecutive patients of the lung clinic" in shown
    assert "Nothing: all that a person has to say is said." in shown


def test_harvesters_read_it_at_once(owner, dataset: Dataset, page: str) -> None:
    signed_in(owner).post(page, sent(SAID))
    told = Client().get("/catalogue.ttl").getvalue().decode()
    assert "Consecutive patients of the lung clinic" in told
    assert "access-right/NON_PUBLIC" in told


def test_a_dataset_that_is_not_to_be_listed_is_not(owner, dataset: Dataset, page: str) -> None:
    browser = signed_in(owner)
    browser.post(page, sent(SAID))
    browser.post(page, {key: value for key, value in sent(SAID).items() if key != "is_listed"})
    assert "Lung nodules" not in Client().get("/catalogue.ttl").getvalue().decode()
    assert Client().get("/fdp/dataset/lung").status_code == 404


def test_a_wrong_entry_is_marked_and_nothing_is_saved(owner, dataset: Dataset, page: str) -> None:
    wrong = sent(SAID) | {"documentation": "javascript:alert(1)", "access_body": ""}
    answer = signed_in(owner).post(page, wrong)
    assert answer.status_code == 400
    shown = answer.content.decode()
    assert "It must be a whole address: https://…" in shown
    assert "Its official name, too." in shown
    assert not Listing.objects.exclude(terms={}).exists()


def test_the_page_says_what_is_counted_and_what_is_missing(owner, dataset: Dataset, page: str) -> None:
    browser = signed_in(owner)
    browser.post(page, CHOSEN)
    shown = browser.get(page).content.decode()
    missing = shown.partition("What is missing")[2].partition("Counted, not typed")[0]
    for title in ("Interoperability tier", "Category of health data", "Whom to ask"):
        assert title in missing
    counted = shown.partition("Counted, not typed")[2]
    assert "Unique individuals" in counted
    assert "Malignant neoplasm of lung" in counted


def test_no_field_is_for_what_a_machine_counts() -> None:
    counted = {
        "sex",
        "age",
        "modality",
        "modalities",
        "manufacturer",
        "part",
        "subjects",
        "studies",
        "version",
    }
    assert not [key for key in terms.FIELDS if counted & set(key.split("_"))]


def test_the_page_is_for_managers_of_the_organisation(owner, dataset: Dataset, page: str) -> None:
    data_manager, member, stranger = person("ines"), person("rui"), person("piotr")
    permissions.grant(user=member, role="project_creator", scope=dataset.organisation)
    permissions.grant(user=data_manager, role="data_manager", scope=dataset)
    for someone, status in ((owner, 200), (data_manager, 403), (member, 404), (stranger, 404)):
        browser = signed_in(someone)
        assert browser.get(page).status_code == status
        if status != 200:
            assert browser.post(page, CHOSEN).status_code == status
    assert Client().get(page).status_code == 302


def test_the_dataset_leads_there(owner, dataset: Dataset, page: str) -> None:
    assert f'href="{page}"' in signed_in(owner).get(reverse("dataset", args=["lung"])).content.decode()


def test_an_empty_dataset_may_be_described_before_its_images_come(owner, karlsund) -> None:
    empty = Dataset.objects.create(organisation=karlsund, name="Empty", slug="empty")
    browser = signed_in(owner)
    page = reverse("dataset-catalogue", args=[empty.slug])
    assert browser.get(page).status_code == 200
    assert browser.post(page, sent(SAID)).status_code == 302
    assert Listing.objects.get(dataset=empty).terms == SAID
