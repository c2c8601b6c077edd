"""A chest CT with the outlines of four readers and their consensus, from import to release, judged by
dciodvfy, highdicom, SimpleITK and nibabel. Data: LIDC-IDRI-0314 (CC BY 3.0)."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID

import highdicom as hd
import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from accounts import permissions
from accounts.models import Organisation
from annotations.cohort import releases, writer
from annotations.models import (
    Case,
    CaseStudy,
    Edit,
    ImportedSegment,
    LabelSchema,
    Read,
    Release,
    Review,
    Submission,
)
from atlas.archive.sources import in_paths
from atlas.archive.storage import storage
from atlas.archive.uploads import import_paths
from atlas.models import Dataset, Project, Study
from tests.cast import person

LABEL = {
    "key": "nodule",
    "name": "Nodule",
    "color": "#f5a742",
    "kinds": ["segment"],
    "code": {"value": "27925004", "scheme": "SCT", "meaning": "Nodule"},
    "required": False,
}
NODE = LABEL | {"key": "node", "name": "Lymph node", "code": None}


ORIGINAL = "seg_readers.dcm"


@dataclass
class Exported:
    """`folder` holds the release's files; `masks` are in the order of the segments in `seg`."""

    folder: Path
    source: Path
    seg: Path
    image: Path
    masks: list[Path]


@pytest.fixture
def exported(db, objects: Path, test_data: Path, tmp_path: Path) -> Exported:
    data = test_data / "ct_chest_lidc_0314"
    organisation = Organisation.objects.create(name="Nordhain", slug="nordhain", country="DE")
    dataset = Dataset.objects.create(
        organisation=organisation, name="Chest CT", slug="chest-ct", deidentification="already_done"
    )
    upload = import_paths(dataset, in_paths([data / "image", data / ORIGINAL]))
    assert (upload.stored, upload.refused) == (57, 0)
    imported = list(ImportedSegment.objects.order_by("segment_number"))
    assert len(imported) == 5

    lead, reader = person("lead"), person("reader")
    project = Project.objects.create(
        organisation=organisation, name="Nodules", slug="nodules", created_by=lead
    )
    permissions.grant(user=lead, role="lead", scope=project)
    schema = LabelSchema.objects.create(project=project, version=1, labels=[LABEL, NODE], created_by=lead)
    study = Study.objects.get()
    case = Case.objects.create(project=project, subject=study.subject, number=314)
    CaseStudy.objects.create(case=case, study=study, position=1)
    read = Read.objects.create(case=case, reader=reader, schema=schema, state=Read.State.ACCEPTED)
    edits = list(_edits(read, imported))
    Edit.objects.bulk_create(edits)
    submission = Submission.objects.create(read=read, round=1, edit_number=len(edits), by=reader)
    Review.objects.create(submission=submission, verdict="accept", by=lead)

    release = releases.freeze(by=lead, project=project)
    writer.write_case(release.pk, case.pk)
    writer.finish(release.pk)
    release.refresh_from_db()
    assert release.state == Release.State.READY, release.problem
    folder = tmp_path / "release"
    for file in release.files.all():
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        with storage().open(file.object_key) as stream:
            target.write_bytes(stream.read())
    (image,) = folder.glob("cases/0314/images/*.nii.gz")
    (seg,) = folder.glob("cases/0314/*/seg/*.dcm")
    document = json.loads(next(folder.glob("cases/0314/*/annotations.json")).read_text())
    marks = sorted(document["annotations"], key=lambda mark: mark["files"]["seg_segment_number"])
    return Exported(folder, data, seg, image, [folder / mark["files"]["mask"] for mark in marks])


def _edits(read: Read, imported: list[ImportedSegment]) -> Iterator[Edit]:
    """Every outline taken over as it came, and a lymph node that was looked for and isn't there."""
    number = 0

    def edit(identity: UUID, **fields) -> Edit:
        nonlocal number
        number += 1
        return Edit(
            read=read,
            number=number,
            edit_id=UUID(int=number),
            group=UUID(int=number),
            by=read.reader,
            annotation_id=identity,
            version=1,
            drawn_at=datetime.now(tz=UTC),
            **fields,
        )

    def value(label: str, segment: ImportedSegment, state: str = "present") -> dict:
        return {
            "kind": "segment",
            "label": label,
            "series": segment.series.public_id,
            "state": state,
            "note": "",
            "origin": {"from": "imported", "imported": segment.public_id},
        }

    for segment in imported:
        identity = UUID(int=1000 + segment.segment_number)
        yield edit(identity, value=value("nodule", segment))
        for plane in segment.planes.all():
            yield edit(
                identity,
                sop_instance_uid=plane.sop_instance_uid,
                frame_number=plane.frame_number,
                runs=bytes(plane.runs),
                rows=plane.rows,
                columns=plane.columns,
            )
    yield edit(UUID(int=2000), value=value("node", imported[0], state="absent"))


def planes_by_image(file: Path, segment_number: int) -> dict[str, np.ndarray]:
    """Through highdicom: the mask on each image it was drawn on, by SOP Instance UID."""
    seg = hd.seg.segread(file)
    uids = [uid for _, _, uid in seg.get_source_image_uids()]
    pixels = seg.get_pixels_by_source_instance(
        source_sop_instance_uids=uids,
        segment_numbers=[segment_number],
        assert_missing_frames_are_empty=True,
        ignore_spatial_locations=file.name == ORIGINAL,  # which doesn't say that they are preserved
    )
    return {uid: pixels[i, :, :, 0] > 0 for i, uid in enumerate(uids) if pixels[i].any()}


def test_dciodvfy_finds_no_error(exported: Exported, dciodvfy) -> None:
    for kind in ("seg", "sr", "rtstruct"):
        (file,) = exported.folder.glob(f"cases/0314/*/{kind}/*.dcm")
        assert dciodvfy(file) == []


def test_dcmqi_finds_the_readers_volumes_in_the_report_and_their_segments_beside_it(
    exported: Exported, tmp_path: Path
) -> None:
    (report,) = exported.folder.glob("cases/0314/*/sr/*.dcm")
    tool = Path(sys.executable).with_name("tid1500reader")
    said = tmp_path / "said.json"
    subprocess.run([tool, "--inputDICOM", report, "--outputMetadata", said], check=True, capture_output=True)
    told = json.loads((exported.source / "readers.json").read_text())
    voxels = [reader["voxels"] for reader in told["annotations"]] + [told["consensus_voxels"], 0]
    found = json.loads(said.read_text())["Measurements"]
    assert [group["ReferencedSegment"] for group in found] == [1, 2, 3, 4, 5, 6]
    for group, count in zip(found, voxels, strict=True):
        values = {item["quantity"]["CodeMeaning"]: float(item["value"]) for item in group["measurementItems"]}
        assert values["Voxels"] == count
        assert values["Volume"] == pytest.approx(count * 0.78125**2 * 1.0 / 1000, rel=1e-6)
    named = pydicom.dcmread(report).CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    seg = pydicom.dcmread(exported.seg, stop_before_pixels=True)
    assert seg.SeriesInstanceUID in [series.SeriesInstanceUID for series in named]


def test_the_original_images_are_those_that_came_in(exported: Exported) -> None:
    (pack,) = exported.folder.glob("cases/0314/dicom/*.zip")
    came = {ds.SOPInstanceUID: ds for ds in map(pydicom.dcmread, (exported.source / "image").glob("*.dcm"))}
    with zipfile.ZipFile(pack) as images:
        assert len(images.namelist()) == len(came) == 56
        for name in images.namelist():
            image = pydicom.dcmread(BytesIO(images.read(name)))
            assert image.PixelData == came[image.SOPInstanceUID].PixelData


def test_highdicom_finds_the_readers_outlines_voxel_for_voxel(exported: Exported) -> None:
    original = exported.source / ORIGINAL
    assert hd.seg.segread(exported.seg).number_of_segments == 6
    told = json.loads((exported.source / "readers.json").read_text())
    voxels = [reader["voxels"] for reader in told["annotations"]] + [told["consensus_voxels"]]
    assert min(voxels) > 100
    for number, count in enumerate(voxels, start=1):
        before, after = planes_by_image(original, number), planes_by_image(exported.seg, number)
        assert sum(int(plane.sum()) for plane in after.values()) == count
        assert set(after) == set(before)
        for uid, plane in before.items():
            np.testing.assert_array_equal(after[uid], plane)
    assert planes_by_image(exported.seg, 6) == {}


def test_simpleitk_finds_the_same_image_at_the_same_place(exported: Exported) -> None:
    """GDCM reads the DICOM files, ITK's NIfTI reader what Atlas wrote."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(exported.source / "image")))
    series, nifti = reader.Execute(), sitk.ReadImage(str(exported.image))
    assert nifti.GetSize() == series.GetSize() == (512, 512, 56)
    assert nifti.GetPixelID() == sitk.sitkInt16
    np.testing.assert_array_equal(sitk.GetArrayFromImage(nifti), sitk.GetArrayFromImage(series))
    for index in ((0, 0, 0), (511, 0, 0), (0, 511, 0), (17, 301, 55)):
        np.testing.assert_allclose(
            nifti.TransformIndexToPhysicalPoint(index),
            series.TransformIndexToPhysicalPoint(index),
            atol=1e-3,
        )


def test_nibabel_finds_each_mask_where_its_segment_lies_in_the_patient(exported: Exported) -> None:
    image = nib.load(exported.image)
    headers = [pydicom.dcmread(f, stop_before_pixels=True) for f in (exported.source / "image").glob("*.dcm")]
    position = {str(ds.SOPInstanceUID): np.array(ds.ImagePositionPatient, dtype=float) for ds in headers}
    row_mm, column_mm = map(float, headers[0].PixelSpacing)
    assert len(exported.masks) == 6
    for number, file in enumerate(exported.masks, start=1):
        mask = nib.load(file)
        assert mask.shape == image.shape
        np.testing.assert_array_equal(mask.affine, image.affine)
        voxels = np.argwhere(np.asarray(mask.dataobj) > 0)
        found = nib.affines.apply_affine(mask.affine, voxels) * (-1, -1, 1)
        expected = (
            [
                position[uid] + (column * column_mm, row * row_mm, 0)
                for uid, plane in planes_by_image(exported.source / ORIGINAL, number).items()
                for row, column in np.argwhere(plane)
            ]
            if number < 6
            else []
        )
        assert len(found) == len(expected)
        if expected:
            order = lambda points: np.array(sorted(map(tuple, np.round(points, 2))))
            np.testing.assert_allclose(order(found), order(np.array(expected)), atol=0.011)
