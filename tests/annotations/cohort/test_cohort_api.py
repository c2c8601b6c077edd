"""A cohort over the API and on its page: what it finds, what it refuses, and what nobody learns by it."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts import permissions
from annotations.models import Comparison, LabelFact, MarkFact, Read, ReferenceStandard, Submission
from atlas.models import Series
from tests import scene as scenes
from tests.scene import Scene, case_of, subject_with_studies

API = "/api/v1/projects/respond/cohort/"
PAGE = "/projects/respond/cohort/"
SEX = {"field": "subject.sex", "op": "is", "value": "F"}


@pytest.fixture
def scene(db: None) -> Scene:
    return scenes.build()


@pytest.fixture
def lead(scene: Scene) -> Client:
    client = Client()
    client.force_login(scene.people["lead"])
    return client


def asked(client: Client, text: str, **more: Any) -> Any:
    return client.get(f"{API}?{urlencode({'cohort': text, **more})}")


def posted(client: Client, cohort: Any, query: str = "") -> Any:
    return client.post(API + query, json.dumps({"cohort": cohort}), content_type="application/json")


def numbers(client: Client, text: str) -> list[int]:
    answer = asked(client, text)
    assert answer.status_code == 200, answer.content
    return [one["number"] for one in answer.json()["results"]]


def facts_of(submission: Submission, *, longest_mm: float = 12.0) -> None:
    series = Series.objects.filter(study__cases=submission.read.case).earliest("pk")
    MarkFact.objects.create(
        submission=submission,
        annotation=uuid4(),
        series=series,
        label="lesion",
        code="SCT:4147007",
        kind="segment",
        state="present",
        longest_mm=longest_mm,
        origin="reader",
    )
    LabelFact.objects.create(submission=submission, label="lesion", state="present", count=1)
    Submission.objects.filter(pk=submission.pk).update(facts_at=timezone.now())


def test_everything_is_counted_once(scene: Scene, lead: Client) -> None:
    case_of(scene.project, 9, [scene.cases[0].studies.earliest("pk")])  # a study that another case has
    told = asked(lead, "everything").json()
    assert told["counts"] == {"cases": 5, "subjects": 4, "studies": 12, "series": 12, "images": 1440}
    assert told["cases_in_project"] == told["count"] == 5
    assert [one["number"] for one in told["results"]] == [1, 2, 3, 4, 9]
    assert told["results"][0]["time_points"] == 3
    assert told["results"][0]["modalities"] == ["CT"]
    assert (told["results"][0]["sex"], told["results"][0]["age"]) == ("F", 61)
    assert told["results"][0]["url"].endswith("/projects/respond/cases/1/")


def test_json_text_and_address_find_the_same(scene: Scene, lead: Client) -> None:
    as_json, as_text = posted(lead, SEX).json(), posted(lead, "subject.sex is F").json()
    address = asked(lead, "subject.sex is F").json()
    assert as_json == as_text == address
    assert as_json["expression"] == SEX
    assert (as_json["text"], as_json["words"]) == ("subject.sex is F", "sex is female")


def test_cases_come_in_pages(scene: Scene, lead: Client) -> None:
    first = posted(lead, {"all": []}, "?limit=3").json()
    rest = posted(lead, {"all": []}, "?limit=3&offset=3").json()
    assert [one["number"] for one in first["results"] + rest["results"]] == [1, 2, 3, 4]
    assert first["counts"] == rest["counts"]
    assert first["next"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("cohort", "place", "said", "known"),
    [
        ({"field": "subject.sexx", "op": "is", "value": "F"}, "/field", "subject.sexx", "subject.sex"),
        (
            {"all": [SEX, {"field": "mark.label", "op": "is", "value": "leson"}]},
            "/all/1/value",
            "leson",
            "lesion",
        ),
        ("subject.sex is G", "character 16", "“G”", "F"),
        ({}, "", "says nothing", "all"),
        ("", "", "says nothing", None),
        (None, "", "says nothing", "all"),
        (7, "", "is an object", "all"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(
    lead: Client, cohort: Any, place: str, said: str, known: str | None
) -> None:
    answer = posted(lead, cohort)
    assert answer.status_code == 400
    told = answer.json()
    assert set(told) == {"reason", "place", "known"}
    assert (told["place"], said in told["reason"]) == (place, True)
    assert known is None or told["known"][0] == known


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"cohort": "everything", "limit": 3}', "[" * 50_000])
def test_a_body_that_is_none_is_refused(lead: Client, body: str) -> None:
    answer = lead.post(API, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["reason"]


def test_an_address_without_a_cohort_is_refused(lead: Client) -> None:
    assert lead.get(API).status_code == 400
    assert lead.get(f"{API}?cohort=").status_code == 400
    assert lead.get(f"{API}?cohort=everything&cohort=everything").status_code == 400


def test_fields_name_what_the_project_knows(scene: Scene, lead: Client) -> None:
    told = lead.get(f"{API}fields/").json()
    by_key = {one["key"]: one for one in told["fields"]}
    assert by_key["mark.label"]["values"] == [
        {"value": "lesion", "words": "Lesion"},
        {"value": "node", "words": "Lymph node"},
    ]
    assert [one["value"] for one in by_key["series.modality"]["values"]] == ["CT"]
    assert by_key["mark.longest_mm"]["units"] == ["mm", "cm"]
    assert by_key["series.description"]["values"] is None
    assert {one["level"] for one in told["fields"]} == {one["key"] for one in told["levels"]}
    assert "reader" not in json.dumps(by_key["read.reader"]["values"]).replace("reader-", "")


def test_small_pictures_are_for_those_who_may_see_the_images(scene: Scene, lead: Client) -> None:
    Series.objects.update(thumbnail_key="thumbnail")
    shown = asked(lead, "case.number is 1").json()["results"][0]
    series = Series.objects.get(public_id=shown["picture"].split("/")[2])
    assert series.study.cases.get().number == 1
    for role in permissions.roles_of(scene.people["lead"], scene.project):
        assert "view_images" in role.permissions


def test_no_picture_without_the_right_to_the_images(
    scene: Scene, lead: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from annotations.cohort import chosen
    from annotations.models import Case

    Series.objects.update(thumbnail_key="thumbnail")
    monkeypatch.setattr(chosen, "cases_for", lambda user: Case.objects.none())
    assert {one["picture"] for one in asked(lead, "everything").json()["results"]} == {None}


# What nobody learns -----------------------------------------------------------------------------

QUESTIONS = (
    "mark()",
    "mark(label is lesion and longest_mm >= 5) of handed_in",
    "not mark(longest_mm >= 100) of handed_in",
    "label(state is present) of handed_in",
    "label.state is absent or subject.sex is F",
    "mark() of handed_in at most 3",
    "agreement(dice < 0.5)",
    "not agreement(disagrees is yes)",
    "read(state is submitted) at least 1",
    "read() exactly 2",
    "case.readers >= 1",
    "case.readers is 0",
    "case.reference is none",
    "case.reference is_not none".replace("_", " "),
    "case.waits_for_adjudication is no",
    "case.purpose is ordinary",
    "not case.purpose is reference",
    "release.number is 1",
    "not release.number is 1",
    "case.number is 1 and (subject.sex is F or mark())",
)


@pytest.mark.parametrize("text", QUESTIONS)
def test_what_others_did_on_a_case_that_someone_still_reads_changes_no_answer(
    scene: Scene, text: str
) -> None:
    """A lead who reads case 1 asks before and after others have marked, disagreed and been accepted there."""
    lead = scene.people["lead"]
    permissions.grant(user=lead, role="reader", scope=scene.project)
    case = scene.cases[0]
    Read.objects.create(case=case, reader=lead, schema=scene.schema)
    client = Client()
    client.force_login(lead)
    before = asked(client, text).json()

    others = Read.objects.get(case=case, reader=scene.people["other_reader"])
    third = Read.objects.create(case=case, reader=scene.people["manager"], schema=scene.schema)
    first, second = (scenes.accepted(read, scene.people["reviewer"]) for read in (others, third))
    facts_of(first), facts_of(second, longest_mm=120)
    Comparison.objects.create(
        case=case, first=first, second=second, label="lesion", dice=0.1, disagrees=True, unmatched=2
    )
    ReferenceStandard.objects.create(case=case, submission=first, how="agreed")
    type(case).objects.filter(pk=case.pk).update(purpose="reference", needs_adjudication=True)
    case.release_cases.create(release=scene.release, number=case.number)

    assert asked(client, text).json() == before
    assert 1 not in [one["number"] for one in before["results"]]
    assert before["being_read"] == 1


def test_once_their_own_read_is_accepted_they_see_what_was_marked(scene: Scene) -> None:
    lead = scene.people["lead"]
    client = Client()
    client.force_login(lead)
    facts_of(scenes.accepted(scene.reads["others"], scene.people["reviewer"]))
    own = Read.objects.create(case=scene.cases[0], reader=lead, schema=scene.schema)
    assert numbers(client, "mark(longest_mm >= 5)") == []
    Read.objects.filter(pk=own.pk).update(state=Read.State.ACCEPTED)
    assert numbers(client, "mark(longest_mm >= 5)") == [1]


def test_what_is_known_of_images_is_told_of_every_case(scene: Scene, lead: Client) -> None:
    Read.objects.create(case=scene.cases[0], reader=scene.people["lead"], schema=scene.schema)
    told = asked(lead, "series.modality is CT").json()
    assert (told["counts"]["cases"], told["being_read"]) == (4, 0)


def test_reads_whose_marks_are_not_in_columns_yet_are_told_of(scene: Scene, lead: Client) -> None:
    assert asked(lead, "mark()").json()["facts_waiting"] == 2
    assert asked(lead, "subject.sex is F").json()["facts_waiting"] == 0
    for submission in Submission.objects.all():
        facts_of(submission)
    assert asked(lead, "mark()").json()["facts_waiting"] == 0


def test_no_name_of_a_person_is_in_any_answer(scene: Scene, lead: Client) -> None:
    said = lead.get(f"{API}fields/").content.decode() + asked(lead, "everything").content.decode()
    for person in scene.people.values():
        assert person.last_name not in said
        assert person.username not in said.replace('"reader"', "").replace("reader-", "").replace(
            "reader", ""
        )
    assert scene.cases[0].subject.pseudonym not in said


# The page ---------------------------------------------------------------------------------------


def test_the_page_opens_with_the_cohort_of_its_address(lead: Client) -> None:
    page = lead.get(f"{PAGE}?cohort=subject.sex%20is%20F").content.decode()
    assert 'data-text="subject.sex is F"' in page
    assert "/projects/respond/releases/new/" in page
    assert 'data-text="everything"' in lead.get(PAGE).content.decode()


def test_the_page_says_what_it_does_not_understand_and_escapes_it(lead: Client) -> None:
    answer = lead.get(f"{PAGE}?{urlencode({'cohort': '<script>alert(1)</script> is 1'})}")
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "means nothing" in page


def test_the_number_of_queries_does_not_grow_with_the_cases(
    scene: Scene, lead: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    text = "mark(label is lesion and longest_mm >= 5) or series.modality is CT"

    def count() -> int:
        with django_assert_max_num_queries(60) as queries:
            assert asked(lead, text).status_code == 200
        return len(queries)

    few = count()
    for number in range(10, 40):
        case_of(scene.project, number, subject_with_studies(scene.dataset, f"NH-9{number}", (0, 90)))
    assert count() == few
