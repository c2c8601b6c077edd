"""Writes DICOM Segmentation objects (PS3.3 A.51): one for an image series, on the images' own grid.

The frames are put together here from sparse bit planes; highdicom, whose writer wants one dense array
[frames, rows, columns, segments] and draws some identifiers by chance, describes the segments. Overlapping
segments stay apart, a segment without a voxel stays a segment, and the same input gives the same bytes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import BytesIO
from uuid import UUID

import highdicom as hd
import numpy as np
from pydicom import DataElement, Dataset, FileDataset
from pydicom.config import RAISE
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.tag import BaseTag, Tag
from pydicom.uid import ExplicitVRLittleEndian, SegmentationStorage
from pydicom.valuerep import format_number_as_ds, validate_value

from annotations.exchange.codes import Code, category_of
from annotations.exchange.grid import Grid
from annotations.exchange.source import ExchangeError, FrameKey, SourceFrame, SourceSeries
from annotations.exchange.uids import derived_uid, uid_of
from annotations.measures import masks

MANUFACTURER, MODEL, VERSION = "Atlas", "Atlas", "1"
_SEGMENTATION = Code("113076", "DCM", "Segmentation")
_SOURCE_IMAGE = Code("121322", "DCM", "Source image for image processing operation")

# What a SEG takes over from its images: patient and study, as they are stored.
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
class Segment:
    """One segment. `planes` hold its voxels, run-length encoded, by the frame they were drawn on."""

    label: str
    meaning: Code
    planes: Mapping[FrameKey, bytes]
    description: str = ""
    identity: UUID | None = None
    color: str | None = None
    algorithm: str = "MANUAL"


@dataclass(frozen=True)
class SegIdentity:
    """What makes a SEG this one: its UIDs follow from `parts` and `at` is its content's date and time."""

    parts: tuple[str | int, ...]
    at: datetime
    description: str
    series_number: int = 1000


def write_seg(
    *,
    source: SourceSeries,
    header: Dataset,
    sop_classes: Mapping[str, str],
    segments: Sequence[Segment],
    identity: SegIdentity,
) -> bytes:
    """The file, as bytes.

    `header` is the header of any image of the series, `sop_classes` its instances' SOP Class UIDs by SOP
    Instance UID. Raises ExchangeError where a plane doesn't lie on the series.
    """
    if not segments:
        raise ExchangeError("A segmentation needs at least one segment.")
    drawn = _drawn_frames(source, segments)
    dataset = _start(source, header, identity)
    dataset.SegmentSequence = DicomSequence(
        [_segment_item(number, segment) for number, segment in enumerate(segments, start=1)]
    )
    dataset.ReferencedSeriesSequence = DicomSequence([_referenced_series(source, sop_classes)])
    _add_frames(dataset, source, header, sop_classes, drawn, identity)
    _add_pixels(dataset, drawn)
    return _bytes_of(dataset)


@dataclass(frozen=True)
class _Drawn:
    segment_number: int
    frame: SourceFrame
    runs: bytes


def _drawn_frames(source: SourceSeries, segments: Sequence[Segment]) -> list[_Drawn]:
    """By segment, then in the order of the series. At least one: a SEG can't be without frames."""
    drawn: list[_Drawn] = []
    for number, segment in enumerate(segments, start=1):
        planes = {key: runs for key, runs in segment.planes.items() if not masks.is_empty(runs)}
        missing = set(planes) - set(source.frame_at)
        if missing:
            raise ExchangeError(
                f"Segment “{segment.label}” has voxels on image {min(missing).sop_instance_uid}, "
                f"which is not in series {source.series_instance_uid}."
            )
        drawn += [_Drawn(number, frame, planes[frame.key]) for frame in source.frames if frame.key in planes]
    if not drawn:
        first = source.frames[0]
        drawn = [_Drawn(1, first, masks.encode(np.zeros((first.rows, first.columns), dtype=np.bool_)))]
    size = (drawn[0].frame.rows, drawn[0].frame.columns)
    if any((each.frame.rows, each.frame.columns) != size for each in drawn):
        raise ExchangeError("The images drawn on differ in size, and a segmentation has one size only.")
    return drawn


def _start(source: SourceSeries, header: Dataset, identity: SegIdentity) -> FileDataset:
    sop_instance_uid = derived_uid("seg", *identity.parts, source.series_instance_uid)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SegmentationStorage
    meta.MediaStorageSOPInstanceUID = sop_instance_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
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
    dataset.SOPClassUID, dataset.SOPInstanceUID = SegmentationStorage, sop_instance_uid
    dataset.StudyInstanceUID = source.study_instance_uid
    dataset.Modality, dataset.SeriesNumber, dataset.InstanceNumber = "SEG", identity.series_number, 1
    dataset.SeriesInstanceUID = derived_uid("seg series", *identity.parts, source.series_instance_uid)
    dataset.SeriesDate = dataset.ContentDate = date
    dataset.SeriesTime = dataset.ContentTime = time
    dataset.SeriesDescription = dataset.ContentDescription = identity.description[:64]
    if "BodyPartExamined" in header and header.BodyPartExamined:
        dataset.BodyPartExamined = header.BodyPartExamined
    if source.frame_of_reference_uid:
        dataset.FrameOfReferenceUID = source.frame_of_reference_uid
        dataset.PositionReferenceIndicator = header.get("PositionReferenceIndicator") or ""
    dataset.Manufacturer, dataset.ManufacturerModelName = MANUFACTURER, MODEL
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "1", VERSION
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.ContentLabel, dataset.ContentCreatorName = "SEGMENTATION", ""
    dataset.SegmentationType, dataset.LossyImageCompression = "BINARY", "00"
    dataset.SegmentsOverlap = "UNDEFINED"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = dataset.PixelRepresentation = 0
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


def _segment_item(number: int, segment: Segment) -> Dataset:
    item = hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=segment.label[:64],
        segmented_property_category=category_of(segment.meaning).as_dicom(),
        segmented_property_type=segment.meaning.as_dicom(),
        algorithm_type="MANUAL",
        tracking_id=str(segment.identity) if segment.identity else None,
        tracking_uid=uid_of(segment.identity) if segment.identity else None,
        display_color=hd.color.CIELabColor.from_string(segment.color) if segment.color else None,
    )
    if segment.algorithm != "MANUAL":
        item.SegmentAlgorithmType, item.SegmentAlgorithmName = segment.algorithm, MODEL
    if segment.description:
        item.SegmentDescription = segment.description
    return item


def _referenced_series(source: SourceSeries, sop_classes: Mapping[str, str]) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = source.series_instance_uid
    item.ReferencedInstanceSequence = DicomSequence(
        [_reference(sop_classes, uid) for uid in source.frames_of_instance]
    )
    return item


def _reference(sop_classes: Mapping[str, str], sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_classes[sop_instance_uid]
    item.ReferencedSOPInstanceUID = sop_instance_uid
    return item


def _numbers(values: Iterable[float]) -> list[str]:
    return [format_number_as_ds(float(value)) for value in values]


def _add_frames(
    dataset: Dataset,
    source: SourceSeries,
    header: Dataset,
    sop_classes: Mapping[str, str],
    drawn: Sequence[_Drawn],
    identity: SegIdentity,
) -> None:
    first = drawn[0].frame
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = first.rows, first.columns, len(drawn)
    placed = all(each.frame.has_place for each in drawn)
    alike = all(first.same_grid(each.frame) for each in drawn)
    _add_dimensions(dataset, identity, placed=placed)
    if not placed:
        dataset.PatientOrientation = header.get("PatientOrientation") or ""

    shared = Dataset()
    if placed and alike:
        _add_geometry(shared, first, source, header)
    dataset.SharedFunctionalGroupsSequence = DicomSequence([shared])

    used = {each.frame.key for each in drawn}
    place = {
        frame.key: index for index, frame in enumerate((f for f in source.frames if f.key in used), start=1)
    }
    several = {uid for uid, frames in source.frames_of_instance.items() if len(frames) > 1}
    groups = []
    for each in drawn:
        group = Dataset()
        content = Dataset()
        content.DimensionIndexValues = [each.segment_number, place[each.frame.key]]
        content.StackID, content.InStackPositionNumber = "1", place[each.frame.key]
        group.FrameContentSequence = DicomSequence([content])
        if placed:
            position = Dataset()
            position.ImagePositionPatient = _numbers(each.frame.position or ())
            group.PlanePositionSequence = DicomSequence([position])
            if not alike:
                _add_geometry(group, each.frame, source, header)
        segment = Dataset()
        segment.ReferencedSegmentNumber = each.segment_number
        group.SegmentIdentificationSequence = DicomSequence([segment])
        group.DerivationImageSequence = DicomSequence([_derivation(sop_classes, each.frame.key, several)])
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = DicomSequence(groups)


def _add_dimensions(dataset: Dataset, identity: SegIdentity, *, placed: bool) -> None:
    uid = derived_uid("dimensions", *identity.parts, dataset.SOPInstanceUID)
    organisation = Dataset()
    organisation.DimensionOrganizationUID = uid
    dataset.DimensionOrganizationSequence = DicomSequence([organisation])
    along: tuple[BaseTag, BaseTag, str] = (
        (Tag("ImagePositionPatient"), Tag("PlanePositionSequence"), "Image Position")
        if placed
        else (Tag("InStackPositionNumber"), Tag("FrameContentSequence"), "Position in the series")
    )
    dimensions = []
    for pointer, group, label in (
        (Tag("ReferencedSegmentNumber"), Tag("SegmentIdentificationSequence"), "Segment Number"),
        along,
    ):
        item = Dataset()
        item.DimensionOrganizationUID = uid
        item.DimensionIndexPointer, item.FunctionalGroupPointer = pointer, group
        item.DimensionDescriptionLabel = label
        dimensions.append(item)
    dataset.DimensionIndexSequence = DicomSequence(dimensions)


def _add_geometry(group: Dataset, frame: SourceFrame, source: SourceSeries, header: Dataset) -> None:
    orientation, measures = Dataset(), Dataset()
    orientation.ImageOrientationPatient = _numbers(frame.orientation or ())
    measures.PixelSpacing = _numbers((frame.row_mm or 0.0, frame.column_mm or 0.0))
    between_mm = _distance_between_slices_mm(source)
    thickness_mm = header.get("SliceThickness") or between_mm
    if thickness_mm:
        measures.SliceThickness = format_number_as_ds(float(thickness_mm))
    if between_mm:
        measures.SpacingBetweenSlices = format_number_as_ds(between_mm)
    group.PlaneOrientationSequence = DicomSequence([orientation])
    group.PixelMeasuresSequence = DicomSequence([measures])


def _distance_between_slices_mm(source: SourceSeries) -> float | None:
    """Where there is one; readers use it as the third spacing of the whole volume."""
    try:
        return round(float(Grid.of(source).voxel_size_mm[2]), 6)
    except ExchangeError:
        return None


@cache
def _concept(code: Code) -> Dataset:
    """Made once, as every frame has the same."""
    return code.as_dicom()


def _derivation(sop_classes: Mapping[str, str], key: FrameKey, several: set[str]) -> Dataset:
    image = _reference(sop_classes, key.sop_instance_uid)
    if key.sop_instance_uid in several:
        image.ReferencedFrameNumber = key.frame_number
    image.PurposeOfReferenceCodeSequence = DicomSequence([_concept(_SOURCE_IMAGE)])
    image.SpatialLocationsPreserved = "YES"
    item = Dataset()
    item.SourceImageSequence = DicomSequence([image])
    item.DerivationCodeSequence = DicomSequence([_concept(_SEGMENTATION)])
    return item


def _add_pixels(dataset: Dataset, drawn: Sequence[_Drawn]) -> None:
    packed = b"".join(_packed(drawn))
    dataset.PixelData = packed + b"\0" * (len(packed) % 2)
    dataset["PixelData"].VR = "OB"


def _packed(drawn: Sequence[_Drawn]) -> Iterator[bytes]:
    """Bits of all frames after each other, the first in the lowest; frames aren't padded (PS3.5 8.2)."""
    left_over = np.zeros(0, dtype=np.bool_)
    for each in drawn:
        plane = masks.decode(each.runs, each.frame.rows, each.frame.columns).ravel()
        bits = np.concatenate((left_over, plane)) if left_over.size else plane
        whole = bits.size // 8 * 8
        yield np.packbits(bits[:whole], bitorder="little").tobytes()
        left_over = bits[whole:]
    if left_over.size:
        yield np.packbits(left_over, bitorder="little").tobytes()


def _bytes_of(dataset: FileDataset) -> bytes:
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
