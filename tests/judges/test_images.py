"""Independent tools judge the image side: SimpleITK for geometry and values, pydicom for pixels.

Everything goes the whole way: files in, sealed, manifest and frames read back as a viewer would.
"""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from accounts.models import Organisation
from atlas.archive import generations, intake, sealing, sources
from atlas.archive.storage import storage
from atlas.models import Dataset, Series

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(db) -> Dataset:
    organisation = Organisation.objects.create(name="Judged", slug="judged", country="DE")
    return Dataset.objects.create(
        organisation=organisation, name="Judged", slug="judged", deidentification="already_done"
    )


def taken(folder: Path, dataset: Dataset) -> list[Series]:
    """Take a folder in and seal its series."""
    outcomes = list(intake.take_in(sources.in_paths([folder]), dataset=dataset))
    ids = sorted({outcome.series_id for outcome in outcomes if outcome.series_id})
    return [sealing.seal(series_id) for series_id in ids]


def volume(one: Series) -> tuple[np.ndarray, dict]:
    """(slices, rows, columns) in rescaled units, from manifest and frames of native syntax only."""
    manifest = generations.read_manifest(one.manifest_key)
    table = generations.read_frame_table(one.manifest_key)
    assert manifest["syntaxes"] == ["1.2.840.10008.1.2.1"]
    pixel, columns = manifest["pixel"], manifest["frames"]
    kind = f"<{'i' if pixel['signed'] else 'u'}{pixel['bits_allocated'] // 8}"
    slices = []
    for index, (number, offset, length) in enumerate(table.frames):
        encoded = storage().read_range(table.objects[number], offset, length)
        raw = np.frombuffer(encoded, kind)[: pixel["rows"] * pixel["columns"]]
        values = raw.reshape(pixel["rows"], pixel["columns"]) * columns["slope"][index]
        slices.append(values + columns["intercept"][index])
    return np.stack(slices), manifest


@pytest.mark.parametrize(
    "folder",
    [
        "ct_chest_lidc_0314/image",
        "petct_mr_sts_001/PET",
        "petct_mr_sts_001/CT_cropped",
        "petct_mr_sts_001/MR_T1_cropped",
        "mr_brain1_pyradiomics/converted_dicom/image",
    ],
)
def test_values_order_and_geometry_are_those_that_simpleitk_reads(folder, dataset, test_data):
    (one,) = taken(test_data / folder, dataset)
    ours, manifest = volume(one)
    reader = sitk.ImageSeriesReader()
    # GDCM sorts by position along the normal too, by its own code.
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(test_data / folder)))
    image = reader.Execute()
    theirs = sitk.GetArrayFromImage(image)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=1e-3, rtol=1e-6)
    column_mm, row_mm, _ = image.GetSpacing()
    assert manifest["spacing"] == {
        "row_mm": pytest.approx(row_mm),
        "column_mm": pytest.approx(column_mm),
        "source": "pixel",
    }
    np.testing.assert_allclose(manifest["orientation"][:3], direction[:, 0], atol=1e-5)
    np.testing.assert_allclose(manifest["orientation"][3:], direction[:, 1], atol=1e-5)
    np.testing.assert_allclose(manifest["frames"]["position"][0], image.GetOrigin(), atol=1e-3)
    last = image.TransformIndexToPhysicalPoint((0, 0, len(ours) - 1))
    np.testing.assert_allclose(manifest["frames"]["position"][-1], last, atol=0.2)


def test_every_voxel_of_a_frame_lies_where_its_file_says(dataset, test_data):
    """Position and pixels of one frame belong to the same file, for every frame of a three-phase series."""
    series = [one for one in taken(test_data / "mr_breast_dce_ucsf08", dataset) if one.frame_count]
    ours, manifest = volume(series[0])
    files = {}
    for path in (test_data / "mr_breast_dce_ucsf08").rglob("*.dcm"):
        found = pydicom.dcmread(path)
        files[found.SOPInstanceUID] = found
    assert len(ours) == 129
    for index, uid in enumerate(manifest["frames"]["sop"]):
        np.testing.assert_array_equal(ours[index], files[uid].pixel_array)
        np.testing.assert_allclose(manifest["frames"]["position"][index], files[uid].ImagePositionPatient)


def test_all_shared_data_goes_in_or_is_refused_by_name(dataset, test_data):
    """Nothing crashes, nothing is skipped silently, no series ends broken."""
    outcomes = list(intake.take_in(sources.in_paths([test_data]), dataset=dataset))
    assert len(outcomes) == sum(1 for path in test_data.rglob("*") if path.is_file())
    assert all(outcome.reason for outcome in outcomes if outcome.status in ("refused", "not_dicom"))
    for one in Series.objects.all():
        sealed = sealing.seal(one.pk)
        assert sealed.state == "ready", (sealed.modality, sealed.description)
        is_held = not one.instances.filter(hold="").exists()  # all wait for the search for text
        assert is_held == ("searched" in [finding["code"] for finding in sealed.findings])
