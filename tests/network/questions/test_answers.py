"""What another node answers is believed only where it can be right."""

from datetime import timedelta

import pytest
from django.utils import timezone

from network.federation.messages import Refused
from network.models import ListingVersion, Message, Question, QuestionPart
from network.questions.answering import note_fetched, note_late, receive_answer
from network.questions.asking import ask, withdraw
from network.questions.result import as_table, result_of

from .conftest import CT, answer, listing, member, row

S = QuestionPart.State
pytestmark = pytest.mark.django_db


@pytest.fixture
def question(facts, ribera, asker):
    return ask(by=asker, expression=CT)


def part(question, node) -> QuestionPart:
    return question.parts.get(node=node)


def test_an_answer_is_kept_under_the_names_of_this_catalogue(question, ribera):
    receive_answer(
        ribera, answer(question, row(), row("liver", subjects=None, studies=None, series=None, images=None))
    )
    its = part(question, ribera)
    assert its.state == S.ANSWERED
    assert [(one["dataset"], one["subjects"]) for one in its.answer] == [
        ("ribera--breast", 40),
        ("ribera--liver", None),
    ]


NONE = {"subjects": None, "studies": None, "series": None, "images": None}
WRONG = {
    "an extra field": lambda body: body | {"names": ["Anna"]},
    "a field missing": lambda body: {key: body[key] for key in body if key != "reason"},
    "an unknown state": lambda body: body | {"state": "perhaps"},
    "a state that is no text": lambda body: body | {"state": ["answered"]},
    "a reason of its own": lambda body: body | {"reason": "<b>Buy</b>"},
    "a list for a reason": lambda body: body | {"reason": []},
    "no list": lambda body: body | {"answers": {"breast": 40}},
    "a row that is no object": lambda body: body | {"answers": ["breast"]},
    "too many rows": lambda body: body | {"answers": [row()] * 3},
    "a dataset twice": lambda body: body | {"answers": [row(), row()]},
    "an unknown dataset": lambda body: body | {"answers": [row("lung")]},
    "a dataset of another node": lambda body: body | {"answers": [row("other--lung")]},
    "a dataset by its name here": lambda body: body | {"answers": [row("ribera--breast")]},
    "a dataset that is no text": lambda body: body | {"answers": [row(["breast"])]},
    "an unknown version": lambda body: body | {"answers": [row(version="9.0.0")]},
    "a version that is no text": lambda body: body | {"answers": [row(version=1)]},
    "more subjects than published": lambda body: body | {"answers": [row(subjects=101)]},
    "more images than published": lambda body: body | {"answers": [row(images=40_001)]},
    "a huge count": lambda body: body | {"answers": [row(images=10**40)]},
    "fewer than may be told": lambda body: body | {"answers": [row(subjects=9)]},
    "zero": lambda body: body | {"answers": [row(subjects=0)]},
    "less than nothing": lambda body: body | {"answers": [row(studies=-1)]},
    "half a study": lambda body: body | {"answers": [row(studies=80.5)]},
    "a whole float": lambda body: body | {"answers": [row(subjects=40.0)]},
    "a number as text": lambda body: body | {"answers": [row(subjects="40")]},
    "a truth": lambda body: body | {"answers": [row(studies=True)]},
    "images of too few": lambda body: body | {"answers": [row(**NONE | {"images": 12})]},
    "an extra field of a row": lambda body: body | {"answers": [row() | {"patient": "4711"}]},
    "refused, and answered": lambda body: body | {"state": "refused"},
}


@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_right_is_shown_as_such_and_never_counted(question, ribera, spoil):
    receive_answer(ribera, spoil(answer(question, row())))
    its = part(question, ribera)
    assert (its.state, its.answer) == (S.WRONG, [])
    assert its.reason
    assert "<" not in its.reason
    assert "Anna" not in its.reason
    told = result_of(question)
    assert told.totals["subjects"] == 0
    assert not told.is_all
    assert told.parts[0].verdict == "bad"
    assert its.reason in told.parts[0].words


def test_after_a_wrong_answer_nothing_more_is_believed(question, ribera):
    receive_answer(ribera, answer(question, row(subjects=101)))
    with pytest.raises(Refused):
        receive_answer(ribera, answer(question, row()))
    assert part(question, ribera).state == S.WRONG


def test_an_earlier_published_version_may_be_counted_within_its_own_totals(question, ribera):
    breast = ribera.listings.get(slug="ribera--breast")
    figures = {"subjects": 50, "studies": 100, "series": 200, "images": 10_000}
    ListingVersion.objects.create(listing=breast, version="0.9.0", figures=figures)
    receive_answer(ribera, answer(question, row(version="0.9.0", subjects=50)))
    assert part(question, ribera).state == S.ANSWERED


def test_more_than_that_version_had_is_wrong(question, ribera):
    breast = ribera.listings.get(slug="ribera--breast")
    figures = {"subjects": 50, "studies": 100, "series": 200, "images": 10_000}
    ListingVersion.objects.create(listing=breast, version="0.9.0", figures=figures)
    receive_answer(ribera, answer(question, row(version="0.9.0", subjects=51)))
    assert part(question, ribera).state == S.WRONG


def test_a_total_that_may_not_be_told_allows_no_count(question, ribera):
    ribera.listings.filter(slug="ribera--breast").update(
        subjects=None, studies=None, series=None, images=None
    )
    receive_answer(ribera, answer(question, row()))
    assert part(question, ribera).state == S.WRONG


def test_the_same_answer_again_changes_nothing(question, ribera):
    receive_answer(ribera, answer(question, row()))
    before = part(question, ribera).changed_at
    receive_answer(ribera, answer(question, row()))
    assert part(question, ribera).changed_at == before


def test_two_answers_that_differ_are_wrong(question, ribera):
    receive_answer(ribera, answer(question, row()))
    receive_answer(ribera, answer(question, row(subjects=41)))
    assert part(question, ribera).state == S.WRONG


def test_an_answer_may_grow_while_people_decide_but_not_change(question, ribera):
    receive_answer(ribera, answer(question, row(), state="person"))
    assert part(question, ribera).state == S.PERSON
    receive_answer(ribera, answer(question, row(), row("liver")))
    assert part(question, ribera).state == S.ANSWERED
    receive_answer(ribera, answer(question, row(), state="person"))  # the first, once more
    assert part(question, ribera).state == S.ANSWERED


def test_what_was_told_cannot_be_taken_back(question, ribera):
    receive_answer(ribera, answer(question, row(), state="person"))
    receive_answer(ribera, answer(question, row("liver")))
    assert part(question, ribera).state == S.WRONG


def test_a_node_answers_only_what_it_was_asked(question, ribera):
    other = member("other", 7)
    listing("breast", node=other)
    for node, body in (
        (other, answer(question, row())),
        (None, answer(question, row())),
        (ribera, answer(Question(public_id="unknown"), row())),
        (ribera, {}),
        (ribera, {"question": {"a": 1}}),
        (ribera, {"question": "x" * 41}),
    ):
        with pytest.raises(Refused):
            receive_answer(node, body)
    assert part(question, ribera).state == S.WAITING


def test_an_answer_after_the_end_is_refused(question, ribera):
    Question.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Refused, match="expired"):
        receive_answer(ribera, answer(question, row()))
    assert note_late() == 1
    assert part(question, ribera).state == S.LATE
    with pytest.raises(Refused, match="expired"):
        receive_answer(ribera, answer(question, row()))
    assert part(question, ribera).state == S.LATE


def test_an_answer_to_a_withdrawn_question_is_refused(question, ribera, asker):
    withdraw(by=asker, question=question)
    with pytest.raises(Refused, match="withdrawn"):
        receive_answer(ribera, answer(question, row()))


def test_the_node_has_fetched_it_once_it_confirms(question, ribera):
    note_fetched(Message.objects.get(kind="question"))
    assert part(question, ribera).state == S.FETCHED
    message = Message.objects.get(kind="question")
    message.refused = "No."
    note_fetched(message)  # after the fact: nothing changes
    assert part(question, ribera).state == S.FETCHED


def test_a_question_that_the_node_refused_says_so(question, ribera):
    message = Message.objects.get(kind="question")
    message.refused = "This is no question."
    note_fetched(message)
    its = part(question, ribera)
    assert its.state == S.REFUSED
    assert "This is no question." in its.reason


def test_totals_add_what_was_told_and_say_at_least(question, ribera, asker):
    receive_answer(ribera, answer(question, row(), row("liver", **NONE)))
    told = result_of(question)
    assert told.totals == {"subjects": 40, "studies": 80, "series": 160, "images": 9000}
    assert not told.is_all
    assert told.few == 1
    assert not told.is_open
    lines = list(as_table(told))
    assert lines[1][6:10] == [40, 80, 160, 9000]
    assert lines[2][6:10] == ["fewer than 10"] * 4


def test_only_when_all_was_told_is_it_a_whole(question, ribera):
    receive_answer(ribera, answer(question, row(), row("liver")))
    assert result_of(question).is_all


@pytest.mark.parametrize(
    ("ago", "seen", "title"),
    [(5, True, "Asked"), (300, True, "Late"), (5, False, "Offline")],
)
def test_a_silent_node_is_told_apart_from_one_that_is_away(facts, asker, ago, seen, title):
    node = member("silent", 9, seen=seen)
    listing("breast", node=node)
    question = ask(by=asker, expression=CT)
    QuestionPart.objects.update(changed_at=timezone.now() - timedelta(seconds=ago))
    assert result_of(question).parts[0].title == title


def test_the_queries_do_not_grow_with_the_nodes(facts, asker, django_assert_num_queries):
    for number in range(2, 6):
        listing("breast", node=member(f"node-{number}", number))
    question = ask(by=asker, expression=CT)
    with django_assert_num_queries(2):
        result_of(question)
