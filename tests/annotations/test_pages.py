"""The pages of projects, worklist and releases: what they show, to whom, at what cost."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Invitation
from annotations.models import Case, LabelSchema, Read, ReleaseFile
from atlas.models import Project
from tests import scene as scenes
from tests.scene import Scene


@pytest.fixture
def scene(db: None) -> Scene:
    return scenes.build()


def signed_in(scene: Scene, name: str) -> Client:
    client = Client()
    client.force_login(scene.people[name])
    return client


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


PAGES_OF_A_PROJECT = [
    "/",
    "/edit/",
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
        return [
            re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text_of(client, page)) for page in pages
        ]

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
    (tmp_path / "static" / "dist" / "room.js").write_text("")
    settings.BASE_DIR = tmp_path
    read = scene.reads["assigned"]
    text = text_of(signed_in(scene, "reader"), f"/reads/{read.public_id}/")
    assert f'data-read="{read.public_id}" data-user="{scene.people["reader"].public_id}" data-csrf="' in text
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


def test_a_release_counts_its_files_by_kind(scene: Scene) -> None:
    sizes = {
        "cases/0004/images/CT_1.nii.gz": 700,
        "cases/0004/reader/seg/CT_1.dcm": 30,
        "cases/0004/reader/masks/CT_1_lesion.nii.gz": 20,
        "cases/0004/reader/masks/CT_1_node.nii.gz": 5,
        "labels.json": 2,
    }
    for path, size in sizes.items():
        ReleaseFile.objects.create(
            release=scene.release, path=path, size=size, sha256="0" * 64, crc32=0, object_key="x"
        )
    answer = signed_in(scene, "scientist").get("/projects/respond/releases/1/")
    found = [(kind.title, kind.files, kind.size) for kind in answer.context["formats"]]
    assert found == [("Images", 1, 700), ("DICOM SEG", 1, 30), ("Masks", 2, 25), ("About the release", 1, 2)]
    assert "curl -f -C - -o respond-1.zip" in answer.content.decode()


# Cost -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("reader", "/worklist/"),
        ("reviewer", "/worklist/"),
        ("reader", "/projects/"),
        ("lead", "/projects/"),
        ("lead", "/projects/respond/"),
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
    fill(8, 28)
    with django_assert_max_num_queries(len(few)):
        client.get(page)
    assert len(few) < 60


# Forms ------------------------------------------------------------------------------------------


def test_a_form_sent_twice_makes_one_project(scene: Scene) -> None:
    client = signed_in(scene, "manager")
    form = {"name": "Glioma", "organisation": scene.organisation.pk, "description": ""}
    assert client.post("/projects/new/", form).status_code == 302
    again = client.post("/projects/new/", form)
    assert "has a project of this name already" in again.content.decode()
    assert Project.objects.filter(name="Glioma").count() == 1


def test_cases_added_twice_are_added_once(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    first = scenes.subject_with_studies(scene.dataset, "NH-1", (0, 30, 60))
    second = scenes.subject_with_studies(scene.dataset, "NH-2", (0,))
    form = {"which": "chosen", "study": [study.public_id for study in (*first[:2], *second)]}
    told = client.post("/projects/respond/cases/add/", form, follow=True).content.decode()
    assert "Added 2 cases, 5 to 6, with 3 studies." in told
    told = client.post("/projects/respond/cases/add/", form, follow=True).content.decode()
    assert "3 studies were in a case already." in told
    assert Case.objects.filter(project=scene.project).count() == 6
    assert [
        study.pk for study in Case.objects.get(project=scene.project, number=5).studies.order_by("date")
    ] == [study.pk for study in first[:2]]


def test_all_that_match_is_refused_when_more_match_than_were_shown(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    scenes.subject_with_studies(scene.dataset, "NH-1", (0,))
    scenes.subject_with_studies(scene.dataset, "NH-2", (0,))
    answer = client.post("/projects/respond/cases/add/", {"which": "all", "expected": "1"})
    assert answer.status_code == 400
    assert "now there are 2" in answer.content.decode()
    client.post("/projects/respond/cases/add/?text=NH-1", {"which": "all", "expected": "1"})
    assert [case.subject.pseudonym for case in Case.objects.filter(number__gt=4)] == ["NH-1"]


def test_a_filter_that_makes_no_sense_selects_nothing(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    text = text_of(client, "/projects/respond/cases/?state=sumbitted")
    assert "sumbitted is not one of the available choices" in text
    assert "NH-20931" not in text


def test_studies_of_a_dataset_that_was_not_granted_are_refused(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    studies = scenes.subject_with_studies(scene.dataset, "NH-1", (0,))
    scene.dataset.grants.all().delete()
    form = {"which": "chosen", "study": [studies[0].public_id]}
    answer = client.post("/projects/respond/cases/add/", form)
    assert answer.status_code == 400
    assert not Case.objects.filter(number__gt=4).exists()


def test_assigning_twice_makes_one_read_each(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    readers = [scene.people[name].public_id for name in ("reader", "other_reader")]
    form = {"case": ["1", "3"], "readers": readers, "way": "each", "due": "2999-01-31"}
    told = client.post("/projects/respond/cases/assign/", form, follow=True).content.decode()
    assert "2 reads assigned. 2 were there before." in told
    told = client.post("/projects/respond/cases/assign/", form, follow=True).content.decode()
    assert "0 reads assigned. 4 were there before." in told
    assert Read.objects.filter(case__number__in=[1, 3]).count() == 4


def test_a_refused_assignment_keeps_what_was_chosen(scene: Scene) -> None:
    answer = signed_in(scene, "lead").post("/projects/respond/cases/assign/", {"case": ["3"], "way": "each"})
    assert answer.status_code == 400
    text = answer.content.decode()
    assert "Choose at least one reader." in text
    assert 'aria-label="Choose case 3" checked' in text


def test_only_an_unopened_read_can_be_taken_back(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    for name in ("assigned", "others"):
        form = {"read": scene.reads[name].public_id}
        client.post("/projects/respond/cases/unassign/", form)
    assert not Read.objects.filter(pk=scene.reads["assigned"].pk).exists()
    assert Read.objects.filter(pk=scene.reads["others"].pk).exists()


def label_form(schema: LabelSchema, **changes: object) -> dict[str, object]:
    form: dict[str, object] = {"rows": len(schema.labels), "seen_version": schema.version}
    for place, label in enumerate(schema.labels):
        code = label["code"] or {"value": "", "scheme": "", "meaning": ""}
        form |= {f"{place}-{name}": label[name] for name in ("key", "name", "color", "kinds")}
        form |= {f"{place}-code-{part}": value for part, value in code.items()}
        if label["required"]:
            form[f"{place}-required"] = "on"
    return form | changes


def test_renaming_a_label_keeps_its_key_and_writes_a_version(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    form = label_form(scene.schema, **{"0-name": "Target lesion"})
    assert client.post("/projects/respond/labels/edit/", form).status_code == 302
    newest = LabelSchema.objects.order_by("-version").first()
    assert newest is not None
    assert (newest.version, newest.labels[0]["key"], newest.labels[0]["name"]) == (
        2,
        "lesion",
        "Target lesion",
    )
    scene.schema.refresh_from_db()
    assert scene.schema.labels[0]["name"] == "Lesion"
    scene.reads["assigned"].refresh_from_db()
    scene.reads["others"].refresh_from_db()
    assert scene.reads["assigned"].schema == newest
    assert scene.reads["others"].schema == scene.schema
    client.post("/projects/respond/labels/edit/", form)
    assert LabelSchema.objects.count() == 2


def test_a_label_at_fault_is_told_beside_it_and_nothing_is_saved(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    form = label_form(scene.schema, **{"1-name": "lesion", "1-code-value": "123"})
    answer = client.post("/projects/respond/labels/edit/", form)
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "Two labels have this name." in text
    assert "A code has a value, a scheme and a meaning" in text
    assert LabelSchema.objects.count() == 1


def test_labels_written_by_someone_else_meanwhile_are_not_overwritten(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    client.post("/projects/respond/labels/edit/", label_form(scene.schema, **{"0-name": "Target"}))
    answer = client.post("/projects/respond/labels/edit/", label_form(scene.schema, **{"0-name": "Mass"}))
    assert "was written by someone else meanwhile" in answer.content.decode()
    assert LabelSchema.objects.count() == 2


def test_a_member_is_added_by_address_and_a_stranger_gets_a_letter(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    client.post("/projects/respond/members/", {"email": "STRANGER@hospital.example", "role": "reader"})
    assert signed_in(scene, "stranger").get("/projects/respond/").status_code == 200
    for _ in range(2):
        client.post("/projects/respond/members/", {"email": "new@clinic.example", "role": "reader"})
    text = text_of(client, "/projects/respond/members/")
    assert "A letter to new@clinic.example is on its way already." in text
    assert "Piotr Zielinski" in text
    assert [letter.email for letter in Invitation.objects.all()] == ["new@clinic.example"]


def test_the_last_lead_stays(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    form = {"person": scene.people["lead"].public_id, "role": "lead"}
    told = client.post("/projects/respond/members/remove/", form, follow=True).content.decode()
    assert "A project needs a lead" in told
    assert client.get("/projects/respond/members/").status_code == 200


def test_a_reader_who_leaves_gives_back_what_they_never_opened(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    form = {"person": scene.people["reader"].public_id, "role": "reader"}
    client.post("/projects/respond/members/remove/", form)
    assert not Read.objects.filter(pk=scene.reads["assigned"].pk).exists()
    assert Read.objects.filter(pk=scene.reads["submitted"].pk).exists()
    assert signed_in(scene, "reader").get("/projects/respond/").status_code == 404
