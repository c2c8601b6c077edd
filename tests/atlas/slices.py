"""DICOM images made for tests: exact geometry, and pixels that tell which slice they are."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def header(**attributes: Any) -> Dataset:
    """A CT slice without pixels, with the attributes given by keyword; None leaves one out."""
    dataset = Dataset()
    facts: dict[str, Any] = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "FrameOfReferenceUID": "1.2.3.4",
        "PatientID": "NH-20931",
        "PatientSex": "F",
        "PatientAge": "061Y",
        "StudyDate": "20260114",
        "StudyTime": "101500",
        "StudyDescription": "CT chest",
        "Modality": "CT",
        "SeriesNumber": 2,
        "SeriesDescription": "Axial",
        "InstanceNumber": 1,
        "ImagePositionPatient": [0, 0, 0],
        "ImageOrientationPatient": list(AXIAL),
        "PixelSpacing": [0.8, 0.4],
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
    } | attributes
    for keyword, value in facts.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def part_10(dataset: Dataset, array: np.ndarray | None = None, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The bytes of a file; `array` is (rows, columns) or (frames, rows, columns) of 16 bit."""
    if array is not None:
        if array.ndim == 3:
            dataset.NumberOfFrames = len(array)
        dataset.Rows, dataset.Columns = array.shape[-2:]
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit = 15
        dataset.PixelRepresentation = int(array.dtype.kind == "i")
        dataset.PixelData = array.tobytes()
        dataset["PixelData"].VR = "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def pixels(number: int, rows: int = 6, columns: int = 8) -> np.ndarray:
    """(rows, columns) int16: every value tells its slice, row and column."""
    return (number * 100 + np.arange(rows * columns, dtype=np.int16)).reshape(rows, columns)


def series(
    positions: Iterable[Sequence[float]],
    *,
    orientation: Sequence[float] = AXIAL,
    each: Sequence[dict[str, Any]] = (),
    **common: Any,
) -> list[bytes]:
    """One file a position; instance numbers run against the positions, so that nobody can sort by them."""
    places = list(positions)
    common = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()} | common
    files = []
    for at, place in enumerate(places):
        own = each[at] if at < len(each) else {}
        dataset = header(
            **{
                "InstanceNumber": len(places) - at,
                "ImagePositionPatient": list(place),
                "ImageOrientationPatient": list(orientation),
                **common,
                **own,
            }
        )
        files.append(part_10(dataset, pixels(at)))
    return files
