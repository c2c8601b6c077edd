"""Incidental findings: told past the blind reading to those who look after the images, and to nobody else."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import permissions
from accounts.models import AuditRecord, Organisation, User
from annotations.cohort.erasing import erase
from annotations.models import IncidentalFinding, Read
from annotations.reading import incidental


@pytest.fixture
def manager(cast) -> User:
    cast.manager = User.objects.create_user(f"manager{cast.project.pk}", first_name="Ines", last_name="C")
    permissions.grant(user=cast.manager, role="data_manager", scope=cast.dataset)
    return cast.manager


def tell(cast, who="anna", read=None, **more):
    sent = {
        "study": cast.ct.study.public_id,
        "text": "Clot in the left pulmonary artery.",
        "urgent": True,
        "series": cast.ct.public_id,
        "sop": cast.sop(3),
        "frame": 1,
        "point_patient_mm": [8.0, 4.0, 7.5],
    } | more
    return cast.post("incidental/", sent, who=who, read=read)


def page(cast, who="manager", query=""):
    return cast.client(who).get(f"/incidental/{query}")


def test_a_reader_tells_and_the_data_manager_sees_place_words_and_name(cast, manager):
    told = tell(cast)
    assert (told.status_code, told.json()["urgent"], told.json()["seen_at"]) == (201, True, None)
    answer = page(cast)
    text = answer.content.decode()
    for words in ("Clot in the left pulmonary artery.", cast.anna.display_name, "slice 4 of 6", "Urgent"):
        assert words in text
    [row] = answer.context["rows"]
    assert (row.pin.column, row.pin.row) == (pytest.approx(8 / 0.8 + 0.5), pytest.approx(4 / 0.5 + 0.5))
    assert (row.pin.height, row.pin.down) == (pytest.approx(32 * 0.5 / 0.8), pytest.approx(8.5 * 0.5 / 0.8))
    assert cast.sop(3) in row.picture


def test_the_number_that_waits_stands_in_the_top_bar(cast, manager):
    assert 'class="waiting"' not in page(cast).content.decode()
    tell(cast)
    assert '<span class="waiting">1<' in page(cast).content.decode()
    found = IncidentalFinding.objects.get()
    cast.client("manager").post(f"/incidental/{found.public_id}/answer/", {"answer": "Told the ward."})
    assert 'class="waiting"' not in page(cast).content.decode()


def test_an_answer_reaches_whoever_told_and_nobody_else(cast, manager):
    identity = tell(cast).json()["id"]
    cast.client("manager").post(f"/incidental/{identity}/seen/")
    [own] = cast.get("").json()["incidental"]
    assert own["seen_at"] is not None
    assert own["answer"] == ""
    cast.client("manager").post(f"/incidental/{identity}/answer/", {"answer": "Told the ward at 10:15."})
    [own] = cast.get("").json()["incidental"]
    assert (own["answer"], own["answered_by"]) == ("Told the ward at 10:15.", manager.display_name)
    assert cast.get("", who="ben", read=cast.bens_read).json()["incidental"] == []
    assert cast.get("", who="lead").json()["incidental"] == []


def test_a_colleague_s_answer_is_not_overwritten(cast, manager):
    identity = tell(cast).json()["id"]
    for words in ("First.", "Second."):
        answer = cast.client("manager").post(
            f"/incidental/{identity}/answer/", {"answer": words}, follow=True
        )
    assert "A colleague has answered this meanwhile." in answer.content.decode()
    assert IncidentalFinding.objects.get().answer == "First."
    assert AuditRecord.objects.filter(verb="incidental.answered").count() == 1


@pytest.mark.parametrize("words", ["", "   ", "x" * 4001])
def test_an_answer_says_something(cast, manager, words):
    identity = tell(cast).json()["id"]
    cast.client("manager").post(f"/incidental/{identity}/answer/", {"answer": words})
    assert IncidentalFinding.objects.get().answered_at is None


def test_a_double_click_tells_once(cast):
    assert [tell(cast).status_code for _ in range(2)] == [201, 201]
    assert IncidentalFinding.objects.count() == 1
    tell(cast, text="Another.")
    assert IncidentalFinding.objects.count() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"text": ""},
        {"text": " "},
        {"text": "a\0b"},
        {"text": "x" * 4001},
        {"study": "000000000000"},
        {"study": None},
        {"sop": "1.2.3"},
        {"frame": 2},
        {"frame": None},
        {"point_patient_mm": [1, 2]},
        {"point_image": [1, 2]},
        {"urgent": "perhaps"},
    ],
)
def test_what_is_not_of_the_case_or_says_nothing_is_refused(cast, change):
    assert tell(cast, **change).status_code == 400
    assert not IncidentalFinding.objects.exists()


def test_a_place_in_another_study_or_outside_the_case_is_refused(cast):
    assert tell(cast, study=cast.us.study.public_id).status_code == 400
    assert tell(cast, study=cast.other_series.study.public_id).status_code == 400


def test_it_can_be_told_of_a_study_as_a_whole(cast, manager):
    nowhere = {"series": None, "sop": None, "frame": None, "point_patient_mm": None}
    assert tell(cast, **nowhere).status_code == 201
    assert "No place given" in page(cast).content.decode()


WHO_TELLS = [("anna", 201), ("ben", 404), ("reviewer", 201), ("lead", 201), ("scientist", 403),
             ("outsider", 404), ("nobody", 401)]  # fmt: skip


@pytest.mark.parametrize(("who", "status"), WHO_TELLS)
def test_whoever_may_open_the_read_may_tell(cast, who, status):
    cast.submit()
    assert tell(cast, who=who).status_code == status


# Blindness --------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["anna", "ben", "reviewer", "lead", "scientist", "outsider"])
def test_members_of_the_project_have_no_page_of_them(cast, who):
    identity = tell(cast).json()["id"]
    assert page(cast, who).status_code == 403
    assert cast.client(who).post(f"/incidental/{identity}/seen/").status_code == 404
    assert cast.client(who).post(f"/incidental/{identity}/answer/", {"answer": "x"}).status_code == 404


def test_who_looks_after_another_dataset_learns_nothing(cast, manager):
    tell(cast)
    permissions.revoke(user=manager, role="data_manager", scope=cast.dataset)
    assert page(cast).status_code == 403
    assert not incidental.findings_for(manager).exists()


def test_a_data_manager_who_reads_the_case_learns_nothing_of_it_until_they_are_done(cast, manager):
    identity = tell(cast).json()["id"]
    permissions.grant(user=manager, role="reader", scope=cast.project)
    own = Read.objects.create(case=cast.case, reader=manager, schema=cast.schema)
    text = page(cast).content.decode()
    assert "Clot" not in text
    assert 'class="waiting"' not in text
    assert cast.client("manager").post(f"/incidental/{identity}/seen/").status_code == 404
    assert incidental.unanswered_count(manager) == 0
    Read.objects.filter(pk=own.pk).update(state="accepted")
    assert "Clot" in page(cast).content.decode()


def test_a_data_manager_who_reads_the_case_sees_what_they_told_themselves(cast, manager):
    permissions.grant(user=manager, role="reader", scope=cast.project)
    own = Read.objects.create(case=cast.case, reader=manager, schema=cast.schema)
    tell(cast)
    tell(cast, who="manager", read=own, text="Mine.")
    text = page(cast).content.decode()
    assert "Mine." in text
    assert "Clot" not in text


def test_the_manager_of_the_organisation_looks_after_all_its_datasets(cast, manager):
    tell(cast)
    permissions.revoke(user=manager, role="data_manager", scope=cast.dataset)
    permissions.grant(user=manager, role="manager", scope=cast.project.organisation)
    assert "Clot" in page(cast).content.decode()


def test_a_manager_before_the_first_dataset_finds_an_empty_page(cast):
    cast.manager = User.objects.create_user("early")
    permissions.grant(user=cast.manager, role="manager", scope=cast.project.organisation)
    cast.dataset.__class__.objects.filter(pk=cast.dataset.pk).update(organisation=other_organisation())
    assert "Nothing waits for you" in page(cast).content.decode()


def other_organisation() -> Organisation:
    return Organisation.objects.create(name="Elsewhere", slug="elsewhere", country="ES")


# Order, length, erasing -------------------------------------------------------------------------


def test_what_is_urgent_comes_first_and_what_is_answered_stands_apart(cast, manager):
    tell(cast, text="Old.", urgent=False)
    tell(cast, text="Now!", urgent=True)
    gone = tell(cast, text="Done.", urgent=True).json()["id"]
    incidental.answer(user=manager, finding_id=gone, text="Told.")
    assert [row.found.text for row in page(cast).context["rows"]] == ["Now!", "Old."]
    assert [row.found.text for row in page(cast, query="?show=answered").context["rows"]] == ["Done."]
    assert page(cast, query="?show=nonsense&page=x").status_code == 200


def test_a_page_costs_the_same_queries_however_many_there_are(cast, manager):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert page(cast).status_code == 200
        return len(queries)

    tell(cast)
    cost()
    before = cost()
    for number in range(6):
        tell(cast, text=f"Number {number}.")
    assert cost() == before


def test_they_go_with_the_subject(cast, manager):
    tell(cast)
    assert erase(cast.case.subject).counts["incidental findings"] == 1
    assert not IncidentalFinding.objects.exists()
