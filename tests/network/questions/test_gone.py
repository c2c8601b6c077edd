"""A node leaves, or this one its hub: questions that wait there end, in words."""

import pytest
from django.test import TestCase
from django.urls import reverse

from atlas.api.errors import Conflict
from network.federation import joining, membership
from network.federation.messages import Refused
from network.models import HeldPart, HeldQuestion, Message, QuestionPart
from network.questions import policies
from network.questions.answering import note_gone, receive_answer
from network.questions.asking import ask, withdraw
from network.questions.holding import decide, receive_question
from network.questions.result import result_of
from tests.cast import signed_in

from .conftest import ASKS, CT, answer, listing, member, row
from .test_held import body

S = QuestionPart.State
pytestmark = pytest.mark.django_db


@pytest.fixture
def question(facts, ribera, asker):
    return ask(by=asker, expression=CT)


def leave(node) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        membership.left(node)


def test_a_question_ends_where_its_node_leaves(question, ribera, asker):
    leave(ribera)
    (part,) = result_of(question).parts
    assert (part.state, part.title) == ("gone", "Has left the network")
    assert not result_of(question).is_open
    text = signed_in(asker).get(reverse("question", args=[question.public_id])).content.decode()
    assert "It left before it had answered. Ask again to hear from those who take part now." in text
    assert note_gone() == 0


def test_what_it_told_before_it_left_stays(question, ribera):
    receive_answer(ribera, answer(question, row(), state="person"))
    leave(ribera)
    result = result_of(question)
    assert result.parts[0].words == "It had answered for 1 dataset when it left."
    assert result.totals["subjects"] == 40


def test_others_may_still_answer(facts, ribera, asker):
    other = member("other", 2)
    listing("lung", node=other)
    question = ask(by=asker, expression=CT)
    leave(ribera)
    assert result_of(question).is_open
    receive_answer(other, answer(question, row("lung")))
    assert {part.state for part in question.parts.all()} == {S.GONE, S.ANSWERED}


def test_a_question_that_was_withdrawn_stays_so(question, ribera, asker):
    withdraw(by=asker, question=question)
    question.refresh_from_db()
    leave(ribera)
    assert result_of(question).parts[0].title == "Withdrawn"


def test_an_answer_of_a_node_that_comes_back_is_too_late(question, ribera):
    leave(ribera)
    with pytest.raises(Refused, match="You left the network before you answered"):
        receive_answer(ribera, answer(question, row()))
    assert question.parts.get().answer == []


def test_nobody_decides_for_a_hub_that_this_node_has_left(facts, hub, lung, committee, monkeypatch):
    listing("lung", dataset=lung, answers=ASKS)
    receive_question(hub, body())
    part = HeldPart.objects.get()
    assert policies.waiting_count(committee) == 1
    monkeypatch.setattr(joining, "_call", lambda *args: {})
    with TestCase.captureOnCommitCallbacks(execute=True):
        joining.leave(by=None)
    assert HeldQuestion.objects.get().state == "gone"
    assert policies.waiting_count(committee) == 0
    page = signed_in(committee).get(reverse("questions-held") + "?show=decided").content.decode()
    assert "this node left the hub that asked; nothing was told" in page
    with pytest.raises(Conflict, match="has left the hub"):
        decide(by=committee, part=part, yes=True)
    assert not Message.objects.filter(confirmed_at=None).exists()
