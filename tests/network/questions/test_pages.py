"""The pages and the API of questions: who sees what, and in which words."""

import csv
import io
import json

import pytest

from annotations.cohort.language.shared import SHARED
from network.models import HeldPart, Question
from network.questions import asking
from network.questions.answering import receive_answer
from network.questions.asking import ask
from tests.cast import person, signed_in

from .conftest import ASKS, CT, answer, listing, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(asker):
    return signed_in(asker)


def test_a_question_is_asked_on_the_page_and_its_answer_followed(facts, ribera, browser):
    told = browser.post("/questions/", {"cohort": "series.modality is CT"})
    question = Question.objects.get()
    assert told.headers["Location"] == f"/questions/{question.public_id}/"
    page = browser.get(told.headers["Location"]).content.decode()
    assert "At least" in page
    assert "0 of 1 nodes are done" in page
    receive_answer(
        ribera, answer(question, row(), row("liver", subjects=None, studies=None, series=None, images=None))
    )
    page = browser.get(told.headers["Location"]).content.decode()
    assert "1 of 1 nodes are done" in page
    assert "9,000" in page
    assert "fewer than 10" in page
    assert "1 of them has fewer than 10 such subjects" in page


def test_what_is_not_understood_stands_on_the_page_with_the_reason(facts, ribera, browser):
    told = browser.post("/questions/", {"cohort": "subject.age >= 61"})
    assert told.status_code == 400
    page = told.content.decode()
    assert "steps of 5" in page
    assert "subject.age &gt;= 61" in page


def test_who_asks_too_often_is_told_when_to_come_back(facts, ribera, browser, monkeypatch):
    monkeypatch.setattr(asking, "PER_HOUR", 1)
    browser.post("/questions/", {"cohort": "everything"})
    told = browser.post("/questions/", {"cohort": "everything"})
    assert told.status_code == 429
    assert "The next can be asked in" in told.content.decode()
    told = browser.post("/api/v1/questions/", {"cohort": "everything"}, content_type="application/json")
    assert told.status_code == 429
    assert int(told.headers["Retry-After"]) > 3000


def test_pages_say_so_in_the_readers_language_and_programs_read_english(facts, ribera, browser, monkeypatch):
    monkeypatch.setattr(asking, "PER_DAY", 1)
    spanish = {"accept-language": "es"}
    question = {"cohort": "everything"}
    browser.post("/questions/", question)
    page = browser.post("/questions/", question, headers=spanish).content.decode()
    assert "Ha hecho 1 preguntas en un día, tantas como puede cualquiera." in page
    told = browser.post("/api/v1/questions/", question, content_type="application/json", headers=spanish)
    assert "You have asked 1 questions within a day" in told.json()["reason"]


def test_nobody_else_sees_a_question(facts, ribera, asker, committee):
    question = ask(by=asker, expression=CT)
    other = signed_in(committee)
    for path in (
        f"/questions/{question.public_id}/",
        f"/questions/{question.public_id}/answers.csv",
        f"/api/v1/questions/{question.public_id}/",
    ):
        assert other.get(path).status_code == 404
    assert other.get("/api/v1/questions/").json()["results"] == []
    assert "image series is CT" not in other.get("/questions/").content.decode()


def test_another_nodes_words_are_text_and_no_formula(facts, ribera, asker, browser):
    ribera.listings.filter(slug="ribera--breast").update(
        title="=cmd|'/c calc'!A1", organisation="<img src=x onerror=1>"
    )
    question = ask(by=asker, expression=CT)
    receive_answer(ribera, answer(question, row(), row("liver")))
    page = browser.get(f"/questions/{question.public_id}/").content.decode()
    assert "<img src=x" not in page
    answered = browser.get(f"/questions/{question.public_id}/answers.csv")
    lines = list(csv.DictReader(io.StringIO(b"".join(answered.streaming_content).decode())))
    assert lines[0]["title"].startswith("'=")
    assert lines[0]["subjects"] == "40"


def test_the_api_tells_the_same(facts, ribera, browser):
    asked = {"cohort": {"field": "series.modality", "op": "is", "value": "CT"}}
    told = browser.post("/api/v1/questions/", json.dumps(asked), content_type="application/json")
    assert told.status_code == 201
    one = told.json()
    assert one["is_open"]
    assert one["nodes"][0]["state"] == "waiting"
    receive_answer(ribera, answer(Question.objects.get(), row(), row("liver")))
    one = browser.get(f"/api/v1/questions/{one['id']}/").json()
    assert one["at_least"]["subjects"] == 80
    assert one["is_all"]
    assert [each["dataset"] for each in one["nodes"][0]["datasets"]] == ["ribera--breast", "ribera--liver"]
    assert browser.get("/api/v1/questions/").json()["count"] == 1
    withdrawn = browser.post(f"/api/v1/questions/{one['id']}/withdraw/").json()
    assert withdrawn["withdrawn_at"]


def test_only_shared_facts_are_offered_with_the_values_of_the_catalogue(ribera, browser):
    told = browser.get("/api/v1/questions/fields/").json()
    fields = {field["key"]: field for field in told["fields"]}
    assert set(fields) == set(SHARED)
    assert fields["series.modality"]["values"] == [{"value": "CT", "words": "CT"}]
    assert fields["subject.age"]["step"] == 5
    assert "is" not in [one["key"] for one in fields["subject.age"]["operators"]]
    assert {one["value"] for one in told["of"]} == {"result", "reference"}


def test_reading_a_question_asks_nobody(facts, ribera, browser):
    told = browser.post("/api/v1/questions/read/", {"cohort": "everything"}, content_type="application/json")
    assert told.json() == {
        "expression": {"all": []},
        "text": "everything",
        "words": "every subject",
        "nodes": 1,
    }
    refused = browser.post(
        "/api/v1/questions/read/", {"cohort": "case.number is 1"}, content_type="application/json"
    )
    assert refused.status_code == 400
    assert "can't be asked across nodes" in refused.json()["reason"]
    assert not Question.objects.exists()


def test_the_committee_sees_what_would_leave_and_decides(facts, lung, asker, committee):
    listing("lung", dataset=lung, answers=ASKS)
    ask(by=asker, expression=CT)
    browser = signed_in(committee)
    assert 'class="waiting">1<' in browser.get("/questions/").content.decode()
    page = browser.get("/questions/held/").content.decode()
    assert "Modality of an image series is CT" in page
    assert "Dataset lung" in page
    assert "9,000" in page
    assert asker.last_name not in page
    part = HeldPart.objects.get()
    assert browser.post(f"/questions/held/{part.public_id}/", {"decision": "perhaps"}).status_code == 400
    told = browser.post(f"/questions/held/{part.public_id}/", {"decision": "yes"}, follow=True)
    assert "The counts are on their way." in told.content.decode()
    again = browser.post(f"/questions/held/{part.public_id}/", {"decision": "no"}, follow=True)
    assert "A colleague has decided this meanwhile." in again.content.decode()
    assert "answered, by Knut Dahl" in browser.get("/questions/held/?show=decided").content.decode()


def test_the_page_of_decisions_is_for_those_who_decide(committee, db):
    assert signed_in(person("eve")).get("/questions/held/").status_code == 403
    assert signed_in(committee).get("/questions/held/").status_code == 200


def test_a_person_without_a_question_is_told_what_the_page_is_for(db):
    page = signed_in(person("otto")).get("/questions/").content.decode()
    assert "Nobody can be asked yet" in page
    assert "You have asked nothing yet" in page


def test_the_history_costs_the_same_however_long(
    facts, ribera, asker, browser, django_assert_max_num_queries
):
    for _ in range(6):
        ask(by=asker, expression=CT)
    with django_assert_max_num_queries(14):
        browser.get("/questions/")
