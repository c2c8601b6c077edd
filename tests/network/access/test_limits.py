"""What one person may send in a day, what may arrive for one, and what a thrown away draft leaves."""

import pytest
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError
from django.utils import timezone, translation

from atlas.archive.storage import storage
from network.access import asking, cart, deciding, documents, limits, receiving
from network.access.states import State
from network.federation import messages
from network.federation.messages import Refused
from network.models import AccessDocument
from tests.cast import signed_in
from tests.network.access.conftest import PDF, approved, filled, pdf, sent, there
from tests.network.access.test_crossing import request_body

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def low(monkeypatch):
    """So many that a test can reach them."""
    for name in ("REQUESTS", "DOCUMENTS", "MESSAGES", "ARRIVING_REQUESTS"):
        monkeypatch.setattr(limits, name, 2)
    monkeypatch.setattr(limits, "HUB_REQUESTS", 3)


@pytest.fixture
def tomorrow(monkeypatch):
    """What happened until now no longer lies within a day."""
    return lambda: monkeypatch.setattr(limits, "_since", timezone.now)


def test_requests_of_one_day_are_counted(tomorrow, researcher, judge, lung_listing):
    for _ in range(2):
        sent(researcher, (lung_listing, "view"))
    third = filled(researcher, (lung_listing, "view"))
    with pytest.raises(ValidationError, match="Send this one tomorrow: it is kept"):
        asking.send(by=researcher, request=third)
    assert third.parts.get().state == State.DRAFT
    sent(judge, (lung_listing, "view"))  # others send theirs
    tomorrow()
    asking.send(by=researcher, request=third)
    assert third.parts.get().state == State.SENT


def test_the_page_says_that_it_is_enough_for_today(researcher, lung_listing):
    for _ in range(2):
        sent(researcher, (lung_listing, "view"))
    third = filled(researcher, (lung_listing, "view"))
    told = {"title": third.title, "affiliation": "Lund", "purpose": third.purpose, "use_terms": "DUO:0000037"}
    page = signed_in(researcher).post(f"/access/requests/{third.public_id}/", {**told, "deed": "send"})
    assert page.status_code == 422
    assert "as many as anyone may. Send this one tomorrow" in page.content.decode()


def test_the_page_says_so_in_the_readers_language(researcher, lung_listing, lung):
    for _ in range(2):
        sent(researcher, (lung_listing, "view"))
    third = filled(researcher, (lung_listing, "view"))
    client, spanish = signed_in(researcher), {"accept-language": "es"}
    told = {"title": third.title, "affiliation": "Lund", "purpose": third.purpose, "use_terms": "DUO:0000037"}
    address = f"/access/requests/{third.public_id}/"
    page = client.post(address, {**told, "deed": "send"}, headers=spanish).content.decode()
    assert "Ha enviado 2 solicitudes en un día, tantas como puede cualquiera." in page
    lung_listing.is_listed = False
    lung_listing.save()
    page = client.post(address, {**told, "deed": "send"}, headers=spanish).content.decode()
    assert f"“{lung_listing.title}” ya no está en el catálogo. Quítelo de la solicitud." in page
    page = client.post(address, {**told, "purpose": "Short", "deed": "send"}, headers=spanish)
    assert "Diga en unas frases para qué son los datos." in page.content.decode()


def test_what_is_refused_to_another_node_is_said_in_english(hub, researcher, lung_listing, judge):
    body = request_body(documents=[{"id": "d", "name": "vote.exe", "size": 5, "sha256": "0" * 64}])
    with translation.override("es"):
        done = messages.accept(hub, [{"id": "m1", "kind": "access.request", "body": body}])
    assert done["m1"].startswith("Documents end with one of docx, jpeg")


def test_a_request_that_is_sent_again_counts_again(researcher, prepared, lung_listing, carry):
    asking.send(by=researcher, request=prepared)
    lung_listing.is_listed = False
    lung_listing.save()
    carry(is_expected=True)
    asking.send_again(by=researcher, part=prepared.parts.get())
    carry(is_expected=True)
    with pytest.raises(ValidationError, match="as many as anyone may"):
        asking.send_again(by=researcher, part=prepared.parts.get())
    assert prepared.parts.get().state == State.UNDELIVERED


def test_documents_of_one_day_are_counted(tomorrow, researcher, lung_listing):
    request = cart.add(by=researcher, listing=lung_listing, mode="view")
    for number in range(2):
        documents.attach(by=researcher, request=request, file=pdf(f"{number}.pdf"))
    with pytest.raises(ValidationError, match="Attach this one tomorrow"):
        documents.attach(by=researcher, request=request, file=pdf("more.pdf"))
    before = {one.key for one in storage().keys("")}
    documents.attach(by=researcher, request=request, file=pdf("0.pdf"))  # a double click
    tomorrow()
    documents.attach(by=researcher, request=request, file=pdf("more.pdf"))
    assert len({one.key for one in storage().keys("")} - before) == 1


def test_documents_of_one_day_have_a_size(researcher, lung_listing, monkeypatch):
    monkeypatch.setattr(limits, "DOCUMENT_BYTES", len(PDF) + 10)
    request = cart.add(by=researcher, listing=lung_listing, mode="view")
    documents.attach(by=researcher, request=request, file=pdf())
    with pytest.raises(ValidationError, match="Make this one smaller, or attach it tomorrow"):
        documents.attach(by=researcher, request=request, file=pdf("more.pdf"))


def test_copies_for_other_nodes_have_a_size(researcher, prepared, lung_listing, monkeypatch, carry):
    monkeypatch.setattr(limits, "FORWARDED_BYTES", len(PDF) + 10)
    asking.send(by=researcher, request=prepared)
    again = filled(researcher, (lung_listing, "view"))
    documents.attach(by=researcher, request=again, file=pdf())
    cart.add(by=researcher, listing=prepared.parts.get().items.get().listing, mode="view")
    with pytest.raises(ValidationError, match="go to each node that decides"):
        asking.send(by=researcher, request=again)


def test_messages_of_one_day_are_counted(researcher, lung_listing):
    part = sent(researcher, (lung_listing, "view")).parts.get()
    for _ in range(2):
        asking.answer(by=researcher, part=part, text="More.")
    with pytest.raises(ValidationError, match="Write again tomorrow"):
        asking.answer(by=researcher, part=part, text="Still more.")
    assert part.messages.count() == 2


def test_a_node_takes_so_many_requests_for_one_person_and_of_a_hub(tomorrow, hub, lung_listing):
    def arrive(number: int, person: str) -> None:
        told = {"sub": person, "given_name": person, "family_name": "", "email": ""}
        receiving.request(hub, request_body(request=str(number), person=told))

    for number in range(2):
        arrive(number, "mira")
        arrive(number, "mira")  # brought twice, taken once
    with pytest.raises(Refused, match=r"2 requests of this person in a day.* Send it again tomorrow\."):
        arrive(2, "mira")
    arrive(3, "otto")
    with pytest.raises(Refused, match="3 requests of the hub in a day"):
        arrive(4, "nina")
    tomorrow()
    arrive(5, "mira")


def test_a_node_takes_so_many_documents_for_one_person(hub, lung_listing, monkeypatch):
    monkeypatch.setattr(limits, "ARRIVING_BYTES", 10_000_000)
    announced = [
        {"id": str(number), "name": "x.pdf", "size": 5_000_000, "sha256": "0" * 64} for number in range(2)
    ]
    receiving.request(hub, request_body(request="1", documents=announced))
    with pytest.raises(Refused, match="10 MB of documents of this person in a day"):
        receiving.request(hub, request_body(request="2", documents=announced[:1]))
    receiving.request(hub, request_body(request="3"))


def test_messages_of_another_node_are_counted(asked, hub, member, judge):
    body = {"request": asked.request.public_id, "organisation": "karlsund", "text": "More."}
    for receive, node in ((receiving.message, hub), (receiving.asked, member)):
        for number in range(2):
            receive(node, {**body, "id": f"m{number}"})
        with pytest.raises(Refused, match="Write again tomorrow"):
            receive(node, {**body, "id": "m2"})
    deciding.ask(by=judge, part=there(), text="Who?")  # people here are not held up
    approved(there(), judge, mode="view")


def test_what_was_asked_for_outlives_its_listing(researcher, lung_listing):
    sent(researcher, (lung_listing, "view"))
    with pytest.raises(ProtectedError):
        lung_listing.delete()


def test_a_draft_that_is_thrown_away_takes_its_documents_along(
    researcher, lung_listing, django_capture_on_commit_callbacks
):
    request = cart.add(by=researcher, listing=lung_listing, mode="view")
    keys = {
        documents.attach(by=researcher, request=request, file=pdf(n)).object_key for n in ("a.pdf", "b.pdf")
    }
    assert keys <= {one.key for one in storage().keys("")}
    with django_capture_on_commit_callbacks(execute=True):
        asking.withdraw(by=researcher, request=request)
    assert not AccessDocument.objects.exists()
    assert not keys & {one.key for one in storage().keys("")}


def test_what_was_sent_keeps_its_documents(researcher, lung_listing, django_capture_on_commit_callbacks):
    request = filled(researcher, (lung_listing, "view"))
    kept = documents.attach(by=researcher, request=request, file=pdf())
    with django_capture_on_commit_callbacks(execute=True):
        asking.send(by=researcher, request=request)
        asking.withdraw(by=researcher, request=request)
    assert documents.content_of(kept) == PDF
