"""The forms of a project: what they write, what they refuse, and that sending one twice does it once."""

import pytest

from accounts.models import Invitation
from annotations.models import Case, LabelSchema, Read
from atlas.models import Instance, Project, Study
from tests import scene as scenes
from tests.annotations.pages import signed_in, text_of
from tests.scene import Scene


@pytest.fixture
def scene(db: None) -> Scene:
    return scenes.build()


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


def hold_all_images_of(study: Study) -> None:
    """As while they wait for the search for text: nothing of the study is shown."""
    study.series.update(frame_count=0, manifest_key="")
    for series in study.series.all():
        Instance.objects.create(
            organisation=series.organisation,
            series=series,
            sop_instance_uid=f"2.25.{series.pk}",
            size=1,
            hold=Instance.Hold.CHECKING,
        )


def test_a_study_whose_images_are_held_is_refused_for_that_reason(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    held, shown = scenes.subject_with_studies(scene.dataset, "NH-1", (0, 30))
    hold_all_images_of(held)
    form = {"which": "chosen", "study": [held.public_id, shown.public_id]}
    answer = client.post("/projects/respond/cases/add/", form)
    assert answer.status_code == 400
    text = answer.content.decode()
    assert "1 of the chosen studies is held: the images are searched for text in their pixels" in text
    assert "not open to this project" not in text
    assert not Case.objects.filter(number__gt=4).exists()


def test_choosing_studies_says_how_many_are_held(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    (held,) = scenes.subject_with_studies(scene.dataset, "NH-1", (0,))
    assert "held" not in text_of(client, "/projects/respond/cases/add/")
    hold_all_images_of(held)
    text = text_of(client, "/projects/respond/cases/add/")
    assert "1\N{NO-BREAK SPACE}study is held and can't be chosen yet" in text
    assert "Every study is in a case" not in text


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
    assert scene.reads["others"].schema == newest  # begun, and nothing drawn yet
    scene.reads["submitted"].refresh_from_db()
    assert scene.reads["submitted"].schema == scene.schema
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


def question_form(place: int = 0, **fields: str | list[str]) -> dict[str, object]:
    given = {"text": "Margin", "of": "annotation", "type": "choice", "options": "Smooth\nSpiculated"} | fields
    return {"questions": place + 1} | {f"q{place}-{name}": value for name, value in given.items()}


def test_questions_are_written_with_the_labels_and_shown_again(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    coded = "Lobulated | 1 | 99X\nSmooth | 2 | 99X"
    form = label_form(scene.schema) | question_form(
        type="code", options=coded, labels=["lesion"], required="on"
    )
    assert client.post("/projects/respond/labels/edit/", form).status_code == 302
    schema = LabelSchema.objects.order_by("version").last()
    assert schema is not None
    [question] = schema.questions
    assert (question["key"], question["only"], question["required"]) == ("margin", ["lesion"], True)
    assert question["options"][0]["code"] == {"value": "1", "scheme": "99X", "meaning": "Lobulated"}
    assert "Lobulated, Smooth" in text_of(client, "/projects/respond/labels/")
    page = client.get("/projects/respond/labels/edit/").content.decode()
    assert "Lobulated | 1 | 99X" in page
    assert (
        client.post("/projects/respond/labels/edit/", label_form(schema) | {"questions": 0}).status_code
        == 302
    )
    assert LabelSchema.objects.latest("version").questions == []


def test_a_question_at_fault_is_told_beside_it_and_nothing_is_saved(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    form = label_form(scene.schema) | question_form(options="Only one")
    answer = client.post("/projects/respond/labels/edit/", form)
    assert answer.status_code == 400
    assert "answers to choose from, one a line" in answer.content.decode()
    assert LabelSchema.objects.count() == 1


def test_one_more_question_keeps_what_was_typed(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    form = label_form(scene.schema) | question_form(text="Half done", options="") | {"another_question": "1"}
    page = client.post("/projects/respond/labels/edit/", form).content.decode()
    assert 'value="Half done"' in page
    assert 'name="q1-text"' in page
    assert LabelSchema.objects.count() == 1


def test_a_question_may_wait_for_another_one(scene: Scene) -> None:
    client = signed_in(scene, "lead")
    client.post("/projects/respond/labels/edit/", label_form(scene.schema) | question_form())
    schema = LabelSchema.objects.latest("version")
    form = label_form(schema) | question_form(key="margin")
    more = {
        "text": "Longest spicule",
        "type": "number",
        "options": "",
        "unit": "mm",
        "least": "0",
        "most": "80",
    }
    form |= question_form(1, **more, when="margin", **{"when-is": "Spiculated"})
    assert client.post("/projects/respond/labels/edit/", form).status_code == 302
    question = LabelSchema.objects.latest("version").questions[1]
    assert question["when"] == {"question": "margin", "is": ["spiculated"]}
    assert (question["unit"], question["least"], question["most"]) == ("mm", 0.0, 80.0)
    assert "Spiculated" in client.get("/projects/respond/labels/edit/").content.decode()
