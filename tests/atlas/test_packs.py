"""A series at rest is one ZIP that any tool opens; its frames are where they were; a crash leaves all."""

import hashlib
import io
import subprocess
import zipfile
import zlib

import pydicom
import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from atlas.archive import generations, packs, sealing, tasks
from atlas.archive.storage import FileStorage, ObjectMissing, new_key, open_instance, storage
from atlas.archive.zip_layout import Entry, ZipLayout
from atlas.models import Generation, Instance, Series
from tests.atlas.slices import header, part_10, pixels, series


@pytest.fixture(autouse=True)
def empty_storage(settings, tmp_path, db):
    """Of its own for each test, and no job of another waits."""
    settings.OBJECTS_DIR = tmp_path / "objects"
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


def pack_of(one: Series) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(storage().read_range(one.pack_key, 0, storage().size(one.pack_key))))


def frames(one: Series) -> list[bytes]:
    table = generations.read_frame_table(one.manifest_key)
    return [
        b"".join(
            storage().read_range(table.objects[number], ranges[at], ranges[at + 1])
            for at in range(0, len(ranges), 2)
        )
        for number, *ranges in table.frames
    ]


def late_image(one: Series, z: float, number: int) -> bytes:
    uids = {
        "StudyInstanceUID": one.study.study_instance_uid,
        "SeriesInstanceUID": one.series_instance_uid,
    }
    return part_10(header(**uids, ImagePositionPatient=[0, 0, z]), pixels(number))


def run_deletions() -> None:
    for job in ProcrastinateJob.objects.filter(task_name="atlas.delete_superseded", status="todo"):
        tasks.delete_superseded(**job.args)


def objects() -> set[str]:
    return {listed.key for listed in storage().keys("")}


def test_a_sealed_series_is_one_pack_in_display_order(take):
    files = series([(0, 0, z) for z in (5, 0, 10)])
    one = sealing.seal(take(files)[0].series_id)
    with pack_of(one) as pack:
        assert pack.testzip() is None
        names = pack.namelist()
        by_place = [files[1], files[0], files[2]]
        assert [pack.read(name) for name in names] == by_place
        uids = [str(pydicom.dcmread(io.BytesIO(content)).SOPInstanceUID) for content in by_place]
        assert names == [f"{number:04}-{uid}.dcm" for number, uid in enumerate(uids, start=1)]
        assert {info.compress_type for info in pack.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time[0] for info in pack.infolist()} == {1980}
    assert set(Instance.objects.values_list("object_key", flat=True)) == {one.pack_key}
    for instance in Instance.objects.all():
        with open_instance(instance) as file:
            assert str(pydicom.dcmread(file).SOPInstanceUID) == instance.sop_instance_uid


def test_frames_are_the_same_bytes_loose_and_packed(take):
    files = series([(0, 0, z) for z in (5, 0, 10)])
    series_id = take(files)[0].series_id
    loose = sealing.seal(series_id, rests=False)
    before = frames(loose)
    assert (loose.state, loose.pack_key, loose.generation) == ("arriving", "", 1)
    packed = sealing.seal(series_id)
    assert (packed.state, packed.generation) == ("ready", 1)
    assert frames(packed) == before == frames(loose)
    assert generations.read_frame_table(packed.manifest_key).objects == [packed.pack_key]


@pytest.mark.judge
def test_another_zip_tool_opens_a_pack(chest, tmp_path):
    path = tmp_path / "series.zip"
    path.write_bytes(storage().read_range(chest.pack_key, 0, storage().size(chest.pack_key)))
    assert (
        "No errors detected"
        in subprocess.run(["unzip", "-t", path], capture_output=True, text=True, check=True).stdout
    )


@pytest.mark.django_db(transaction=True)
def test_loose_images_go_a_day_after_they_were_packed(take):
    series_id = take(series([(0, 0, z) for z in range(3)]))[0].series_id
    loose = set(Instance.objects.values_list("object_key", flat=True))
    one = sealing.seal(series_id)
    assert loose <= objects()
    run_deletions()
    assert not loose & objects()
    assert len(frames(one)) == 3
    one.refresh_from_db()
    made_of_it = {one.pack_key, one.metadata_key, *generations.objects_of(one.manifest_key)}
    assert objects() <= made_of_it


@pytest.mark.django_db(transaction=True)
def test_a_late_image_makes_another_pack_and_the_one_before_serves_a_day(chest, take):
    old_pack, old_frames, before = chest.pack_key, frames(chest), chest.manifest_key
    take([late_image(chest, 12.5, 9)])
    chest = sealing.seal(chest.pk)
    assert chest.pack_key != old_pack
    assert len(pack_of(chest).namelist()) == 6
    kept = Generation.objects.get(series=chest, number=1)
    assert kept.manifest_key == before
    assert [storage().read_range(old_pack, at, length) for _, at, length in _table(before)] == old_frames
    run_deletions()
    assert not Generation.objects.filter(series=chest, number=1).exists()
    assert old_pack not in objects()
    assert len(frames(chest)) == 6


def _table(manifest_key: str) -> list[list[int]]:
    return generations.read_frame_table(manifest_key).frames


def test_an_image_that_changed_in_storage_stays_out_of_the_pack(take):
    series_id = take(series([(0, 0, z) for z in range(3)]))[0].series_id
    damaged = Instance.objects.order_by("pk")[1]
    path = storage().folder / damaged.object_key
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    one = sealing.seal(series_id)
    damaged.refresh_from_db()
    assert one.state == "ready"
    assert (damaged.object_offset, damaged.object_key in objects()) == (0, True)
    assert len(pack_of(one).namelist()) == 2
    assert len(frames(one)) == 3


class Killed(BaseException):
    """As SIGKILL would: nothing of the program runs after it, so nothing is caught or tidied up."""


@pytest.mark.parametrize("step", ["before the pack", "before the manifest", "before the rows", "in the rows"])
def test_a_crash_on_the_way_leaves_every_image_readable_and_the_next_sealing_packs(take, monkeypatch, step):
    files = series([(0, 0, z) for z in range(3)])
    series_id = take(files)[0].series_id

    def killed(*args, **options):
        raise Killed

    place = {
        "before the pack": (FileStorage, "put_durable"),
        "before the manifest": (sealing, "_write"),
        "before the rows": (sealing, "_take_over"),
        "in the rows": (generations, "succeed"),
    }[step]
    with monkeypatch.context() as at_the_step:
        at_the_step.setattr(sealing, "_discard", lambda *args: None)
        at_the_step.setattr(*place, killed)
        with pytest.raises(Killed):
            sealing.seal(series_id)
    for instance in Instance.objects.all():
        with open_instance(instance) as file:
            assert str(pydicom.dcmread(file).SOPInstanceUID) == instance.sop_instance_uid
    assert set(Instance.objects.values_list("object_offset", flat=True)) == {0}
    one = sealing.seal(series_id)
    assert (one.state, len(pack_of(one).namelist())) == ("ready", 3)


def test_a_full_disk_leaves_the_series_loose_and_nothing_behind(take, monkeypatch):
    series_id = take(series([(0, 0, z) for z in range(3)]))[0].series_id
    before = objects()
    calls = []
    put = FileStorage.put_durable

    def full(self, key, *parts):
        calls.append(key)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")
        return put(self, key, *parts)

    with monkeypatch.context() as on_a_full_disk:
        on_a_full_disk.setattr(FileStorage, "put_durable", full)
        one = sealing.seal(series_id)
    assert (one.state, one.manifest_key, objects()) == ("arriving", "", before)
    assert sealing.seal(series_id).state == "ready"


@pytest.mark.django_db(transaction=True)
def test_forgotten_bytes_are_nowhere_when_it_returns(chest, take):
    take([late_image(chest, 12.5, 9)])
    chest = sealing.seal(chest.pk)
    secret = frames(chest)[2]
    before = objects()
    assert [key for key in before if secret in _content(key)]
    image = Instance.objects.get(sop_instance_uid=_uid_at(chest, 2))
    with open_instance(image) as file:
        blackened = file.read().replace(secret, bytes(len(secret)))
    _replace(image, blackened)

    generations.forget_generations(chest)

    assert not [key for key in objects() if secret in _content(key)]
    chest.refresh_from_db()
    assert (chest.state, chest.generation) == ("ready", 3)
    assert list(chest.generations.values_list("number", flat=True)) == [3]
    assert frames(chest)[2] == bytes(len(secret))
    assert len(pack_of(chest).namelist()) == 6
    assert not before & objects()


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_process_did_not_forget_its_job_does(chest, monkeypatch):
    secret = frames(chest)[0]
    image = Instance.objects.get(sop_instance_uid=_uid_at(chest, 0))
    with open_instance(image) as file:
        _replace(image, file.read().replace(secret, bytes(len(secret))))

    def killed(*args):
        raise Killed

    with monkeypatch.context() as at_the_step:
        at_the_step.setattr(generations, "finish", killed)
        with pytest.raises(Killed):
            generations.forget_generations(chest)
    chest.refresh_from_db()
    assert (chest.manifest_key, chest.pack_key) == ("", "")
    job = ProcrastinateJob.objects.get(task_name="atlas.finish_forgetting")
    tasks.finish_forgetting(**job.args)
    tasks.finish_forgetting(**job.args)
    assert not [key for key in objects() if secret in _content(key)]
    chest.refresh_from_db()
    assert (chest.state, len(frames(chest))) == ("ready", 5)


@pytest.mark.django_db(transaction=True)
def test_forgetting_a_series_that_cannot_be_described_keeps_its_other_images(chest, monkeypatch):
    secret = frames(chest)[0]
    image = Instance.objects.get(sop_instance_uid=_uid_at(chest, 0))
    with open_instance(image) as file:
        _replace(image, file.read().replace(secret, bytes(len(secret))))

    def broken(*args, **options):
        raise RuntimeError

    monkeypatch.setattr(sealing, "build", broken)
    generations.forget_generations(chest)
    assert not [key for key in objects() if secret in _content(key)]
    for instance in Instance.objects.all():
        with open_instance(instance) as file:
            assert str(pydicom.dcmread(file).SOPInstanceUID) == instance.sop_instance_uid


def _uid_at(one: Series, index: int) -> str:
    return generations.read_manifest(one.manifest_key)["frames"]["sop"][index]


def _content(key: str) -> bytes:
    return storage().read_range(key, 0, storage().size(key))


def _replace(image: Instance, content: bytes) -> None:
    image.object_key, image.object_offset = new_key(".dcm"), 0
    image.size = storage().put_durable(image.object_key, content)
    image.stored_sha256 = hashlib.sha256(content).hexdigest()
    image.save()


@pytest.mark.django_db(transaction=True)
def test_an_image_kept_back_is_in_no_manifest_and_no_pack_and_is_not_lost(chest):
    held = Instance.objects.get(sop_instance_uid=_uid_at(chest, 1))
    Instance.objects.filter(pk=held.pk).update(hold=Instance.Hold.TEXT)
    generations.forget_generations(chest)
    chest.refresh_from_db()
    assert held.sop_instance_uid not in generations.read_manifest(chest.manifest_key)["frames"]["sop"]
    assert not [name for name in pack_of(chest).namelist() if held.sop_instance_uid in name]
    run_deletions()
    held.refresh_from_db()
    with open_instance(held) as file:
        assert str(pydicom.dcmread(file).SOPInstanceUID) == held.sop_instance_uid
    Instance.objects.filter(pk=held.pk).update(hold=Instance.Hold.NONE)
    again = sealing.seal(chest.pk)
    assert len(pack_of(again).namelist()) == 5


def test_all_of_a_series_kept_back_shows_nothing(take):
    series_id = take(series([(0, 0, z) for z in range(2)]))[0].series_id
    Instance.objects.update(hold=Instance.Hold.CHECKING)
    one = sealing.seal(series_id)
    assert (one.manifest_key, one.pack_key, one.findings[0]["code"]) == ("", "", "searched")


def test_a_series_that_was_shown_and_is_kept_back_altogether_is_shown_no_more(chest):
    Instance.objects.update(hold=Instance.Hold.TEXT)
    one = sealing.seal(chest.pk)
    assert (one.state, one.manifest_key, one.pack_key, one.thumbnail_key) == ("ready", "", "", "")
    assert not one.generations.exists()
    run_deletions()
    for instance in Instance.objects.all():
        with open_instance(instance) as file:
            assert str(pydicom.dcmread(file).SOPInstanceUID) == instance.sop_instance_uid
    Instance.objects.update(hold=Instance.Hold.NONE)
    again = sealing.seal(chest.pk)
    assert (again.state, again.generation, len(pack_of(again).namelist())) == ("ready", 2, 5)


def test_sizes_and_places_beyond_four_gigabytes_are_read_by_other_programs(tmp_path):
    large = 0xFFFFFFFF + 10  # all zeros: takes no room on disk
    crc32 = 0
    block = bytes(64 * 1024 * 1024)
    for start in range(0, large, len(block)):
        crc32 = zlib.crc32(block[: large - start], crc32)
    entries = [
        Entry("0001-1.2.dcm", "0", large, crc32),
        Entry("0002-1.3.dcm", "1", 5, zlib.crc32(b"12345")),
    ]
    layout = ZipLayout(entries, at=packs.FIRST_DAY)
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        places = []
        for piece in layout.pieces(0, layout.size - 1):
            if piece.key:
                places.append(file.tell())
            if piece.key == "0":
                file.seek(large, io.SEEK_CUR)
            else:
                file.write(b"12345" if piece.key else piece.data)
    assert packs._offsets(layout) == places
    with zipfile.ZipFile(path) as archive:
        assert [info.file_size for info in archive.infolist()] == [large, 5]
        assert archive.read("0002-1.3.dcm") == b"12345"
        with archive.open("0001-1.2.dcm") as first:
            assert first.read(100) == bytes(100)


def test_more_files_than_a_plain_zip_can_count_are_read_by_other_programs():
    count = 65_540
    crc32 = zlib.crc32(b"x")
    entries = [Entry(f"{number:05}-1.2.{number}.dcm", "x", 1, crc32) for number in range(count)]
    layout = ZipLayout(entries, at=packs.FIRST_DAY)
    content = b"".join(piece.data or b"x" for piece in layout.pieces(0, layout.size - 1))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(archive.infolist()) == count
        assert archive.read("65539-1.2.65539.dcm") == b"x"


def test_a_lost_pack_is_said_not_served_empty(chest):
    storage().delete(chest.pack_key)
    instance = Instance.objects.first()
    with pytest.raises(ObjectMissing):
        open_instance(instance)
    assert packs.is_packed(list(Instance.objects.all()), chest.pack_key)
