"""What a submission says stands in columns once it is handed in, and cohorts find the case by it."""

import json
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from procrastinate.contrib.django.models import ProcrastinateJob

from annotations.cohort import facts
from annotations.cohort.language import cases_matching, parse_text
from annotations.models import Edit, LabelFact, MarkFact, Read, Submission
from annotations.reading.journal import state_at
from annotations.reading.lesions import lesions_of
from annotations.reading.measurements import measure
from tests.annotations.cohort.conftest import LENGTH, NODE, OUTLINE, SECOND, Cohort
from tests.cast import signed_in


def found(cohort: Cohort, text: str) -> list[int]:
    cases = cases_matching(cohort.project, parse_text(text), cohort.people["lead"])
    return list(cases.values_list("number", flat=True))


@pytest.fixture
def submission(cohort: Cohort) -> Submission:
    read = cohort.read()
    cohort.draw(read)
    return cohort.accept(read)


def test_marks_stand_in_columns_as_they_measure(cohort: Cohort, submission: Submission) -> None:
    facts.fill(submission.pk)

    rows = {row.annotation: row for row in MarkFact.objects.filter(submission=submission)}
    assert set(rows) == {OUTLINE, SECOND, NODE, LENGTH}
    state = state_at(submission.read, submission.edit_number)
    numbers = {UUID(one.annotation): one.numbers for one in measure(submission.read, state)}
    assert rows[OUTLINE].volume_ml == numbers[OUTLINE]["volume_ml"] > 0
    assert rows[OUTLINE].longest_mm == numbers[OUTLINE]["long_axis_mm"] > 0
    assert rows[OUTLINE].shortest_mm == numbers[OUTLINE]["short_axis_mm"] > 0
    assert (rows[OUTLINE].label, rows[OUTLINE].code) == ("tumour", "SCT:108369006")
    assert (rows[OUTLINE].kind, rows[OUTLINE].state, rows[OUTLINE].origin) == ("segment", "present", "reader")
    assert rows[OUTLINE].series == cohort.series
    assert rows[LENGTH].longest_mm == pytest.approx(5)  # drawn 3 mm and 4 mm apart
    assert (rows[LENGTH].volume_ml, rows[LENGTH].shortest_mm) == (None, None)
    assert (rows[NODE].state, rows[NODE].code, rows[NODE].volume_ml) == ("absent", "", 0.0)


def test_labels_count_lesions_and_keep_what_is_absent(cohort: Cohort, submission: Submission) -> None:
    facts.fill(submission.pk)

    tumour, node = LabelFact.objects.filter(submission=submission).order_by("-label")
    lesions = lesions_of(submission)["tumour"]
    assert (tumour.label, tumour.state, tumour.count) == ("tumour", "present", len(lesions))
    assert tumour.longest_mm == max(one.longest_mm for one in lesions)
    assert tumour.volume_ml == pytest.approx(sum(one.volume_mm3 for one in lesions if one.voxels) / 1000)
    assert (node.label, node.state, node.count, node.volume_ml) == ("node", "absent", 0, None)


def test_the_case_is_found_by_what_was_marked(cohort: Cohort, submission: Submission) -> None:
    facts.fill(submission.pk)

    longest_mm = MarkFact.objects.get(annotation=OUTLINE).longest_mm
    assert found(cohort, f"mark(label is tumour and longest_mm >= {longest_mm}) at least 2") == [1]
    assert found(cohort, f"mark(label is tumour and longest_mm > {longest_mm + 1})") == []
    assert found(cohort, "label(label is node and state is absent)") == [1]
    assert found(cohort, "label(label is node and state is present)") == []
    assert found(cohort, "mark(code is SCT:108369006) of reference") == []  # there is none


def test_twice_gives_the_same_rows(cohort: Cohort, submission: Submission) -> None:
    def rows() -> list:
        marks = MarkFact.objects.order_by("annotation").values_list("annotation", "longest_mm", "volume_ml")
        return [*marks, *LabelFact.objects.order_by("label").values_list("label", "state", "count")]

    facts.fill(submission.pk)
    once = rows()
    facts.fill(submission.pk)
    assert rows() == once
    assert len(once) == 6


def test_an_erased_submission_has_no_facts(cohort: Cohort, submission: Submission) -> None:
    gone = submission.pk
    facts.fill(gone)
    submission.delete()
    facts.fill(gone)
    assert not MarkFact.objects.exists()
    assert not LabelFact.objects.exists()


def test_only_what_was_handed_in_counts(cohort: Cohort, submission: Submission) -> None:
    """What is drawn after the last edit of the round belongs to the next."""
    later = UUID(int=9)
    cohort.mark(submission.read, later, cohort.segment("tumour"))
    facts.fill(submission.pk)
    assert not MarkFact.objects.filter(annotation=later).exists()
    assert Edit.objects.filter(annotation_id=later).exists()


def test_what_was_taken_over_is_told_from_what_was_drawn(cohort: Cohort) -> None:
    segment = cohort.series.imported_segments.get()
    read = cohort.read()
    origin = {"origin": {"from": "imported", "imported": segment.public_id}}
    taken, changed = UUID(int=21), UUID(int=22)
    cohort.mark(read, taken, cohort.segment("tumour") | origin)
    cohort.mark(read, changed, cohort.segment("tumour") | origin)
    cohort.mark(read, changed, cohort.segment("tumour") | origin | {"state": "indeterminate"})
    facts.fill(cohort.accept(read).pk)
    told = dict(MarkFact.objects.values_list("annotation", "origin"))
    assert told == {taken: "proposal", changed: "proposal_changed"}


def test_handing_in_has_the_facts_worked_out(
    cohort: Cohort, django_capture_on_commit_callbacks: object
) -> None:
    read = cohort.read()
    cohort.draw(read)
    Read.objects.filter(pk=read.pk).update(state=Read.State.IN_PROGRESS, last_edit_number=read.edits.count())
    client = signed_in(cohort.people["reader"])
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        answer = client.post(
            f"/api/v1/reads/{read.public_id}/submit/",
            json.dumps({"number": read.edits.count()}),
            content_type="application/json",
        )
    assert answer.status_code == 200, answer.content
    submission = Submission.objects.get(read=read)
    jobs = ProcrastinateJob.objects.filter(task_name="fill_facts")
    assert [job.args for job in jobs] == [{"submission_id": submission.pk}]


def test_the_command_works_out_what_is_missing(
    cohort: Cohort, submission: Submission, capsys: object
) -> None:
    lead = cohort.people["lead"]
    assert facts.without_facts(cohort.project, lead) == 1
    call_command("fill_facts", project="another")
    assert facts.without_facts(cohort.project, lead) == 1
    call_command("fill_facts")
    assert facts.without_facts(cohort.project, lead) == 0
    assert MarkFact.objects.count() == 4
    MarkFact.objects.all().delete()
    call_command("fill_facts")
    assert MarkFact.objects.count() == 0
    call_command("fill_facts", again=True)
    assert MarkFact.objects.count() == 4


def test_one_that_cannot_be_worked_out_keeps_back_no_other(
    cohort: Cohort, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = cohort.read("other_reader")
    second = cohort.accept(other)
    fill = facts.fill

    def breaks(submission_id: int) -> None:
        if submission_id == submission.pk:
            raise ValueError("no such voxel")
        fill(submission_id)

    monkeypatch.setattr(facts, "fill", breaks)
    with pytest.raises(CommandError, match="1 of 2"):
        call_command("fill_facts")
    second.refresh_from_db()
    assert second.facts_at is not None


def test_whoever_still_reads_a_case_is_not_told_that_facts_of_it_are_coming(
    cohort: Cohort, submission: Submission
) -> None:
    assert facts.without_facts(cohort.project, cohort.people["lead"]) == 1
    cohort.read("lead")
    assert facts.without_facts(cohort.project, cohort.people["lead"]) == 0
