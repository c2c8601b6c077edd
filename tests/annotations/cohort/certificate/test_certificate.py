"""Releases whose files were read back: what the certificate says, and what happens when a file differs."""

import gzip
import hashlib
import json
from collections.abc import Callable
from io import BytesIO

import nibabel as nib
import numpy as np
import pytest

from annotations.cohort import filing, releases, writer
from annotations.cohort.formats import FORMATS
from annotations.models import Release, ReleaseCase, ReleaseFile
from atlas.archive.storage import storage
from tests.annotations.cohort.conftest import Cohort

CHECKED = ("nifti", "seg")


def written(cohort: Cohort, **choice) -> Release:
    read = cohort.read()
    cohort.draw(read)
    cohort.accept(read)
    chosen = releases.Choice(**({"formats": CHECKED} | choice))
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project, choice=chosen)
    writer.write_case(release.pk, cohort.case.pk)
    writer.finish(release.pk)
    release.refresh_from_db()
    return release


def content(release: Release, path: str) -> bytes:
    with storage().open(release.files.get(path=path).object_key) as file:
        return file.read()


def certificate(release: Release) -> dict:
    assert (release.state, release.problem) == (Release.State.READY, "")
    return json.loads(content(release, "certificate.json"))


# What it says -----------------------------------------------------------------------------------


def test_the_certificate_counts_what_was_read_back(cohort: Cohort) -> None:
    release = written(cohort)
    document = certificate(release)
    voxels = cohort.volume.values.size
    nifti, seg = document["formats"]
    assert (nifti["format"], seg["format"]) == CHECKED
    assert (nifti["files"], seg["files"]) == (4, 1)
    assert (nifti["voxels_compared"], seg["voxels_compared"]) == (4 * voxels, 3 * voxels)
    for row in (nifti, seg):
        assert (row["voxels_that_differ"], row["files_that_differ"]) == (0, 0)
        assert (row["masks"], row["masks_on_the_grid"]) == (3, 3)
        assert (row["empty"], row["empty_kept"]) == (1, 1)
        assert (row["overlapping"], row["overlapping_kept"]) == (2, 2)
        assert row["largest_place_mm"] < 1e-3
    assert document["totals"]["voxels_compared"] == 7 * voxels
    assert document["not_read_back"] == []
    assert {name.split()[0] for name in document["read_by"]} == {"nibabel", "highdicom", "pydicom"}
    assert document["cases"] == 1
    assert document["writer_version"] == releases.WRITER_VERSION


def test_it_stands_in_the_manifest_and_its_numbers_with_the_release(cohort: Cohort) -> None:
    release = written(cohort)
    document = certificate(release)
    manifest = json.loads(content(release, "manifest.json"))
    [listed] = [file for file in manifest["files"] if file["path"] == "certificate.json"]
    assert listed["sha256"] == hashlib.sha256(content(release, "certificate.json")).hexdigest()
    assert release.certificate["sha256"] == listed["sha256"]
    assert release.certificate["totals"] == document["totals"]
    assert release.certificate["formats"] == document["formats"]
    assert "manifest.json" not in [file["path"] for file in manifest["files"]]


def test_the_digest_of_a_format_is_of_the_files_that_were_read_back(cohort: Cohort) -> None:
    release = written(cohort)
    [row] = [one for one in certificate(release)["formats"] if one["format"] == "seg"]
    file = release.files.get(format="seg")
    assert row["checked_sha256"] == hashlib.sha256(f"{file.sha256}  {file.path}\n".encode()).hexdigest()


def test_every_format_with_voxels_is_read_back(cohort: Cohort) -> None:
    release = written(cohort, formats=tuple(FORMATS))
    document = certificate(release)
    checked = {row["format"] for row in document["formats"]}
    assert {"nifti", "seg", "nnunet"} <= checked
    assert checked | set(document["not_read_back"]) == set(
        release.files.exclude(format="").values_list("format", flat=True)
    )
    assert checked.isdisjoint(document["not_read_back"])
    assert {"json", "tables"} <= set(document["not_read_back"])
    assert document["totals"]["voxels_that_differ"] == 0


def test_what_is_sequestered_is_read_back_and_not_told(cohort: Cohort) -> None:
    read = cohort.read()
    cohort.draw(read)
    cohort.accept(read)
    chosen = releases.Choice(formats=CHECKED)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project, choice=chosen)
    Release.objects.filter(pk=release.pk).update(sequestered=Release.Sequestered.MARKS)
    ReleaseCase.objects.filter(release=release).update(part=ReleaseCase.Part.TEST)
    writer.write_case(release.pk, cohort.case.pk)
    writer.finish(release.pk)
    release.refresh_from_db()
    document = certificate(release)
    assert [row["files"] for row in ReleaseCase.objects.get(release=release).checks] == [4, 1]
    assert (document["cases"], document["cases_not_told"]) == (1, 1)
    assert (document["formats"], document["totals"]) == ([], {})
    listed = [file["path"] for file in json.loads(content(release, "manifest.json"))["files"]]
    assert [path for path in listed if "/masks/" in path or "/seg/" in path] == []
    assert [path for path in listed if "/images/" in path] != []


# What differs -----------------------------------------------------------------------------------


def damaged(
    monkeypatch: pytest.MonkeyPatch, where: str, change: Callable[[bytes], bytes], *, told: bool = True
) -> None:
    """Files whose path holds `where` come into storage changed; `told`: their digest is of what is stored."""
    made = filing.made

    def changed(*args):
        file = made(*args)
        if where in file.path:
            with storage().open(file.object_key) as stored:
                other = change(stored.read())
            storage().put_durable(file.object_key, other)
            if told:
                file.sha256 = hashlib.sha256(other).hexdigest()
        return file

    monkeypatch.setattr(filing, "made", changed)


def volume(change: Callable[[np.ndarray], np.ndarray] | None = None, affine=None) -> Callable[[bytes], bytes]:
    def apply(content: bytes) -> bytes:
        image = nib.Nifti1Image.from_bytes(gzip.decompress(content))
        array = np.asarray(image.dataobj).copy()
        new = nib.Nifti1Image(change(array) if change else array, image.affine, header=image.header)
        if affine:
            new.set_sform(affine(image.affine.copy()), code="scanner")
            new.set_qform(affine(image.affine.copy()), code="scanner")
        return gzip.compress(new.to_bytes())

    return apply


def one_brighter(array: np.ndarray) -> np.ndarray:
    array[40, 30, 7] += 1
    return array


def next_slice(matrix: np.ndarray) -> np.ndarray:
    matrix[:3, 3] += matrix[:3, 2]
    return matrix


IMAGE_DAMAGE = {
    "columns flipped": volume(lambda a: a[::-1]),
    "rows flipped": volume(lambda a: a[:, ::-1]),
    "slices reversed": volume(lambda a: a[:, :, ::-1]),
    "one voxel on": volume(lambda a: np.roll(a, 1, axis=0)),
    "one value off by one": volume(one_brighter),
    "another intercept": volume(lambda a: a - 1),
    "a slice on": volume(affine=next_slice),
    "half as thick": volume(affine=lambda m: m @ np.diag([1, 1, 0.5, 1])),
    "cut off": lambda content: content[:-1000],
}


@pytest.mark.parametrize("damage", IMAGE_DAMAGE.values(), ids=IMAGE_DAMAGE.keys())
def test_every_damage_to_an_image_stops_the_release(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
) -> None:
    before = {one.key for one in storage().keys("")}
    damaged(monkeypatch, "/images/", damage)
    release = written(cohort)
    assert release.state == Release.State.FAILED
    path = f"cases/0001/images/MR_{cohort.series.public_id}.nii.gz"
    assert release.problem.startswith(f"Case 1: {path}, read back, differs from what was accepted: ")
    assert not ReleaseFile.objects.filter(release=release).exists()
    assert {one.key for one in storage().keys("")} == before
    nifti, seg = ReleaseCase.objects.get(release=release).checks
    assert (nifti["format"], nifti["files_that_differ"]) == ("nifti", 1)
    assert (seg["format"], seg["files_that_differ"]) == ("seg", 0)


def test_the_sentence_names_case_file_slice_and_voxel(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged(monkeypatch, "/images/", volume(one_brighter))
    release = written(cohort)
    value = int(cohort.volume.values[7, 30, 40])
    assert release.problem.endswith(
        f"slice 8, row 31, column 41 holds {value + 1} instead of {value} (1 voxel differs in this file)."
    )
    nifti, _ = ReleaseCase.objects.get(release=release).checks
    assert nifti["voxels_that_differ"] == 1


def test_a_damaged_mask_stops_the_release_and_a_retry_mends_it(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as for_now:
        damaged(for_now, "tumour_2", volume(lambda a: np.roll(a, 1, axis=1)))
        release = written(cohort)
    assert release.state == Release.State.FAILED
    assert "_tumour_2.nii.gz, read back, differs" in release.problem
    releases.retry(by=cohort.people["lead"], release=release)
    writer.write_case(release.pk, cohort.case.pk)
    writer.finish(release.pk)
    release.refresh_from_db()
    assert certificate(release)["totals"]["files_that_differ"] == 0


def test_storage_that_gives_other_bytes_than_it_took_stops_the_release(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where they decode to the same voxels."""
    recompressed = lambda content: gzip.compress(gzip.decompress(content), compresslevel=9)
    damaged(monkeypatch, "/images/", recompressed, told=False)
    release = written(cohort)
    assert release.state == Release.State.FAILED
    assert "storage holds other bytes than were written" in release.problem


def test_a_damaged_segmentation_stops_the_release(cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    import pydicom

    def one_frame_elsewhere(content: bytes) -> bytes:
        dataset = pydicom.dcmread(BytesIO(content))
        position = dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0]
        x, y, z = position.ImagePositionPatient
        position.ImagePositionPatient = [x, y + 0.7, z]
        stream = BytesIO()
        dataset.save_as(stream)
        return stream.getvalue()

    damaged(monkeypatch, "/seg/", one_frame_elsewhere)
    release = written(cohort)
    assert release.state == Release.State.FAILED
    assert "frame 2 lies at" in release.problem
