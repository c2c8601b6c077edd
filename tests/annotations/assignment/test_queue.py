"""Readers take cases themselves, keep them for a while, and lose nothing when that while is over."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F
from django.utils import timezone

from accounts.models import AuditRecord
from annotations.models import Case, Read, ReferenceStandard
from annotations.reading import designs, leases, reads
from annotations.reading.assignment import queue
from tests import scene as scenes
from tests.annotations.assignment.conftest import designed, more_cases
from tests.scene import Scene


@pytest.fixture
def queued(scene: Scene) -> Scene:
    """Case 3 has nobody, the others have readers enough."""
    designed(scene, self_service=True, readers_per_case=1, lease_hours=24)
    return scene


def ran_out(read: Read) -> Read:
    Read.objects.filter(pk=read.pk).update(lease_until=timezone.now() - timedelta(minutes=1))
    read.refresh_from_db()
    return read


def drawn_in(read: Read) -> Read:
    Read.objects.filter(pk=read.pk).update(
        state=Read.State.IN_PROGRESS, opened_at=timezone.now(), last_edit_number=3
    )
    read.refresh_from_db()
    return read


def test_a_reader_takes_the_next_case_and_keeps_it_for_a_day(queued: Scene) -> None:
    read = queue.take_next(user=queued.people["reader"], project=queued.project)
    assert (read.case.number, read.state) == (3, Read.State.ASSIGNED)
    assert read.lease_until is not None
    assert timedelta(hours=23) < read.lease_until - timezone.now() <= timedelta(hours=24)


def test_taking_twice_without_opening_takes_one(queued: Scene) -> None:
    more_cases(queued, 2)
    reader = queued.people["reader"]
    first = queue.take_next(user=reader, project=queued.project)
    assert queue.take_next(user=reader, project=queued.project) == first
    reads.open_read(user=reader, read_id=first.public_id)
    assert queue.take_next(user=reader, project=queued.project) != first


def test_two_readers_never_get_the_last_place_of_a_case(queued: Scene) -> None:
    queue.take_next(user=queued.people["reader"], project=queued.project)
    assert not queue.has_one_for(queued.people["other_reader"], queued.project)
    with pytest.raises(ValidationError, match="no case to take"):
        queue.take_next(user=queued.people["other_reader"], project=queued.project)


def test_nobody_takes_a_case_that_they_judged_or_saw_marks_of(queued: Scene) -> None:
    reader = queued.people["other_reader"]
    designed(queued, readers_per_case=2)
    assert set(queue.offered_to(reader, queued.project).values_list("number", flat=True)) == {2, 3}
    AuditRecord.objects.create(
        actor=reader, verb="read.marks_seen", object_type="read", object_id=queued.reads["submitted"].pk
    )
    assert set(queue.offered_to(reader, queued.project).values_list("number", flat=True)) == {3}


def test_an_expired_lease_frees_the_case_and_keeps_the_marks(queued: Scene) -> None:
    first, second = queued.people["reader"], queued.people["other_reader"]
    read = ran_out(drawn_in(queue.take_next(user=first, project=queued.project)))
    again = queue.take_next(user=second, project=queued.project)
    assert again.case == read.case
    read.refresh_from_db()
    assert (read.reader, read.state, read.last_edit_number) == (first, Read.State.IN_PROGRESS, 3)


def test_whoever_comes_back_too_late_keeps_the_case_again_and_it_is_noted(queued: Scene) -> None:
    reader = queued.people["reader"]
    read = ran_out(drawn_in(queue.take_next(user=reader, project=queued.project)))
    assert leases.has_run_out(read)
    leases.keep(reader, read)
    read.refresh_from_db()
    assert not leases.has_run_out(read)
    assert AuditRecord.objects.filter(verb="read.lease_renewed", object_id=read.pk).count() == 1


def test_a_lease_is_written_anew_only_once_a_part_of_it_has_passed(
    queued: Scene, django_assert_num_queries
) -> None:
    reader = queued.people["reader"]
    taken = queue.take_next(user=reader, project=queued.project)
    read = Read.objects.select_related("case__project__design").get(pk=taken.pk)
    with django_assert_num_queries(0):
        leases.keep(reader, read)
    Read.objects.filter(pk=read.pk).update(lease_until=F("lease_until") - timedelta(hours=5))
    read.refresh_from_db()
    before = read.lease_until
    leases.keep(reader, read)
    read.refresh_from_db()
    assert read.lease_until > before


def test_nobody_else_keeps_a_case_by_looking_at_it(queued: Scene) -> None:
    read = ran_out(drawn_in(queue.take_next(user=queued.people["reader"], project=queued.project)))
    leases.keep(queued.people["lead"], read)
    read.refresh_from_db()
    assert leases.has_run_out(read)


def test_the_case_waits_for_nobody_whose_lease_ran_out(queued: Scene) -> None:
    designed(queued, review=False)
    case = queued.cases[2]
    ran_out(drawn_in(queue.take_next(user=queued.people["reader"], project=queued.project)))
    other = queue.take_next(user=queued.people["other_reader"], project=queued.project)
    scenes.submitted(other)
    assert designs.is_case_read(Case.objects.get(pk=case.pk))


def test_given_back_unopened_it_goes_and_opened_it_is_kept(queued: Scene) -> None:
    reader = queued.people["reader"]
    read = queue.take_next(user=reader, project=queued.project)
    queue.give_back(user=reader, read_id=read.public_id)
    assert not Read.objects.filter(pk=read.pk).exists()
    read = drawn_in(queue.take_next(user=reader, project=queued.project))
    queue.give_back(user=reader, read_id=read.public_id)
    read.refresh_from_db()
    assert read.last_edit_number == 3
    assert leases.has_run_out(read)
    assert queue.has_one_for(queued.people["other_reader"], queued.project)


def test_what_the_lead_gave_can_not_be_given_back(queued: Scene) -> None:
    with pytest.raises(ValidationError, match="took from the queue"):
        queue.give_back(user=queued.people["reader"], read_id=queued.reads["assigned"].public_id)


def test_the_database_draws_the_same_share_of_cases_as_the_design(queued: Scene) -> None:
    design = designed(queued, readers_per_case=2, double_share=40)
    more_cases(queued, 30)
    cases = Case.objects.filter(project=queued.project).annotate(
        drawn=queue.DrawnShare(F("public_id")), wanted=queue._wanted(design)
    )
    assert [case.wanted for case in cases] == [designs.readers_wanted(case, design) for case in cases]
    assert {case.wanted for case in cases} == {1, 2}


def test_priority_comes_first_and_at_random_everyone_has_an_order_of_their_own(queued: Scene) -> None:
    cases = more_cases(queued, 12)
    design = designed(queued, order="random", readers_per_case=2)
    Case.objects.filter(pk=cases[7].pk).update(priority=2)
    orders = []
    for name in ("reader", "other_reader"):
        user = queued.people[name]
        offered = queue.in_order(queue.offered_to(user, queued.project), user, design)
        orders.append([case.number for case in offered])
    assert orders[0][0] == orders[1][0] == cases[7].number
    assert orders[0][1:] != sorted(orders[0][1:])
    assert [n for n in orders[0] if n in orders[1]] != [n for n in orders[1] if n in orders[0]]


def test_training_cases_come_first_and_everybody_may_take_them(queued: Scene) -> None:
    case = queued.cases[3]
    Case.objects.filter(pk=case.pk).update(purpose=Case.Purpose.TRAINING)
    ReferenceStandard.objects.create(
        case=case, submission=queued.reads["accepted"].submissions.get(), how="accepted"
    )
    assert queue.take_next(user=queued.people["reader"], project=queued.project).case == case


@pytest.mark.parametrize(
    ("name", "refusal"), [("scientist", PermissionDenied), ("reviewer", PermissionDenied)]
)
def test_only_readers_take(queued: Scene, name: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        queue.take_next(user=queued.people[name], project=queued.project)


def test_without_a_queue_the_lead_hands_cases_out(scene: Scene) -> None:
    with pytest.raises(ValidationError, match="the lead hands cases out"):
        queue.take_next(user=scene.people["reader"], project=scene.project)
