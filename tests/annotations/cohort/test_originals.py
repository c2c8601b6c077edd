"""Original images in a release are the archive's packs: not copied, kept as long as they are given out, and
gone when one of their images is kept back or its subject erased."""

import zipfile
from datetime import timedelta
from io import BytesIO, StringIO

import pydicom
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import permissions
from annotations.cohort import releases
from annotations.cohort.choosing import Choice
from annotations.models import Recall, Release, ReleaseCase, ReleaseDownload, ReleaseFile
from atlas.archive import generations, quarantine, sealing
from atlas.archive.storage import ObjectMissing, storage
from atlas.archive.verify import verify
from atlas.models import Dataset, Instance, Series
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


def freeze(cohort: Cohort, formats: tuple[str, ...] = ("originals",)) -> Release:
    if not cohort.project.cases.filter(reads__state="accepted").exists():
        read = cohort.read()
        cohort.draw(read)
        cohort.accept(read)
    release = releases.freeze(
        by=cohort.people["lead"], project=cohort.project, choice=Choice(formats=formats)
    )
    run_jobs()
    release.refresh_from_db()
    return release


def released(cohort: Cohort, formats: tuple[str, ...] = ("originals",)) -> Release:
    release = freeze(cohort, formats)
    assert (release.problem, release.state) == ("", Release.State.READY)
    return release


def original(release: Release, cohort: Cohort) -> ReleaseFile:
    return release.files.get(path=f"cases/0001/dicom/MR_{cohort.series.public_id}.zip")


def next_pack(cohort: Cohort) -> tuple[str, str]:
    """The series gets another pack, as when an image comes late; returns the one before and the new one."""
    before = Series.objects.get(pk=cohort.series.pk).pack_key
    first = Instance.objects.filter(series=cohort.series).order_by("pk").first()
    own = storage()
    with own.open(before) as file:
        file.seek(first.object_offset)
        data = file.read(first.size)
    own.put_durable("abc/late", data)
    Instance.objects.filter(pk=first.pk).update(object_key="abc/late", object_offset=0)
    sealing.seal(cohort.series.pk)
    after = Series.objects.get(pk=cohort.series.pk).pack_key
    assert after not in ("", before)
    return before, after


def a_day_passes(superseded: str) -> None:
    """The job that waited for this object runs."""
    job = ProcrastinateJob.objects.get(args__keys__contains=[superseded], status="todo")
    generations.delete_superseded(**job.args)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [job.pk])


def test_an_original_is_the_pack_itself(cohort: Cohort) -> None:
    series = Series.objects.get(pk=cohort.series.pk)
    objects = {one.key for one in storage().keys("")}
    release = released(cohort)
    file = original(release, cohort)
    assert (file.object_key, file.is_pinned, file.format) == (series.pack_key, True, "originals")
    new = {one.key for one in storage().keys("")} - objects
    assert series.pack_key in objects
    assert file.object_key not in new
    with zipfile.ZipFile(BytesIO(content(release, file.path))) as pack:
        assert pack.testzip() is None
        uids = [pydicom.dcmread(BytesIO(pack.read(name))).SOPInstanceUID for name in pack.namelist()]
    assert uids == [frame.key.sop_instance_uid for frame in cohort.converted.source.frames]


def test_a_pinned_pack_outlives_the_one_that_follows_it(cohort: Cohort) -> None:
    release = released(cohort)
    before, after = next_pack(cohort)
    a_day_passes(before)
    assert original(release, cohort).object_key == before
    assert content(release, original(release, cohort).path)[:2] == b"PK"
    with pytest.raises(ObjectMissing):
        storage().size("abc/late")
    second = released(cohort)
    assert original(second, cohort).object_key == after


def test_without_a_pin_a_superseded_pack_goes(cohort: Cohort) -> None:
    before, _ = next_pack(cohort)
    generations.delete_superseded([before], cohort.series.pk)
    with pytest.raises(ObjectMissing):
        storage().size(before)


def test_verifying_counts_a_pinned_pack_once_and_calls_it_no_orphan(cohort: Cohort, monkeypatch) -> None:
    monkeypatch.setattr("atlas.archive.listing.ORPHANED_AFTER", timedelta(0))
    release = released(cohort)
    of_release = release.files.filter(is_pinned=False).count() + 1  # and the record of the case
    told: list = []
    report = verify(tell=told.append)
    assert (told, report.orphans, report.others) == ([], [], of_release)
    before, _ = next_pack(cohort)
    generations.delete_superseded([before, "abc/late"], cohort.series.pk)
    connection.cursor().execute("DELETE FROM procrastinate_jobs")
    report = verify(repair=True, tell=told.append)  # what only jobs named is an orphan now
    assert (told, report.others) == ([], of_release + 1)
    assert before not in report.orphans
    assert storage().size(before) == original(release, cohort).size


def test_a_pack_that_changed_in_storage_is_found(cohort: Cohort) -> None:
    released(cohort)
    before, _ = next_pack(cohort)
    with storage().open(before) as file:
        data = bytearray(file.read())
    data[-100] ^= 1
    storage().delete(before)
    storage().put_durable(before, bytes(data))
    told: list = []
    verify(tell=told.append)
    assert [one.kind for one in told] == ["changed"]
    assert before in told[0].where


def taken_out(release: Release) -> list[str]:
    with transaction.atomic():
        return releases.withdraw_case(release, 1, because="A test")


def test_a_recalled_case_lets_go_of_packs_that_nobody_else_names(cohort: Cohort) -> None:
    first = released(cohort)
    before, after = next_pack(cohort)
    second = released(cohort)
    a_day_passes(before)
    gone = taken_out(first)
    assert before in gone
    assert after not in gone
    assert after not in taken_out(second)
    assert original(first, cohort).object_key == ""


def test_a_pack_that_browsers_may_still_read_is_left_to_its_job(cohort: Cohort) -> None:
    release = released(cohort)
    before, _ = next_pack(cohort)
    assert before not in taken_out(release)
    generations.delete_superseded([before, "abc/late"], cohort.series.pk)
    with pytest.raises(ObjectMissing):
        storage().size(before)


def test_a_cancelled_release_lets_go_of_packs_of_the_past(cohort: Cohort) -> None:
    release = released(cohort)
    before, after = next_pack(cohort)
    a_day_passes(before)
    Release.objects.filter(pk=release.pk).update(state=Release.State.CANCELLED)
    releases.clear(release.pk)
    with pytest.raises(ObjectMissing):
        storage().size(before)
    assert storage().size(after)


def test_two_releases_of_one_past_pack_hold_it_together(cohort: Cohort) -> None:
    first, second = released(cohort), released(cohort)
    before, _ = next_pack(cohort)
    a_day_passes(before)
    assert before not in taken_out(first)
    assert before in taken_out(second)


def test_a_series_that_rests_is_sealed_first(cohort: Cohort) -> None:
    generations.forget_generations(cohort.series)
    loosened(cohort)
    Series.objects.filter(pk=cohort.series.pk).update(changed_at=timezone.now() - timedelta(minutes=5))
    release = released(cohort)
    series = Series.objects.get(pk=cohort.series.pk)
    assert series.state == Series.State.READY
    assert original(release, cohort).object_key == series.pack_key != ""


def loosened(cohort: Cohort) -> None:
    """The series as it is while its images arrive: described, each image an object of its own."""
    series = Series.objects.get(pk=cohort.series.pk)
    with storage().open(series.pack_key) as pack:
        for image in Instance.objects.filter(series=series):
            pack.seek(image.object_offset)
            storage().put_durable(f"abc/{image.pk}", pack.read(image.size))
            Instance.objects.filter(pk=image.pk).update(object_key=f"abc/{image.pk}", object_offset=0)
    Series.objects.filter(pk=series.pk).update(
        state=Series.State.ARRIVING, pack_key="", changed_at=timezone.now()
    )
    sealing.seal(series.pk, rests=False)


def test_a_series_that_still_arrives_stops_the_case_with_what_to_do(cohort: Cohort) -> None:
    loosened(cohort)
    release = freeze(cohort)
    assert release.state == Release.State.FAILED
    assert release.problem.startswith("Case 1: series ")
    assert "still arriving" in release.problem
    assert "write the release again in a minute" in release.problem


def test_lost_images_stop_the_case_with_what_to_do(cohort: Cohort) -> None:
    loosened(cohort)
    Series.objects.filter(pk=cohort.series.pk).update(changed_at=timezone.now() - timedelta(minutes=5))
    storage().delete(f"abc/{Instance.objects.filter(series=cohort.series).first().pk}")
    release = freeze(cohort)
    assert release.state == Release.State.FAILED
    assert "lost or damaged in storage" in release.problem
    assert "verify_archive" in release.problem


@pytest.mark.parametrize("formats", [("originals",), ("nifti", "json")])
def test_an_image_that_is_kept_back_leaves_the_release_at_once(
    cohort: Cohort, formats: tuple[str, ...]
) -> None:
    release = released(cohort, formats)
    release_case = ReleaseCase.objects.get(release=release)
    scientist = cohort.people["scientist"]
    ReleaseDownload.objects.create(
        release=release, release_case=release_case, user=scientist, day=timezone.now().date()
    )
    held = {file.path: file.object_key for file in release.files.filter(release_case=release_case)}
    keeper = cohort.people["lead"]
    permissions.grant(user=keeper, role="data_manager", scope=Dataset.objects.get())
    image = Instance.objects.filter(series=cohort.series).first()
    quarantine.hold(by=keeper, instance=image)

    release.refresh_from_db()
    assert (release.state, release.withdrawn_cases) == (Release.State.READY, [1])
    for path, key in held.items():
        file = release.files.get(path=path)
        assert (file.object_key, file.is_pinned) == ("", False)
        assert file.withdrawn_at is not None
        with pytest.raises(ObjectMissing):
            storage().size(key)
    recall = Recall.objects.get(project=cohort.project, case_number=1)
    assert "kept back" in recall.reason
    assert recall.notices.filter(user=scientist).exists()
    series = Series.objects.get(pk=cohort.series.pk)
    assert series.pack_key not in held.values()
    assert Instance.objects.filter(series=series, object_key=series.pack_key).count() == 20


def test_a_release_without_pixels_keeps_its_case(cohort: Cohort) -> None:
    release = released(cohort, ("seg", "json"))
    keeper = cohort.people["lead"]
    permissions.grant(user=keeper, role="data_manager", scope=Dataset.objects.get())
    quarantine.hold(by=keeper, instance=Instance.objects.filter(series=cohort.series).first())
    release.refresh_from_db()
    assert release.withdrawn_cases == []
    assert not Recall.objects.exists()


def test_packs_of_an_erased_subject_go_also_those_of_the_past(cohort: Cohort) -> None:
    release = released(cohort)
    before, after = next_pack(cohort)
    a_day_passes(before)
    out = StringIO()
    call_command("erase_subject", "nordhain", "N-0001", "--yes", stdout=out)
    assert "Found nowhere." in out.getvalue()
    for key in (before, after):
        with pytest.raises(ObjectMissing):
            storage().size(key)
    file = original(release, cohort)
    assert (file.object_key, file.withdrawn_at is None) == ("", False)
