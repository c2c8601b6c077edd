"""`manage.py erase_subject`: nothing of the subject is left, all of others is, and a search says so."""

import gzip
import os
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import AuditRecord, Organisation, User
from atlas.archive import erasing, generations, sealing, tasks
from atlas.archive.names import Names
from atlas.archive.storage import FileStorage, new_key, storage
from atlas.models import (
    Dataset,
    Generation,
    Instance,
    Series,
    Study,
    Subject,
    Upload,
    UploadFile,
    UploadFinding,
    Vault,
    VaultEntry,
)
from tests.atlas.slices import header, part_10, pixels

ERASED, KEPT = "NH-20931", "NH-20932"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_storage(settings, tmp_path, db):
    settings.OBJECTS_DIR = tmp_path / "objects"
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


def scans(pseudonym: str, root: str, count: int = 3) -> list[bytes]:
    """A series of its own study."""
    return [
        part_10(
            header(
                PatientID=pseudonym,
                StudyInstanceUID=f"{root}.1",
                SeriesInstanceUID=f"{root}.2",
                SOPInstanceUID=f"{root}.3.{number}",
                FrameOfReferenceUID=f"{root}.4",
                ImagePositionPatient=[0, 0, number],
            ),
            pixels(number),
        )
        for number in range(count)
    ]


@pytest.fixture
def two(take) -> tuple[Subject, Subject]:
    """Two subjects; the first one's series has a generation before its present one, and a loose series."""
    first = take(scans(ERASED, "2.25.71001"))
    sealing.seal(first[0].series_id)
    take(scans(ERASED, "2.25.71001", count=4)[3:])
    sealing.seal(first[0].series_id)
    take(scans(ERASED, "2.25.71002"))
    other = take(scans(KEPT, "2.25.72001"))
    sealing.seal(other[0].series_id)
    return Subject.objects.get(pseudonym=ERASED), Subject.objects.get(pseudonym=KEPT)


def erase(*options: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("erase_subject", "karlsund", ERASED, *(options or ["--yes"]), stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def objects() -> dict[str, bytes]:
    content = {}
    for one in storage().keys(""):
        stored = storage().read_range(one.key, 0, one.size)
        content[one.key] = gzip.decompress(stored) if stored[:2] == b"\x1f\x8b" else stored
    return content


def test_nothing_of_the_subject_is_left_and_everything_of_the_other_is(two):
    before = objects()
    kept = {key for key, content in before.items() if b"2.25.72001" in content}
    kept.update(generations.objects_of(Series.objects.get(study__subject=two[1]).manifest_key))
    code, said = erase()
    assert code == 0
    assert "7 images" in said
    assert "Found nowhere." in said
    after = objects()
    assert not [
        key for key, content in after.items() if b"2.25.7100" in content or ERASED.encode() in content
    ]
    assert set(after) == kept & set(before)
    assert list(Subject.objects.values_list("pseudonym", flat=True)) == [KEPT]
    assert (Study.objects.count(), Series.objects.count(), Instance.objects.count()) == (1, 1, 3)
    assert not Generation.objects.exclude(series__study__subject=two[1]).exists()


def test_the_audit_keeps_ids_alone(two):
    erase()
    line = AuditRecord.objects.get(verb="subject.erased")
    assert (line.object_type, line.object_id) == ("subject", two[0].pk)
    assert ERASED not in str(line.facts)
    assert "2.25" not in str(line.facts)


def test_vault_entries_and_names_of_sent_files_go(two, dataset):
    someone = User.objects.create_user("vera", "vera@example.org", "x")
    vault = Vault.objects.create(organisation=dataset.organisation, public_key="x", turned_on_by=someone)
    for subject in two:
        VaultEntry.objects.create(
            vault=vault, subject=subject, kind="patient", pseudonym=subject.pseudonym, sealed=b"x"
        )
    upload = Upload.objects.create(dataset=dataset, state="done", ended_at=timezone.now())
    names = [f"{ERASED}/CT.1.dcm", "CT.2.25.71001.3.0.dcm", f"{ERASED}7/CT.1.dcm", f"{KEPT}/CT.dcm"]
    for name in names:
        UploadFinding.objects.create(upload=upload, file_name=name, reason="The header lacks Patient ID.")
        UploadFile.objects.create(upload=upload, name=name, fingerprint="1-2", size=5, is_taken_in=True)
    code, said = erase()
    assert (code, "4 names of sent files" in said, "1 vault entries" in said) == (0, True, True)
    assert list(VaultEntry.objects.values_list("pseudonym", flat=True)) == [KEPT]
    left = set(UploadFinding.objects.values_list("file_name", flat=True))
    assert left == {"(erased)", *names[2:]}
    assert UploadFile.objects.filter(name__in=names).count() == 2


def test_the_same_images_of_another_organisation_stay(two, take):
    other = Organisation.objects.create(name="Elsewhere", slug="elsewhere", country="NO")
    there = Dataset.objects.create(
        organisation=other, name="Theirs", slug="theirs", deidentification="already_done"
    )
    sealing.seal(take(scans(ERASED, "2.25.71001"), into=there)[0].series_id)
    theirs = Series.objects.get(organisation=other)
    code, said = erase()
    assert (code, "Found nowhere." in said) == (0, True)
    assert Subject.objects.filter(organisation=other, pseudonym=ERASED).exists()
    assert storage().size(theirs.pack_key) > 0


def test_what_a_killed_process_left_behind_is_found_and_deleted(two):
    pack = Series.objects.filter(study__subject=two[0], pack_key__gt="").get().pack_key
    left = new_key(".zip")
    storage().put_durable(left, storage().read_range(pack, 0, storage().size(pack)))
    then = time.time() - 2 * 3600
    os.utime(storage().folder / left, (then, then))
    code, said = erase()
    assert (code, "Deleted 1 objects that a process had left behind." in said) == (0, True)
    assert left not in objects()


@pytest.mark.parametrize("packing", [bytes, gzip.compress])
def test_a_name_in_an_object_that_may_be_in_use_is_told_not_deleted(two, packing):
    young = new_key()
    text = b"x" * (1024 * 1024 - 5) + b'"2.25.71001.3.2", and more'  # across two pieces of reading
    storage().put_durable(young, packing(text))
    code, said = erase()
    assert (code, f"FOUND in object {young}" in said) == (1, True)
    assert young in objects()


def test_a_name_in_any_text_of_the_database_is_told_without_the_text(two, dataset):
    dataset.description = f"Without {ERASED}, who withdrew"
    dataset.deidentification_options = [{"note": "see 2.25.71002.2"}]
    dataset.save()
    code, said = erase()
    assert code == 1
    assert "FOUND in 1 rows of table atlas_dataset, column description" in said
    assert "FOUND in 1 rows of table atlas_dataset, column deidentification_options" in said
    assert ERASED not in said


def test_a_short_pseudonym_is_not_sought_in_pixels(take):
    take(scans("7", "2.25.73001"))
    out = StringIO()
    call_command("erase_subject", "karlsund", "7", "--yes", stdout=out)
    assert "so short that it stands in pixels" in out.getvalue()
    assert "Found nowhere." in out.getvalue()


def test_a_process_killed_after_the_rows_went_leaves_jobs_that_delete_the_objects(two, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(self, key):
        raise Killed

    with monkeypatch.context() as at_the_step:
        at_the_step.setattr(FileStorage, "delete", killed)
        with pytest.raises(Killed):
            erasing.erase(two[0])
    assert not Subject.objects.filter(pk=two[0].pk).exists()
    for job in ProcrastinateJob.objects.filter(task_name="atlas.delete_superseded", status="todo"):
        tasks.delete_superseded(**job.args)
    assert not [key for key, content in objects().items() if b"2.25.7100" in content]


def test_an_error_on_the_way_erases_nothing(two, monkeypatch):
    before = objects()

    def broken(names):
        raise RuntimeError

    monkeypatch.setattr(erasing, "_forget_file_names", broken)
    with pytest.raises(RuntimeError):
        erasing.erase(two[0])
    assert (Subject.objects.count(), Instance.objects.count()) == (2, 10)
    assert objects() == before


def test_it_asks_and_takes_no_other_answer(two, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: KEPT)
    with pytest.raises(CommandError, match=r"That is another one. Nothing was erased."):
        call_command("erase_subject", "karlsund", ERASED, stdout=StringIO())
    assert Subject.objects.count() == 2
    monkeypatch.setattr("builtins.input", lambda _: ERASED)
    call_command("erase_subject", "karlsund", ERASED, stdout=StringIO())
    assert Subject.objects.count() == 1


def test_a_subject_or_organisation_that_is_not_here_is_said(two):
    with pytest.raises(CommandError, match="There is no organisation “nowhere”"):
        call_command("erase_subject", "nowhere", ERASED, "--yes")
    with pytest.raises(CommandError, match="has no subject of this pseudonym"):
        call_command("erase_subject", "karlsund", "NH-1", "--yes")


def test_a_frame_of_reference_that_others_share_is_not_the_subjects(take):
    take(scans(ERASED, "2.25.71001"))
    shared = header(PatientID=KEPT, FrameOfReferenceUID="2.25.71001.4")
    take([part_10(shared, pixels(1))])
    names = Names.of(Subject.objects.get(pseudonym=ERASED))
    assert "2.25.71001.4" not in names.uids
    assert {"2.25.71001.1", "2.25.71001.2", "2.25.71001.3.0"} <= names.uids
