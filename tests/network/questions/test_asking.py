"""A question goes to every node that lists datasets, and to nobody too often."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditRecord
from annotations.cohort.language import CohortError, parse, parse_text
from network.models import HeldQuestion, Message, Node, Question, QuestionPart
from network.questions import asking
from network.questions.asking import TooMany, ask, withdraw

from .conftest import ASKS, CT, ITSELF, NEVER, listing, member

S = QuestionPart.State
pytestmark = pytest.mark.django_db


def states(question):
    return {part.node.slug if part.node else "here": part.state for part in question.parts.all()}


def test_it_is_put_to_this_node_and_to_each_member_that_lists_something(facts, lung, ribera, asker):
    listing("lung", dataset=lung)
    member("empty", 2)
    question = ask(by=asker, expression=CT)
    assert states(question) == {"here": S.ANSWERED, "ribera": S.WAITING}
    message = Message.objects.get(node=ribera, kind="question")
    assert message.expires_at == question.expires_at
    assert set(message.body) == {"question", "expression", "expires_at"}
    assert parse(message.body["expression"]) == CT


def test_nothing_of_the_person_leaves_the_node(facts, ribera, asker):
    ask(by=asker, expression=CT)
    sent = str(Message.objects.get().body)
    for personal in (asker.username, asker.email, asker.last_name, asker.public_id):
        assert personal not in sent


def test_who_asked_what_is_on_record(facts, ribera, asker):
    question = ask(by=asker, expression=CT)
    record = AuditRecord.objects.get(verb="question.asked")
    assert (record.actor, record.object_id, record.facts) == (asker, question.pk, {"nodes": 1})
    assert question.expression == {"field": "series.modality", "op": "is", "value": "CT"}


def test_suspended_nodes_are_not_asked(facts, ribera, asker, lung):
    listing("lung", dataset=lung)
    Node.objects.filter(pk=ribera.pk).update(state=Node.State.SUSPENDED)
    assert states(ask(by=asker, expression=CT)) == {"here": S.ANSWERED}


def test_a_node_whose_datasets_take_no_questions_is_told_of_but_not_asked(facts, asker):
    listing("breast", node=member("closed", 3), answers=NEVER)
    question = ask(by=asker, expression=CT)
    assert states(question) == {"closed": S.REFUSED}
    assert not Message.objects.exists()


def test_this_nodes_own_datasets_that_ask_a_person_wait_for_one(facts, asker, lung):
    listing("lung", dataset=lung, answers=ASKS)
    question = ask(by=asker, expression=CT)
    assert states(question) == {"here": S.PERSON}
    assert HeldQuestion.objects.get().hub is None


def test_without_a_dataset_anywhere_there_is_nobody_to_ask(asker):
    with pytest.raises(CohortError, match="Nobody can be asked"):
        ask(by=asker, expression=parse_text("everything"))
    assert not Question.objects.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("case.number is 7", "can't be asked across nodes"),
        ("subject.age >= 61", "steps of 5"),
        ("series.modality is CTT", "Did you mean CT?"),
    ],
)
def test_what_cannot_be_asked_across_nodes_is_refused_with_a_reason(facts, ribera, asker, text, reason):
    with pytest.raises(CohortError, match=reason):
        ask(by=asker, expression=parse_text(text))
    assert not Message.objects.exists()


def test_a_person_can_ask_only_so_much_in_an_hour(facts, ribera, asker, monkeypatch):
    monkeypatch.setattr(asking, "PER_HOUR", 3)
    for _ in range(3):
        ask(by=asker, expression=CT)
    with pytest.raises(TooMany) as refused:
        ask(by=asker, expression=CT)
    assert 3500 < refused.value.wait_s <= 3600
    assert Question.objects.count() == 3
    first = Question.objects.earliest("pk")
    Question.objects.filter(pk=first.pk).update(asked_at=timezone.now() - timedelta(hours=1, seconds=1))
    ask(by=asker, expression=CT)


def test_a_withdrawn_question_reaches_the_nodes_that_have_not_answered(facts, ribera, asker, lung):
    listing("lung", dataset=lung, answers=ASKS)
    listing("spine", answers=ITSELF)
    question = ask(by=asker, expression=CT)
    withdraw(by=asker, question=question)
    withdraw(by=asker, question=question)
    assert Message.objects.filter(node=ribera, kind="question.withdrawn").count() == 1
    assert Message.objects.get(kind="question.withdrawn").body == {"question": question.public_id}
    assert HeldQuestion.objects.get().state == HeldQuestion.State.WITHDRAWN
    assert AuditRecord.objects.filter(verb="question.withdrawn").count() == 1
