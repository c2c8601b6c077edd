"""Taking files in: what is stored, known, or refused and why; durable, idempotent, concurrent."""

import hashlib
import io
import threading

import numpy as np
import pydicom
import pytest
from django.conf import settings
from django.db import connection

from atlas.archive import intake
from atlas.archive.index import KNOWN, NOT_DICOM, REFUSED, STORED
from atlas.archive.intake import IntakeClosed
from atlas.archive.storage import ObjectMissing, storage
from atlas.models import Dataset, Instance, Series, Study, Subject
from tests.atlas.slices import header, part_10, pixels, series


def objects_in_storage() -> int:
    return sum(1 for path in settings.OBJECTS_DIR.rglob("*.dcm"))


def test_files_become_a_subject_a_study_a_series_and_instances(take):
    outcomes = take(series([(0, 0, z) for z in range(3)]))
    assert [outcome.status for outcome in outcomes] == [STORED] * 3
    instance = Instance.objects.select_related("series__study__subject").first()
    study = instance.series.study
    assert (study.subject.pseudonym, study.subject.sex, study.age_years) == ("NH-20931", "F", 61)
    assert (str(study.date), str(study.time), study.description) == ("2026-01-14", "10:15:00", "CT chest")
    assert (instance.series.modality, instance.series.number, instance.series.instance_count) == ("CT", 2, 3)
    assert instance.series.state == Series.State.ARRIVING


def test_what_is_stored_is_the_file_with_an_empty_preamble(take):
    content = bytearray(part_10(header(), pixels(1)))
    content[:10] = b"MZ program"  # a preamble may hide one
    take([bytes(content)])
    instance = Instance.objects.get()
    stored = storage().read_range(instance.object_key, 0, instance.size)
    assert stored == bytes(128) + bytes(content[128:])
    assert instance.original_sha256 == hashlib.sha256(content).hexdigest()
    assert instance.stored_sha256 == hashlib.sha256(stored).hexdigest()


def test_keys_tell_nothing_about_the_patient(take):
    take(series([(0, 0, 0)]))
    instance = Instance.objects.get()
    assert "NH-20931" not in instance.object_key
    assert instance.sop_instance_uid not in instance.object_key


def test_the_same_file_again_changes_nothing(take):
    files = series([(0, 0, z) for z in range(3)])
    take(files)
    before = objects_in_storage()
    assert [outcome.status for outcome in take(files)] == [KNOWN] * 3
    assert (Instance.objects.count(), objects_in_storage()) == (3, before)
    assert Series.objects.get().instance_count == 3


def test_the_same_file_twice_in_one_delivery_is_stored_once(take):
    file = series([(0, 0, 0)])[0]
    assert [outcome.status for outcome in take([file, file])] == [STORED, KNOWN]
    assert Instance.objects.count() == 1


def test_the_same_uid_with_other_content_is_refused_and_the_first_is_kept(take):
    first = header()
    second = header(SOPInstanceUID=first.SOPInstanceUID, StudyInstanceUID=first.StudyInstanceUID)
    second.SeriesInstanceUID = first.SeriesInstanceUID
    take([part_10(first, pixels(1))])
    before = objects_in_storage()
    outcome = take([part_10(second, pixels(2))])[0]
    assert outcome.status == REFUSED
    assert "other content" in outcome.reason
    assert objects_in_storage() == before


def test_a_study_with_two_patients_is_refused(take):
    study = pydicom.uid.generate_uid()
    take([part_10(header(StudyInstanceUID=study), pixels(1))])
    before = objects_in_storage()
    outcome = take([part_10(header(StudyInstanceUID=study, PatientID="NH-1"), pixels(2))])[0]
    assert outcome.status == REFUSED
    assert "another Patient ID" in outcome.reason
    assert objects_in_storage() == before
    assert [subject.pseudonym for subject in Subject.objects.all()] == ["NH-20931"]


def test_two_patients_in_one_delivery_of_one_study_are_noticed(take):
    study = pydicom.uid.generate_uid()
    files = [part_10(header(StudyInstanceUID=study, PatientID=name), pixels(1)) for name in ("A", "B")]
    assert sorted(outcome.status for outcome in take(files)) == [REFUSED, STORED]
    assert Subject.objects.count() == 1


def test_a_series_in_two_studies_is_refused(take):
    one = pydicom.uid.generate_uid()
    take([part_10(header(SeriesInstanceUID=one), pixels(1))])
    outcome = take([part_10(header(SeriesInstanceUID=one), pixels(2))])[0]
    assert "another study" in outcome.reason
    assert Study.objects.count() == 1


def test_a_study_of_another_dataset_is_refused_and_another_organisation_may_hold_the_same_uids(
    take, organisation
):
    from accounts.models import Organisation

    dataset = header()
    content = part_10(dataset, pixels(1))
    take([content])
    sibling = Dataset.objects.create(
        organisation=organisation, name="Other", slug="other", deidentification="already_done"
    )
    late = part_10(header(StudyInstanceUID=dataset.StudyInstanceUID), pixels(2))
    assert "another dataset" in take([late], into=sibling)[0].reason
    elsewhere = Organisation.objects.create(name="Elsewhere", slug="elsewhere", country="PT")
    foreign = Dataset.objects.create(
        organisation=elsewhere, name="Foreign", slug="foreign", deidentification="already_done"
    )
    assert take([content], into=foreign)[0].status == STORED


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "PatientID"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_file_without_its_place_is_refused_by_name(take, keyword, value):
    outcome = take([part_10(header(**{keyword: value}), pixels(1))])[0]
    assert outcome.status == REFUSED
    assert keyword.replace("InstanceUID", "").replace("ID", "") in outcome.reason
    assert Subject.objects.count() == 0


def test_a_dataset_that_is_not_declared_takes_nothing(take, undeclared):
    with pytest.raises(IntakeClosed, match="de-identified"):
        take([part_10(header(), pixels(1))], into=undeclared)
    assert Instance.objects.count() == 0


def test_what_is_not_dicom_is_named_and_the_rest_goes_in(take):
    outcomes = take([b"hello", part_10(header(), pixels(1)), b"", b"\x00\x00\x00\x01Bud1" * 50])
    assert [outcome.status for outcome in outcomes] == [NOT_DICOM, STORED, NOT_DICOM, NOT_DICOM]
    assert outcomes[0].name == "0.dcm"


def test_texts_with_control_characters_do_not_reach_the_database(take):
    outcome = take([part_10(header(SeriesDescription="a\x00b\x1b[31m", StudyDate="2026"), pixels(1))])[0]
    assert outcome.status == STORED
    assert Series.objects.get().description == "ab[31m"
    assert Study.objects.get().date is None


def test_a_file_without_meta_information_is_stored_as_part_10(take, test_data):
    original = pydicom.dcmread(test_data / "odd_mixed/pydicom/rtstruct.dcm", force=True)
    original.OperatorsName = original.PatientBirthDate = ""  # the dataset takes what names nobody
    bare = io.BytesIO()
    pydicom.dcmwrite(bare, original, implicit_vr=True, little_endian=True)
    assert bare.getvalue()[128:132] != b"DICM"
    outcome = take([bare.getvalue()])[0]
    assert outcome.status == STORED, outcome.reason
    instance = Instance.objects.get()
    with storage().open(instance.object_key) as file:
        dataset = pydicom.dcmread(file)  # without force: a proper file now
    assert dataset.file_meta.TransferSyntaxUID == pydicom.uid.ImplicitVRLittleEndian
    assert dataset.SOPInstanceUID == instance.sop_instance_uid


def test_a_batch_asks_the_database_a_fixed_number_of_times(take, django_assert_max_num_queries):
    take(series([(0, 0, 0)]))
    with django_assert_max_num_queries(20):
        take(series([(0, 0, z) for z in range(40)]))


def test_when_the_index_fails_no_object_stays_behind(take, monkeypatch):
    before = objects_in_storage()

    def broken(*args, **kwargs):
        raise RuntimeError("the database went away")

    monkeypatch.setattr(intake, "index", broken)
    with pytest.raises(RuntimeError):
        take(series([(0, 0, 0)]))
    assert objects_in_storage() == before


@pytest.mark.django_db(transaction=True)
def test_several_senders_of_one_series_at_once_store_every_image_once(take):
    files = series([(0, 0, z) for z in range(60)])
    results: list[list] = []

    def send(seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(files))
        try:
            results.append(take([files[at] for at in order]))
        finally:
            connection.close()

    before = objects_in_storage()
    threads = [threading.Thread(target=send, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = [outcome.status for outcomes in results for outcome in outcomes]
    assert len(statuses) == 240
    assert statuses.count(STORED) == 60
    assert statuses.count(KNOWN) == 180
    assert Series.objects.get().instance_count == Instance.objects.count() == 60
    assert objects_in_storage() - before == 60


def test_storage_gives_exactly_what_was_put_or_says_that_it_is_not_there(tmp_path):
    from atlas.archive.storage import FileStorage, new_key

    folder = FileStorage(tmp_path)
    key = new_key(".bin")
    assert folder.put_durable(key, b"abc", b"def") == 6
    assert folder.read_range(key, 2, 3) == b"cde"
    assert folder.read_range_if_cached(key, 2, 3) in (b"cde", None)
    assert folder.size(key) == 6
    with pytest.raises(EOFError):
        folder.read_range(key, 4, 3)
    folder.delete(key)
    folder.delete(key)
    with pytest.raises(ObjectMissing):
        folder.open(key)
    with pytest.raises(ValueError, match="not a key"):
        folder.open("../secret_key")
    assert list(tmp_path.rglob("*.partial")) == []
