"""Images that are drawn, not taken: a body of ellipses with a lesion that changes between time points.

Nobody's anatomy is in them. They are as small as they can be and still look like what they stand for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
)

from annotations.exchange.uids import derived_uid

SIDE_PX, SLICES, SPACING_MM, THICKNESS_MM = 96, 4, 4.0, 8.0
CLASSES = {
    "CT": CTImageStorage,
    "MR": MRImageStorage,
    "PT": PositronEmissionTomographyImageStorage,
}
WINDOWS = {"CT": (-300, 1400), "MR": (350, 700), "PT": (300, 600)}
SCANNERS = (
    ("Atlas Drawing Works", "Ellipse 1"),
    ("Atlas Drawing Works", "Ellipse 2"),
    ("Nordhain Instruments", "Pencil"),
)

_Y, _X = np.mgrid[0:SIDE_PX, 0:SIDE_PX].astype(np.float32) - SIDE_PX / 2 + 0.5


@dataclass(frozen=True)
class Body:
    """`kind`: chest, abdomen, breast or leg. `number` makes each subject differ a little from the others."""

    kind: str
    number: int

    def drawn(self, modality: str, at_slice: int, growth: float) -> NDArray[np.int16]:
        """One slice, [rows, columns], in the units of the modality. `growth`: of the lesion's radius."""
        random = np.random.default_rng([self.number, at_slice, len(modality)])
        draw = {
            "chest": self._chest,
            "abdomen": self._abdomen,
            "breast": self._breast,
            "leg": self._leg,
        }
        image = draw[self.kind](modality)
        near = 1 - abs(at_slice - (SLICES - 1) / 2) / SLICES
        radius = (3 + self.number % 4) * growth * near
        row, column = self._lesion()
        inside = (_Y - row) ** 2 + (_X - column) ** 2 < radius**2
        image[inside] = {"CT": 45, "MR": 640, "PT": 580}[modality]
        noise = {"CT": 18, "MR": 16, "PT": 22}[modality]
        return (image + random.normal(0, noise, image.shape)).astype(np.int16)

    def _lesion(self) -> tuple[int, int]:
        angle = 2 * np.pi * (self.number % 11) / 11
        middle = {"chest": (-2, 19), "abdomen": (-2, -16), "breast": (0, 20), "leg": (0, 26)}[self.kind]
        return round(middle[0] + 6 * np.sin(angle)), round(middle[1] + 5 * np.cos(angle))

    def _chest(self, modality: str) -> NDArray[np.float32]:
        image = np.full_like(_X, -1000)
        image[_ellipse(0, 0, 32, 43)] = -80
        image[_ellipse(0, 0, 30, 41)] = 40
        for side in (-1, 1):
            image[_ellipse(-2, 19 * side, 22, 14)] = -850
        image[_ellipse(-4, 4, 11, 10)] = 50
        image[_ellipse(21, 0, 6, 7)] = 320
        return image

    def _abdomen(self, modality: str) -> NDArray[np.float32]:
        image = np.full_like(_X, -1000)
        image[_ellipse(0, 0, 32, 43)] = -90
        image[_ellipse(0, 0, 28, 38)] = 20
        image[_ellipse(-3, -14, 18, 20)] = 110
        image[_ellipse(-2, 22, 11, 9)] = 90
        image[_ellipse(21, 0, 6, 7)] = 320
        return image

    def _breast(self, modality: str) -> NDArray[np.float32]:
        image = np.zeros_like(_X)
        for side in (-1, 1):
            image[_ellipse(2, 21 * side, 26, 19)] = 210
            image[_ellipse(4, 20 * side, 16, 10)] = 330
        image[_ellipse(40, 0, 16, 46)] = 280
        return np.roll(image, -4, axis=0)

    def _leg(self, modality: str) -> NDArray[np.float32]:
        levels = {"CT": (-1000, -90, 60, 500), "MR": (0, 420, 180, 60), "PT": (0, 40, 80, 60)}[modality]
        image = np.full_like(_X, levels[0])
        for side in (-1, 1):
            for (high, wide), level in zip(((21, 20), (17, 16), (4, 4)), levels[1:], strict=True):
                image[_ellipse(0, 22 * side, high, wide)] = level
        return np.roll(image, 3 * (self.number % 3), axis=1)


def _ellipse(row: float, column: float, high: float, wide: float) -> NDArray[np.bool_]:
    return ((_Y - row) / high) ** 2 + ((_X - column) / wide) ** 2 < 1


@dataclass(frozen=True)
class DrawnSubject:
    """One subject of a dataset, with its time points: `days`, since `began`. `name` makes all UIDs.

    `growth` of the lesion's radius from one time point to the next; `scanners`: manufacturer and model, of
    which subjects take turns.
    """

    name: str
    body: Body
    modalities: tuple[str, ...]
    sex: str
    age: int
    began: date
    days: tuple[int, ...]
    growth: float = 0.22
    scanners: tuple[tuple[str, str], ...] = SCANNERS

    def files(self) -> Iterator[tuple[str, bytes]]:
        """(name, Part 10 file), slice by slice."""
        for point, day in enumerate(self.days):
            for number, modality in enumerate(self.modalities, start=1):
                for at in range(SLICES):
                    stream = BytesIO()
                    self._image(point, day, number, modality, at).save_as(stream, enforce_file_format=True)
                    yield f"{self.name}/{point}/{modality}/{at}.dcm", stream.getvalue()

    def _image(self, point: int, day: int, number: int, modality: str, at: int) -> FileDataset:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CLASSES[modality]
        meta.MediaStorageSOPInstanceUID = self._uid(point, modality, at)
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.ImplementationClassUID = derived_uid("implementation", "Atlas drawing")
        image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        image.SpecificCharacterSet = "ISO_IR 192"
        image.SOPClassUID, image.SOPInstanceUID = (
            meta.MediaStorageSOPClassUID,
            meta.MediaStorageSOPInstanceUID,
        )
        image.PatientID = image.PatientName = self.name
        image.PatientBirthDate, image.PatientSex = "", self.sex
        image.PatientAge = f"{self.age + day // 365:03}Y"
        image.PatientIdentityRemoved, image.DeidentificationMethod = "YES", "Drawn: there is no patient"
        image.StudyInstanceUID = self._uid(point, "study")
        image.SeriesInstanceUID = self._uid(point, modality)
        image.FrameOfReferenceUID = self._uid(point, "frame of reference")
        image.StudyDate = f"{self.began + timedelta(days=day):%Y%m%d}"
        image.StudyTime = image.AccessionNumber = image.ReferringPhysicianName = ""
        image.StudyID, image.StudyDescription = str(point + 1), "Drawn phantom"
        image.SeriesNumber, image.InstanceNumber, image.Modality = number, at + 1, modality
        image.SeriesDescription = f"Drawn {modality}"
        image.BodyPartExamined = self.body.kind.upper()
        scanner = (self.body.number % 2 + (modality == "PT")) % len(self.scanners)
        image.Manufacturer, image.ManufacturerModelName = self.scanners[scanner]
        image.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
        image.PatientPosition = image.Laterality = image.PositionReferenceIndicator = ""
        image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        corner = -SPACING_MM * SIDE_PX / 2
        image.ImagePositionPatient = [corner, corner, THICKNESS_MM * at]
        image.PixelSpacing = [SPACING_MM, SPACING_MM]
        image.SliceThickness = image.SpacingBetweenSlices = THICKNESS_MM
        image.RescaleIntercept, image.RescaleSlope = "0", "1"
        if modality == "CT":
            image.RescaleType, image.KVP = "HU", None
        if modality == "PT":
            image.Units, image.DecayCorrection, image.CorrectedImage = "BQML", "NONE", ["NORM"]
        image.WindowCenter, image.WindowWidth = WINDOWS[modality]
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.Rows = image.Columns = SIDE_PX
        image.BitsAllocated = image.BitsStored = 16
        image.HighBit, image.PixelRepresentation = 15, 1
        shades = self.body.drawn(modality, at, 1 + self.growth * point)
        image.PixelData = shades.astype("<i2").tobytes()
        image["PixelData"].VR = "OW"
        return image

    def _uid(self, *parts: str | int) -> UID:
        return derived_uid("drawn", self.name, *parts)
