"""How long a read takes: no moment counted twice, nothing negative, and nobody told but those who lead."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import permissions
from annotations.models import Read, ReadTime
from annotations.reading import times

START = timezone.now()


@pytest.fixture
def clock(monkeypatch):
    """Sets the time, in seconds after the start."""

    def at(seconds: float) -> None:
        monkeypatch.setattr(times.timezone, "now", lambda: START + timedelta(seconds=seconds))

    at(0)
    return at


def sums(cast) -> tuple[float, float]:
    """(active, idle) seconds."""
    time = ReadTime.objects.get(read=cast.read)
    return round(time.active_s, 3), round(time.idle_s, 3)


def beat(cast, active_s: object, idle_s: object = 0, who: str = "anna") -> int:
    return cast.post("time/", {"active_s": active_s, "idle_s": idle_s}, who=who).status_code


def test_beats_add_up(cast, clock):
    for at, active_s, idle_s in [(15, 15, 0), (30, 10, 5), (45, 0, 15)]:
        clock(at)
        assert beat(cast, active_s, idle_s) == 204
    assert sums(cast) == (25, 20)


def test_two_windows_at_once_are_counted_once(cast, clock):
    for at in range(15, 76, 15):
        clock(at)
        beat(cast, 15)
        clock(at + 1)
        beat(cast, 15)
    assert sums(cast) == (76, 0)


def test_a_second_window_that_only_lies_there_takes_nothing_from_the_work(cast, clock):
    for at in range(15, 76, 15):
        clock(at)
        beat(cast, 15, 0)
        clock(at + 7)
        beat(cast, 0, 15)
    active_s, idle_s = sums(cast)
    assert active_s == 75
    assert idle_s == pytest.approx(7)


def test_a_beat_counts_no_more_than_has_passed(cast, clock):
    clock(15)
    beat(cast, 15)
    clock(16)
    beat(cast, 60, 60)
    assert sums(cast) == (16, 0)


def test_what_was_missed_without_connection_counts_up_to_two_minutes(cast, clock):
    clock(15)
    beat(cast, 15)
    clock(1015)
    beat(cast, 1000)
    assert sums(cast) == (15 + times.BEAT_S_MAX, 0)


@pytest.mark.parametrize("sent", [(-5, 3), (-1e300, -1), ("nan", 3), ("inf", 0), (1e308, 1e308)])
def test_hostile_numbers_take_nothing_away_and_add_no_more_than_a_beat(cast, clock, sent):
    beat(cast, 10)
    clock(1000)
    beat(cast, *sent)
    active_s, idle_s = sums(cast)
    assert 10 <= active_s + idle_s <= 10 + times.BEAT_S_MAX
    assert active_s >= 10
    assert idle_s >= 0


@pytest.mark.parametrize("sent", [("long", 0), (None, 0), ([], {})])
def test_what_is_no_number_is_refused(cast, sent):
    assert beat(cast, *sent) == 400


def test_a_clock_that_is_set_back_counts_nothing_twice(cast, clock):
    clock(100)
    beat(cast, 15)
    clock(40)
    beat(cast, 15)
    assert sums(cast) == (15, 0)


def test_a_read_that_is_handed_in_counts_no_longer(cast, clock):
    beat(cast, 10)
    cast.submit()
    clock(60)
    assert beat(cast, 15) == 204
    assert sums(cast) == (10, 0)


@pytest.mark.parametrize(("who", "status"), [("lead", 403), ("reviewer", 404), ("ben", 404), ("nobody", 401)])
def test_only_its_reader_tells_the_time_of_a_read(cast, clock, who, status):
    assert beat(cast, 15, who=who) == status
    assert not ReadTime.objects.exists()


def test_times_are_told_to_the_lead_alone(cast, clock):
    beat(cast, 30)
    assert times.times_for(cast.lead, cast.case)[cast.read.pk].active_s == 30
    for who in ("anna", "ben", "reviewer", "scientist", "outsider"):
        assert times.times_for(getattr(cast, who), cast.case) == {}


def test_a_lead_who_reads_the_case_learns_no_times_of_others_there(cast, clock):
    beat(cast, 30)
    permissions.grant(user=cast.lead, role="reader", scope=cast.project)
    own = Read.objects.create(case=cast.case, reader=cast.lead, schema=cast.schema)
    assert times.times_for(cast.lead, cast.case) == {}
    Read.objects.filter(pk=own.pk).update(state="accepted")
    assert list(times.times_for(cast.lead, cast.case)) == [cast.read.pk]


def test_no_answer_of_the_read_tells_its_time(cast, clock):
    beat(cast, 4321)
    cast.submit()
    for who in ("anna", "reviewer", "lead"):
        for road in ("", "state/", "history/"):
            assert "active_s" not in cast.get(road, who=who).content.decode()
