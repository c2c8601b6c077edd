"""Releases end to end: what is frozen, what is written, what happens when writing is interrupted."""

import gzip
import hashlib
import json
import zlib
from csv import DictReader
from io import BytesIO, StringIO
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from procrastinate.contrib.django.models import ProcrastinateJob

from annotations.cohort import releases, writer
from annotations.exchange.seg_reader import read_seg
from annotations.measures import masks
from annotations.models import Case, CaseStudy, Edit, Read, Release, ReleaseCase, ReleaseFile
from atlas.archive.storage import storage
from tests.annotations.cohort.conftest import LENGTH, NODE, OUTLINE, SECOND, Cohort


def jobs() -> list[tuple[str, dict[str, Any]]]:
    names = (releases.WRITE_CASE, releases.FINISH)
    waiting = ProcrastinateJob.objects.filter(status="todo", task_name__in=names).order_by("id")
    return [(job.task_name, job.args) for job in waiting]


def run_jobs() -> None:
    """As a worker does, until none is left."""
    run = {releases.WRITE_CASE: writer.write_case, releases.FINISH: writer.finish}
    done: set[int] = set()
    while job := ProcrastinateJob.objects.filter(status="todo").exclude(pk__in=done).order_by("id").first():
        done.add(job.pk)
        if job.task_name in run:
            run[job.task_name](**job.args)


def content(release: Release, path: str) -> bytes:
    with storage().open(ReleaseFile.objects.get(release=release, path=path).object_key) as file:
        return file.read()


def written(cohort: Cohort) -> tuple[Release, dict]:
    read = cohort.read()
    drawn = cohort.draw(read)
    cohort.accept(read)
    release = releases.freeze(
        by=cohort.people["lead"], project=cohort.project, choice=releases.Choice(title="First look")
    )
    run_jobs()
    release.refresh_from_db()
    assert release.problem == ""
    assert release.state == Release.State.READY
    return release, drawn


def table(release: Release, name: str) -> list[dict[str, str]]:
    return list(DictReader(StringIO(content(release, f"tables/{name}.csv").decode())))


def annotations(release: Release) -> tuple[str, dict[str, Any]]:
    path = release.files.get(path__endswith="annotations.json").path
    return path.rpartition("/")[0], json.loads(content(release, path))


# What is written --------------------------------------------------------------------------------


def test_every_file_stands_in_the_manifest_with_its_true_digest(cohort: Cohort) -> None:
    release, _ = written(cohort)
    manifest = json.loads(content(release, "manifest.json"))
    listed = {file["path"]: file for file in manifest["files"]}
    assert set(listed) | {"manifest.json"} == set(release.files.values_list("path", flat=True))
    assert list(listed) == sorted(listed)
    of_case = [path for path in listed if path.startswith("cases/")]
    assert sum(path.endswith(".nii.gz") for path in of_case) == 4  # the image and three masks
    assert {"labels.json", *of_case} < set(listed)
    for path, file in listed.items():
        stored = content(release, path)
        assert (file["size"], file["sha256"]) == (len(stored), hashlib.sha256(stored).hexdigest())
        assert release.files.get(path=path).crc32 == zlib.crc32(stored)
    assert release.manifest_sha256 == hashlib.sha256(content(release, "manifest.json")).hexdigest()


def test_the_segmentation_comes_back_as_drawn_with_overlap_and_the_empty_one(cohort: Cohort) -> None:
    release, drawn = written(cohort)
    folder, _ = annotations(release)
    stored = content(release, f"{folder}/seg/MR_{cohort.series.public_id}.dcm")
    back = read_seg(pydicom.dcmread(BytesIO(stored)), [cohort.converted.source])
    assert [segment.label for segment in back.segments] == ["Tumour", "Tumour 2", "Lymph node"]
    frames = cohort.converted.source.frames
    for segment, voxels in zip(back.segments, [drawn[OUTLINE], drawn[SECOND], None], strict=True):
        found = np.zeros(cohort.volume.values.shape, dtype=bool)
        for index, frame in enumerate(frames):
            if frame.key in segment.planes:
                found[index] = masks.decode(segment.planes[frame.key], frame.rows, frame.columns)
        np.testing.assert_array_equal(found, np.zeros_like(found) if voxels is None else voxels)


def test_image_and_masks_share_their_grid_and_hold_the_original_values(cohort: Cohort) -> None:
    release, drawn = written(cohort)
    folder, document = annotations(release)
    name = f"MR_{cohort.series.public_id}"
    image = nib.Nifti1Image.from_bytes(gzip.decompress(content(release, f"cases/0001/images/{name}.nii.gz")))
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, cohort.volume.values)
    lps_to_ras = np.diag([-1, -1, 1, 1])
    expected = np.eye(4)
    expected[:3, :3], expected[:3, 3] = cohort.volume.steps_mm, cohort.volume.origin_mm
    np.testing.assert_allclose(image.affine, lps_to_ras @ expected, atol=1e-4)
    for suffix, voxels in (("tumour", drawn[OUTLINE]), ("tumour_2", drawn[SECOND]), ("node", None)):
        raw = gzip.decompress(content(release, f"{folder}/masks/{name}_{suffix}.nii.gz"))
        mask = nib.Nifti1Image.from_bytes(raw)
        assert mask.shape == image.shape
        np.testing.assert_array_equal(mask.affine, image.affine)
        values = np.asarray(mask.dataobj).T
        np.testing.assert_array_equal(values, 0 * values if voxels is None else voxels)
    assert document["series"][0]["no_nifti_because"] == ""


def test_marks_come_with_label_state_place_and_where_their_voxels_are(cohort: Cohort) -> None:
    release, drawn = written(cohort)
    folder, document = annotations(release)
    marks = {mark["id"]: mark for mark in document["annotations"]}
    assert set(marks) == {str(identity) for identity in (OUTLINE, SECOND, NODE, LENGTH)}
    outline, node, length = marks[str(OUTLINE)], marks[str(NODE)], marks[str(LENGTH)]
    assert outline["code"] == {"value": "108369006", "scheme": "SCT", "meaning": "Neoplasm"}
    assert outline["files"]["seg_segment_number"] == 1
    assert outline["files"]["mask"] == f"{folder}/masks/MR_{cohort.series.public_id}_tumour.nii.gz"
    spacing = 0.664062**2 * 2.1
    assert outline["measurements"]["voxels"] == int(drawn[OUTLINE].sum()) == 143
    assert outline["measurements"]["volume_ml"] == pytest.approx(143 * spacing / 1000)
    assert (node["state"], node["measurements"]["voxels"], node["code"]["scheme"]) == ("absent", 0, "99ATLAS")
    assert length["measurements"] == {"length_mm": pytest.approx(5.0)}
    assert length["sop_instance_uid"] == cohort.converted.source.frames[3].key.sop_instance_uid
    rows = table(release, "measurements")
    assert [row["annotation"] for row in rows] == [str(i) for i in (OUTLINE, SECOND, LENGTH, NODE)]
    assert float(rows[2]["length_mm"]) == pytest.approx(5.0)
    assert rows[2]["volume_ml"] == ""


def test_nothing_in_a_release_says_who_read(cohort: Cohort) -> None:
    reader = cohort.people["reader"]
    reader.username, reader.first_name, reader.last_name = "iso", "Ingrid", "Solberg"
    reader.save()
    release, _ = written(cohort)
    telling = [word.encode() for word in ("Ingrid", "Solberg", reader.email, reader.public_id, '"iso"')]
    for path in release.files.values_list("path", flat=True):
        stored = content(release, path)
        stored = gzip.decompress(stored) if path.endswith(".gz") else stored
        assert [word for word in telling if word in stored + path.encode()] == []


def test_a_release_holds_what_was_submitted_not_what_came_later(cohort: Cohort) -> None:
    read = cohort.read()
    cohort.draw(read)
    cohort.accept(read)
    cohort.mark(read, LENGTH, None)  # as if the journal went on after the accepted submission
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    run_jobs()
    _, document = annotations(release)
    assert str(LENGTH) in {mark["id"] for mark in document["annotations"]}


def test_two_readers_of_one_case_get_a_folder_each_and_share_the_image(cohort: Cohort) -> None:
    for name in ("reader", "other_reader"):
        read = cohort.read(name)
        cohort.draw(read)
        cohort.accept(read)
    choice = releases.Choice(content=Release.Content.READERS)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project, choice=choice)
    run_jobs()
    release.refresh_from_db()
    assert (release.state, release.cases_total, release.cases_done) == (Release.State.READY, 1, 1)
    folders = {
        path.split("/")[2] for path in release.files.values_list("path", flat=True) if "/masks/" in path
    }
    assert len(folders) == 2
    assert release.files.filter(path__contains="/images/").count() == 1
    rows = table(release, "measurements")
    assert {row["reader"] for row in rows} == folders
    assert len(rows) == 8


def test_writing_the_same_release_twice_gives_the_same_bytes(cohort: Cohort) -> None:
    release, _ = written(cohort)
    before = dict(release.files.values_list("path", "sha256"))
    Release.objects.update(state=Release.State.WRITING)
    ReleaseCase.objects.update(written_at=None)
    writer.write_case(release.pk, cohort.case.pk)
    writer.finish(release.pk)
    assert dict(release.files.values_list("path", "sha256")) == before


def test_a_case_whose_images_are_no_volume_says_why_there_is_no_nifti(cohort: Cohort) -> None:
    """Without slice 4 the distance doubles there."""
    from atlas.archive import sealing
    from atlas.models import Instance

    gone = cohort.converted.source.frames[15].key.sop_instance_uid
    Instance.objects.filter(sop_instance_uid=gone).delete()
    sealing.seal(cohort.series.pk)
    cohort.series.refresh_from_db()
    read = cohort.read()
    cohort.draw(read)
    cohort.accept(read)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    run_jobs()
    release.refresh_from_db()
    assert release.state == Release.State.READY, release.problem
    assert not release.files.filter(path__endswith=".nii.gz").exists()
    _, document = annotations(release)
    assert len(document["series"][0]["no_nifti_because"]) > 20
    assert release.files.filter(path__contains="/seg/").count() == 1


# Who and when -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("lead", None),
        ("reviewer", PermissionDenied),
        ("reader", PermissionDenied),
        ("scientist", PermissionDenied),
        ("stranger", Http404),
    ],
)
def test_only_a_lead_freezes(cohort: Cohort, who: str, refusal: type[Exception] | None) -> None:
    cohort.accept(cohort.read())
    if refusal is None:
        assert releases.freeze(by=cohort.people[who], project=cohort.project).number == 1
        return
    with pytest.raises(refusal):
        releases.freeze(by=cohort.people[who], project=cohort.project)
    assert not Release.objects.exists()


def test_without_an_accepted_read_there_is_nothing_to_freeze(cohort: Cohort) -> None:
    read = cohort.read()
    read.state = Read.State.SUBMITTED
    read.save()
    with pytest.raises(ValidationError, match=r"nothing to release\. Left out: 1 wait for review"):
        releases.freeze(by=cohort.people["lead"], project=cohort.project)
    assert not Release.objects.exists()
    assert jobs() == []


def test_freezing_enqueues_a_job_a_case_and_numbers_releases(cohort: Cohort) -> None:
    cohort.accept(cohort.read())
    first = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    second = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    assert (first.number, second.number) == (1, 2)
    assert jobs() == [
        (releases.WRITE_CASE, {"release_id": first.pk, "case_id": cohort.case.pk}),
        (releases.WRITE_CASE, {"release_id": second.pk, "case_id": cohort.case.pk}),
    ]


# Interruptions ----------------------------------------------------------------------------------


class Killed(BaseException):
    """The worker is gone: nothing after this line runs."""


def test_a_killed_job_runs_again_to_the_end(cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    read = cohort.read()
    cohort.draw(read)
    cohort.accept(read)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    kind = type(storage())
    whole, calls = kind.put_durable, []

    def dies_at_the_fourth_file(self, key, *args, **kwargs):
        calls.append(key)
        if len(calls) == 4:
            raise Killed
        return whole(self, key, *args, **kwargs)

    monkeypatch.setattr(kind, "put_durable", dies_at_the_fourth_file)
    with pytest.raises(Killed):
        writer.write_case(release.pk, cohort.case.pk)
    release.refresh_from_db()
    assert (release.state, release.cases_done, release.files.count()) == (Release.State.WRITING, 0, 0)
    monkeypatch.setattr(kind, "put_durable", whole)
    run_jobs()
    release.refresh_from_db()
    assert (release.state, release.cases_done) == (Release.State.READY, 1)
    manifest = json.loads(content(release, "manifest.json"))
    for file in manifest["files"]:
        assert hashlib.sha256(content(release, file["path"])).hexdigest() == file["sha256"]


def test_jobs_that_run_twice_change_nothing(cohort: Cohort) -> None:
    release, _ = written(cohort)
    before = list(release.files.values_list("path", "sha256", "object_key"))
    ready_at = release.ready_at
    writer.write_case(release.pk, cohort.case.pk)
    writer.finish(release.pk)
    release.refresh_from_db()
    assert list(release.files.values_list("path", "sha256", "object_key")) == before
    assert release.ready_at == ready_at


def second_case(cohort: Cohort) -> Case:
    case = Case.objects.create(project=cohort.project, subject=cohort.case.subject, number=2)
    CaseStudy.objects.create(case=case, study=cohort.series.study, position=1)
    return case


def test_a_failure_names_the_case_and_a_retry_writes_what_is_missing(cohort: Cohort) -> None:
    good, bad = cohort.read(), cohort.read(case=second_case(cohort))
    cohort.draw(good)
    cohort.draw(bad)
    Edit.objects.filter(read=bad, annotation_id=OUTLINE, frame_number=1).update(sop_instance_uid="1.2.3.999")
    cohort.accept(good)
    cohort.accept(bad)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    run_jobs()
    release.refresh_from_db()
    assert release.state == Release.State.FAILED
    assert release.problem.startswith("Case 2: ")
    assert "1.2.3.999" in release.problem
    assert not release.files.filter(path="manifest.json").exists()
    with pytest.raises(PermissionDenied):
        releases.retry(by=cohort.people["scientist"], release=release)

    planes = Edit.objects.filter(read=bad, annotation_id=OUTLINE, frame_number=1).order_by("number")
    for edit, right in zip(
        planes, Edit.objects.filter(read=good, annotation_id=OUTLINE, frame_number=1), strict=True
    ):
        edit.sop_instance_uid = right.sop_instance_uid
        edit.save()
    ProcrastinateJob.objects.all().delete()
    releases.retry(by=cohort.people["lead"], release=release)
    assert jobs() == [(releases.WRITE_CASE, {"release_id": release.pk, "case_id": bad.case_id})]
    run_jobs()
    release.refresh_from_db()
    assert (release.state, release.problem, release.cases_done) == (Release.State.READY, "", 2)
    with pytest.raises(ValidationError, match="nothing to retry"):
        releases.retry(by=cohort.people["lead"], release=release)


def test_croissant_names_the_address_where_people_find_the_node(cohort: Cohort, settings) -> None:
    settings.NODE_ADDRESS = "https://atlas.nordhain.example"
    settings.ALLOWED_HOSTS = ["10.0.0.7"]
    release, _ = written(cohort)
    told = json.loads(content(release, "croissant.json"))
    assert told["url"] == "https://atlas.nordhain.example/projects/respond/releases/1/"
