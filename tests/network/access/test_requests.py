"""A request from the cart to its end: what each side may do when, and what happens to whom."""

import datetime

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.utils import timezone

from accounts.models import AuditRecord
from atlas.archive.storage import storage
from network.access import asking, cart, deciding, documents, ending, grants, policies, states
from network.access.deciding import AGREEMENT, Choice
from network.access.states import State
from network.models import AccessGrant, AccessMessage, AccessPart, AccessRequest, Listing
from network.models.access import Mode
from tests.network.access.conftest import NEXT_YEAR, PDF, agreed, approved, filled, opened, pdf, sent

pytestmark = pytest.mark.django_db


def letters() -> list[tuple[str, str]]:
    """(to whom, what about) of each letter since the last call."""
    found = [(one.to[0].partition("@")[0], one.subject) for one in mail.outbox]
    mail.outbox.clear()
    return found


@pytest.fixture(autouse=True)
def committing(django_capture_on_commit_callbacks):
    """What is told after a commit is told at once."""
    with django_capture_on_commit_callbacks(execute=True):
        yield


@pytest.fixture
def posted(django_capture_on_commit_callbacks):
    """Do it, and return the letters that leave with it."""

    def posted(deed) -> list[tuple[str, str]]:
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            deed()
        return letters()

    return posted


def test_a_cart_holds_datasets_of_several_organisations(researcher, lung_listing, breast_listing):
    request = cart.add(by=researcher, listing=lung_listing, mode="download")
    again = cart.add(by=researcher, listing=lung_listing, mode="view")
    assert cart.add(by=researcher, listing=breast_listing, mode="count") == request == again
    parts = {
        part.organisation_slug: [(i.listing, i.mode) for i in part.items.all()]
        for part in request.parts.all()
    }
    assert parts == {"karlsund": [(lung_listing, "view")], "ribera": [(breast_listing, "count")]}
    cart.remove(by=researcher, request=request, listing_id=breast_listing.public_id)
    assert [part.organisation_slug for part in request.parts.all()] == ["karlsund"]


def test_of_a_dataset_that_gives_counts_nothing_more_is_asked(researcher, lung_listing):
    lung_listing.access = Listing.Access.COUNTS
    lung_listing.save()
    with pytest.raises(ValidationError, match="counts only"):
        cart.add(by=researcher, listing=lung_listing, mode="view")
    cart.add(by=researcher, listing=lung_listing, mode="count")


def test_what_is_not_listed_is_not_asked_for(researcher, lung_listing):
    request = filled(researcher, (lung_listing, "view"))
    Listing.objects.update(is_listed=False)
    lung_listing.refresh_from_db()
    with pytest.raises(ValidationError, match="no longer in the catalogue"):
        cart.add(by=researcher, listing=lung_listing, mode="view")
    with pytest.raises(ValidationError, match="no longer in the catalogue"):
        asking.send(by=researcher, request=request)


def test_nothing_is_sent_before_it_says_what_for(researcher, lung_listing):
    request = cart.add(by=researcher, listing=lung_listing, mode="view")
    with pytest.raises(ValidationError) as refused:
        asking.send(by=researcher, request=request)
    assert set(refused.value.message_dict) == {"title", "affiliation", "purpose", "use_terms"}
    assert request.parts.get().state == State.DRAFT


def test_each_committee_hears_of_its_part_once(
    posted, researcher, judge, other_judge, lung_listing, breast_listing
):
    request = filled(researcher, (lung_listing, "download"), (breast_listing, "view"))
    written = posted(lambda: asking.send(by=researcher, request=request))
    assert written == [
        ("anna", "A request for access waits for you"),
        ("carmen", "A request for access waits for you"),
    ]
    assert posted(lambda: asking.send(by=researcher, request=request)) == []  # a double click
    assert {part.state for part in request.parts.all()} == {State.SENT}
    with pytest.raises(ValidationError, match="sent already"):
        cart.remove(by=researcher, request=request, listing_id=lung_listing.public_id)


def test_without_a_committee_the_managers_are_told(posted, researcher, owner, lung_listing):
    request = filled(researcher, (lung_listing, "view"))
    assert posted(lambda: asking.send(by=researcher, request=request)) == [
        ("nina", "A request for access waits for you")
    ]


def test_a_letter_names_no_purpose_and_leads_to_the_page(posted, settings, researcher, judge, lung_listing):
    settings.NODE_ADDRESS = "https://karlsund.example"
    request = filled(researcher, (lung_listing, "view"))
    mail.outbox.clear()
    from django.test import TestCase

    with TestCase.captureOnCommitCallbacks(execute=True):
        asking.send(by=researcher, request=request)
    letter = mail.outbox[0].body
    assert f"https://karlsund.example/access/committee/{request.parts.get().public_id}/" in letter
    assert "Lung nodules" in letter
    assert "Mira" not in letter
    assert "small nodules, and test" not in letter


def test_question_and_answer_go_to_and_fro(posted, researcher, judge, lung_listing):
    part = sent(researcher, (lung_listing, "view")).parts.get()
    assert posted(lambda: deciding.ask(by=judge, part=part, text="Who works\r\nwith it?\x07")) == [
        ("mira", "The access committee of Karlsund University Hospital asks you something")
    ]
    part.refresh_from_db()
    assert part.state == State.QUESTION
    assert posted(lambda: asking.answer(by=researcher, part=part, text="Two of us.")) == [
        ("anna", "The researcher answered")
    ]
    part.refresh_from_db()
    assert part.state == State.SENT
    assert [(m.is_of_committee, m.text) for m in part.messages.all()] == [
        (True, "Who works\nwith it?"),
        (False, "Two of us."),
    ]


def test_access_opens_with_the_agreement_and_not_before(posted, researcher, judge, lung, lung_listing):
    part = sent(researcher, (lung_listing, "download")).parts.get()
    assert posted(lambda: approved(part, judge, mode="view")) == [
        ("mira", "Karlsund University Hospital approves your request: read its agreement")
    ]
    assert not policies.grants_that_hold(researcher).exists()
    assert posted(lambda: agreed(part)) == [
        ("anna", "The agreement was accepted: access is open"),
        ("mira", "Your access to data of Karlsund University Hospital is open"),
    ]
    part.refresh_from_db()
    assert part.state == State.GRANTED
    assert part.agreed_sha256 == states.terms_sha256(part)
    grant = policies.grants_that_hold(researcher).get()
    assert (grant.dataset, grant.mode, grant.last_day) == (lung, "view", NEXT_YEAR)
    verbs = list(
        AuditRecord.objects.filter(verb__startswith="access.").order_by("pk").values_list("verb", flat=True)
    )
    assert verbs == ["access.sent", "access.approved", "access.agreed", "access.granted"]


def test_each_dataset_has_its_own_mode_and_end(researcher, judge, karlsund, lung_listing):
    from atlas.models import Dataset
    from tests.network.access.conftest import listed

    names = ("liver", "brain")
    more = [listed(Dataset.objects.create(organisation=karlsund, name=n.title(), slug=n)) for n in names]
    wanted = [(lung_listing, "download"), (more[0], "view"), (more[1], "view")]
    part = sent(researcher, *wanted).parts.get()
    soon = timezone.localdate() + datetime.timedelta(days=30)
    items = {item.listing.slug: item.pk for item in part.items.all()}
    choices = {items["lung"]: Choice("view", soon), items["liver"]: Choice("count", NEXT_YEAR)}
    deciding.approve(by=judge, part=part, choices=choices, agreement=AGREEMENT)
    agreed(part)
    held = {g.dataset.slug: (g.mode, g.last_day) for g in policies.grants_that_hold(researcher)}
    assert held == {"lung": ("view", soon), "liver": ("count", NEXT_YEAR)}


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (Choice("download", NEXT_YEAR), "no more is granted"),
        (Choice("view", timezone.localdate()), "in the future"),
        (Choice("view", None), "in the future"),
        (Choice("view", datetime.date(2999, 1, 1)), "at most 10 years"),
        (Choice("everything", NEXT_YEAR), "no more is granted"),
        (Choice(""), "Nothing is approved"),
    ],
)
def test_a_committee_approves_within_what_was_asked(researcher, judge, lung_listing, choice, sentence):
    part = sent(researcher, (lung_listing, "view")).parts.get()
    with pytest.raises(ValidationError, match=sentence):
        deciding.approve(by=judge, part=part, choices={part.items.get().pk: choice}, agreement=AGREEMENT)
    part.refresh_from_db()
    assert part.state == State.SENT


def test_a_refusal_has_a_reason(posted, researcher, judge, lung_listing):
    part = sent(researcher, (lung_listing, "view")).parts.get()
    with pytest.raises(ValidationError, match="Say why"):
        deciding.refuse(by=judge, part=part, reason=" \n")
    assert posted(lambda: deciding.refuse(by=judge, part=part, reason="No vote.")) == [
        ("mira", "Karlsund University Hospital refuses your request")
    ]
    with pytest.raises(ValidationError, match="refused meanwhile"):
        approved(part, judge)


def test_two_members_at_once_one_decision(researcher, judge, colleague, lung_listing):
    part = sent(researcher, (lung_listing, "view")).parts.get()
    seen = states.version_of(part)
    item = part.items.get().pk
    deciding.approve(
        by=judge, part=part, choices={item: Choice("view", NEXT_YEAR)}, agreement=AGREEMENT, seen=seen
    )
    with pytest.raises(ValidationError, match="since you opened it"):
        deciding.refuse(by=colleague, part=part, reason="No.", seen=seen)
    with pytest.raises(ValidationError, match="since you opened it"):
        deciding.approve(
            by=colleague, part=part, choices={item: Choice("count", NEXT_YEAR)}, agreement="x", seen=seen
        )
    part.refresh_from_db()
    assert (part.state, part.decided_by) == (State.APPROVED, judge)


def test_nobody_approves_what_was_withdrawn(posted, researcher, judge, lung_listing):
    request = sent(researcher, (lung_listing, "view"))
    part = request.parts.get()
    assert posted(lambda: asking.withdraw(by=researcher, request=request)) == [
        ("anna", "A request was withdrawn by the researcher")
    ]
    with pytest.raises(ValidationError, match="withdrawn meanwhile"):
        approved(part, judge)
    assert posted(lambda: asking.withdraw(by=researcher, request=request)) == []


def test_an_agreement_that_changed_has_to_be_read_again(researcher, judge, lung_listing):
    part = sent(researcher, (lung_listing, "view")).parts.get()
    read = states.terms_sha256(approved(part, judge))
    approved(part, judge, mode="count")  # another mode is another agreement
    with pytest.raises(ValidationError, match="changed since you opened it"):
        asking.agree(by=researcher, part=part, sha256=read)
    assert not AccessGrant.objects.exists()
    agreed(part)
    assert AccessGrant.objects.get().mode == "count"


def test_after_the_agreement_its_text_stays(researcher, judge, lung_listing):
    part = opened(researcher, judge, lung_listing, "view")
    with pytest.raises(ValidationError, match="granted meanwhile"):
        approved(part, judge)
    asking.agree(by=researcher, part=part, sha256=part.agreed_sha256)  # a double click
    assert AccessGrant.objects.count() == 1


def test_access_ends_by_time_alone(researcher, judge, lung, lung_listing):
    opened(researcher, judge, lung_listing, "view")
    AccessGrant.objects.update(ends_at=timezone.now())
    assert not policies.grants_that_hold(researcher).exists()
    assert not lung.__class__.objects.filter(policies.granted(researcher, Mode.COUNT)).exists()


def test_letters_tell_of_the_end_once(posted, researcher, judge, lung_listing):
    part = opened(researcher, judge, lung_listing, "view")
    assert posted(ending.run) == []
    today = timezone.localdate()
    AccessPart.objects.update(agreed_at=timezone.now() - datetime.timedelta(days=100))
    item = part.items.get()
    item.ends_on = today + datetime.timedelta(days=10)
    item.save()
    assert posted(ending.run) == [("mira", "Your access to data of Karlsund University Hospital ends soon")]
    assert posted(ending.run) == []
    item.refresh_from_db()
    item.ends_on = today - datetime.timedelta(days=1)
    item.save()
    assert posted(ending.run) == [("mira", "Your access to data of Karlsund University Hospital has ended")]
    part.refresh_from_db()
    assert part.state == State.ENDED
    assert posted(ending.run) == []


def test_a_committee_withdraws_some_or_all(posted, researcher, judge, karlsund, lung_listing):
    from atlas.models import Dataset
    from tests.network.access.conftest import listed

    liver = listed(Dataset.objects.create(organisation=karlsund, name="Liver", slug="liver"))
    part = agreed(approved(sent(researcher, (lung_listing, "view"), (liver, "view")).parts.get(), judge))
    first = part.items.get(listing=lung_listing).pk
    written = posted(lambda: deciding.withdraw(by=judge, part=part, reason="A breach.", items=[first]))
    assert written == [("mira", "Karlsund University Hospital withdrew access")]
    part.refresh_from_db()
    assert part.state == State.GRANTED
    assert [grant.dataset.slug for grant in policies.grants_that_hold(researcher)] == ["liver"]
    deciding.withdraw(by=judge, part=part, reason="A breach.")
    part.refresh_from_db()
    assert part.state == State.WITHDRAWN
    assert not policies.grants_that_hold(researcher).exists()
    assert not grants.holds(part)


def test_withdrawing_tells_all_processes_to_forget(monkeypatch, researcher, judge, lung_listing):
    from accounts import revocation

    told: list[None] = []
    part = opened(researcher, judge, lung_listing, "view")
    monkeypatch.setattr(revocation, "announce", lambda: told.append(None))
    deciding.withdraw(by=judge, part=part, reason="A breach.")
    assert told == [None]


def test_giving_up_ends_access_at_once(researcher, judge, lung_listing):
    part = opened(researcher, judge, lung_listing, "view")
    asking.withdraw(by=researcher, request=part.request)
    assert not policies.grants_that_hold(researcher).exists()


def test_only_the_committee_of_its_own_organisation_decides(
    researcher, judge, other_judge, owner, lung_listing
):
    part = sent(researcher, (lung_listing, "view")).parts.get()
    with pytest.raises(Http404):
        approved(part, other_judge)
    with pytest.raises(PermissionDenied):
        approved(part, owner)  # a manager who sits on no committee
    with pytest.raises(PermissionDenied):
        asking.answer(by=judge, part=part, text="Not mine.")


def test_nobody_decides_about_their_own_request(judge, colleague, lung_listing, posted):
    request = filled(judge, (lung_listing, "view"))
    assert [to for to, _ in posted(lambda: asking.send(by=judge, request=request))] == ["bruno"]
    part = request.parts.get()
    with pytest.raises(PermissionDenied, match="Someone else"):
        approved(part, judge)
    approved(part, colleague)


def test_documents_are_bounded_in_size_number_and_kind(researcher, lung_listing):
    request = cart.add(by=researcher, listing=lung_listing, mode="view")
    kept = documents.attach(by=researcher, request=request, file=pdf("../../Votum Ü.pdf"))
    assert (kept.name, kept.size) == ("Votum Ü.pdf", len(PDF))
    assert documents.attach(by=researcher, request=request, file=pdf("Votum Ü.pdf")) == kept
    for name, content, sentence in (
        ("vote.exe", PDF, "Documents end with"),
        ("vote.pdf", b"<html><script>", "not the kind of file"),
        ("vote.txt", b"\xff\xfe", "not the kind of file"),
        ("vote.pdf", b"%PDF-" + b"0" * documents.SIZE_MAX, "at most 5 MB"),
        ("\n.pdf", PDF, "Documents end with"),
    ):
        with pytest.raises(ValidationError, match=sentence):
            documents.attach(by=researcher, request=request, file=pdf(name, content))
    for number in range(documents.DOCUMENTS_MAX - 1):
        documents.attach(by=researcher, request=request, file=pdf(f"{number}.txt", b"%d" % number))
    with pytest.raises(ValidationError, match="at most 10 documents"):
        documents.attach(by=researcher, request=request, file=pdf("more.pdf"))


def test_a_removed_document_leaves_storage(researcher, lung_listing, django_capture_on_commit_callbacks):
    request = cart.add(by=researcher, listing=lung_listing, mode="view")
    kept = documents.attach(by=researcher, request=request, file=pdf())
    assert [one.key for one in documents.holdings()] == [kept.object_key]
    with django_capture_on_commit_callbacks(execute=True):
        documents.detach(by=researcher, request=request, public_id=kept.public_id)
    assert kept.object_key not in {one.key for one in storage().keys("")}


def test_hidden_signs_and_long_texts_are_not_kept(researcher, judge, lung_listing):
    part = sent(researcher, (lung_listing, "view")).parts.get()
    with pytest.raises(ValidationError, match="longer than"):
        asking.answer(by=researcher, part=part, text="a" * (asking.TEXT_LENGTH_MAX + 1))
    asking.answer(by=researcher, part=part, text="yes\u202eon\u200b")
    assert AccessMessage.objects.get().text == "yeson"


def test_one_cart_a_person(researcher, lung_listing):
    from django.db import IntegrityError, transaction

    request = cart.add(by=researcher, listing=lung_listing, mode="view")
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessRequest.objects.create(by=researcher)
    asking.withdraw(by=researcher, request=request)
    assert cart.add(by=researcher, listing=lung_listing, mode="view") != request
    assert AccessPart.objects.filter(state=State.DRAFT).count() == 1
