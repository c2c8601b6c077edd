"""The lesions of an adjudication are found by a job: the room is open before, and hears of it."""

import pytest

from annotations.models import AdjudicatedLesion, LesionMatching, Read
from annotations.reading.adjudication import rows


@pytest.fixture
def begun(disputed) -> Read:
    """Just taken: the job has not run."""
    return Read.objects.get(public_id=disputed.begin().json()["read"])


@pytest.fixture
def told(monkeypatch) -> list[dict]:
    heard: list[dict] = []
    monkeypatch.setattr(rows, "tell_read", lambda read, message: heard.append(message))
    return heard


def test_taking_a_case_compares_nothing_in_the_request(disputed, monkeypatch):
    monkeypatch.setattr(rows, "look_at", lambda *args, **more: pytest.fail("compared while the page waits"))
    assert disputed.begin().status_code == 201


def test_the_room_opens_at_once_and_says_that_the_reads_are_compared(disputed, begun, told):
    shown = disputed.shown(begun)
    assert shown["comparing"] == {"done": 0, "total": None, "failed": False}
    assert [reader["letter"] for reader in shown["readers"]] == ["A", "B", "C"]
    assert shown["lesions"] == []
    rows.find(begun.pk)
    assert told == [{"type": "adjudication"}]
    shown = disputed.shown(begun)
    assert (shown["comparing"], shown["total"]) == (None, 1)


def test_how_far_it_is_can_be_read_meanwhile(disputed, begun, monkeypatch):
    monkeypatch.setattr(rows, "TOLD_EVERY_S", 0)
    seen = []
    monkeypatch.setattr(rows, "tell_read", lambda *told: seen.append(disputed.shown(begun)["comparing"]))
    rows.find(begun.pk)
    assert seen == [{"done": 0, "total": 1, "failed": False}, None]


def test_nothing_is_decided_or_handed_in_before_the_lesions_are_there(disputed, begun):
    """Without lesions nothing is open, so it would count as finished."""
    for path in ("adjudication/agreed/", "adjudication/lesions/1/settle/"):
        body = {"version": 0, "choice": {"take": "union"}, "reason": "It is so."}
        refused = disputed.cast.post(path, body, who="reviewer", read=begun)
        assert refused.status_code == 409, path
        assert "still being compared" in refused.json()["reason"]
    assert disputed.cast.post("submit/", {"number": 0}, who="reviewer", read=begun).status_code == 409
    begun.refresh_from_db()
    assert begun.state != "submitted"


def test_a_failure_says_so_and_is_tried_again(disputed, begun, told, monkeypatch):
    def breaks(*args, **more):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(rows, "look_at", breaks)
        rows.find(begun.pk)
    assert told == [{"type": "adjudication"}]
    assert disputed.shown(begun)["comparing"]["failed"]
    again = disputed.cast.post("adjudication/compare/", {}, who="reviewer", read=begun)
    assert again.json()["comparing"] == {"done": 0, "total": None, "failed": False}
    rows.find(begun.pk)
    assert disputed.shown(begun)["total"] == 1


def test_a_job_that_died_with_its_worker_can_be_asked_for_again(disputed, begun):
    LesionMatching.objects.update(changed_at=begun.assigned_at - rows.SILENT_FOR)
    assert disputed.shown(begun)["comparing"]["failed"]
    disputed.cast.post("adjudication/compare/", {}, who="reviewer", read=begun)
    assert not disputed.shown(begun)["comparing"]["failed"]


def test_a_job_that_runs_twice_finds_the_lesions_once(disputed, begun):
    rows.find(begun.pk)
    rows.find(begun.pk)
    assert AdjudicatedLesion.objects.count() == 1
    disputed.cast.post("adjudication/compare/", {}, who="reviewer", read=begun)
    assert not LesionMatching.objects.exists()
