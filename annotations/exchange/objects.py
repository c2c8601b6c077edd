"""How every DICOM object made from an image series begins: its patient and study, as the images say them, and
identifiers and dates that follow from what it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from pydicom import DataElement, Dataset, FileDataset
from pydicom.config import RAISE
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds, validate_value

from annotations.exchange.source import SourceSeries
from annotations.exchange.uids import derived_uid

MANUFACTURER, MODEL, VERSION = "Atlas", "Atlas", "1"

_PATIENT_AND_STUDY = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyDescription",
    "LongitudinalTemporalInformationModified",
)
_EMPTY_IF_MISSING = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)


@dataclass(frozen=True)
class ObjectIdentity:
    """What makes an object this one: UIDs follow from `parts`, and `at` is its content's date and time."""

    parts: tuple[str | int, ...]
    at: datetime
    description: str
    series_number: int = 1000

    def instance_uid(self, role: str, source: SourceSeries) -> UID:
        """Known before the object is written, so that others can refer to it."""
        return derived_uid(role, *self.parts, source.series_instance_uid)


def begin(
    role: str,
    *,
    sop_class_uid: str,
    modality: str,
    source: SourceSeries,
    header: Dataset,
    identity: ObjectIdentity,
    transfer_syntax_uid: str = ExplicitVRLittleEndian,
    series_role: str = "",
    instance_number: int = 1,
) -> FileDataset:
    """Patient, study, series, equipment, frame of reference.

    `role` parts objects of one identity and series; those with one `series_role` share a series of their own.
    `header` is the header of any image of the series.
    """
    sop_instance_uid = identity.instance_uid(role, source)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = sop_instance_uid
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    meta.ImplementationClassUID = derived_uid("implementation", MODEL)
    meta.ImplementationVersionName = f"ATLAS_{VERSION}"
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _EMPTY_IF_MISSING:
        setattr(dataset, keyword, "")
    for keyword in _PATIENT_AND_STUDY:
        if keyword in header and _is_valid(header[keyword]):
            dataset[keyword] = header[keyword]
    date, time = identity.at.strftime("%Y%m%d"), identity.at.strftime("%H%M%S")
    dataset.SOPClassUID, dataset.SOPInstanceUID = UID(sop_class_uid), sop_instance_uid
    dataset.StudyInstanceUID = source.study_instance_uid
    dataset.Modality, dataset.SeriesNumber = modality, identity.series_number
    dataset.InstanceNumber = instance_number
    dataset.SeriesInstanceUID = identity.instance_uid(f"{series_role or role} series", source)
    dataset.SeriesDate, dataset.SeriesTime = date, time
    dataset.SeriesDescription = identity.description[:64]
    if source.frame_of_reference_uid:
        dataset.FrameOfReferenceUID = source.frame_of_reference_uid
        dataset.PositionReferenceIndicator = header.get("PositionReferenceIndicator") or ""
    dataset.Manufacturer, dataset.ManufacturerModelName = MANUFACTURER, MODEL
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "1", VERSION
    return dataset


def _is_valid(element: DataElement) -> bool:
    """A value that breaks its own format isn't handed on."""
    values = element.value if element.VM > 1 else [element.value]
    try:
        for value in values if element.VR != "SQ" else ():
            validate_value(element.VR, value if isinstance(value, bytes) else str(value), RAISE)
    except ValueError:
        return False
    return True


def reference(sop_classes: Mapping[str, str], sop_instance_uid: str) -> Dataset:
    """`sop_classes`: SOP Class UIDs of the images, by SOP Instance UID."""
    item = Dataset()
    item.ReferencedSOPClassUID = sop_classes[sop_instance_uid]
    item.ReferencedSOPInstanceUID = sop_instance_uid
    return item


def decimals(values: Iterable[float]) -> list[str]:
    """As decimal strings, with as many digits as these can have."""
    return [format_number_as_ds(float(value)) for value in values]


def bytes_of(dataset: FileDataset) -> bytes:
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
