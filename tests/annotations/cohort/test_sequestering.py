"""A test part that scientists are scored on: what they are given of it, and what nothing tells them."""

import gzip
import json
from io import BytesIO

import pyarrow.parquet as parquet
import pytest
from django.http import Http404

from annotations.cohort import policies, releases, splits
from annotations.models import Case, LabelFact, Release, ReleaseCase, Submission
from annotations.reading import policies as reading
from atlas.models import Series, Study
from atlas.policies import visible_series, visible_studies
from tests.annotations.cohort.conftest import Cohort
from tests.annotations.cohort.test_release import content, run_jobs

Sequestered = Release.Sequestered
FORMATS = ("nifti", "json", "tables", "nnunet", "coco")


def frozen(cohort: Cohort, sequestered: Sequestered, formats: tuple[str, ...] = FORMATS) -> Release:
    """Of two cases, one trains and one tests."""
    choice = releases.Choice(
        formats=formats,
        split=splits.Design(train=50, validation=0, test=50, seed="a"),
        sequestered=sequestered,
    )
    Submission.objects.filter(facts_at=None).update(facts_at="2026-01-01T00:00Z")
    for submission in Submission.objects.all():
        LabelFact.objects.get_or_create(submission=submission, label="tumour", state="present")
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project, choice=choice)
    run_jobs()
    release.refresh_from_db()
    assert (release.problem, release.state) == ("", Release.State.READY)
    return release


def parts(release: Release) -> tuple[ReleaseCase, ReleaseCase]:
    """The one that trains, and the one that tests."""
    return release.release_cases.get(part="train"), release.release_cases.get(part="test")


def known_to_all(release: Release) -> dict[str, bytes]:
    """Every file that spans the cases, unpacked."""
    found = {}
    for path in release.files.filter(release_case=None).values_list("path", flat=True):
        raw = content(release, path)
        if path.endswith(".gz"):
            raw = gzip.decompress(raw)
        if path.endswith(".parquet"):
            raw = json.dumps(parquet.read_table(BytesIO(raw)).to_pylist(), default=str).encode()
        found[path] = raw
    return found


@pytest.mark.parametrize("sequestered", [Sequestered.MARKS, Sequestered.ALL])
def test_a_scientist_is_given_the_training_part_whole_and_of_the_test_what_is_open(
    cohort: Cohort, two_cases: Case, sequestered: Sequestered
) -> None:
    release = frozen(cohort, sequestered)
    trains, tests = parts(release)
    everything = set(release.files.values_list("path", flat=True))
    assert (
        set(policies.files_for(cohort.people["lead"], release).values_list("path", flat=True)) == everything
    )

    given = policies.files_for(cohort.people["scientist"], release)
    of_training = given.filter(release_case=trains).count()
    assert of_training == release.files.filter(release_case=trains).count() > 5
    of_test = set(given.filter(release_case=tests).values_list("path", flat=True))
    if sequestered == Sequestered.ALL:
        assert of_test == set()
    else:
        assert {path for path in of_test if path.startswith("cases/")} == {
            path for path in everything if path.startswith(f"cases/{tests.number:04d}/images/")
        }
        assert not [path for path in of_test if "mask" in path or "labels" in path or "annotations" in path]


@pytest.mark.parametrize("sequestered", [Sequestered.MARKS, Sequestered.ALL])
def test_no_file_that_spans_the_cases_tells_of_a_sequestered_mark(
    cohort: Cohort, two_cases: Case, sequestered: Sequestered
) -> None:
    """Whose marks stand there is told by the paths of masks, the folder of the case and its series."""
    release = frozen(cohort, sequestered)
    trains, tests = parts(release)
    of_test = Series.objects.get(study__cases=tests.case, modality="MR").public_id
    withheld = release.files.filter(release_case=tests, is_sequestered=True)
    assert withheld.filter(path__contains="/masks/").count() == 3
    for path, raw in known_to_all(release).items():
        text = raw.decode(errors="ignore")
        for told in withheld.values_list("path", flat=True):
            assert told not in text, path
        if sequestered == Sequestered.ALL:
            assert of_test not in text, path
            assert f"cases/{tests.number:04d}" not in text, path
    tables = known_to_all(release)
    for name in ("annotations", "measurements"):
        rows = tables[f"tables/{name}.csv"].decode().splitlines()
        assert len(rows) > 1
        assert not [row for row in rows if tests.case.subject.pseudonym in row]
        assert any(trains.case.subject.pseudonym in row for row in rows)


def test_where_cases_are_is_told_but_not_which_labels_the_test_shows(cohort: Cohort, two_cases: Case) -> None:
    release = frozen(cohort, Sequestered.MARKS, ("json",))
    trains, tests = parts(release)
    told = json.loads(content(release, "splits.json"))
    assert {row["case"]: row["part"] for row in told["cases"]} == {
        trains.number: "train",
        tests.number: "test",
    }
    strata = {row["case"]: row["stratum"] for row in told["cases"]}
    assert strata == {trains.number: "nordhain · tumour", tests.number: None}
    assert [row["part"] for row in told["strata"]] == ["train"]
    assert told["parts"] == [
        {"part": "test", "fold": None, "subjects": 1, "cases": 1},
        {"part": "train", "fold": None, "subjects": 1, "cases": 1},
    ]


def test_what_changed_in_a_sequestered_case_is_not_told(cohort: Cohort, two_cases: Case) -> None:
    frozen(cohort, Sequestered.NOTHING, ("json",))
    before = set(Submission.objects.values_list("pk", flat=True))
    for submission in list(Submission.objects.all()):
        read = submission.read
        cohort.mark(read, submission.read.edits.first().annotation_id, None)
        Submission.objects.create(
            read=read, round=2, edit_number=read.edits.count(), by=read.reader, facts_at=submission.at
        )
    assert Submission.objects.exclude(pk__in=before).count() == 2
    release = frozen(cohort, Sequestered.MARKS, ("json",))
    trains, _ = parts(release)
    told = json.loads(content(release, "changes.json"))
    assert [row["case"] for row in told["cases_changed"]] == [trains.number]
    assert told["counts"]["marks_removed"] == 1
    release.refresh_from_db()
    assert release.changes["cases_changed"] == 1


# Images -------------------------------------------------------------------------------------------------


def seen(person) -> set[str]:
    return set(visible_studies(person).values_list("subject__pseudonym", flat=True))


def test_images_of_a_part_sequestered_whole_open_to_nobody_who_only_downloads(
    cohort: Cohort, two_cases: Case
) -> None:
    release = frozen(cohort, Sequestered.ALL, ("json",))
    trains, tests = parts(release)
    scientist = cohort.people["scientist"]
    assert seen(scientist) == {trains.case.subject.pseudonym}
    assert reading.case_or_404(scientist, "respond", trains.number) == trains.case
    with pytest.raises(Http404):
        reading.case_or_404(scientist, "respond", tests.number)
    assert seen(cohort.people["lead"]) == {"N-0001", "N-0002"}
    assert seen(cohort.people["reader"]) == {"N-0001", "N-0002"}


def test_an_earlier_release_does_not_open_what_a_later_one_sequesters(
    cohort: Cohort, two_cases: Case
) -> None:
    frozen(cohort, Sequestered.NOTHING, ("json",))
    assert seen(cohort.people["scientist"]) == {"N-0001", "N-0002"}
    release = frozen(cohort, Sequestered.ALL, ("json",))
    assert seen(cohort.people["scientist"]) == {parts(release)[0].case.subject.pseudonym}
    release.state = Release.State.CANCELLED
    release.save()
    assert seen(cohort.people["scientist"]) == {"N-0001", "N-0002"}


@pytest.mark.parametrize("sequestered", [Sequestered.NOTHING, Sequestered.MARKS])
def test_segmentations_that_came_with_the_images_are_kept_where_marks_are_sequestered(
    cohort: Cohort, two_cases: Case, sequestered: Sequestered
) -> None:
    release = frozen(cohort, sequestered, ("json",))
    _, tests = parts(release)
    study = Study.objects.get(cases=tests.case)
    image = Series.objects.get(study=study, modality="MR")
    Series.objects.filter(study__subject__pseudonym="N-0001", modality="SEG").update(study=study)
    derived = Series.objects.get(modality="SEG")
    scientist, lead = cohort.people["scientist"], cohort.people["lead"]
    assert image in visible_series(scientist)
    assert (derived in visible_series(scientist)) == (sequestered == Sequestered.NOTHING)
    assert {image, derived} <= set(visible_series(lead))
    assert {image, derived} <= set(visible_series(cohort.people["reader"]))
