"""At the node that answers: by itself where the organisation allows it, otherwise a person says yes or no."""

from datetime import timedelta

import pytest
from django.core import mail
from django.http import Http404
from django.utils import timezone

from accounts import permissions
from accounts.models import AuditRecord, Organisation
from annotations.cohort.language import as_json
from atlas.api.errors import Conflict
from atlas.models import Dataset
from network.facts.counting import Counts
from network.federation.messages import Refused
from network.models import HeldPart, HeldQuestion, Listing, Message, QuestionPart
from network.questions import holding
from network.questions.asking import ask, withdraw
from network.questions.holding import decide, note_expired, receive_question, receive_withdrawn
from tests.cast import person

from .conftest import ASKS, CT, ITSELF, NEVER, listing

H, P = HeldQuestion.State, HeldPart.State
pytestmark = pytest.mark.django_db


def body(uid="q1", expression=CT, hours=24, **more):
    expires_at = timezone.now() + timedelta(hours=hours)
    return {"question": uid, "expression": as_json(expression), "expires_at": expires_at.isoformat(), **more}


def sent(hub) -> list[dict]:
    return [message.body for message in Message.objects.filter(node=hub, kind="answer")]


@pytest.fixture
def asking_dataset(lung):
    return listing("lung", dataset=lung, answers=ASKS)


@pytest.fixture
def part(facts, hub, asking_dataset) -> HeldPart:
    receive_question(hub, body())
    return HeldPart.objects.get()


def test_what_answers_by_itself_is_answered_at_once(facts, hub, lung):
    listing("lung", dataset=lung, answers=ITSELF)
    receive_question(hub, body())
    assert sent(hub) == [
        {
            "question": "q1",
            "state": "answered",
            "reason": "",
            "answers": [
                {
                    "dataset": "lung",
                    "version": "1.0.0",
                    "subjects": 40,
                    "studies": 80,
                    "series": 160,
                    "images": 9000,
                }
            ],
        }
    ]


def test_the_hub_gets_a_new_version_before_the_answer_that_counts_it(facts, hub, lung):
    made = listing("lung", dataset=lung, answers=ITSELF)
    receive_question(hub, body("q1"))
    receive_question(hub, body("q2"))
    Listing.objects.filter(pk=made.pk).update(version="1.1.0", published_at=timezone.now())
    receive_question(hub, body("q3"))
    kinds = list(Message.objects.filter(node=hub).order_by("pk").values_list("kind", flat=True))
    assert kinds[-2:] == ["catalogue", "answer"]
    assert Message.objects.filter(kind="catalogue", confirmed_at=None).count() == 1  # the last stands for all
    assert kinds.count("answer") == 3


def test_the_same_question_twice_is_answered_once(facts, hub, lung):
    listing("lung", dataset=lung, answers=ITSELF)
    receive_question(hub, body())
    receive_question(hub, body())
    assert len(sent(hub)) == facts.asked == 1


def test_other_words_under_the_same_name_are_refused(facts, hub, part):
    other = body()
    other["expression"] = {"all": []}
    with pytest.raises(Refused, match="in other words"):
        receive_question(hub, other)


def test_nothing_is_told_before_a_person_has_said_yes(part, hub, committee):
    assert [(each["state"], each["answers"]) for each in sent(hub)] == [("person", [])]
    decide(by=committee, part=part, yes=True)
    assert [(each["state"], len(each["answers"])) for each in sent(hub)] == [("person", 0), ("answered", 1)]
    record = AuditRecord.objects.get(verb="question.decided")
    assert (record.actor, record.facts) == (committee, {"yes": True, "datasets": 1})


def test_a_no_tells_nothing(part, hub, committee):
    decide(by=committee, part=part, yes=False)
    last = sent(hub)[-1]
    assert (last["state"], last["reason"], last["answers"]) == ("refused", "decided", [])


def test_never_means_never_whoever_says_yes(facts, hub, lung, committee, part):
    listing(
        "closed",
        dataset=Dataset.objects.create(organisation=lung.organisation, name="C", slug="closed"),
        answers=NEVER,
    )
    decide(by=committee, part=part, yes=True)
    assert [one["dataset"] for one in sent(hub)[-1]["answers"]] == ["lung"]


def test_each_organisation_decides_for_its_own_datasets(facts, hub, asking_dataset, committee):
    other = Organisation.objects.create(name="Ribera", slug="ribera", country="ES")
    listing(
        "breast", dataset=Dataset.objects.create(organisation=other, name="B", slug="breast"), answers=ASKS
    )
    receive_question(hub, body())
    theirs = HeldPart.objects.get(organisation=other)
    with pytest.raises(Http404):
        decide(by=committee, part=theirs, yes=True)
    decide(by=committee, part=HeldPart.objects.exclude(pk=theirs.pk).get(), yes=True)
    assert (sent(hub)[-1]["state"], [one["dataset"] for one in sent(hub)[-1]["answers"]]) == (
        "person",
        ["lung"],
    )
    manager = person("maria")
    permissions.grant(user=manager, role="manager", scope=other)
    decide(by=manager, part=theirs, yes=False)
    last = sent(hub)[-1]
    assert (last["state"], [one["dataset"] for one in last["answers"]]) == ("answered", ["lung"])


def test_what_was_told_stays_as_it_was_when_the_rest_is_decided_later(facts, hub, lung, committee):
    listing("open", answers=ITSELF)
    listing("lung", dataset=lung, answers=ASKS)
    receive_question(hub, body())
    facts.counts["open"] = Counts(77, 77, 77, 77)  # published anew meanwhile
    decide(by=committee, part=HeldPart.objects.get(), yes=True)
    assert {one["dataset"]: one["subjects"] for one in sent(hub)[-1]["answers"]} == {"open": 40, "lung": 40}


def test_it_is_decided_once(part, committee):
    decide(by=committee, part=part, yes=False)
    with pytest.raises(Conflict):
        decide(by=committee, part=part, yes=True)


def test_someone_without_the_role_cannot_decide(part):
    with pytest.raises(Http404):
        decide(by=person("eve"), part=part, yes=True)


def test_a_withdrawn_question_can_not_be_answered_any_more(part, hub, committee):
    receive_withdrawn(hub, {"question": "q1"})
    with pytest.raises(Conflict, match="withdrawn"):
        decide(by=committee, part=part, yes=True)
    assert len(sent(hub)) == 1
    receive_withdrawn(hub, {"question": "never heard of"[:5]})


def test_nor_can_an_expired_one(part, hub, committee):
    HeldQuestion.objects.update(expires_at=timezone.now())
    with pytest.raises(Conflict, match="expired"):
        decide(by=committee, part=part, yes=True)
    assert note_expired() == 1
    assert HeldQuestion.objects.get().state == H.EXPIRED


DEEP: dict = {"all": []}
for _ in range(200):
    DEEP = {"not": DEEP}
BAD = {
    "an extra field": lambda: body(patients=True),
    "no expression": lambda: {key: value for key, value in body().items() if key != "expression"},
    "a name that is none": lambda: body(uid="../../etc"),
    "a name too long": lambda: body(uid="x" * 41),
    "a name that is a list": lambda: body(uid=["q"]),
    "a time that is none": lambda: body() | {"expires_at": "tomorrow"},
    "a time without a zone": lambda: body() | {"expires_at": "2030-01-01T00:00:00"},
    "a time that is over": lambda: body(hours=-1),
    "a time too far away": lambda: body(hours=24 * 40),
    "a number for a time": lambda: body() | {"expires_at": 4711},
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_what_is_no_question_is_refused(facts, hub, asking_dataset, make):
    with pytest.raises(Refused):
        receive_question(hub, make())
    assert not HeldQuestion.objects.exists()


@pytest.mark.parametrize(
    "expression",
    [
        {"field": "read.reader", "op": "is", "value": "R1"},
        {"field": "no.such", "op": "is", "value": "R1"},
        {"field": "subject.age", "op": ">=", "value": 61},
        {"all": [], "sql": "1=1"},
        "everything",
        None,
        DEEP,
    ],
)
def test_what_may_not_be_asked_is_refused_and_no_one_is_bothered(facts, hub, asking_dataset, expression):
    receive_question(hub, body() | {"expression": expression})
    assert [(one["state"], one["reason"]) for one in sent(hub)] == [("refused", "not_understood")]
    assert facts.asked == 0
    assert not HeldPart.objects.exists()


def test_a_hub_that_asks_without_end_is_not_answered(facts, hub, lung, monkeypatch):
    listing("lung", dataset=lung)
    monkeypatch.setattr(holding, "PER_DAY", 2)
    for number in range(3):
        receive_question(hub, body(f"q{number}"))
    assert [one["reason"] for one in sent(hub)] == ["", "", "too_many"]
    assert facts.asked == 2


def test_one_letter_until_they_have_looked(
    facts, hub, asking_dataset, committee, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        receive_question(hub, body("q1"))
        receive_question(hub, body("q2"))
    (letter,) = mail.outbox
    assert letter.to == [committee.email]
    assert "modality of an image series is CT" in letter.body
    assert "/questions/held/" in letter.body


def test_the_asker_gets_a_letter_when_the_people_have_decided(
    facts, asking_dataset, asker, committee, django_capture_on_commit_callbacks
):
    question = ask(by=asker, expression=CT)
    with django_capture_on_commit_callbacks(execute=True):
        decide(by=committee, part=HeldPart.objects.get(), yes=True)
    (letter,) = mail.outbox
    assert letter.to == [asker.email]
    assert f"/questions/{question.public_id}/" in letter.body
    assert question.parts.get().state == QuestionPart.State.ANSWERED


def test_an_own_question_that_is_withdrawn_no_longer_waits(facts, asking_dataset, asker, committee):
    question = ask(by=asker, expression=CT)
    withdraw(by=asker, question=question)
    with pytest.raises(Conflict):
        decide(by=committee, part=HeldPart.objects.get(), yes=True)
