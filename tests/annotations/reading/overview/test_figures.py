"""What a project's figures count, and what must stay closed to a lead who reads a case themselves."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import permissions
from accounts.models import User
from annotations.models import Case, Comparison, Read, ReferenceStandard, Submission
from annotations.reading import overview, policies
from annotations.reading.overview import figures_for, sight_of
from annotations.reading.overview.comparisons import comparisons_of
from annotations.reading.overview.figures import figures_of
from annotations.reading.overview.kept import work_out
from annotations.views.dashboard import forecast_sentence
from tests import crowd
from tests import scene as scenes
from tests.scene import Scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return scenes.build()


def handed_in(scene: Scene, case: Case, who: str) -> Submission:
    read, _ = Read.objects.get_or_create(
        case=case, reader=scene.people[who], defaults={"schema": scene.schema}
    )
    return read.submissions.last() or scenes.submitted(read)


def compared(
    case: Case, one: Submission, other: Submission, dice: float | None, **more: object
) -> Comparison:
    first, second = sorted((one, other), key=lambda submission: submission.pk)
    values = {"label": "lesion", "dice": dice, "hd95_mm": None if dice is None else 2.0, "matched": 1}
    return Comparison.objects.create(case=case, first=first, second=second, **values | more)


def test_a_sight_is_what_the_policies_say_for_everyone(scene: Scene) -> None:
    people = list(scene.people.values())
    own = Read.objects.create(case=scene.cases[0], reader=scene.people["lead"], schema=scene.schema)
    for state in (Read.State.IN_PROGRESS, Read.State.SUBMITTED, Read.State.ACCEPTED, Read.State.SET_ASIDE):
        Read.objects.filter(pk=own.pk).update(state=state)
        for person in people:
            expected = policies.reads_for(person).filter(case__project=scene.project)
            found = sight_of(person, scene.project).reads()
            assert set(found.values_list("pk", flat=True)) == set(expected.values_list("pk", flat=True)), (
                person,
                state,
            )


# Agreement --------------------------------------------------------------------------------------


def test_two_readers_have_one_pair_with_their_median(scene: Scene) -> None:
    for number, dice in ((1, 0.6), (2, 0.7), (3, 0.95)):
        case = scene.cases[number - 1]
        compared(case, handed_in(scene, case, "reader"), handed_in(scene, case, "other_reader"), dice)
    figures = figures_of(scene.project)
    (pair,) = figures["pairs"]
    assert {pair["first"], pair["second"]} == {scene.people[name].pk for name in ("reader", "other_reader")}
    assert (pair["dice"], pair["n"], pair["cases"]) == (0.7, 3, 3)
    measures = {one["key"]: one for one in figures["labels"]["lesion"]["measures"]}
    assert measures["dice"]["value"] == 0.7
    assert measures["dice"]["low"] is None, "three subjects have no interval"
    assert [one["number"] for one in figures["worst"]] == [1, 2, 3]


def test_both_empty_is_agreement_and_no_dice(scene: Scene) -> None:
    case = scene.cases[2]
    one, other = handed_in(scene, case, "reader"), handed_in(scene, case, "other_reader")
    compared(case, one, other, None, both_empty=True, matched=0, numbers={"presence": ["absent", "absent"]})
    figures = figures_of(scene.project)
    assert figures["labels"]["lesion"]["both_empty"] == 1
    assert figures["pairs"][0]["dice"] is None
    assert figures["pairs"][0]["both_empty"] == 1
    assert figures["worst"] == []


def test_what_was_not_assessed_is_neither_agreement_nor_disagreement(scene: Scene) -> None:
    case = scene.cases[2]
    one, other = handed_in(scene, case, "reader"), handed_in(scene, case, "other_reader")
    numbers = {"presence": ["not_assessed", "present"], "not_compared": "A reader says so."}
    compared(case, one, other, None, matched=0, numbers=numbers)
    label = figures_of(scene.project)["labels"]["lesion"]
    assert (label["not_compared"], label["both_empty"]) == (1, 0)
    assert {one["key"]: one["n"] for one in label["measures"]}["presence_alpha"] == 0


def test_only_the_latest_round_of_a_read_counts(scene: Scene) -> None:
    case = scene.cases[2]
    one, other = handed_in(scene, case, "reader"), handed_in(scene, case, "other_reader")
    compared(case, one, other, 0.4)
    read = one.read
    again = Submission.objects.create(read=read, round=2, edit_number=5, by=read.reader)
    compared(case, again, other, 0.9)
    assert [row.dice for row in comparisons_of(scene.project)] == [0.9]


def test_reads_that_were_set_aside_count_nowhere(scene: Scene) -> None:
    case = scene.cases[2]
    one, other = handed_in(scene, case, "reader"), handed_in(scene, case, "other_reader")
    compared(case, one, other, 0.4)
    Read.objects.filter(pk=one.read_id).update(state=Read.State.SET_ASIDE)
    assert comparisons_of(scene.project) == []


def test_a_hidden_reference_tells_how_good_each_reader_is(scene: Scene) -> None:
    case = scene.cases[2]
    Case.objects.filter(pk=case.pk).update(purpose=Case.Purpose.HIDDEN_REFERENCE)
    truth = Read.objects.create(
        case=case, reader=scene.people["reviewer"], schema=scene.schema, kind=Read.Kind.ADJUDICATION
    )
    reference = scenes.submitted(truth)
    ReferenceStandard.objects.create(case=case, submission=reference, how="adjudicated")
    mine = handed_in(scene, case, "reader")
    alone = {"first": None, "second": {"longest_mm": 9.0}}
    both = {"first": {"longest_mm": 20.0}, "second": {"longest_mm": 22.0}}
    compared(case, mine, reference, 0.8, unmatched=1, numbers={"lesions": [both, alone]})
    figures = figures_of(scene.project)
    found = figures["reference"][str(scene.people["reader"].pk)]["reference"]
    assert (found["cases"], found["dice"]["value"], found["f1"]) == (1, 0.8, pytest.approx(2 / 3))
    # The reference was handed in first, so what only the second has is the reader's own.
    assert (found["false_positives"], found["missed"]) == (1, 0)
    assert figures["pairs"] == [], "a reference is no reader"


def test_a_read_that_was_agreed_on_is_no_reference_for_itself(scene: Scene) -> None:
    case = scene.cases[2]
    one, other = handed_in(scene, case, "reader"), handed_in(scene, case, "other_reader")
    ReferenceStandard.objects.create(case=case, submission=one, how="agreed")
    compared(case, one, other, 0.9)
    figures = figures_of(scene.project)
    assert figures["reference"] == {}
    assert len(figures["pairs"]) == 1


def test_training_counts_for_the_reader_and_not_between_readers(scene: Scene) -> None:
    case = scene.cases[2]
    Case.objects.filter(pk=case.pk).update(purpose=Case.Purpose.TRAINING)
    compared(case, handed_in(scene, case, "reader"), handed_in(scene, case, "other_reader"), 0.9)
    assert figures_of(scene.project)["pairs"] == []


# Closed cases -----------------------------------------------------------------------------------


def test_a_lead_who_reads_a_case_finds_it_in_no_figure(scene: Scene) -> None:
    lead = scene.people["lead"]
    secret, open_ = scene.cases[0], scene.cases[2]
    compared(open_, handed_in(scene, open_, "reader"), handed_in(scene, open_, "other_reader"), 0.9)
    own = Read.objects.create(case=secret, reader=lead, schema=scene.schema, state=Read.State.IN_PROGRESS)

    def shown() -> str:
        kept = figures_for(sight_of(lead, scene.project))
        assert kept.figures is not None
        rest = {name: one for name, one in kept.figures.items() if name != "computed_at"}
        return json.dumps(rest, sort_keys=True)

    before = shown()
    one, other = handed_in(scene, secret, "reader"), handed_in(scene, secret, "other_reader")
    compared(secret, one, other, 0.1)
    scenes.accepted(
        Read.objects.create(case=secret, reader=scene.people["scientist"], schema=scene.schema), lead
    )
    assert shown() == before
    scenes.submitted(own)
    assert shown() == before, "handed in is not finished"
    Read.objects.filter(pk=own.pk).update(state=Read.State.ACCEPTED)
    assert 0.1 in [row["dice"] for row in json.loads(shown())["worst"]]


def test_figures_kept_for_one_lead_are_not_shown_to_another_who_reads(scene: Scene) -> None:
    case = scene.cases[2]
    compared(case, handed_in(scene, case, "reader"), handed_in(scene, case, "other_reader"), 0.3)
    lead, second = scene.people["lead"], scene.people["stranger"]
    permissions.grant(user=second, role="lead", scope=scene.project)
    Read.objects.create(case=case, reader=second, schema=scene.schema)
    assert figures_for(sight_of(lead, scene.project)).figures["pairs"]  # type: ignore[index]
    assert figures_for(sight_of(second, scene.project)).figures["pairs"] == []  # type: ignore[index]


# Kept -------------------------------------------------------------------------------------------


def test_a_large_project_shows_what_was_kept_until_a_job_is_done(
    scene: Scene, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    monkeypatch.setattr("annotations.reading.overview.kept.SMALL", 0)
    asked: list[object] = []
    monkeypatch.setattr("annotations.reading.overview.kept._ask_for", asked.append)
    lead, case = scene.people["lead"], scene.cases[2]
    compared(case, handed_in(scene, case, "reader"), handed_in(scene, case, "other_reader"), 0.3)
    sight = sight_of(lead, scene.project)
    with django_capture_on_commit_callbacks(execute=True):
        kept = figures_for(sight)
    assert (kept.figures, kept.is_current, len(asked)) == (None, False, 1)
    work_out(scene.project.pk, lead.pk)
    kept = figures_for(sight)
    assert kept.is_current
    assert kept.figures is not None
    Comparison.objects.update(dice=0.5, computed_at=timezone.now() + timedelta(seconds=1))
    kept = figures_for(sight)
    assert not kept.is_current
    assert kept.figures is not None
    assert kept.figures["pairs"][0]["dice"] == 0.3
    work_out(scene.project.pk, lead.pk)
    assert figures_for(sight).figures["pairs"][0]["dice"] == 0.5  # type: ignore[index]


def test_nobody_but_a_lead_has_figures_worked_out(scene: Scene, monkeypatch) -> None:
    monkeypatch.setattr(
        "annotations.reading.overview.kept.figures_of", lambda *_: pytest.fail("for someone who is no lead")
    )
    work_out(scene.project.pk, scene.people["reviewer"].pk)
    work_out(scene.project.pk, 0)


# People and progress ----------------------------------------------------------------------------


def test_rework_counts_reads_that_came_back(scene: Scene) -> None:
    read = scene.reads["submitted"]
    Read.objects.filter(pk=read.pk).update(state=Read.State.RETURNED, round=2)
    members = overview.members_seen(sight_of(scene.people["lead"], scene.project))
    pace = overview.pace_of(members)
    assert (pace.handed_in, pace.returned, pace.rework_share) == (2, 1, 0.5)


def test_cases_that_wait_for_an_adjudicator_stand_in_their_own_step(scene: Scene) -> None:
    Case.objects.filter(pk=scene.cases[3].pk).update(needs_adjudication=True)
    sight = sight_of(scene.people["lead"], scene.project)
    here = {step.key: step.here for step in overview.funnel(sight)}
    assert (here["to_adjudicate"], here["accepted"]) == (1, 0)
    assert overview.cases_with_state(sight.user, scene.project).filter(rank=4).count() == 1
    sentences = [one.sentence for one in overview.decisions(sight, overview.funnel(sight), [], scene.schema)]
    assert "1 case waits for an adjudicator." in sentences


def test_who_has_read_a_case_is_not_asked_to_adjudicate_it(scene: Scene) -> None:
    lead: User = scene.people["lead"]
    Case.objects.filter(pk=scene.cases[3].pk).update(needs_adjudication=True)
    Read.objects.create(case=scene.cases[3], reader=lead, schema=scene.schema, state=Read.State.ACCEPTED)
    sight = sight_of(lead, scene.project)
    found = overview.decisions(sight, overview.funnel(sight), [], scene.schema)
    assert not [one for one in found if "adjudicator" in one.sentence]


def test_the_forecast_says_how_late() -> None:
    big = crowd.build(cases=120, readers=4, slug="small-crowd")
    figures = figures_of(big.project)
    progress = figures["progress"]
    assert progress["total"] == 120
    assert progress["weeks"][-1]["done"] == progress["done"] > 50
    assert "forecast" in progress
    assert forecast_sentence(figures).startswith("At this pace done on ")
    assert figures["distribution"][0]["label"] == "lesion"
    assert {one["key"]: one["n"] for one in figures["labels"]["lesion"]["measures"]}["diameter_icc"] > 30
