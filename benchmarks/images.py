"""CT images for load: 512 × 512 of 16 bit with a scanner's header, 526 kB each, made by the thousand.

All numbers that differ between images have fixed widths, so an image is made by replacing bytes.
"""

import io
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

ROWS = COLUMNS = 512
ROOT = "1.2.826.0.1.3680043.10.1473"
_STUDY, _SERIES, _SOP = f"{ROOT}.77777777.1", f"{ROOT}.77777777.2.155555", f"{ROOT}.77777777.3.199999"
_PATIENT, _NUMBER, _PLACE = "BENCH-77777777", "99999", "0099999.00"


def _template() -> bytes:
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = CTImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = _SOP
    facts = {
        "SpecificCharacterSet": "ISO_IR 100",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"],
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": _SOP,
        "StudyInstanceUID": _STUDY,
        "SeriesInstanceUID": _SERIES,
        "FrameOfReferenceUID": f"{_STUDY}.9",
        "StudyDate": "20260114",
        "SeriesDate": "20260114",
        "AcquisitionDate": "20260114",
        "ContentDate": "20260114",
        "StudyTime": "101500.125000",
        "SeriesTime": "101700.000000",
        "AcquisitionTime": "101702.250000",
        "ContentTime": "101702.250000",
        "AccessionNumber": "A20260114-77",
        "Modality": "CT",
        "Manufacturer": "Siemens Healthineers",
        "InstitutionName": "Karlsund University Hospital",
        "InstitutionAddress": "Harbour street 4, Karlsund",
        "ReferringPhysicianName": "Berg^Astrid",
        "StationName": "CTAWP73456",
        "StudyDescription": "CT Chest with contrast",
        "SeriesDescription": "Chest 1.0 Br40",
        "InstitutionalDepartmentName": "Radiology",
        "PhysiciansOfRecord": "Lind^Jon",
        "PerformingPhysicianName": "Holm^Ida",
        "OperatorsName": "Vik^Per",
        "ManufacturerModelName": "SOMATOM Definition AS+",
        "PatientName": "Nordmann^Kari",
        "PatientID": _PATIENT,
        "PatientBirthDate": "19580307",
        "PatientSex": "F",
        "PatientAge": "067Y",
        "PatientSize": "1.68",
        "PatientWeight": "71",
        "BodyPartExamined": "CHEST",
        "ContrastBolusAgent": "Iomeron 350",
        "SliceThickness": "1",
        "KVP": "120",
        "DataCollectionDiameter": "500",
        "DeviceSerialNumber": "73456",
        "SoftwareVersions": "syngo CT VA48A",
        "ProtocolName": "Thorax_Routine",
        "ReconstructionDiameter": "360",
        "DistanceSourceToDetector": "1085.6",
        "DistanceSourceToPatient": "595",
        "GantryDetectorTilt": "0",
        "TableHeight": "144",
        "RotationDirection": "CW",
        "ExposureTime": "500",
        "XRayTubeCurrent": "180",
        "Exposure": "80",
        "FilterType": "0",
        "GeneratorPower": "39",
        "FocalSpots": "1.2",
        "DateOfLastCalibration": "20260113",
        "TimeOfLastCalibration": "061200.000000",
        "ConvolutionKernel": ["Br40d", "3"],
        "PatientPosition": "FFS",
        "StudyID": "77777",
        "SeriesNumber": "3",
        "AcquisitionNumber": "2",
        "InstanceNumber": _NUMBER,
        "ImagePositionPatient": ["-180", "-180", _PLACE],
        "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "PositionReferenceIndicator": "",
        "SliceLocation": _PLACE,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": ROWS,
        "Columns": COLUMNS,
        "PixelSpacing": ["0.703125", "0.703125"],
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "WindowCenter": ["50", "-600"],
        "WindowWidth": ["350", "1200"],
        "WindowCenterWidthExplanation": ["WINDOW1", "WINDOW2"],
        "RescaleIntercept": "-1024",
        "RescaleSlope": "1",
        "RescaleType": "HU",
        "RequestingPhysician": "Berg^Astrid",
        "RequestedProcedureDescription": "CT Chest",
        "PerformedProcedureStepStartDate": "20260114",
        "PerformedProcedureStepStartTime": "101500.000000",
        "PerformedProcedureStepID": "P77",
        "CommentsOnThePerformedProcedureStep": "for Kari Nordmann",
    }
    for keyword, value in facts.items():
        setattr(image, keyword, value)
    reference = Dataset()
    reference.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    reference.ReferencedSOPInstanceUID = f"{_STUDY}.4"
    image.ReferencedStudySequence = [reference]
    request = Dataset()
    request.ScheduledProcedureStepDescription = "CT Chest"
    request.RequestedProcedureID = "R77"
    image.RequestAttributesSequence = [request]
    for group, creator in ((0x0019, "SIEMENS CT VA0  COAD"), (0x0029, "SIEMENS CSA HEADER")):
        block = image.private_block(group, creator, create=True)
        block.add_new(0x10, "LO", "Kari Nordmann")
        block.add_new(0x11, "OB", bytes(range(256)) * 4)
    noise = np.random.default_rng(7).normal(1000, 120, (ROWS, COLUMNS)).clip(0, 4095)
    image.PixelData = noise.astype(np.uint16).tobytes()
    image["PixelData"].VR = "OW"
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, image, enforce_file_format=True)
    return buffer.getvalue()


class Scanner:
    """Makes images of one patient and study each call; every study of every run is another one."""

    def __init__(self, first: int = 10_000_000) -> None:
        template = _template()
        at = template.index(b"\xe0\x7f\x10\x00OW")
        self._head, self._pixels = template[:at], template[at:]
        self._next = first

    def study(self, count: int, *, series_of: int = 300) -> list[bytes]:
        """`count` images of one new study, in series of `series_of`."""
        self._next += 1
        run = str(self._next).encode()
        head = self._head.replace(b"77777777", run)
        made = []
        for index in range(count):
            number = f"{index + 1:05d}".encode()
            own = head.replace(b"2.155555", f"2.1{index // series_of:05d}".encode())
            own = own.replace(b"3.199999", b"3.1" + number).replace(b"0099999.00", b"00" + number + b".00")
            made.append(own.replace(b"99999", number) + self._pixels)
        return made


def write_folder(folder: Path, images: list[bytes]) -> None:
    folder.mkdir(parents=True)
    for number, image in enumerate(images, start=1):
        (folder / f"{number:05d}.dcm").write_bytes(image)
