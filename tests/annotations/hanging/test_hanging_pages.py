"""A lead writes protocols in a form, sees at once what they do to a case, and orders them."""

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import permissions
from accounts.models import AuditRecord
from annotations.models import HangingProtocol, Read, ReadTime
from annotations.reading import hanging
from tests import scene as scenes
from tests.annotations.pages import signed_in, text_of
from tests.scene import Scene

URL = "/projects/respond/hanging/"
FORM = {
    "name": "Chest with prior",
    "modalities": "ct",
    "body_part": "chest",
    "words": "",
    "priors_min": "1",
    "priors_max": "",
    "rows": "1",
    "columns": "2",
    "link": "on",
    "0-study": "0",
    "0-preset": "ct-lung",
    "1-study": "1",
    "1-preset": "ct-lung",
}


@pytest.fixture
def scene(db: None) -> Scene:
    return scenes.build()


@pytest.fixture
def lead(scene: Scene):
    return signed_in(scene, "lead")


def own(scene: Scene) -> list[str]:
    return [row.name for row in HangingProtocol.objects.filter(project=scene.project).order_by("place")]


@pytest.mark.parametrize("page", ["", "new/", "new/?like=mammography"])
def test_a_lead_opens_every_page(scene: Scene, lead, page: str) -> None:
    text = text_of(lead, URL + page)
    assert "RESPOND, treatment response in solid tumours" in text
    assert "style=" not in text
    assert "<script>" not in text


def test_a_protocol_is_written_read_back_and_opens_cases(scene: Scene, lead) -> None:
    assert lead.post(f"{URL}new/", FORM).status_code == 302
    row = HangingProtocol.objects.get()
    protocol = hanging.as_protocol(row)
    assert protocol.rules == hanging.Rules(modalities=("CT",), body_part="chest", priors_min=1)
    assert protocol.panes == (
        hanging.Wanted(preset="ct-lung"),
        hanging.Wanted(study=1, preset="ct-lung"),
    )
    read = scene.reads["assigned"].public_id
    told = signed_in(scene, "reader").get(f"/api/v1/reads/{read}/").json()["hanging"]
    assert (told["name"], told["link"]) == ("Chest with prior", True)
    text = text_of(lead, f"{URL}{row.public_id}/")
    assert 'value="Chest with prior"' in text
    assert '<option value="ct-lung" selected>' in text
    assert "CT, chest, 1 prior or more" in text_of(lead, URL)


def test_changing_one_keeps_its_place_and_sending_it_twice_changes_nothing(scene: Scene, lead) -> None:
    lead.post(f"{URL}new/", FORM)
    row = HangingProtocol.objects.get()
    changed = FORM | {"columns": "3", "2-study": "-1", "link": ""}
    for _ in range(2):
        assert lead.post(f"{URL}{row.public_id}/", changed).status_code == 302
    row.refresh_from_db()
    assert (row.place, row.columns, row.link, len(row.panes)) == (1, 3, False, 3)
    assert row.panes[2]["study"] == hanging.EARLIEST


def test_a_name_is_given_once(scene: Scene, lead) -> None:
    lead.post(f"{URL}new/", FORM)
    answer = lead.post(f"{URL}new/", FORM | {"name": "chest WITH prior"})
    assert answer.status_code == 400
    assert "Another protocol of this project has this name." in answer.content.decode()
    assert own(scene) == ["Chest with prior"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 65),
        ("rows", "4"),
        ("rows", "0"),
        ("columns", "1e9"),
        ("modalities", "C;T"),
        ("body_part", "x" * 17),
        ("words", "x" * 201),
        ("priors_min", "-1"),
        ("priors_max", "many"),
        ("priors_max", "0"),
        ("laterality", "both"),
        ("view", "<b>"),
        ("0-study", "17"),
        ("0-study", "first"),
        ("0-modality", "<script>"),
        ("0-plane", "vertical"),
        ("0-phase", "1000"),
        ("0-preset", "own"),
        ("1-cut", "3d"),
        ("1-words", "y" * 201),
    ],
)
def test_what_makes_no_sense_is_told_and_nothing_is_kept(scene: Scene, lead, field: str, value: str) -> None:
    answer = lead.post(f"{URL}new/", FORM | {field: value})
    assert answer.status_code == 400
    text = answer.content.decode()
    assert "error bad" in text or "A layout has" in text
    assert "<script>" not in text
    assert own(scene) == []


def test_signs_that_no_database_takes_are_left_out(scene: Scene, lead) -> None:
    assert lead.post(f"{URL}new/", FORM | {"name": "a\0b", "words": "tho\0rax"}).status_code == 302
    row = HangingProtocol.objects.get()
    assert (row.name, row.rules["words"]) == ("a b", "tho rax")


def test_panes_behind_the_layout_are_not_kept_nor_judged(scene: Scene, lead) -> None:
    assert lead.post(f"{URL}new/", FORM | {"8-plane": "vertical"}).status_code == 302
    assert len(HangingProtocol.objects.get().panes) == 2


# Preview ----------------------------------------------------------------------------------------


def test_the_preview_shows_which_series_lands_where_and_keeps_nothing(scene: Scene, lead) -> None:
    text = lead.post(f"{URL}preview/", FORM | {"case": "1", "name": ""}).content.decode()
    assert "This case would open like this." in text
    assert text.count("CT Axial") == 2
    assert "CT lung" in text
    assert own(scene) == []


def test_the_preview_says_why_a_case_would_not_open_like_this(scene: Scene, lead) -> None:
    text = lead.post(f"{URL}preview/", FORM | {"case": "1", "modalities": "CT, PT"}).content.decode()
    assert "The current study has no PT." in text
    assert text.count("CT Axial") == 2


def test_the_preview_names_the_panes_that_find_nothing(scene: Scene, lead) -> None:
    text = lead.post(
        f"{URL}preview/", FORM | {"case": "1", "complete": "on", "1-modality": "MR"}
    ).content.decode()
    assert "Nothing is found for B." in text


@pytest.mark.parametrize("case", ["999", "x", "-1", "99999999999999999999"])
def test_the_preview_of_a_case_that_is_not_there_says_so(scene: Scene, lead, case: str) -> None:
    assert "There is no such case" in lead.post(f"{URL}preview/", FORM | {"case": case}).content.decode()


def test_the_preview_of_what_makes_no_sense_says_what(scene: Scene, lead) -> None:
    text = lead.post(f"{URL}preview/", FORM | {"case": "1", "words": "x" * 300}).content.decode()
    assert "At most 200 characters." in text


# Order ------------------------------------------------------------------------------------------


def test_protocols_are_moved_and_removed(scene: Scene, lead) -> None:
    for name in ("a", "b", "c"):
        lead.post(f"{URL}new/", FORM | {"name": name})
    ids = dict(HangingProtocol.objects.values_list("name", "public_id"))
    lead.post(f"{URL}move/", {"protocol": ids["c"], "way": "up"})
    assert own(scene) == ["a", "c", "b"]
    lead.post(f"{URL}move/", {"protocol": ids["a"], "way": "up"})
    lead.post(f"{URL}move/", {"protocol": ids["b"], "way": "down"})
    assert own(scene) == ["a", "c", "b"]
    lead.post(f"{URL}move/", {"protocol": ids["a"], "way": "down"})
    assert own(scene) == ["c", "a", "b"]
    lead.post(f"{URL}remove/", {"protocol": ids["a"]})
    assert own(scene) == ["c", "b"]
    lead.post(f"{URL}move/", {"protocol": ids["b"], "way": "up"})
    assert own(scene) == ["b", "c"]
    verbs = AuditRecord.objects.filter(verb__startswith="hanging.").values_list("verb", flat=True)
    assert set(verbs) == {"hanging.written", "hanging.moved", "hanging.removed"}


def test_another_project_s_protocol_does_not_exist_here(scene: Scene, lead) -> None:
    lead.post(f"{URL}new/", FORM)
    row = HangingProtocol.objects.get()
    other = scenes.Project.objects.create(
        organisation=scene.organisation, name="Other", slug="other", created_by=scene.people["lead"]
    )
    HangingProtocol.objects.filter(pk=row.pk).update(project=other)
    assert lead.get(f"{URL}{row.public_id}/").status_code == 404
    assert lead.post(f"{URL}remove/", {"protocol": row.public_id}).status_code == 404


def test_two_protocols_of_a_project_are_never_tried_at_one_place(scene: Scene, lead) -> None:
    lead.post(f"{URL}new/", FORM)
    lead.post(f"{URL}new/", FORM | {"name": "b"})
    with transaction.atomic():
        HangingProtocol.objects.update(place=1)
        with pytest.raises(IntegrityError):
            connection.check_constraints()
        transaction.set_rollback(True)


# The page of a case -----------------------------------------------------------------------------


@pytest.fixture
def timed(scene: Scene) -> Scene:
    for name, seconds in (("assigned", 754), ("others", 3900)):
        ReadTime.objects.create(read=scene.reads[name], active_s=seconds, open_s=seconds + 40)
    return scene


def test_a_lead_sees_how_long_each_read_took_idle_time_apart(timed: Scene, lead) -> None:
    text = text_of(lead, "/projects/respond/cases/1/")
    for words in ("Ada Okafor", "13 min", "Claire Moreau", "1 h 05 min", "40 s", "91"):
        assert words in text
    assert "style=" not in text


def test_a_reviewer_sees_no_times_and_no_read_that_is_not_handed_in(timed: Scene) -> None:
    text = text_of(signed_in(timed, "reviewer"), "/projects/respond/cases/1/")
    for trace in ("13 min", "1 h 05 min", "Idle", "Okafor", "Moreau"):
        assert trace not in text


def test_a_lead_who_reads_the_case_sees_only_their_own_read_and_time(timed: Scene, lead) -> None:
    person = timed.people["lead"]
    permissions.grant(user=person, role="reader", scope=timed.project)
    read = Read.objects.create(case=timed.cases[0], reader=person, schema=timed.schema)
    ReadTime.objects.create(read=read, active_s=5, open_s=5)
    text = text_of(lead, "/projects/respond/cases/1/")
    for trace in ("Okafor", "Moreau", "13 min", "1 h 05 min"):
        assert trace not in text
    assert "5 s" in text


def test_a_case_that_is_not_there_is_not_found(scene: Scene, lead) -> None:
    assert lead.get("/projects/respond/cases/77/").status_code == 404
