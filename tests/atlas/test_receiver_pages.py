"""AE titles of a dataset: who opens and closes them, and what can be one."""

import pytest

from accounts.models import AuditRecord, User
from atlas.models import Dataset, Receiver
from tests.cast import signed_in

PAGE = "/datasets/chest-ct/receivers/"
CHANGE = f"{PAGE}change/"


def opened(user: User, called: str = "CHEST_ATLAS", calling: str = "PACS1\nCT 3 ") -> str:
    answer = signed_in(user).post(PAGE, {"called": called, "calling": calling}, follow=True)
    return answer.content.decode()


def test_a_manager_opens_an_ae_title_and_a_data_manager_sees_it(owner, manager, dataset):
    page = opened(owner)
    assert "The dataset answers to CHEST_ATLAS." in page
    assert 'spellcheck="false">PACS1&#10;CT 3</textarea>' in page
    receiver = Receiver.objects.get()
    assert (receiver.dataset, receiver.called_ae_title) == (dataset, "CHEST_ATLAS")
    assert receiver.calling_ae_titles == ["PACS1", "CT 3"]
    assert AuditRecord.objects.get(verb="receiver.opened").facts == {"receiver": receiver.pk}
    page = signed_in(manager).get(PAGE).content.decode()
    assert "CHEST_ATLAS" in page
    assert "PACS1, CT 3" in page
    assert "<textarea" not in page
    assert "CHEST_ATLAS" in signed_in(manager).get("/datasets/chest-ct/").content.decode()


@pytest.mark.parametrize(
    ("called", "calling", "sentence"),
    [
        ("SEVENTEEN_LETTERS", "PACS1", "at most 16 characters"),
        ("A\\B", "PACS1", "can&#x27;t be an AE title"),
        ("ÄTLAS", "PACS1", "can&#x27;t be an AE title"),
        ("ATLAS", "", "This field is required"),
        ("ATLAS", "  \n ", "This field is required"),
        ("ATLAS", "A_TITLE_THAT_IS_TOO_LONG", "it needs 1 to 16 characters"),
        ("ATLAS", "\n".join(f"PACS{n}" for n in range(51)), "At most 50 senders"),
    ],
)
def test_what_can_be_no_ae_title_is_said(owner, dataset, called, calling, sentence):
    assert sentence in opened(owner, called, calling)
    assert not Receiver.objects.exists()


def test_an_ae_title_stands_for_one_dataset_of_the_node(owner, dataset, organisation):
    other = Dataset.objects.create(organisation=organisation, name="Other", slug="other")
    Receiver.objects.create(dataset=other, called_ae_title="CHEST_ATLAS", calling_ae_titles=["PACS1"])
    assert "taken on this node" in opened(owner)
    assert Receiver.objects.get().dataset == other


def test_senders_are_changed_and_the_title_is_closed(owner, dataset):
    opened(owner)
    browser = signed_in(owner)
    browser.post(CHANGE, {"called": "CHEST_ATLAS", "calling": "PACS2\r\nPACS2"})
    assert Receiver.objects.get().calling_ae_titles == ["PACS2"]
    page = browser.post(CHANGE, {"called": "CHEST_ATLAS", "calling": ""}, follow=True).content.decode()
    assert "Name at least one sender" in page
    assert Receiver.objects.get().calling_ae_titles == ["PACS2"]
    browser.post(CHANGE, {"called": "CHEST_ATLAS", "deed": "close"})
    assert not Receiver.objects.exists()
    assert [record.verb for record in AuditRecord.objects.filter(verb__startswith="receiver.")] == [
        "receiver.closed",
        "receiver.changed",
        "receiver.opened",
    ]
    assert browser.post(CHANGE, {"called": "CHEST_ATLAS", "deed": "close"}).status_code == 404


@pytest.mark.parametrize(("who", "statuses"), [("manager", (200, 403, 403)), ("stranger", (404, 404, 404))])
def test_only_a_manager_of_the_organisation_opens_doors(request, dataset, who, statuses):
    Receiver.objects.create(dataset=dataset, called_ae_title="ATLAS", calling_ae_titles=["PACS1"])
    browser = signed_in(request.getfixturevalue(who))
    answers = (
        browser.get(PAGE),
        browser.post(PAGE, {"called": "B", "calling": "C"}),
        browser.post(CHANGE, {"called": "ATLAS", "deed": "close"}),
    )
    assert tuple(answer.status_code for answer in answers) == statuses
    assert Receiver.objects.count() == 1
