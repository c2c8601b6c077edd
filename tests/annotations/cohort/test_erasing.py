"""A subject that is erased leaves projects and releases; the other subjects' cases stay as they were."""

import json
from io import StringIO

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from annotations.cohort import recalls, releases
from annotations.models import Case, Edit, MaskPlane, Read, Recall, Release, ReleaseCase, ReleaseDownload
from atlas.archive.storage import storage
from atlas.models import Subject
from tests.annotations.cohort.conftest import Cohort
from tests.annotations.cohort.test_release import content, run_jobs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cohort(committed_cohort: Cohort) -> Cohort:
    return committed_cohort


@pytest.fixture(autouse=True)
def no_jobs(db):
    """Of tests before."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


def erase(pseudonym: str) -> str:
    out = StringIO()
    call_command("erase_subject", "nordhain", pseudonym, "--yes", stdout=out)
    return out.getvalue()


def test_its_case_leaves_project_and_release_and_the_manifest_says_so(cohort, two_cases):
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    run_jobs()
    release.refresh_from_db()
    assert (release.state, release.cases_total) == (Release.State.READY, 2)
    digest = release.manifest_sha256
    kept = {
        path: sha256
        for path, sha256 in release.files.values_list("path", "sha256")
        if path.startswith("cases/0002/")
    }
    gone = list(release.files.filter(path__startswith="cases/0001/").values_list("object_key", flat=True))
    before = content(release, "tables/measurements.csv")
    said = erase("N-0001")

    assert "Found nowhere." in said
    assert "Release 1 of project respond held case 1" in said
    release.refresh_from_db()
    assert (release.state, release.cases_total, release.withdrawn_cases) == (Release.State.READY, 1, [1])
    assert release.manifest_sha256 != digest
    manifest = json.loads(content(release, "manifest.json"))
    assert (manifest["cases"], manifest["withdrawn_cases"]) == (1, [1])
    assert not [file for file in manifest["files"] if file["path"].startswith("cases/0001/")]
    assert kept == {
        path: sha256
        for path, sha256 in release.files.values_list("path", "sha256")
        if path.startswith("cases/0002/")
    }
    measured = content(release, "tables/measurements.csv")
    assert measured.splitlines()[0] == before.splitlines()[0]
    assert len(measured.splitlines()) == (len(before.splitlines()) + 1) // 2
    assert not {one.key for one in storage().keys("")} & set(gone)
    assert list(Case.objects.values_list("number", flat=True)) == [2]
    assert set(Read.objects.values_list("case__number", flat=True)) == {2}
    assert set(Edit.objects.values_list("read__case__number", flat=True)) == {2}
    assert not MaskPlane.objects.filter(read__case__number=1).exists()
    withdrawn = ReleaseCase.objects.get(number=1)
    assert (withdrawn.case, withdrawn.withdrawn_because) == (None, "Its subject was erased.")
    listed = release.files.filter(path__startswith="cases/0001/")
    assert {(file.object_key, file.withdrawn_at is None) for file in listed} == {("", False)}
    assert list(Subject.objects.values_list("pseudonym", flat=True)) == ["N-0002"]


def test_a_release_of_that_subject_alone_is_left_empty_and_says_so(cohort):
    read = cohort.read()
    cohort.draw(read)
    cohort.accept(read)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    run_jobs()
    erase("N-0001")
    release.refresh_from_db()
    assert (release.state, release.cases_total) == (Release.State.READY, 0)
    assert json.loads(content(release, "manifest.json"))["withdrawn_cases"] == [1]
    assert not release.files.filter(path__startswith="cases/", withdrawn_at=None).exists()


def test_who_downloaded_an_erased_case_is_told_and_the_next_release_numbers_on(cohort, two_cases):
    release = releases.freeze(
        by=cohort.people["lead"], project=cohort.project, choice=releases.Choice(formats=("json",))
    )
    run_jobs()
    scientist = cohort.people["scientist"]
    ReleaseDownload.objects.create(
        release=release,
        release_case=release.release_cases.get(number=2),
        user=scientist,
        day=timezone.now().date(),
    )
    said = erase("N-0002")
    assert "1 who downloaded case 2 of project respond is told to delete it." in said
    recall = Recall.objects.get()
    assert (recall.case, recall.case_number, recall.by) == (None, 2, None)
    recalls.tell(recall.pk)
    assert [letter.to for letter in mail.outbox] == [[scientist.email]]
    assert "Its subject was erased." in mail.outbox[0].body
    assert "N-0002" not in mail.outbox[0].subject + mail.outbox[0].body
    again = releases.freeze(
        by=cohort.people["lead"], project=cohort.project, choice=releases.Choice(formats=("json",))
    )
    run_jobs()
    assert (again.number, list(again.release_cases.values_list("number", flat=True))) == (2, [1])


def test_a_subject_that_no_release_held_is_erased_without_a_recall(cohort):
    erase("N-0001")
    assert not Recall.objects.exists()
