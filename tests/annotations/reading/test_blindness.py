"""Before their own read is accepted nobody learns anything of another's on that case, by any road."""

import json
import uuid

import pytest

from accounts import permissions
from annotations.models import Read, Release, ReleaseCase
from annotations.reading import policies
from atlas.policies import visible_series, visible_studies

from .conftest import edit

ROADS = ("", "state/", "history/", "measurements/", "parked/", "imported/000000000000/")
POSTS = {
    "open/": {},
    "edits/": {"edits": []},
    "submit/": {"number": 0},
    "review/": {"verdict": "accept", "round": 1},
    "comments/": {"text": "Here."},
    "comments/000000000000/resolve/": {},
}


@pytest.fixture
def bens_work(cast):
    """Ben has drawn, submitted, and been judged; every trace of it carries a word to look for."""
    cast.apply([edit(cast.segment(note="ben-was-here"))], who="ben", read=cast.bens_read)
    cast.submit(cast.bens_read, who="ben")
    cast.post("comments/", {"text": "ben-was-here"}, who="reviewer", read=cast.bens_read)
    return cast.bens_read


@pytest.mark.parametrize("road", ROADS)
def test_another_reader_s_read_does_not_exist_for_a_reader(cast, bens_work, road):
    found = cast.get(road, read=bens_work)
    unknown = cast.client("anna").get(f"/api/v1/reads/000000000000/{road}")
    assert found.status_code == unknown.status_code == 404
    assert found.content == unknown.content


@pytest.mark.parametrize("road", POSTS)
def test_no_change_to_another_reader_s_read_tells_that_it_exists(cast, bens_work, road):
    found = cast.post(road, POSTS[road], read=bens_work)
    unknown = cast.client("anna").post(f"/api/v1/reads/000000000000/{road}", POSTS[road], "application/json")
    assert found.status_code == unknown.status_code == 404
    assert found.content == unknown.content


def test_nothing_that_a_reader_gets_names_or_counts_another_reader(cast, bens_work):
    cast.apply([edit(cast.length())])
    answers = [cast.get(road).content.decode() for road in ROADS]
    answers.append(cast.client("anna").get("/api/v1/reads/").content.decode())
    for trace in ("ben-was-here", "Ben", cast.ben.username, cast.ben.public_id, bens_work.public_id):
        assert not any(trace in answer for answer in answers)
    assert json.loads(answers[-1])["count"] == 1


def test_a_reader_s_numbers_do_not_depend_on_others_work(cast, bens_work):
    [result] = cast.apply([edit(cast.length())])
    assert (result["number"], result["version"]) == (1, 1)


@pytest.mark.parametrize("role", ["reviewer", "lead"])
@pytest.mark.parametrize("state", ["assigned", "in_progress", "submitted", "returned"])
def test_a_reviewer_or_lead_who_reads_a_case_is_only_its_reader(cast, bens_work, role, state):
    person = getattr(cast, role)
    permissions.grant(user=person, role="reader", scope=cast.project)
    own = Read.objects.create(case=cast.case, reader=person, schema=cast.schema, state=state)
    for road in ROADS:
        assert cast.get(road, who=role, read=bens_work).status_code == 404
    for road, body in POSTS.items():
        assert cast.post(road, body, who=role, read=bens_work).status_code == 404
    assert list(policies.reads_for(person)) == [own]
    assert not policies.reads_to_review(person).exists()
    Read.objects.filter(pk=own.pk).update(state="accepted")
    assert cast.get("state/", who=role, read=bens_work).status_code == 200


def test_reading_one_case_hides_no_other(cast, bens_work):
    other = cast.new_read(cast.lead)
    assert other.case != cast.case
    assert cast.get("state/", who="lead", read=bens_work).status_code == 200


WHO_SEES_MARKS = [
    # who, before submission: read, state; after: read, state
    ("anna", 200, 200, 200, 200),
    ("ben", 404, 404, 404, 404),
    ("reviewer", 404, 404, 200, 200),
    ("lead", 200, 403, 200, 200),
    ("scientist", 403, 403, 403, 403),
    ("outsider", 404, 404, 404, 404),
    ("nobody", 401, 401, 401, 401),
]


@pytest.mark.parametrize(("who", "read_before", "state_before", "read_after", "state_after"), WHO_SEES_MARKS)
def test_who_sees_a_read_and_its_marks(cast, who, read_before, state_before, read_after, state_after):
    marks = ("state/", "history/", "measurements/")
    assert cast.get("", who=who).status_code == read_before
    assert [cast.get(road, who=who).status_code for road in marks] == [state_before] * 3
    cast.submit()
    assert cast.get("", who=who).status_code == read_after
    assert [cast.get(road, who=who).status_code for road in marks] == [state_after] * 3


def test_others_see_the_marks_as_submitted_not_as_they_are_being_corrected(cast):
    mark = uuid.uuid4()
    first, corrected = cast.length(), cast.length(end=(50.0, 0.0, 0.0))
    cast.apply([edit(first, mark)])
    cast.submit()
    cast.post("review/", {"verdict": "return", "round": 1, "text": "Longer."}, who="reviewer")
    cast.apply([edit(corrected, mark, seen=1)])
    for who, seen, number in (("anna", corrected, 2), ("reviewer", first, 1), ("lead", first, 1)):
        state = cast.get("state/", who=who).json()
        assert (state["number"], state["annotations"][0]["value"]) == (number, seen)
        history = cast.get("history/", who=who).json()
        assert (history["number"], len(history["groups"])) == (number, number)
        [measured] = cast.get("measurements/", who=who).json()
        assert measured["length_mm"] == pytest.approx(seen["points_patient_mm"][1][0])


def test_who_saw_someone_s_marks_is_written_down_once(cast):
    from accounts.models import AuditRecord

    cast.submit()
    for _ in range(2):
        cast.get("state/", who="reviewer")
    cast.get("state/")
    seen = AuditRecord.objects.filter(verb="read.marks_seen", object_id=cast.read.pk)
    assert [record.actor for record in seen] == [cast.reviewer]


@pytest.mark.parametrize("state", Read.State.values)
@pytest.mark.parametrize("leads_state", [None, "assigned", "submitted", "accepted"])
def test_both_questions_of_the_policy_have_the_same_answer(cast, state, leads_state):
    Read.objects.filter(pk=cast.read.pk).update(state=state)
    if leads_state:
        for person in (cast.lead, cast.reviewer):
            permissions.grant(user=person, role="reader", scope=cast.project)
            Read.objects.create(case=cast.case, reader=person, schema=cast.schema, state=leads_state)
    for who in ("anna", "ben", "reviewer", "lead", "scientist", "outsider"):
        person = getattr(cast, who)
        listed = set(policies.reads_for(person))
        for read in Read.objects.all():
            assert (policies.capacity_of(person, read) is not None) == (read in listed), (who, read.reader)
        judged = {read for read in listed if policies.rights_on(person, read).may_judge}
        assert judged == set(policies.reads_to_review(person)), who


# Images -----------------------------------------------------------------------------------------


def test_roads_to_images_are_those_of_the_role(cast):
    case_series = {cast.ct, cast.us}
    for who in ("anna", "ben", "reviewer", "lead"):
        assert set(visible_series(getattr(cast, who))) == case_series
    for who in ("scientist", "outsider"):
        assert not visible_studies(getattr(cast, who)).exists()


def test_a_reader_without_a_read_sees_no_images(cast):
    cast.read.delete()
    assert not visible_studies(cast.anna).exists()


def test_a_scientist_sees_the_images_of_ready_releases(cast):
    cast.submit()
    release = Release.objects.create(project=cast.project, number=1, frozen_by=cast.lead)
    ReleaseCase.objects.create(release=release, case=cast.case, number=cast.case.number)
    assert not visible_studies(cast.scientist).exists()
    Release.objects.update(state=Release.State.READY)
    assert set(visible_series(cast.scientist)) == {cast.ct, cast.us}
    assert list(policies.cases_for(cast.scientist)) == [cast.case]
    assert not visible_studies(cast.outsider).exists()


def test_an_account_that_was_closed_sees_nothing(cast):
    cast.anna.is_active = False
    cast.anna.save()
    assert not visible_studies(cast.anna).exists()
    assert not policies.reads_for(cast.anna).exists()
