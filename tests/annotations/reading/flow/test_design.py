"""How a project reads: what a lead may write, what it means in words, and what follows from it."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import AuditRecord
from annotations.models import Read, ReadingDesign, Submission
from annotations.reading import design_words, following
from annotations.reading.designs import (
    Rules,
    check,
    design_of,
    is_case_read,
    readers_wanted,
    rules_of,
    write_design,
)

from .conftest import design


def said(**rules) -> str:
    return design_words.adjudicated_where(Rules(readers_per_case=2, **rules))


def test_a_project_that_wrote_none_reads_by_the_defaults(cast):
    assert rules_of(design_of(cast.project)) == Rules()
    assert design_of(cast.project).pk is None


def test_a_lead_writes_it_and_the_audit_trail_says_what_changed(cast):
    write_design(by=cast.lead, project=cast.project, rules=Rules(readers_per_case=2, dice_below=0.7))
    write_design(by=cast.lead, project=cast.project, rules=Rules(readers_per_case=2, dice_below=0.7))
    kept = ReadingDesign.objects.get(project=cast.project)
    assert (kept.readers_per_case, kept.dice_below, kept.changed_by) == (2, 0.7, cast.lead)
    [record] = AuditRecord.objects.filter(verb="design.changed")
    assert record.facts == {"readers_per_case": "1 → 2", "dice_below": "0.8 → 0.7"}


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("reviewer", PermissionDenied),
        ("anna", PermissionDenied),
        ("scientist", PermissionDenied),
        ("outsider", Http404),
    ],
)
def test_nobody_else_writes_it(cast, who, refusal):
    with pytest.raises(refusal):
        write_design(by=getattr(cast, who), project=cast.project, rules=Rules(readers_per_case=2))
    assert not ReadingDesign.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("readers_per_case", 0),
        ("readers_per_case", 21),
        ("double_share", -1),
        ("double_share", 101),
        ("dice_below", 0.0),
        ("dice_below", 1.2),
        ("dice_below", float("nan")),
        ("diameter_apart_mm", -3.0),
        ("diameter_apart_mm", float("inf")),
        ("lease_hours", 0),
        ("order", "backwards"),
        ("proposals", "sometimes"),
        ("adjudication", "maybe"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(field, value):
    with pytest.raises(ValidationError) as refused:
        check(Rules(**{field: value}))
    assert field in refused.value.error_dict


def test_a_rule_of_disagreement_needs_a_disagreement():
    nothing = Rules(dice_below=None, diameter_apart_mm=None, unmatched_lesion=False, category_differs=False)
    with pytest.raises(ValidationError) as refused:
        check(nothing)
    assert list(refused.value.error_dict) == ["adjudication"]


def test_the_rule_reads_as_one_sentence():
    assert said(diameter_apart_mm=5.0) == (
        "Adjudicate where Dice is under 0.80, a lesion is unmatched, longest diameters are more than 5 mm "
        "apart, or categories or answers differ. Otherwise the readers agree."
    )
    assert said(unmatched_lesion=False, category_differs=False) == (
        "Adjudicate where Dice is under 0.80. Otherwise the readers agree."
    )
    assert said(adjudication="always") == "Every case with several readers is adjudicated."
    assert said(adjudication="never").startswith("Never adjudicated")


@pytest.mark.parametrize(
    "rules",
    [
        Rules(),
        Rules(readers_per_case=3, double_share=20, blind=False, review=False, proposals="after"),
        Rules(readers_per_case=2, double_share=0, order="random", self_service=True, lease_hours=1),
    ],
)
def test_each_part_of_a_design_has_its_sentence(rules):
    sentences = design_words.in_words(rules)
    assert len(sentences) == 6
    assert all(sentence.text.endswith(".") for sentence in sentences)


def test_a_change_says_what_it_means_for_work_under_way(cast):
    assert design_words.warnings(cast.project, Rules(), Rules(blind=False, review=False)) == []
    cast.submit()
    found = design_words.warnings(cast.project, Rules(), Rules(blind=False, review=False, dice_below=0.5))
    assert [sentence.split()[0] for sentence in found] == ["Readers", "1", "Cases"]
    assert design_words.warnings(cast.project, Rules(), Rules()) == []


def test_the_share_of_double_reads_is_drawn_once_and_for_all(cast):
    some = design(cast, readers_per_case=3, double_share=30)
    wanted = {}
    for _ in range(2):
        for case in [cast.new_read().case for _ in range(50)] if not wanted else list(wanted):
            again = readers_wanted(case, some)
            assert wanted.setdefault(case, again) == again
    assert set(wanted.values()) == {1, 3}
    assert readers_wanted(cast.case, design(cast, double_share=0)) == 1
    assert readers_wanted(cast.case, design(cast, double_share=100)) == 3


# What follows -------------------------------------------------------------------------------------


def test_a_case_is_read_once_all_that_it_waits_for_are_done(cast):
    design(cast, readers_per_case=2, review=False)
    assert not is_case_read(cast.case)
    cast.submit()
    assert not is_case_read(cast.case)
    cast.submit(cast.bens_read, "ben")
    assert is_case_read(cast.case)


def test_with_review_a_case_is_read_once_all_are_accepted(cast):
    design(cast, readers_per_case=2)
    cast.submit()
    cast.submit(cast.bens_read, "ben")
    for read in (cast.read, cast.bens_read):
        assert not is_case_read(cast.case)
        cast.post("review/", {"verdict": "accept", "round": 1}, who="reviewer", read=read)
    assert is_case_read(cast.case)


def test_a_lease_that_ran_out_is_not_waited_for(cast):
    design(cast, readers_per_case=1, review=False)
    cast.submit()
    assert not is_case_read(cast.case)
    Read.objects.filter(pk=cast.bens_read.pk).update(lease_until="2020-01-01T00:00:00Z")
    assert is_case_read(cast.case)


def test_without_review_a_read_is_accepted_as_it_is_handed_in(cast):
    design(cast, review=False)
    assert cast.submit()["state"] == "accepted"
    assert AuditRecord.objects.filter(verb="read.accepted_without_review").count() == 1
    assert cast.submit()["state"] == "accepted"  # sent twice
    assert Submission.objects.filter(read=cast.read).count() == 1


def test_a_submission_has_its_case_compared_once(cast, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        cast.submit()
        cast.submit(cast.bens_read, "ben")
    jobs = ProcrastinateJob.objects.filter(task_name=following.COMPARE_CASE)
    assert [job.args for job in jobs] == [{"case_id": cast.case.pk}]


def test_another_rule_has_everything_compared_again(cast, django_capture_on_commit_callbacks):
    cast.submit()
    untouched = cast.new_read().case
    following.follow_design(cast.project.pk)
    jobs = ProcrastinateJob.objects.filter(task_name=following.COMPARE_CASE)
    assert [job.args["case_id"] for job in jobs] == [cast.case.pk]
    assert untouched.pk != cast.case.pk


# The page -----------------------------------------------------------------------------------------

FORM = {
    "readers_per_case": "2",
    "double_share": "40",
    "blind": "True",
    "review": "False",
    "adjudication": "on_disagreement",
    "dice_below": "0.75",
    "diameter_apart_mm": "",
    "unmatched_lesion": "on",
    "order": "random",
    "proposals": "after",
    "lease_hours": "24",
}


def test_the_page_writes_what_stands_in_it(cast):
    url = f"/projects/{cast.project.slug}/reading/"
    assert cast.client("lead").get(url).status_code == 200
    assert cast.client("lead").post(url, FORM).status_code == 302
    assert rules_of(design_of(type(cast.project).objects.get(pk=cast.project.pk))) == Rules(
        readers_per_case=2,
        double_share=40,
        review=False,
        dice_below=0.75,
        category_differs=False,
        order="random",
        proposals="after",
    )


def test_the_page_says_what_it_refuses_and_keeps_nothing(cast):
    answer = cast.client("lead").post(f"/projects/{cast.project.slug}/reading/", FORM | {"dice_below": "7"})
    assert answer.status_code == 400
    assert "A Dice above 0, at most 1" in answer.content.decode()
    assert not ReadingDesign.objects.exists()


def test_the_preview_says_in_words_what_stands_in_the_form(cast):
    url = f"/projects/{cast.project.slug}/reading/preview/"
    answer = cast.client("lead").post(url, FORM).content.decode()
    assert "2 readers read 40 % of the cases" in answer
    assert "Adjudicate where Dice is under 0.75, or a lesion is unmatched." in answer
    assert "Not saved yet." in answer
    assert not ReadingDesign.objects.exists()
    assert "needs a correction" in cast.client("lead").post(url, {}).content.decode()
