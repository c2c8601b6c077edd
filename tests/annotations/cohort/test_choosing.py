"""What a choice gives: cases, submissions and parts, and why the other cases stay out."""

from collections import Counter

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation
from annotations.cohort import choosing, recalls, releases, splits, summary
from annotations.cohort.choosing import Choice, choose
from annotations.models import (
    Case,
    LabelFact,
    Read,
    ReferenceStandard,
    Release,
    ReleaseCase,
    ReleaseRead,
    Submission,
)
from atlas.models import Subject
from tests import crowd as crowds
from tests.crowd import Crowd

pytestmark = pytest.mark.django_db
Content = Release.Content
PARTS = splits.Design(train=60, validation=20, test=20, seed="x")


@pytest.fixture
def crowd() -> Crowd:
    return crowds.build(120, 6)


def accepted_reads(crowd: Crowd) -> dict[int, list[int]]:
    """The last submission of each accepted read, by case number, of ordinary cases that nobody disputes."""
    found: dict[int, list[int]] = {}
    for case in Case.objects.filter(project=crowd.project, needs_adjudication=False, purpose="ordinary"):
        for read in case.reads.filter(state=Read.State.ACCEPTED, kind=Read.Kind.READ):
            last = Submission.objects.filter(read=read).order_by("-round")[0]
            found.setdefault(case.number, []).append(last.pk)
    return {number: sorted(some) for number, some in found.items()}


def standards(crowd: Crowd) -> dict[int, int]:
    of = ReferenceStandard.objects.filter(case__project=crowd.project)
    return dict(of.values_list("case__number", "submission"))


# What of a case -----------------------------------------------------------------------------------------


def test_the_reference_standard_stands_alone_for_its_case(crowd: Crowd) -> None:
    chosen = choose(crowd.project, crowd.lead, Choice())
    assert {case.number: case.submissions for case in chosen.cases} == {
        number: [submission] for number, submission in standards(crowd).items()
    }
    assert all(case.reference == case.submissions[0] for case in chosen.cases)


def test_without_a_reference_standard_the_only_accepted_read_is_the_reference(crowd: Crowd) -> None:
    ReferenceStandard.objects.all().delete()
    case = Case.objects.get(project=crowd.project, number=1)
    alone = case.reads.order_by("pk")[0]
    case.reads.exclude(pk=alone.pk).update(state=Read.State.SET_ASIDE)
    chosen = choose(crowd.project, crowd.lead, Choice())
    last = Submission.objects.filter(read=alone).order_by("-round")[0]
    assert [(one.number, one.reference) for one in chosen.cases] == [(1, last.pk)]


def test_several_accepted_reads_without_a_reference_standard_stay_out_and_are_counted(crowd: Crowd) -> None:
    ReferenceStandard.objects.all().delete()
    chosen = choose(crowd.project, crowd.lead, Choice())
    assert chosen.cases == []
    assert dict(chosen.left_out)[choosing.NO_REFERENCE] == len(accepted_reads(crowd)) > 40
    with pytest.raises(ValidationError, match="have several accepted reads and no reference standard"):
        releases.freeze(by=crowd.lead, project=crowd.project)


def test_readers_gives_every_accepted_read_and_says_which_is_the_reference(crowd: Crowd) -> None:
    chosen = choose(crowd.project, crowd.lead, Choice(content=Content.READERS))
    assert {case.number: sorted(case.submissions) for case in chosen.cases} == accepted_reads(crowd)
    of = standards(crowd)
    for case in chosen.cases:
        assert case.reference == (of[case.number] if of[case.number] in case.submissions else None)


def test_both_gives_the_reads_and_the_reference_standard_once(crowd: Crowd) -> None:
    chosen = choose(crowd.project, crowd.lead, Choice(content=Content.BOTH))
    of, reads = standards(crowd), accepted_reads(crowd)
    assert {case.number: sorted(case.submissions) for case in chosen.cases} == {
        number: sorted({*reads.get(number, []), *([of[number]] if number in of else [])})
        for number in {*of, *reads}
    }
    assert {case.number: case.reference for case in chosen.cases if case.reference} == of


def test_a_frozen_release_pins_what_was_chosen(crowd: Crowd) -> None:
    cohort = {"field": "case.number", "op": "<=", "value": 40}
    choice = Choice(
        content=Content.BOTH,
        split=PARTS,
        query=cohort,
        formats=("json", "nifti"),
        title="  T ",
        agreement="A",
    )
    chosen = choose(crowd.project, crowd.lead, choice)
    release = releases.freeze(by=crowd.lead, project=crowd.project, choice=choice)
    assert [
        (one.number, one.part, one.fold, one.stratum, sorted(one.reads.values_list("submission", flat=True)))
        for one in release.release_cases.all()
    ] == [(one.number, *one.placed, one.stratum, sorted(one.submissions)) for one in chosen.cases]
    pinned = ReleaseRead.objects.filter(release_case__release=release, is_reference=True)
    assert dict(pinned.values_list("release_case__number", "submission")) == {
        one.number: one.reference for one in chosen.cases if one.reference
    }
    release.refresh_from_db()
    assert (release.title, release.agreement, release.content) == ("T", "A", "both")
    assert (release.query, release.formats) == (cohort, ["nifti", "json"])
    assert splits.from_json(release.split) == PARTS
    assert release.writer_version


# Which cases --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", Content)
def test_each_case_of_the_project_is_in_or_left_out_for_one_reason(crowd: Crowd, content: Content) -> None:
    preview = summary.preview(crowd.project, crowd.lead, Choice(content=content))
    assert preview.cases_in_project == 120
    assert preview.cases + sum(n for _, n in preview.left_out) == 120
    reasons = dict(preview.left_out)
    cases = Case.objects.filter(project=crowd.project)
    assert reasons[choosing.NO_READER] == cases.filter(reads=None, purpose="ordinary").count() > 0
    disputed = cases.filter(needs_adjudication=True).count()
    assert reasons[choosing.WAIT_FOR_ADJUDICATION] == disputed > 0
    assert reasons.get(choosing.FOR_READERS, 0) == (
        cases.filter(purpose="reference").count() if content == Content.READERS else 0
    )


def test_a_cohort_chooses_among_what_is_accepted(crowd: Crowd) -> None:
    cohort = {"field": "case.number", "op": "between", "value": [11, 20]}
    every = {case.number for case in choose(crowd.project, crowd.lead, Choice()).cases}
    chosen = choose(crowd.project, crowd.lead, Choice(query=cohort))
    assert {case.number for case in chosen.cases} == every & set(range(11, 21))
    assert dict(chosen.left_out)[choosing.NOT_IN_COHORT] == 110


def test_a_cohort_that_is_not_understood_is_refused_and_never_everything(crowd: Crowd) -> None:
    with pytest.raises(ValidationError, match=r"case\.nmber"):
        releases.freeze(
            by=crowd.lead,
            project=crowd.project,
            choice=Choice(query={"field": "case.nmber", "op": "<=", "value": 3}),
        )
    with pytest.raises(ValidationError, match="It says nothing"):
        summary.preview(crowd.project, crowd.lead, Choice(query={}))
    assert not Release.objects.exists()


@pytest.mark.parametrize(
    "choice",
    [Choice(split=PARTS), Choice(query={"label": {"field": "label.state", "op": "is", "value": "present"}})],
)
def test_nothing_is_chosen_by_what_reads_say_before_that_is_known(crowd: Crowd, choice: Choice) -> None:
    summary.preview(crowd.project, crowd.lead, choice)
    Submission.objects.filter(pk=standards(crowd)[1]).update(facts_at=None)
    with pytest.raises(ValidationError, match="What 1 of the reads say is still being worked out"):
        releases.freeze(by=crowd.lead, project=crowd.project, choice=choice)
    assert releases.freeze(by=crowd.lead, project=crowd.project).number == 1


def test_a_recalled_case_never_comes_in(crowd: Crowd) -> None:
    case = Case.objects.get(project=crowd.project, number=2)
    assert case.number in {one.number for one in choose(crowd.project, crowd.lead, Choice()).cases}
    recalls.recall(by=crowd.lead, case=case, reason="Consent withdrawn")
    for content in Content:
        chosen = choose(crowd.project, crowd.lead, Choice(content=content))
        assert case.number not in {one.number for one in chosen.cases}
        assert dict(chosen.left_out)[choosing.RECALLED] == 1


@pytest.mark.parametrize("content", Content)
def test_who_still_reads_a_case_learns_nothing_of_it_from_a_preview(crowd: Crowd, content: Content) -> None:
    """The same numbers, whatever has become of the others' reads of the case."""
    case = Case.objects.get(project=crowd.project, number=3)
    query = {"not": {"field": "case.waits_for_adjudication", "op": "is", "value": False}}
    own = case.reads.order_by("pk")[0]
    own.reader, own.state = crowd.lead, Read.State.IN_PROGRESS
    own.save()
    seen = set()
    for disputed, state, reference in (
        (False, Read.State.ACCEPTED, True),
        (True, Read.State.ACCEPTED, False),
        (False, Read.State.SUBMITTED, False),
        (False, Read.State.ASSIGNED, False),
    ):
        Case.objects.filter(pk=case.pk).update(needs_adjudication=disputed)
        case.reads.exclude(pk=own.pk).update(state=state)
        if not reference:
            ReferenceStandard.objects.filter(case=case).delete()
        for choice in (Choice(content=content), Choice(content=content, query=query, split=PARTS)):
            preview = summary.preview(crowd.project, crowd.lead, choice)
            seen.add((choice.query is None, repr(preview)))
    assert len(seen) == 2


# What can't be carried out ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        (Choice(formats=("nifti", "dicom")), "There is no format 'dicom'"),
        (Choice(formats=()), "at least one format"),
        (Choice(content="all"), "none of those to choose from"),  # type: ignore[arg-type]
        (Choice(sequestered=Release.Sequestered.MARKS), "this split has none"),
        (
            Choice(sequestered=Release.Sequestered.ALL, split=splits.Design(train=80, validation=20, test=0)),
            "this split has none",
        ),
        (Choice(split=splits.Design(held_out_sites=("crowdd",))), r"comes from 'crowdd'.* come from crowd\."),
    ],
)
def test_a_choice_that_cannot_be_carried_out_is_refused(crowd: Crowd, choice: Choice, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        releases.freeze(by=crowd.lead, project=crowd.project, choice=choice)
    assert not Release.objects.exists()


# Parts --------------------------------------------------------------------------------------------------


def several_sites(crowd: Crowd) -> None:
    """Every third subject comes from another hospital, and every second case shows a node."""
    other = Organisation.objects.create(name="Lund", slug="lund", country="SE")
    for case in Case.objects.filter(project=crowd.project).select_related("subject"):
        if case.number % 3 == 0:
            Subject.objects.filter(pk=case.subject_id).update(organisation=other)
    LabelFact.objects.all().delete()
    LabelFact.objects.bulk_create(
        LabelFact(submission_id=submission, label="node", state="present" if number % 2 else "absent")
        for number, submission in standards(crowd).items()
    )


def test_subjects_are_parted_by_site_and_by_the_labels_that_are_present(crowd: Crowd) -> None:
    several_sites(crowd)
    chosen = choose(crowd.project, crowd.lead, Choice(split=PARTS))
    for case in chosen.cases:
        site = "lund" if case.number % 3 == 0 else "crowd"
        assert case.stratum == f"{site} · {'node' if case.number % 2 else 'nothing present'}"
    counts = Counter((case.stratum, case.placed.part) for case in chosen.cases)
    sizes = Counter(case.stratum for case in chosen.cases)
    assert len(sizes) == 4
    for (stratum, part), n in counts.items():
        assert abs(n - sizes[stratum] * (0.6 if part == splits.TRAIN else 0.2)) < 1


def test_a_site_that_is_held_out_is_in_the_test_alone(crowd: Crowd) -> None:
    several_sites(crowd)
    design = splits.Design(train=80, validation=20, test=0, held_out_sites=("lund",))
    for case in choose(crowd.project, crowd.lead, Choice(split=design)).cases:
        assert (case.placed.part == splits.TEST) == (case.number % 3 == 0)


def test_cases_of_one_subject_are_in_one_part(crowd: Crowd) -> None:
    cases = list(Case.objects.filter(project=crowd.project).order_by("number"))
    for first, second in zip(cases[::2], cases[1::2], strict=True):
        Case.objects.filter(pk=second.pk).update(subject=first.subject)
    chosen = choose(crowd.project, crowd.lead, Choice(split=PARTS))
    parts: dict[int, set[splits.Placed]] = {}
    for case in chosen.cases:
        parts.setdefault(case.subject, set()).add(case.placed)
    assert len(parts) < len(chosen.cases)
    assert all(len(some) == 1 for some in parts.values())


def test_the_next_release_of_the_same_design_moves_nobody(crowd: Crowd) -> None:
    some = {"field": "case.number", "op": "<=", "value": 40}
    first = releases.freeze(by=crowd.lead, project=crowd.project, choice=Choice(split=PARTS, query=some))
    placed = dict(first.release_cases.values_list("number", "part"))
    second = releases.freeze(by=crowd.lead, project=crowd.project, choice=Choice(split=PARTS))
    grown = dict(second.release_cases.values_list("number", "part"))
    assert len(grown) > len(placed) > 20
    assert {number: grown[number] for number in placed} == placed
    shares = Counter(grown.values())
    assert abs(shares["train"] - len(grown) * 0.6) <= 1.5
    other = splits.Design(train=60, validation=20, test=20, seed="y")
    third = releases.freeze(by=crowd.lead, project=crowd.project, choice=Choice(split=other))
    assert dict(third.release_cases.values_list("number", "part")) != grown


def test_a_cancelled_release_has_placed_nobody(crowd: Crowd) -> None:
    some = {"field": "case.number", "op": "<=", "value": 9}
    release = releases.freeze(by=crowd.lead, project=crowd.project, choice=Choice(split=PARTS, query=some))
    assert choosing.placed_before(crowd.project, PARTS)
    releases.cancel(by=crowd.lead, release=release)
    assert choosing.placed_before(crowd.project, PARTS) == {}


def test_the_preview_counts_subjects_and_cases_of_each_part(crowd: Crowd) -> None:
    preview = summary.preview(crowd.project, crowd.lead, Choice(split=PARTS))
    release = releases.freeze(by=crowd.lead, project=crowd.project, choice=Choice(split=PARTS))
    counts = Counter(release.release_cases.values_list("part", flat=True))
    assert [(one.part, one.cases) for one in preview.parts] == [
        (part, counts[part]) for part in ("train", "validation", "test")
    ]
    assert preview.cases == release.cases_total == sum(one.subjects for one in preview.parts)


def test_a_preview_tells_how_many_of_the_test_were_given_out_before(crowd: Crowd) -> None:
    choice = Choice(split=PARTS, sequestered=Release.Sequestered.MARKS)

    def given_out() -> int:
        return summary.preview(crowd.project, crowd.lead, choice).given_out

    tests = {c.pk for c in choose(crowd.project, crowd.lead, choice).cases if c.placed.part == splits.TEST}
    release = releases.freeze(by=crowd.lead, project=crowd.project)
    assert given_out() == 0  # nobody has got it yet
    Release.objects.filter(pk=release.pk).update(ready_at=release.frozen_at)
    assert given_out() == len(tests) > 10
    Release.objects.filter(pk=release.pk).update(sequestered=Release.Sequestered.MARKS)
    release.release_cases.filter(case__in=tests).update(part=ReleaseCase.Part.TEST)
    assert given_out() == 0
    assert summary.preview(crowd.project, crowd.lead, Choice(split=PARTS)).given_out == 0


def test_the_mark_of_a_preview_changes_with_what_would_be_frozen(crowd: Crowd) -> None:
    def mark(choice: Choice) -> str:
        return summary.preview(crowd.project, crowd.lead, choice).mark

    other = splits.Design(train=60, validation=20, test=20, seed="y")
    choices = [Choice(), Choice(content=Content.BOTH), Choice(split=PARTS), Choice(split=other)]
    marks = [mark(choice) for choice in choices]
    assert len(set(marks)) == 4
    assert marks == [mark(choice) for choice in choices]
    last = Read.objects.filter(state=Read.State.ACCEPTED, case__needs_adjudication=False).last()
    assert last is not None
    ReferenceStandard.objects.filter(case=last.case).delete()
    assert mark(Choice()) != marks[0]


# What it costs ------------------------------------------------------------------------------------------


def test_freezing_asks_the_database_as_often_for_many_cases_as_for_few() -> None:
    def queries(crowd: Crowd) -> int:
        choice = Choice(content=Content.BOTH, split=PARTS, query={"all": []})
        releases.freeze(by=crowd.lead, project=crowd.project, choice=choice)  # also warms what is kept
        with CaptureQueriesContext(connection) as captured:
            release = releases.freeze(by=crowd.lead, project=crowd.project, choice=choice)
        assert ReleaseCase.objects.filter(release=release).count() > 20
        return len(captured)

    assert queries(crowds.build(60, 4, slug="few")) == queries(crowds.build(600, 4, slug="many")) < 60
