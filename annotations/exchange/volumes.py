"""Turns a volume file (NRRD) into a DICOM series, and its label map into a DICOM Segmentation.

The geometry stays what it is: a left-handed volume keeps its slices where they were, so they run against the
DICOM normal. Nothing is invented: no name, sex, age or date is written that the volume file doesn't have.
UIDs follow from the identity given, so a second conversion gives the same files.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path

import nrrd
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, MRImageStorage
from pydicom.valuerep import format_number_as_ds

from annotations.exchange.objects import MANUFACTURER, MODEL, ObjectIdentity
from annotations.exchange.seg_frames import Segment
from annotations.exchange.seg_writer import write_seg
from annotations.exchange.source import ExchangeError, FrameKey, SourceFrame, SourceSeries
from annotations.exchange.uids import derived_uid
from annotations.measures import masks

_SOP_CLASSES = {"CT": CTImageStorage, "MR": MRImageStorage}
_TO_LPS = {
    "left-posterior-superior": (1.0, 1.0, 1.0),
    "lps": (1.0, 1.0, 1.0),
    "right-anterior-superior": (-1.0, -1.0, 1.0),
    "ras": (-1.0, -1.0, 1.0),
}


@dataclass(frozen=True)
class Volume:
    """`values` is [slices, rows, columns]; `steps_mm`, float[3, 3], holds in its columns the way in patient
    mm (LPS) to the next column, row and slice; `origin_mm` is the centre of the first voxel."""

    values: NDArray[np.integer]
    steps_mm: NDArray[np.float64]
    origin_mm: NDArray[np.float64]

    @classmethod
    def from_nrrd(cls, path: Path) -> "Volume":
        """Raises ExchangeError for a volume without a place in the patient or with fractional values."""
        values, header = nrrd.read(str(path))
        space = str(header.get("space", "")).lower()
        if space not in _TO_LPS or values.ndim != 3:
            raise ExchangeError(f"{path.name} is not a volume with three axes in a patient space.")
        if not np.issubdtype(values.dtype, np.integer):
            raise ExchangeError(f"{path.name} holds fractions, which would be rounded.")
        to_lps = np.diag(_TO_LPS[space])
        steps = to_lps @ np.asarray(header["space directions"], dtype=np.float64).T
        origin = to_lps @ np.asarray(header["space origin"], dtype=np.float64)
        return cls(np.ascontiguousarray(values.T), steps, origin)

    def same_grid(self, other: "Volume") -> bool:
        return (
            self.values.shape == other.values.shape
            and bool(np.allclose(self.steps_mm, other.steps_mm, atol=1e-4))
            and bool(np.allclose(self.origin_mm, other.origin_mm, atol=1e-3))
        )


@dataclass(frozen=True)
class VolumeIdentity:
    """Who and what it is. `name` makes the UIDs; `origin` says in a sentence where the file is from."""

    name: str
    patient_id: str
    modality: str
    description: str
    origin: str
    labels_description: str = "Label map"
    window: tuple[float, float] | None = None  # centre and width, in the series' units

    def uid(self, *parts: str | int) -> UID:
        return derived_uid("volume", self.name, *parts)


@dataclass(frozen=True)
class ConvertedSeries:
    """An image series made from a volume: its files, one by one, and what a SEG on it needs."""

    volume: Volume
    identity: VolumeIdentity
    source: SourceSeries

    @classmethod
    def of(cls, volume: Volume, identity: VolumeIdentity) -> "ConvertedSeries":
        lengths = np.linalg.norm(volume.steps_mm, axis=0)
        directions = volume.steps_mm / lengths
        if not np.allclose(directions.T @ directions, np.eye(3), atol=1e-4):
            raise ExchangeError("The axes of the volume aren't at right angles.")
        info = np.iinfo(np.int16)
        if volume.values.min() < info.min or volume.values.max() > info.max:
            raise ExchangeError("The values of the volume don't fit 16 bits.")
        orientation = tuple(np.concatenate((directions[:, 0], directions[:, 1])).tolist())
        slices, rows, columns = volume.values.shape
        frames = []
        for index in range(slices):
            position = volume.origin_mm + volume.steps_mm[:, 2] * index
            frames.append(
                SourceFrame(
                    key=FrameKey(identity.uid("image", index), 1),
                    rows=rows,
                    columns=columns,
                    position=(float(position[0]), float(position[1]), float(position[2])),
                    orientation=orientation,
                    row_mm=float(lengths[1]),
                    column_mm=float(lengths[0]),
                    slope=1.0,
                    intercept=0.0,
                )
            )
        source = SourceSeries(
            series_instance_uid=identity.uid("series"),
            study_instance_uid=identity.uid("study"),
            frame_of_reference_uid=identity.uid("frame of reference"),
            modality=identity.modality,
            description=identity.description,
            units="HU" if identity.modality == "CT" else "",
            photometric="MONOCHROME2",
            frames=tuple(frames),
        )
        return cls(volume, identity, source)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """(file name, Part 10 file), slice by slice."""
        for index in range(len(self.source.frames)):
            stream = BytesIO()
            self._image(index).save_as(stream, enforce_file_format=True)
            yield f"{index + 1:04d}.dcm", stream.getvalue()

    def segmentation(self, labels: Volume, segments: Mapping[int, Segment], *, at: datetime) -> bytes:
        """The label map as DICOM Segmentation; `segments` describes each of its values, without planes."""
        if not labels.same_grid(self.volume):
            raise ExchangeError("The label map lies on another grid than the image.")
        unknown = set(np.unique(labels.values).tolist()) - {0} - set(segments)
        if unknown:
            raise ExchangeError(f"Nobody said what the label values {sorted(unknown)} mean.")
        filled = []
        for value, segment in sorted(segments.items()):
            planes = {
                frame.key: masks.encode(labels.values[index] == value)
                for index, frame in enumerate(self.source.frames)
                if (labels.values[index] == value).any()
            }
            filled.append(
                Segment(
                    segment.label, segment.meaning, planes, segment.description, algorithm=segment.algorithm
                )
            )
        return write_seg(
            source=self.source,
            header=self._image(0),
            sop_classes={
                frame.key.sop_instance_uid: _SOP_CLASSES[self.identity.modality]
                for frame in self.source.frames
            },
            segments=filled,
            identity=ObjectIdentity(
                parts=("volume", self.identity.name),
                at=at,
                description=self.identity.labels_description,
            ),
        )

    def _image(self, index: int) -> FileDataset:
        identity, frame = self.identity, self.source.frames[index]
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = _SOP_CLASSES[identity.modality]
        meta.MediaStorageSOPInstanceUID = UID(frame.key.sop_instance_uid)
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.ImplementationClassUID = derived_uid("implementation", MODEL)
        image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        image.SpecificCharacterSet = "ISO_IR 192"
        image.SOPClassUID = meta.MediaStorageSOPClassUID
        image.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
        image.PatientID = image.PatientName = identity.patient_id
        image.PatientBirthDate = image.PatientSex = ""
        image.StudyInstanceUID, image.SeriesInstanceUID = identity.uid("study"), identity.uid("series")
        image.StudyDate = image.StudyTime = image.AccessionNumber = image.ReferringPhysicianName = ""
        image.StudyID, image.StudyDescription = "1", identity.description[:64]
        image.SeriesNumber, image.InstanceNumber, image.AcquisitionNumber = 1, index + 1, 1
        image.SeriesDescription, image.Modality = identity.description[:64], identity.modality
        image.Manufacturer, image.ManufacturerModelName = MANUFACTURER, MODEL
        image.FrameOfReferenceUID = identity.uid("frame of reference")
        image.PositionReferenceIndicator = ""
        image.ImageType = ["DERIVED", "SECONDARY", "AXIAL" if identity.modality == "CT" else "OTHER"]
        image.DerivationDescription = identity.origin
        image.PatientPosition = image.Laterality = ""
        image.ImageOrientationPatient = [format_number_as_ds(float(v)) for v in frame.orientation or ()]
        image.ImagePositionPatient = [format_number_as_ds(float(v)) for v in frame.position or ()]
        image.PixelSpacing = [
            format_number_as_ds(float(v)) for v in (frame.row_mm or 0, frame.column_mm or 0)
        ]
        image.SliceThickness = image.SpacingBetweenSlices = format_number_as_ds(
            float(np.linalg.norm(self.volume.steps_mm[:, 2]))
        )
        self._add_modality(image)
        self._add_pixels(image, index)
        return image

    def _add_modality(self, image: Dataset) -> None:
        if self.identity.modality == "CT":
            image.RescaleIntercept, image.RescaleSlope, image.RescaleType = "0", "1", "HU"
            image.KVP = None
        else:
            image.ScanningSequence, image.SequenceVariant, image.ScanOptions = "RM", "NONE", ""
            image.MRAcquisitionType = ""
            image.EchoTime = image.EchoTrainLength = image.RepetitionTime = None
        center, width = self.identity.window or self._usual_window()
        image.WindowCenter, image.WindowWidth = format_number_as_ds(center), format_number_as_ds(width)

    def _usual_window(self) -> tuple[float, float]:
        """From the darkest to the brightest hundredth of all voxels."""
        low, high = np.percentile(self.volume.values, (1, 99))
        return float(low + high) / 2, max(1.0, float(high - low))

    def _add_pixels(self, image: Dataset, index: int) -> None:
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.Rows, image.Columns = self.volume.values.shape[1:]
        image.BitsAllocated = image.BitsStored = 16
        image.HighBit, image.PixelRepresentation = 15, 1
        image.PixelData = self.volume.values[index].astype("<i2").tobytes()
        image["PixelData"].VR = "OW"
