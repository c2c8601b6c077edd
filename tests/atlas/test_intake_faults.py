"""A process killed at every step of intake: what it acknowledged is there, the rest can be sent again, and
nothing is left behind; a full disk; hostile files."""

import errno
import hashlib
import io
import os
import random
import time
import zlib
from pathlib import Path

import pydicom
import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from atlas.archive import intake, places, receiving, sources
from atlas.archive.received import KNOWN, NOT_DICOM, REFUSED, STORED, Outcome
from atlas.archive.storage import FileStorage, open_instance
from atlas.models import Dataset, Instance, Series
from tests import dying
from tests.atlas.dying_intake import BATCH, STEPS, take_in
from tests.atlas.slices import header, part_10, pixels, series


@pytest.fixture
def own_storage(settings, tmp_path) -> Path:
    settings.OBJECTS_DIR = tmp_path / "objects"
    return settings.OBJECTS_DIR


@pytest.fixture
def door(organisation) -> Dataset:
    return Dataset.objects.create(
        organisation=organisation, name="Door", slug="door", deidentification="at_the_door"
    )


def everything_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS)
def test_a_process_killed_while_it_takes_images_in_loses_nothing_it_acknowledged(
    dataset, own_storage, tmp_path, step
):
    folder = tmp_path / "sent"
    folder.mkdir()
    for at, content in enumerate(series([(0, 0, z) for z in range(4 * BATCH)])):
        (folder / f"{at:03}.dcm").write_bytes(content)
    log = tmp_path / "log"
    dying.killed(take_in, connection.settings_dict["NAME"], own_storage, folder, dataset.slug, step, log)
    told = log.read_text() if log.exists() else ""
    acknowledged = [line.split()[0] for line in told.splitlines() if line.endswith(STORED)]
    assert len(acknowledged) < 4 * BATCH

    digests = {hashlib.sha256((folder.parent / name).read_bytes()).hexdigest() for name in acknowledged}
    rows = {row.original_sha256: row for row in Instance.objects.all()}
    assert digests <= set(rows)
    for row in rows.values():
        with open_instance(row) as file:
            assert hashlib.sha256(file.read()).hexdigest() == row.stored_sha256

    again = list(intake.take_in(sources.in_paths([folder]), dataset=dataset))
    assert sorted({one.status for one in again}) in ([STORED], [KNOWN, STORED])
    assert sum(one.status == KNOWN for one in again) == len(rows)
    assert Instance.objects.count() == Series.objects.get().instance_count == 4 * BATCH

    long_ago = time.time() - 7200
    for path in everything_in(own_storage):
        os.utime(path, (long_ago, long_ago))
    call_command("verify_archive", "--repair", stdout=io.StringIO())
    assert len(everything_in(own_storage)) == 4 * BATCH
    assert Instance.objects.count() == 4 * BATCH


@pytest.mark.parametrize(
    ("trouble", "raised"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), intake.OutOfSpace),
        (ValueError("s3"), intake.StorageRefuses),
    ],
)
def test_when_storage_fails_in_the_middle_of_a_batch_nothing_of_it_stays(
    take, own_storage, monkeypatch, trouble, raised
):
    put, calls = FileStorage.put_durable, []

    def fails_at_last(self, key, *parts):
        calls.append(key)
        if len(calls) > 5:
            raise trouble
        return put(self, key, *parts)

    monkeypatch.setattr(FileStorage, "put_durable", fails_at_last)
    with pytest.raises(raised, match=r"storage .* not stored\."):
        take(series([(0, 0, z) for z in range(12)]))
    assert everything_in(own_storage) == []
    assert Series.objects.count() == Instance.objects.count() == 0


def test_no_room_for_a_file_on_its_way_in_is_said_so(take, monkeypatch):
    class Full(io.BytesIO):
        def write(self, content):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(receiving, "spool", Full)
    with pytest.raises(intake.OutOfSpace, match="no room left"):
        take([part_10(header(), pixels(1, rows=1000, columns=1000))])


def test_a_file_that_inflates_to_gigabytes_is_refused(take, monkeypatch, door):
    from atlas.dicom import headers

    monkeypatch.setattr(headers, "INFLATED_BYTES_MAX", 8 * 1024 * 1024)
    image = header()
    start = part_10(image, pixels(1), syntax=pydicom.uid.DeflatedExplicitVRLittleEndian)
    meta_ends = 132 + 12 + int.from_bytes(start[140:144], "little")
    machine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    private = b"\x09\x00\x10\x00OB\x00\x00" + (64 * 1024 * 1024).to_bytes(4, "little")
    bomb = machine.compress(private) + machine.compress(bytes(64 * 1024 * 1024)) + machine.flush()
    assert len(bomb) < 100_000
    for into in (None, door):
        outcomes = take([start[:meta_ends] + bomb], **({"into": into} if into else {}))
        assert outcomes[0].status == REFUSED
    assert Instance.objects.count() == 0


@pytest.mark.parametrize("slug", ["chest-ct", "door"])
def test_headers_changed_at_random_are_stored_or_refused_with_a_reason(db, dataset, door, slug):
    content = Path(get_testdata_file("CT_small.dcm")).read_bytes()
    into = receiving.door_of(Dataset.objects.get(slug=slug))
    pixels_begin = content.rfind(b"\xe0\x7f\x10\x00")

    @example(126645, 6, False)  # an item that says it is longer than the file
    @given(st.integers(0, 2**32), st.integers(1, 12), st.booleans())
    @hypothesis_settings(
        max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    def mutate(seed, changes, is_cut):
        random_bytes = random.Random(seed)
        changed = bytearray(content)
        for _ in range(changes):
            at = random_bytes.randrange(128, pixels_begin + 12)
            changed[at] = random_bytes.choice([0, 1, 0x7F, 0xFF, random_bytes.randrange(256)])
        if is_cut:
            del changed[random_bytes.randrange(132, len(changed)) :]
        source = intake.from_bytes("odd.dcm", bytes(changed))
        entry = receiving.receive(source, into)
        if isinstance(entry, Outcome):
            assert entry.status in (REFUSED, NOT_DICOM)
            assert entry.reason
        else:
            assert entry.uids.sop_instance
            assert entry.pseudonym

    mutate()


def test_no_byte_of_a_refusal_tells_who_it_is(take):
    image = header(PatientName="Nordmann^Kari", PatientBirthDate="19580307", InstitutionName="Karlsund")
    outcome = take([part_10(image, pixels(1))])[0]
    assert outcome.status == REFUSED
    for secret in ("Nordmann", "19580307", "Karlsund"):
        assert secret not in outcome.reason


def test_a_series_erased_while_it_is_remembered_is_made_anew(take, django_capture_on_commit_callbacks):
    files = series([(0, 0, z) for z in range(4)])
    with django_capture_on_commit_callbacks(execute=True):
        take(files[:2])
    assert len(places._known) > 0
    Instance.objects.all().delete()
    Series.objects.all().delete()
    assert [one.status for one in take(files[2:])] == [STORED, STORED]
    assert Series.objects.get().instance_count == 2


@pytest.mark.parametrize("slug", ["chest-ct", "door"])
@pytest.mark.parametrize("collection", ["odd_mixed", "compressed_wg04"])
def test_every_odd_file_is_taken_or_refused_with_a_reason(test_data, dataset, door, collection, slug):
    into = Dataset.objects.get(slug=slug)
    outcomes = list(intake.take_in(sources.in_paths([test_data / collection]), dataset=into))
    assert outcomes
    for outcome in outcomes:
        assert outcome.reason or outcome.status in (STORED, KNOWN), outcome.name
    for instance in Instance.objects.all():
        with open_instance(instance) as file:
            assert hashlib.sha256(file.read()).hexdigest() == instance.stored_sha256
    if slug == "door":
        assert sum(outcome.status == STORED for outcome in outcomes) > len(outcomes) / 3
