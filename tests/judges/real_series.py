"""Real series of many kinds as the archive describes them, and marks on them that are hard to keep."""

from pathlib import Path
from uuid import UUID

import numpy as np
import pydicom
from pydicom.uid import UID

from annotations.exchange.codes import Code
from annotations.exchange.seg_frames import Segment
from annotations.exchange.source import SourceSeries
from annotations.measures import masks
from atlas.dicom.describe import describe
from atlas.dicom.headers import read_header
from atlas.dicom.manifest import build

NEOPLASM = Code("108369006", "SCT", "Neoplasm")


def source_of(files: list[Path]) -> tuple[SourceSeries, pydicom.Dataset, dict[str, str]]:
    """Described as the archive describes it, without storing it."""
    descriptions, classes = [], {}
    for path in files:
        with path.open("rb") as file:
            descriptions.append(describe(file, read_header(file)))
        header = pydicom.dcmread(path, stop_before_pixels=True)
        classes[str(header.SOPInstanceUID)] = str(header.SOPClassUID)
    frames = [frame for description in descriptions for frame in description.frames]
    manifest = build(descriptions, frames).manifest
    source = SourceSeries.from_manifest(manifest, study_instance_uid=str(header.StudyInstanceUID))
    return source, header, classes


def drawn_on(source: SourceSeries) -> list[Segment]:
    """Two that overlap on the middle slices, and an empty one."""
    middle = len(source.frames) // 2
    on = source.frames[max(0, middle - 2) : middle + 2]
    first, second = {}, {}
    for index, frame in enumerate(on):
        plane = np.zeros((frame.rows, frame.columns), dtype=bool)
        plane[3 + index : 11, 5 : 9 + index] = True
        first[frame.key] = masks.encode(plane)
        second[frame.key] = masks.encode(np.roll(plane, 2, axis=1))
    return [
        Segment("Tumour", NEOPLASM, first, identity=UUID(int=1), color="#f5a742"),
        Segment("Oedema", Code("79654002", "SCT", "Edema"), second, identity=UUID(int=2)),
        Segment(
            "Node", Code("node", "99ATLAS", "Lymph node"), {}, description="Absent: looked, nothing there"
        ),
    ]


SERIES = {
    "CT, axial": "ct_chest_lidc_0314/image/*.dcm",
    "MR, left-handed": "mr_brain1_pyradiomics/converted_dicom/image/*.dcm",
    "MR, sagittal, three phases at each place": "mr_breast_dce_ucsf08/image/*.dcm",
    "MR, oblique": "mr_longitudinal_crc_06489/study_1959-12-09/*.dcm",
    "PET": "petct_mr_sts_001/PET/*.dcm",
    "MR, enhanced multi-frame": "odd_mixed/dicom2nifti/enhanced_philips_mr/*",
    "CT, tilted gantry": "odd_mixed/dicom2nifti/gantry_tilt_ct/*",
    "CT, unevenly spaced": "odd_mixed/dicom2nifti/uneven_spacing_ct/*",
    "MR, pixels that are not square": "odd_mixed/dicom2nifti/non_square_pixels_mr/*",
    "XA, without a place": "compressed_wg04/XA1_JPLY.dcm",
}


def files_of(name: str, test_data: Path) -> list[Path]:
    return sorted(path for path in test_data.glob(SERIES[name]) if path.is_file())


def with_a_frame_of_reference(files: list[Path], folder: Path) -> list[Path]:
    """The same images, whose publisher took the frame of reference out, with one again."""
    folder.mkdir()
    found = []
    for path in files:
        image = pydicom.dcmread(path)
        image.FrameOfReferenceUID = UID("2.25.271828182845904523536")
        image.PositionReferenceIndicator = ""
        found.append(folder / f"{path.stem}.dcm")
        image.save_as(found[-1], enforce_file_format=True)
    return found


def hard_on(source: SourceSeries) -> list[Segment]:
    """A ring with an island in it, one that overlaps that, pixels that only touch at corners, a single voxel
    in the last corner, and an empty one."""
    middle = len(source.frames) // 2
    on = source.frames[max(0, middle - 2) : middle + 2]
    rows, columns = on[0].rows, on[0].columns
    row, column = np.mgrid[:rows, :columns]
    away = np.hypot(row - rows / 2, (column - columns / 3))
    size = min(rows, columns) / 5
    ring = (away < size) & ~((away < size * 0.6) & (away > size * 0.2))
    touching = np.zeros((rows, columns), dtype=bool)
    touching[3, 3] = touching[4, 4] = touching[5, 3] = True
    last = np.zeros((rows, columns), dtype=bool)
    last[-1, -1] = True

    def on_all(plane: np.ndarray) -> dict:
        return {frame.key: masks.encode(plane) for frame in on}

    return [
        Segment("Ring", NEOPLASM, on_all(ring), identity=UUID(int=1), color="#f5a742"),
        Segment("Shifted", NEOPLASM, on_all(np.roll(ring, 5, axis=1)), identity=UUID(int=2), color="#4287f5"),
        Segment("Corners", NEOPLASM, on_all(touching), identity=UUID(int=3)),
        Segment("Dot", NEOPLASM, {on[-1].key: masks.encode(last)}, identity=UUID(int=4)),
        Segment("Nothing", Code("node", "99ATLAS", "Lymph node"), {}, identity=UUID(int=5)),
    ]
