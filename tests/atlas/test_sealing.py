"""A series at rest: manifest, frame table, thumbnail, generations; announced once it is sealed."""

import io
from datetime import timedelta

import numpy as np
import pydicom
import pytest
from django.utils import timezone
from PIL import Image

from atlas import sealed
from atlas.archive import generations, sealing, tasks
from atlas.archive.storage import ObjectMissing, storage
from atlas.models import Instance, Series
from tests.atlas.slices import header, part_10, pixels, series

IDENTIFYING = ("PatientBirthDate", "OtherPatientIDs", "PatientAddress")


@pytest.fixture
def announced(monkeypatch):
    heard: list[int] = []
    monkeypatch.setitem(sealed._listeners, "test", lambda one: heard.append(one.pk))
    return heard


def frame_bytes(one: Series, index: int) -> bytes:
    table = generations.read_frame_table(one.manifest_key)
    number, *ranges = table.frames[index]
    pieces = [
        storage().read_range(table.objects[number], ranges[at], ranges[at + 1])
        for at in range(0, len(ranges), 2)
    ]
    return b"".join(pieces)


def test_a_sealed_series_has_manifest_frames_thumbnail_and_is_announced(take, announced):
    outcomes = take(series([(0, 0, z) for z in (5, 0, 10)]))
    one = sealing.seal(outcomes[0].series_id)
    assert (one.state, one.generation, one.frame_count) == ("ready", 1, 3)
    manifest = generations.read_manifest(one.manifest_key)
    assert manifest["generation"] == 1
    assert manifest["series"]["id"] == one.public_id
    assert manifest["series"]["study"] == one.study.public_id
    # Instances were made in the order 5, 0, 10 with pixels 0, 1, 2.
    for index, number in enumerate([1, 0, 2]):
        assert frame_bytes(one, index) == pixels(number).tobytes()
        assert manifest["frames"]["length"][index] == len(pixels(number).tobytes())
    picture = Image.open(
        io.BytesIO(storage().read_range(one.thumbnail_key, 0, storage().size(one.thumbnail_key)))
    )
    assert picture.format == "WEBP"
    assert picture.size == (171, 256)  # 6 rows of 0.8 mm by 8 columns of 0.4 mm
    assert announced == [one.pk]


def test_sealing_again_without_news_keeps_the_generation(chest):
    key = chest.manifest_key
    again = sealing.seal(chest.pk)
    assert (again.generation, again.manifest_key) == (1, key)


def test_a_late_image_makes_the_next_generation(chest, take):
    study = chest.study
    late = header(
        StudyInstanceUID=study.study_instance_uid,
        SeriesInstanceUID=chest.series_instance_uid,
        ImagePositionPatient=[0, 0, 12.5],
    )
    take([part_10(late, pixels(9))])
    chest.refresh_from_db()
    assert (chest.state, chest.generation) == ("arriving", 1)
    after = sealing.seal(chest.pk)
    assert (after.state, after.generation, after.frame_count) == ("ready", 2, 6)
    assert frame_bytes(after, 5) == pixels(9).tobytes()


@pytest.mark.django_db(transaction=True)
def test_objects_of_the_generation_before_are_deleted_a_day_later(chest, take):
    from procrastinate.contrib.django.models import ProcrastinateJob

    old_key = chest.manifest_key
    late = header(
        StudyInstanceUID=chest.study.study_instance_uid, SeriesInstanceUID=chest.series_instance_uid
    )
    take([part_10(late, pixels(9))])
    sealing.seal(chest.pk)
    assert generations.read_manifest(old_key)["generation"] == 1  # whoever is reading it may finish
    job = ProcrastinateJob.objects.get(task_name="atlas.delete_superseded", args__keys__contains=[old_key])
    assert job.scheduled_at - timezone.now() > timedelta(hours=23)
    tasks.delete_superseded(**job.args)
    tasks.delete_superseded(**job.args)
    with pytest.raises(ObjectMissing):
        generations.read_manifest(old_key)


def test_a_series_that_cannot_be_described_is_broken_and_not_announced(take, announced, monkeypatch):
    outcomes = take(series([(0, 0, 0)]))

    def broken(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(sealing, "build", broken)
    one = sealing.seal(outcomes[0].series_id)
    assert (one.state, one.findings[0]["code"], announced) == ("broken", "broken", [])


def test_a_listener_that_fails_does_not_stop_an_import(dataset, monkeypatch):
    from atlas.archive import intake, uploads

    def broken(one):
        raise RuntimeError

    monkeypatch.setitem(sealed._listeners, "broken", broken)
    files = series([(0, 0, 0)]) + series([(0, 0, 0)])
    upload = uploads.import_paths(dataset, [intake.from_bytes(f"{at}", one) for at, one in enumerate(files)])
    assert upload.state == "done"
    assert set(Series.objects.values_list("state", flat=True)) == {"ready"}


@pytest.mark.django_db(transaction=True)
def test_a_listener_that_fails_is_told_again_and_others_at_once(take, announced, monkeypatch):
    from procrastinate.contrib.django.models import ProcrastinateJob

    told: list[int] = []

    def fails_once(one):
        told.append(one.pk)
        if len(told) == 1:
            raise RuntimeError

    listeners = {"fails once": fails_once, "test": sealed._listeners["test"]}
    monkeypatch.setattr(sealed, "_listeners", listeners)
    one = sealing.seal(take(series([(0, 0, 0)]))[0].series_id)
    assert (one.state, announced, told) == ("ready", [one.pk], [one.pk])
    job = ProcrastinateJob.objects.get(task_name="atlas.tell_of_sealed_series")
    assert job.args == {"series_id": one.pk, "listener": "fails once"}
    sealed.tell_again(**job.args)
    assert (announced, told) == ([one.pk], [one.pk, one.pk])


def test_telling_again_is_given_up_after_five_attempts():
    from procrastinate.jobs import Job

    job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name=sealed.tell_again.name)
    waits = [
        sealed.tell_again.get_retry_exception(RuntimeError(), job.evolve(attempts=attempts))
        for attempts in range(6)
    ]
    assert [wait is not None for wait in waits] == [True] * 5 + [False]


def test_a_derived_object_is_sealed_without_frames_and_announced(take, test_data, announced):
    outcome = take([(test_data / "ct_chest_lidc_0314/seg_readers.dcm").read_bytes()])[0]
    one = sealing.seal(outcome.series_id)
    assert (one.state, one.frame_count, one.thumbnail_key, one.modality) == ("ready", 0, "", "SEG")
    assert announced == [one.pk]


def test_an_image_that_arrives_while_sealing_is_not_missed(take, monkeypatch):
    files = series([(0, 0, z) for z in range(4)])
    outcomes = take(files[:3])
    original, calls = sealing._write, []

    def write_while_one_arrives(*args, **options):
        if not calls:
            calls.append(1)
            take(files[3:])
        return original(*args, **options)

    monkeypatch.setattr(sealing, "_write", write_while_one_arrives)
    one = sealing.seal(outcomes[0].series_id)
    assert (one.state, one.frame_count, one.generation) == ("ready", 4, 1)


def test_what_browsers_cannot_decode_is_delivered_native(take):
    """Deflated, big endian, uncompressed 4:2:2, a lying sign: compared with pydicom's own decoding."""
    names = (
        "image_dfl.dcm",
        "MR_small_bigendian.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
        "J2K_pixelrep_mismatch.dcm",
    )
    for name in names:
        dataset = pydicom.dcmread(pydicom.data.get_testdata_file(name))
        expected = dataset.pixel_array
        dataset.remove_private_tags()
        for element in [one for one in dataset if one.VR == "PN" or one.keyword in IDENTIFYING]:
            del dataset[element.tag]
        dataset.PatientID = f"P-{name}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = (pydicom.uid.generate_uid() for _ in range(2))
        buffer = io.BytesIO()
        dataset.save_as(buffer)
        one = sealing.seal(take([buffer.getvalue()])[0].series_id)
        manifest = generations.read_manifest(one.manifest_key)
        assert manifest["syntaxes"] == ["1.2.840.10008.1.2.1"], name
        pixel = manifest["pixel"]
        kind = f"<{'i' if pixel['signed'] else 'u'}{pixel['bits_allocated'] // 8}"
        array = np.frombuffer(frame_bytes(one, 0), kind).reshape(expected.shape)
        np.testing.assert_array_equal(array, expected)
        assert pixel["photometric"] == ("RGB" if expected.ndim == 3 else "MONOCHROME2")
        assert one.thumbnail_key


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_series_whose_file_is_lost_says_so_instead_of_vanishing(take, lost):
    outcomes = take(series([(0, 0, z) for z in range(3)]))
    storage().delete(Instance.objects.order_by("instance_number", "sop_instance_uid")[lost].object_key)
    one = sealing.seal(outcomes[0].series_id)
    assert (one.state, one.frame_count) == ("ready", 2)
    assert one.findings[0]["code"] == "not_shown"


@pytest.mark.django_db(transaction=True)
def test_a_series_that_rested_a_minute_is_enqueued_once(take):
    from procrastinate.contrib.django.models import ProcrastinateJob

    outcomes = take(series([(0, 0, 0)]))
    tasks.seal_resting_series(0)
    jobs = ProcrastinateJob.objects.filter(
        task_name="atlas.seal_series", args={"series_id": outcomes[0].series_id}
    )
    assert not jobs.exists()
    Series.objects.update(changed_at=timezone.now() - tasks.RESTS_AFTER * 2)
    tasks.seal_resting_series(0)
    tasks.seal_resting_series(0)
    assert jobs.count() == 1
    tasks.seal_series(**jobs[0].args)
    assert Series.objects.get().state == "ready"


def test_an_suv_factor_is_computed_only_from_a_complete_header(test_data):
    """A real FDG scan. The factor by hand: weight in g / dose decayed from injection to scan."""
    from atlas.dicom.headers import read_header
    from atlas.dicom.suv import suv_of

    path = next(iter(sorted((test_data / "petct_mr_sts_001/PET").glob("*.dcm"))))
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    drug = dataset.RadiopharmaceuticalInformationSequence[0]

    def seconds(clock: str) -> float:
        return int(clock[:2]) * 3600 + int(clock[2:4]) * 60 + float(clock[4:])

    delay = seconds(dataset.SeriesTime) - seconds(drug.RadiopharmaceuticalStartTime)
    decayed = float(drug.RadionuclideTotalDose) * 0.5 ** (delay / float(drug.RadionuclideHalfLife))
    with path.open("rb") as file:
        found = read_header(file).dataset
    assert suv_of(found).factor == pytest.approx(float(dataset.PatientWeight) * 1000 / decayed)
    found.PatientWeight = None
    assert suv_of(found).factor is None
