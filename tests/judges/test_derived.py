"""Derived objects that others wrote, taken in with their images as anyone would send them, in any order."""

import json
from collections.abc import Iterable
from io import BytesIO
from itertools import permutations
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from skimage.measure import grid_points_in_poly

from accounts.models import Organisation
from annotations.measures import masks
from annotations.models import DerivedObject, ImportedMark, ImportedMeasurement, ImportedSegment
from annotations.reading import imported
from atlas.archive.sources import Source
from atlas.archive.uploads import import_paths
from atlas.models import Dataset, Series


@pytest.fixture
def dataset(db, objects: Path) -> Dataset:
    organisation = Organisation.objects.create(name="Nordhain", slug="nordhain", country="DE")
    return Dataset.objects.create(
        organisation=organisation, name="All", slug="all", deidentification="already_done"
    )


def take_in(dataset: Dataset, files: Iterable[Path]) -> None:
    """Names of people are blanked: they stand in some of the samples, and are refused."""
    upload = import_paths(dataset, [_blanked(path) for path in files])
    assert list(upload.findings.values_list("reason", flat=True)) == []


def _blanked(path: Path) -> Source:
    file = pydicom.dcmread(path)
    for element in file:
        if element.VR == "PN":
            element.value = ""
    return _source(path.name, file)


def _source(name: str, file: pydicom.Dataset) -> Source:
    """Written by hand: pydicom writes no transfer syntax that it doesn't know."""
    stream = DicomBytesIO()
    stream.write(bytes(128) + b"DICM")
    write_file_meta_info(stream, file.file_meta, enforce_standard=False)
    implicit, little = file.original_encoding if file.original_encoding[0] is not None else (False, True)
    stream.is_implicit_VR, stream.is_little_endian = implicit, little
    write_dataset(stream, file)
    content = stream.getvalue()
    return Source(name, lambda: BytesIO(content))


def voxels(segment: ImportedSegment) -> int:
    return sum(masks.voxel_count(bytes(plane.runs)) for plane in segment.planes.all())


def everything() -> list[tuple]:
    """What is shown, told without keys: where, which, how many voxels, what was said."""
    shown = [
        (one.series.series_instance_uid, one.label, one.planes.count(), voxels(one))
        for one in ImportedSegment.objects.select_related("series")
    ]
    said = [(one.sop_instance_uid, one.state, one.sentence) for one in DerivedObject.objects.all()]
    return sorted(shown) + sorted(said)


# Structure sets ---------------------------------------------------------------------------------


def filled(path: Path, images: Path, roi: int) -> int:
    """The voxels inside a region's outlines, counted with scikit-image on the pixel grid of the images."""
    headers = [pydicom.dcmread(one, stop_before_pixels=True) for one in images.glob("*.dcm")]
    at = {round(float(one.ImagePositionPatient[2]), 2): one for one in headers}
    planes: dict[float, np.ndarray] = {}
    contours = next(
        one for one in pydicom.dcmread(path).ROIContourSequence if one.ReferencedROINumber == roi
    ).ContourSequence
    for contour in contours:
        points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
        z = min(at, key=lambda known: abs(known - points[0, 2]))
        assert abs(z - points[0, 2]) < 0.05
        first = at[z]
        columns = (points[:, 0] - float(first.ImagePositionPatient[0])) / float(first.PixelSpacing[1])
        rows = (points[:, 1] - float(first.ImagePositionPatient[1])) / float(first.PixelSpacing[0])
        inside = grid_points_in_poly((first.Rows, first.Columns), np.column_stack((rows, columns)))
        planes[z] = planes.get(z, np.zeros_like(inside)) ^ inside
    return sum(int(plane.sum()) for plane in planes.values())


STS = [("PET", "1-1.dcm", "PT"), ("CT_cropped", "RS.dcm", "CT"), ("MR_T1_cropped", "RS.dcm", "MR")]


def test_outlines_of_three_modalities_lie_each_on_their_own_in_any_order(
    dataset: Dataset, test_data: Path
) -> None:
    folder = test_data / "petct_mr_sts_001"
    sets = [folder / f"{name}_rtstruct" / file for name, file, _ in STS]
    take_in(dataset, sets)
    assert not ImportedSegment.objects.exists()
    for name in ("CT_cropped", "PET", "MR_T1_cropped"):  # the CT first: the PET's outlines would fit on it
        take_in(dataset, sorted((folder / name).glob("*.dcm")))
    found = {
        (one.series.modality, one.label): (voxels(one), one.planes.count())
        for one in ImportedSegment.objects.select_related("series")
    }
    assert set(found) == {
        ("PT", "GTV_Mass"),
        ("PT", "GTV_Edema"),
        ("CT", "GTV_Mass_CT"),
        ("MR", "GTV_Mass_MR_T1"),
    }
    for (name, file, modality), label in zip(STS, ("GTV_Mass", "GTV_Mass_CT", "GTV_Mass_MR_T1"), strict=True):
        expected = filled(folder / f"{name}_rtstruct" / file, folder / name, roi=1)
        count, planes = found[modality, label]
        assert planes == 31
        assert count == pytest.approx(expected, abs=expected * 0.002)  # centres exactly on an edge
    assert set(DerivedObject.objects.values_list("state", flat=True)) == {"shown"}
    for series in Series.objects.filter(modality="RTSTRUCT"):
        assert [one["code"] for one in series.findings if one["code"] == imported.NOT_PLACED] == []
    before = everything()
    for series in Series.objects.all():
        imported.take_in(series)
    assert everything() == before


# Segmentations ----------------------------------------------------------------------------------


def test_four_readers_and_their_consensus_overlap_as_they_drew(dataset: Dataset, test_data: Path) -> None:
    folder = test_data / "ct_chest_lidc_0314"
    take_in(dataset, [*sorted((folder / "image").glob("*.dcm")), folder / "seg_readers.dcm"])
    told = json.loads((folder / "readers.json").read_text())
    expected = {one["segment"]: one["voxels"] for one in told["annotations"]}
    expected[told["consensus_segment"]] = told["consensus_voxels"]
    assert {one.segment_number: voxels(one) for one in ImportedSegment.objects.all()} == expected


def test_a_fractional_one_that_names_nothing_lies_on_every_phase(dataset: Dataset, test_data: Path) -> None:
    folder = test_data / "mr_breast_dce_ucsf08"
    (seg,) = (folder / "seg").glob("*.dcm")
    take_in(dataset, [seg, *sorted((folder / "image").glob("*.dcm"))])
    (segment,) = ImportedSegment.objects.all()
    stored = pydicom.dcmread(seg).pixel_array
    assert voxels(segment) == 3 * int((stored >= 0.5 * 255).sum())
    (row,) = DerivedObject.objects.all()
    for word in ("at least 50%", "half a pixel", "on all"):
        assert word in row.sentence


LIVER = ["liver", "partial_overlaps"]
COMPRESSED = ["liver_deflate", "liver_expb", "liver_j2k", "liver_rle"]
COMPRESSED += ["liver_nonbyte_aligned", "liver_nonbyte_aligned_deflate"]


@pytest.mark.parametrize("order", list(permutations(("images", "plain", "coded"))))
def test_every_encoding_comes_in_in_any_order(dataset: Dataset, test_data: Path, order: tuple) -> None:
    folder = test_data / "seg_sr_dcmqi"
    parts = {
        "images": sorted((folder / "liver_ct").glob("*.dcm")),
        "plain": [folder / "seg" / f"{name}.dcm" for name in LIVER],
        "coded": [folder / "seg_compressed" / "liver_j2k.dcm"],
    }
    for part in order:
        take_in(dataset, parts[part])
    counts = {one.label: voxels(one) for one in ImportedSegment.objects.all()}
    assert counts["Liver"] == 107_098
    assert {"GREEN", "ORANGE", "PURPLE", "LIGHT_BLUE", "DARK_BLUE"} < set(counts)
    assert set(DerivedObject.objects.values_list("state", "is_settled")) == {("shown", True)}


@pytest.mark.parametrize("name", COMPRESSED)
def test_each_encoding_gives_the_same_voxels(dataset: Dataset, test_data: Path, name: str) -> None:
    folder = test_data / "seg_sr_dcmqi"
    images = sorted((folder / "liver_ct").glob("*.dcm"))
    take_in(dataset, [*images, folder / "seg_compressed" / f"{name}.dcm"])
    (segment,) = ImportedSegment.objects.all()
    assert voxels(segment) == 107_098


# Reports ----------------------------------------------------------------------------------------


def test_a_report_waits_for_the_segmentation_that_it_measures_and_that_one_for_its_images(
    dataset: Dataset, test_data: Path
) -> None:
    """The PET of this report is nowhere to be had; a PET is made where the segmentation says it lay."""
    folder = test_data / "seg_sr_dcmqi" / "sr_tid1500_petct"
    take_in(dataset, [folder / "sr.dcm", folder / "seg.dcm"])
    assert not ImportedMeasurement.objects.exists()
    said = dict(DerivedObject.objects.values_list("kind", "sentence"))
    assert "images" in said["segmentation"]
    assert "not here" in said["report"]
    series = Series.objects.get(modality="SR")
    assert [one["sentence"] for one in series.findings if one["code"] == imported.NOT_PLACED] == [
        said["report"]
    ]
    for image in _pet_under(folder / "seg.dcm"):
        import_paths(dataset, [image])
    (segment,) = ImportedSegment.objects.all()
    stored = pydicom.dcmread(folder / "seg.dcm")
    assert voxels(segment) == int(stored.pixel_array.sum())
    (group,) = ImportedMeasurement.objects.all()
    assert list(group.segments.all()) == [segment]
    assert (group.label, group.finding_code["meaning"]) == ("primary tumor", "Neoplasm, Primary")
    numbers = {(one["name"], one["derivation"]): (one["value"], one["unit"]) for one in group.numbers}
    assert numbers["Volume", ""] == (33.5824, "ml")
    assert numbers["SUVbw", "Mean"] == (6.01529, "{SUVbw}g/ml")
    assert len(group.numbers) == 22
    assert not ImportedMark.objects.exists()
    series.refresh_from_db()
    assert series.findings == []


def _pet_under(path: Path) -> Iterable[Source]:
    seg = pydicom.dcmread(path)
    shared = seg.SharedFunctionalGroupsSequence[0]
    for index, group in enumerate(seg.PerFrameFunctionalGroupsSequence):
        named = group.DerivationImageSequence[0].SourceImageSequence[0]
        image = pydicom.Dataset()
        image.PatientID = seg.PatientID
        image.SOPClassUID, image.SOPInstanceUID = named.ReferencedSOPClassUID, named.ReferencedSOPInstanceUID
        image.StudyInstanceUID = seg.StudyInstanceUID
        image.SeriesInstanceUID = seg.ReferencedSeriesSequence[0].SeriesInstanceUID
        image.FrameOfReferenceUID, image.Modality = seg.FrameOfReferenceUID, "PT"
        image.ImagePositionPatient = group.PlanePositionSequence[0].ImagePositionPatient
        image.ImageOrientationPatient = shared.PlaneOrientationSequence[0].ImageOrientationPatient
        image.PixelSpacing = shared.PixelMeasuresSequence[0].PixelSpacing
        image.Rows, image.Columns, image.InstanceNumber = seg.Rows, seg.Columns, index + 1
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.BitsAllocated = image.BitsStored = 16
        image.HighBit, image.PixelRepresentation = 15, 0
        image.PixelData = bytes(2 * seg.Rows * seg.Columns)
        image.file_meta = pydicom.dataset.FileMetaDataset()
        image.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        yield _source(f"{index}.dcm", image)
