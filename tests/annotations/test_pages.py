"""The pages of projects, worklist and releases: what they show, to whom, at what cost."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Read
from tests import scene as scenes
from tests.annotations.pages import signed_in, text_of
from tests.scene import Scene


@pytest.fixture
def scene(db: None) -> Scene:
    return scenes.build()


PAGES_OF_A_PROJECT = [
    "/",
    "/edit/",
    "/agreement/",
    "/cases/",
    "/cases/add/",
    "/members/",
    "/labels/",
    "/labels/edit/",
    "/labels/1/",
    "/releases/",
    "/releases/new/",
    "/releases/1/",
]


@pytest.mark.parametrize("page", PAGES_OF_A_PROJECT)
def test_a_lead_opens_every_page(scene: Scene, page: str) -> None:
    text = text_of(signed_in(scene, "lead"), f"/projects/respond{page}")
    assert "RESPOND, treatment response in solid tumours" in text
    assert "style=" not in text
    assert "<script>" not in text


def test_the_funnel_counts_each_case_where_its_slowest_read_stands(scene: Scene) -> None:
    answer = signed_in(scene, "lead").get("/projects/respond/")
    here = {step.key: step.here for step in answer.context["steps"]}
    assert here == {
        "unassigned": 1,
        "assigned": 1,
        "in_progress": 0,
        "submitted": 1,
        "returned": 0,
        "to_adjudicate": 0,
        "accepted": 1,
    }


# Blindness --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page", ["/worklist/", "/projects/", "/projects/respond/", "/projects/respond/labels/"]
)
def test_a_reader_finds_no_trace_of_another_reader(scene: Scene, page: str) -> None:
    text = text_of(signed_in(scene, "reader"), page)
    assert "Moreau" not in text
    assert scene.reads["others"].public_id not in text
    assert scene.people["other_reader"].public_id not in text


def test_a_page_of_a_reader_does_not_change_when_another_reader_works(scene: Scene) -> None:
    client = signed_in(scene, "reader")
    pages = ["/worklist/", "/projects/", "/projects/respond/"]

    def seen() -> list[str]:
        tokens = r'(name="csrfmiddlewaretoken" value|data-csrf)="\w+"'  # other ones in each answer
        return [re.sub(tokens, "", text_of(client, page)) for page in pages]

    before = seen()
    scenes.accepted(scene.reads["others"], scene.people["reviewer"])
    Read.objects.create(case=scene.cases[1], reader=scene.people["other_reader"], schema=scene.schema)
    assert seen() == before


def test_a_lead_who_reads_a_case_sees_only_their_own_read_there(scene: Scene) -> None:
    lead = scene.people["lead"]
    Read.objects.create(case=scene.cases[0], reader=lead, schema=scene.schema, state=Read.State.IN_PROGRESS)
    answer = signed_in(scene, "lead").get("/projects/respond/cases/")
    rows = {row.case.number: [read.reader for read in row.reads] for row in answer.context["rows"]}
    assert rows[1] == [lead]
    assert rows[2] == [scene.people["reader"]]
    overview = signed_in(scene, "lead").get("/projects/respond/")
    assert {step.key: step.here for step in overview.context["steps"]}["in_progress"] == 1
    moreau = next(m for m in overview.context["members"] if m.person == scene.people["other_reader"])
    assert moreau.open == 0


def test_a_reader_may_not_open_the_cases_or_the_members(scene: Scene) -> None:
    client = signed_in(scene, "reader")
    for page in ("cases/", "members/", "releases/", "cases/add/", "labels/edit/"):
        assert client.get(f"/projects/respond/{page}").status_code == 403, page


def test_a_side_panel_of_another_readers_case_does_not_exist(scene: Scene) -> None:
    client = signed_in(scene, "reader")
    assert client.get(f"/worklist/{scene.reads['assigned'].public_id}/").status_code == 200
    assert client.get(f"/worklist/{scene.reads['others'].public_id}/").status_code == 404
    assert client.get(f"/reads/{scene.reads['others'].public_id}/").status_code == 404


def test_a_reviewer_finds_what_waits_for_review_and_only_that(scene: Scene) -> None:
    answer = signed_in(scene, "reviewer").get("/worklist/")
    (group,) = answer.context["groups"]
    assert group.key == "review"
    assert [row.read for row in group.rows] == [scene.reads["submitted"]]


# Worklist ---------------------------------------------------------------------------------------


def test_the_worklist_puts_returned_reads_first(scene: Scene) -> None:
    read = scene.reads["submitted"]
    read.state, read.round = Read.State.RETURNED, 2
    read.save()
    answer = signed_in(scene, "reader").get("/worklist/")
    assert [(group.key, group.total) for group in answer.context["groups"]] == [("returned", 1), ("next", 1)]
    assert answer.context["chosen"].row.read == read


def test_next_opens_another_read_than_the_one_just_left(scene: Scene) -> None:
    client = signed_in(scene, "reader")
    first = scene.reads["assigned"]
    assert client.get("/worklist/next/").url == f"/reads/{first.public_id}/"
    assert client.get(f"/worklist/next/?after={first.public_id}").url == "/worklist/"


@pytest.mark.parametrize(
    ("name", "sentence"), [("stranger", "You read in no project"), ("scientist", "You read in no project")]
)
def test_an_empty_worklist_says_why(scene: Scene, name: str, sentence: str) -> None:
    assert sentence in text_of(signed_in(scene, name), "/worklist/")


def test_an_unbuilt_reading_room_says_so(scene: Scene, settings, tmp_path) -> None:
    settings.BASE_DIR = tmp_path
    answer = signed_in(scene, "reader").get(f"/reads/{scene.reads['assigned'].public_id}/")
    assert answer.status_code == 503
    assert "The reading room is not installed on this node" in answer.content.decode()


def test_the_reading_room_names_the_read_and_its_person(scene: Scene, settings, tmp_path) -> None:
    (tmp_path / "static" / "dist").mkdir(parents=True)
    manifest = {
        "src/main.tsx": {"file": "assets/room-1.js", "isEntry": True, "imports": ["_a.js"]},
        "src/early.ts": {"file": "assets/early-2.js", "isEntry": True},
        "src/ui/room.css": {"file": "assets/style-3.css", "isEntry": True},
        "_a.js": {"file": "assets/a-4.js", "imports": ["_b.js"]},
        "_b.js": {"file": "assets/b-5.js"},
    }
    (tmp_path / "static" / "dist" / "manifest.json").write_text(json.dumps(manifest))
    settings.BASE_DIR = tmp_path
    read = scene.reads["assigned"]
    text = text_of(signed_in(scene, "reader"), f"/reads/{read.public_id}/")
    assert f'data-read="{read.public_id}" data-user="{scene.people["reader"].public_id}" data-csrf="' in text
    assert 'src="/static/dist/assets/room-1.js"' in text
    for name in ("style-3.css", "a-4.js", "b-5.js"):
        assert f'href="/static/dist/assets/{name}"' in text
    assert "not installed" not in text


# Empty states -----------------------------------------------------------------------------------


def test_every_page_of_an_empty_project_offers_a_way_on(scene: Scene) -> None:
    client = signed_in(scene, "manager")
    answer = client.post(
        "/projects/new/",
        {"name": "Glioma, first look", "organisation": scene.organisation.pk, "description": ""},
    )
    assert answer.url == "/projects/glioma-first-look/"
    for page, sentence in {
        "": "There are no cases yet",
        "cases/": "There are no cases yet",
        "cases/add/": "No dataset is open to this project yet",
        "labels/": "There are no labels yet",
        "releases/": "Nothing is released yet",
        "releases/new/": "Nothing is accepted yet",
    }.items():
        assert sentence in text_of(client, f"/projects/glioma-first-look/{page}"), page


# Cost -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("reader", "/worklist/"),
        ("reviewer", "/worklist/"),
        ("reader", "/projects/"),
        ("lead", "/projects/"),
        ("lead", "/projects/respond/"),
        ("lead", "/projects/respond/agreement/"),
        ("lead", "/projects/respond/cases/"),
        ("lead", "/projects/respond/cases/add/"),
        ("lead", "/projects/respond/members/"),
        ("lead", "/projects/respond/releases/"),
        ("lead", "/projects/respond/releases/1/"),
    ],
)
def test_more_cases_cost_no_more_queries(
    scene: Scene, name: str, page: str, django_assert_max_num_queries
) -> None:
    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            studies = scenes.subject_with_studies(scene.dataset, f"NH-3{number:04d}", (0, 30))
            scenes.subject_with_studies(scene.dataset, f"FR-3{number:04d}", (0, 30))
            case = scenes.case_of(scene.project, number, studies)
            Read.objects.create(case=case, reader=scene.people["reader"], schema=scene.schema)
            other = Read.objects.create(case=case, reader=scene.people["other_reader"], schema=scene.schema)
            scenes.submitted(other)

    client = signed_in(scene, name)
    fill(5, 8)
    client.get(page)  # what is cached once a process doesn't count
    with CaptureQueriesContext(connection) as few:
        client.get(page)
    queries = len(few)  # the next request clears them
    fill(8, 28)
    client.get(page)  # what is kept until something changes is worked out anew
    with django_assert_max_num_queries(queries):
        client.get(page)
    assert 0 < queries < 60
