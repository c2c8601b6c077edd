"""Acts on many cases: piece by piece, stopped between pieces, taken back as far as nobody worked on it."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts import permissions
from accounts.models import AuditRecord
from annotations.models import BulkAction, Case, Edit, Read
from annotations.reading import aside, review
from annotations.reading.assignment import bulk, handing, specialties
from annotations.reading.assignment.giving import assign_balanced, assign_by_specialty
from annotations.reading.designs import readers_wanted
from tests.annotations.assignment.conftest import designed, more_cases
from tests.scene import Scene


def begun(scene: Scene, kind: str, cases: list[Case], **params: object) -> BulkAction:
    return bulk.begin(
        by=scene.people["lead"],
        project=scene.project,
        kind=kind,
        numbers=[case.number for case in cases],
        params=params,
    )


def ids(scene: Scene, *names: str) -> list[str]:
    return [scene.people[name].public_id for name in names]


def back(scene: Scene, action: BulkAction) -> BulkAction:
    return bulk.take_back(by=scene.people["lead"], project=scene.project, action_id=action.pk)


def work_off(action: BulkAction) -> None:
    """As the jobs do."""
    while BulkAction.objects.get(pk=action.pk).state == BulkAction.State.RUNNING:
        bulk.go_on(action.pk)
    action.refresh_from_db()


def test_a_few_cases_are_assigned_at_once_and_taken_back(scene: Scene) -> None:
    cases = more_cases(scene, 3)
    action = begun(scene, "assign", cases, way="each", readers=ids(scene, "reader", "other_reader"))
    assert (action.state, action.done, len(action.before)) == ("done", 3, 6)
    opened = Read.objects.filter(case=cases[0]).first()
    Read.objects.filter(pk=opened.pk).update(opened_at=timezone.now(), state=Read.State.IN_PROGRESS)
    undone = back(scene, action)
    assert list(Read.objects.filter(case__in=cases)) == [opened]
    assert undone.left_out == [[cases[0].number, "Opened by its reader: set it aside, or hand it over."]]
    assert back(scene, action) == undone, "twice takes back once"


def test_many_cases_are_done_in_pieces_by_a_job(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 2)
    cases = more_cases(scene, 5)
    action = begun(scene, "priority", cases, priority=3)
    assert (action.state, action.done) == ("running", 0)
    bulk.go_on(action.pk)
    action.refresh_from_db()
    assert (action.state, action.done) == ("running", 2)
    assert Case.objects.filter(priority=3).count() == 2
    work_off(action)
    assert Case.objects.filter(priority=3).count() == 5
    bulk.go_on(action.pk)  # a job that comes twice
    assert BulkAction.objects.get(pk=action.pk).done == 5


def test_stopped_between_pieces_what_is_done_stands_and_can_be_taken_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PIECE", 2)
    action = begun(scene, "priority", more_cases(scene, 5), priority=3)
    bulk.go_on(action.pk)
    bulk.stop(by=scene.people["lead"], project=scene.project, action_id=action.pk)
    bulk.go_on(action.pk)
    action.refresh_from_db()
    assert (action.done, action.problem) == (2, "Stopped after 2 of 5.")
    work_off(back(scene, action))
    assert not Case.objects.filter(priority=3).exists()


def test_an_error_stops_it_with_a_sentence(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 2)
    action = begun(scene, "assign", more_cases(scene, 5), way="each", readers=ids(scene, "other_reader"))
    bulk.go_on(action.pk)
    permissions.revoke(user=scene.people["other_reader"], role="reader", scope=scene.project)
    work_off(action)
    assert (action.state, action.done) == ("failed", 2)
    assert action.problem == "Choose at least one reader."


def test_whoever_loses_the_lead_loses_what_their_act_still_had_to_do(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PIECE", 2)
    action = begun(scene, "priority", more_cases(scene, 5), priority=1)
    permissions.revoke(user=scene.people["lead"], role="lead", scope=scene.project)
    work_off(action)
    assert (action.state, action.done) == ("failed", 0)


def test_unopened_reads_of_one_reader_are_taken_back_and_given_again(scene: Scene) -> None:
    cases = more_cases(scene, 2)
    begun(scene, "assign", cases, way="each", readers=ids(scene, "reader", "other_reader"))
    action = begun(scene, "unassign", cases, readers=ids(scene, "reader"))
    readers = Read.objects.filter(case__in=cases).values_list("reader__username", flat=True)
    assert set(readers) == {"other_reader"}
    back(scene, action)
    assert Read.objects.filter(case__in=cases, reader=scene.people["reader"]).count() == 2


def test_due_dates_and_purposes_come_back_as_they_were(scene: Scene) -> None:
    day = timezone.localdate() + timezone.timedelta(days=3)
    action = begun(scene, "due", scene.cases[:2], due=day)
    dues = set(Read.objects.filter(case=scene.cases[0]).values_list("due", flat=True))
    assert dues == {day}
    back(scene, action)
    assert set(Read.objects.filter(case=scene.cases[0]).values_list("due", flat=True)) == {None}


def test_a_lead_hands_nothing_out_on_a_case_that_they_read(scene: Scene) -> None:
    begun(scene, "assign", [scene.cases[2]], way="each", readers=ids(scene, "lead"))
    action = begun(scene, "assign", [scene.cases[2]], way="each", readers=ids(scene, "reader"))
    assert action.left_out == [[3, "You read this case yourself: another lead hands it out."]]
    assert action.before == []


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("assign", {"way": "each", "readers": []}),
        ("assign", {"way": "odd", "readers": ["x"]}),
        ("assign", {"way": "each", "readers": ["nobody"]}),
        ("priority", {"priority": 99}),
        ("purpose", {"purpose": "odd"}),
        ("reassign", {"from": "", "to": "nobody"}),
        ("odd", {}),
    ],
)
def test_what_makes_no_sense_is_refused_before_it_begins(scene: Scene, kind: str, params: dict) -> None:
    with pytest.raises(ValidationError):
        begun(scene, kind, [scene.cases[0]], **params)
    assert not BulkAction.objects.exists()


def test_a_case_of_elsewhere_is_refused_and_nothing_happens(scene: Scene) -> None:
    with pytest.raises(ValidationError, match="not in this project"):
        bulk.begin(
            by=scene.people["lead"],
            project=scene.project,
            kind="priority",
            numbers=[1, 9999],
            params={"priority": 2},
        )
    assert not Case.objects.exclude(priority=0).exists()


def test_only_a_lead_does_so(scene: Scene) -> None:
    with pytest.raises(PermissionDenied):
        bulk.begin(
            by=scene.people["reviewer"],
            project=scene.project,
            kind="priority",
            numbers=[1],
            params={"priority": 2},
        )
    assert list(bulk.actions_of(scene.people["reviewer"], scene.project)) == []


def test_an_act_on_a_piece_costs_the_same_queries_however_many_cases(
    scene: Scene, django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(60):
        begun(scene, "assign", more_cases(scene, 3), way="each", readers=ids(scene, "reader"))
    cases = more_cases(scene, 40)
    with django_assert_max_num_queries(60):
        begun(scene, "assign", cases, way="each", readers=ids(scene, "reader"))


# Handing over -----------------------------------------------------------------------------------


def test_a_read_is_handed_over_with_its_marks(scene: Scene) -> None:
    permissions.grant(user=scene.people["reviewer"], role="reader", scope=scene.project)
    read, to = scene.reads["others"], scene.people["reviewer"]
    Edit.objects.create(
        read=read,
        number=1,
        edit_id="0" * 32,
        group="0" * 32,
        by=read.reader,
        annotation_id="1" * 32,
        version=1,
        drawn_at=timezone.now(),
    )
    Read.objects.filter(pk=read.pk).update(last_edit_number=1)
    before = read.reader
    handing.hand_over(by=scene.people["lead"], project=scene.project, read_id=read.public_id, to=to)
    read.refresh_from_db()
    assert (read.reader, read.last_edit_number) == (to, 1)
    assert Edit.objects.get(read=read).by == before, "the journal keeps who drew"
    kept = Read.objects.get(case=read.case, reader=before)
    assert kept.state == Read.State.SET_ASIDE
    permissions.grant(user=before, role="reviewer", scope=scene.project)
    Read.objects.filter(pk=read.pk).update(state=Read.State.SUBMITTED)
    with pytest.raises(PermissionDenied, match="This read was yours before"):
        review.judge(user=before, read_id=read.public_id, verdict="accept", round=1)
    with pytest.raises(ValidationError, match="read it blind"):
        aside.take_up(by=scene.people["lead"], read_id=kept.public_id)


def test_reads_of_someone_who_leaves_go_to_another_and_come_back(scene: Scene) -> None:
    cases = more_cases(scene, 2)
    begun(scene, "assign", cases, way="each", readers=ids(scene, "other_reader"))
    (one, to) = ids(scene, "other_reader", "reader")
    action = begun(scene, "reassign", [*cases, scene.cases[0], scene.cases[3]], **{"from": one, "to": to})
    moved = Read.objects.filter(case__in=cases).values_list("reader__username", flat=True)
    assert list(moved) == ["reader", "reader"]
    assert action.left_out == [[1, "Ada Okafor has a read on this case already."]]
    back(scene, action)
    moved = Read.objects.filter(case__in=cases).exclude(state="set_aside")
    assert set(moved.values_list("reader__username", flat=True)) == {"other_reader"}


# Design and specialty ---------------------------------------------------------------------------


def test_filling_by_design_respects_the_share_of_double_reads(scene: Scene) -> None:
    design = designed(scene, readers_per_case=2, double_share=50)
    cases = more_cases(scene, 20)
    done = assign_balanced(
        by=scene.people["lead"],
        project=scene.project,
        cases=cases,
        readers=[scene.people[name] for name in ("reader", "other_reader")],
    )
    assert done.made == sum(readers_wanted(case, design) for case in cases)
    assert 20 < done.made < 40


def test_cases_go_to_those_who_read_such_best(scene: Scene) -> None:
    lead, reader, other = (scene.people[name] for name in ("lead", "reader", "other_reader"))
    specialties.add(by=lead, project=scene.project, user=reader, name="MRI")
    specialties.add(by=lead, project=scene.project, user=other, name="chest")
    brain = more_cases(scene, 2, modality="MR", title="Brain")
    chest = more_cases(scene, 2, title="CT chest")
    liver = more_cases(scene, 1, modality="US", title="Liver")
    for case in (*brain, *liver):
        case.studies.get().series.update(body_part="")
    done = assign_by_specialty(
        by=lead,
        project=scene.project,
        cases=[*brain, *chest, *liver],
        readers=[reader, other, lead],
        readers_per_case=1,
    )
    who = {read.case.number: read.reader for read in Read.objects.filter(case__number__gt=4)}
    assert {who[case.number] for case in brain} == {reader}
    assert {who[case.number] for case in chest} == {other}
    assert who[liver[0].number] == lead, "who has no specialty reads what is nobody's"
    assert (done.made, done.short) == (5, 0)


def test_an_adjudicator_never_reads_the_case(scene: Scene) -> None:
    judge = scene.people["lead"]
    Read.objects.create(
        case=scene.cases[3], reader=judge, kind=Read.Kind.ADJUDICATION, schema=scene.schema, assigned_by=judge
    )
    done = begun(scene, "assign", [scene.cases[3]], way="each", readers=ids(scene, "lead"))
    assert done.before == []
    assert not AuditRecord.objects.filter(verb="reads.assigned").exists()
