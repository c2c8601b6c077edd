"""What is said of a release to whoever has the one before: cases and marks that came, changed and went."""

import json
from typing import Any

import pytest

from annotations.cohort import recalls, releases
from annotations.models import Case, Read, Release, Submission
from tests.annotations.cohort.conftest import LENGTH, NODE, OUTLINE, Cohort
from tests.annotations.cohort.test_release import content, run_jobs

Content = Release.Content


def frozen(cohort: Cohort, content: Content = Content.READERS, **choice: Any) -> Release:
    chosen = releases.Choice(formats=("json",), content=content, **choice)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project, choice=chosen)
    run_jobs()
    release.refresh_from_db()
    assert (release.problem, release.state) == ("", Release.State.READY)
    return release


def told(release: Release) -> dict[str, Any]:
    return json.loads(content(release, "changes.json"))


def submitted_again(cohort: Cohort, read: Read) -> Submission:
    last = read.submissions.order_by("-round")[0]
    return Submission.objects.create(
        read=read, round=last.round + 1, edit_number=read.edits.count(), by=read.reader
    )


def read_of(cohort: Cohort, name: str = "reader") -> Read:
    read = cohort.read(name)
    cohort.draw(read)
    cohort.accept(read)
    return read


def test_the_first_release_follows_none(cohort: Cohort) -> None:
    read_of(cohort)
    release = frozen(cohort, changelog="All there is")
    said = told(release)
    assert (said["since"], said["cases_added"], said["changelog"]) == (None, [1], "All there is")
    assert said["counts"] | {"labels": {}} == {
        "cases_added": 1,
        "cases_removed": 0,
        "cases_changed": 0,
        "marks_added": 0,
        "marks_changed": 0,
        "marks_removed": 0,
        "labels": {},
    }
    assert release.changes["since"] is None


def test_the_same_submissions_have_nothing_to_compare(cohort: Cohort, two_cases: Case) -> None:
    frozen(cohort)
    said = told(frozen(cohort))
    assert said["since"] == 1
    assert (said["cases_added"], said["cases_removed"], said["cases_changed"]) == ([], [], [])


def test_marks_of_a_later_round_are_compared_one_by_one(cohort: Cohort) -> None:
    read = read_of(cohort)
    frozen(cohort)
    cohort.mark(read, LENGTH, None)
    cohort.mark(read, NODE, cohort.segment("node"))  # it is there after all
    voxels = cohort.labels.values[8] > 0
    voxels[0, 0] = ~voxels[0, 0]
    cohort.plane(read, OUTLINE, 8, voxels)
    fifth = OUTLINE.__class__(int=5)
    cohort.mark(read, fifth, cohort.segment("node"))
    submitted_again(cohort, read)
    release = frozen(cohort)
    said = told(release)
    assert [row["case"] for row in said["cases_changed"]] == [1]
    (of_read,) = said["cases_changed"][0]["reads"]
    assert of_read["what"] == "changed"
    assert of_read["reader"].startswith("reader-")
    assert of_read["labels"] == {
        "node": {"changed": 1, "added": 1},
        "tumour": {"changed": 1, "removed": 1},
    }
    assert said["counts"]["labels"] == {
        "node": {"added": 1, "changed": 1, "removed": 0},
        "tumour": {"added": 0, "changed": 1, "removed": 1},
    }
    assert release.changes == {"since": 1} | said["counts"]


def test_another_reader_adds_marks_and_one_who_is_set_aside_takes_theirs(cohort: Cohort) -> None:
    first = read_of(cohort)
    frozen(cohort)
    second = read_of(cohort, "other_reader")
    said = told(frozen(cohort))
    (added,) = said["cases_changed"][0]["reads"]
    assert (added["what"], added["labels"]) == ("added", {"node": {"added": 1}, "tumour": {"added": 3}})
    first.state = Read.State.SET_ASIDE
    first.save()
    said = told(frozen(cohort))
    (removed,) = said["cases_changed"][0]["reads"]
    assert (removed["what"], removed["labels"]) == (
        "removed",
        {"node": {"removed": 1}, "tumour": {"removed": 3}},
    )
    assert removed["reader"] != added["reader"]
    assert second.state == Read.State.ACCEPTED


def test_cases_that_came_and_went_are_listed(cohort: Cohort, two_cases: Case) -> None:
    only = {"field": "case.number", "op": "is", "value": 1}
    frozen(cohort, query=only)
    other = frozen(cohort, query={"not": only})
    said = told(other)
    assert said["cases_added"] == [2]
    assert said["cases_removed"] == [{"case": 1, "withdrawn": False}]
    assert other.changes | {"labels": {}} == {
        "since": 1,
        "cases_added": 1,
        "cases_removed": 1,
        "cases_changed": 0,
        "marks_added": 0,
        "marks_changed": 0,
        "marks_removed": 0,
        "labels": {},
    }


def test_a_case_recalled_since_counts_as_gone(cohort: Cohort, two_cases: Case) -> None:
    frozen(cohort)
    second = frozen(cohort)
    recalls.recall(by=cohort.people["lead"], case=two_cases, reason="Consent withdrawn")
    run_jobs()
    second.refresh_from_db()
    said = told(second)
    assert said["cases_removed"] == [{"case": 2, "withdrawn": True}]
    assert second.changes["cases_removed"] == 1


@pytest.mark.parametrize("state", [Release.State.CANCELLED, Release.State.FAILED])
def test_a_release_that_nobody_was_given_is_not_compared_with(cohort: Cohort, state: str) -> None:
    read_of(cohort)
    frozen(cohort)
    second = frozen(cohort)
    Release.objects.filter(pk=second.pk).update(state=state)
    assert told(frozen(cohort))["since"] == 1
