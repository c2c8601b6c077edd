"""What the two kinds of DICOM Segmentation share: how segments are described, and where frames lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import highdicom as hd
from pydicom import Dataset, FileDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import format_number_as_ds

from annotations.exchange.codes import Code, category_of
from annotations.exchange.grid import Grid
from annotations.exchange.objects import MODEL, ObjectIdentity, begin, decimals, reference
from annotations.exchange.source import ExchangeError, FrameKey, SourceFrame, SourceSeries
from annotations.exchange.uids import derived_uid, uid_of
from annotations.measures import masks

_SEGMENTATION = Code("113076", "DCM", "Segmentation")
_SOURCE_IMAGE = Code("121322", "DCM", "Source image for image processing operation")


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
class SegFrame:
    """One frame to be written; a label map's is of no one segment."""

    frame: SourceFrame
    segment_number: int | None = None


def planes_on(source: SourceSeries, segment: Segment) -> dict[FrameKey, bytes]:
    """Those with a voxel. Raises ExchangeError where one doesn't lie on the series."""
    planes = {key: runs for key, runs in segment.planes.items() if not masks.is_empty(runs)}
    missing = set(planes) - set(source.frame_at)
    if missing:
        raise ExchangeError(
            f"Segment “{segment.label}” has voxels on image {min(missing).sop_instance_uid}, "
            f"which is not in series {source.series_instance_uid}."
        )
    return planes


def require_one_size(frames: Sequence[SourceFrame]) -> None:
    if any((one.rows, one.columns) != (frames[0].rows, frames[0].columns) for one in frames):
        raise ExchangeError("The images drawn on differ in size, and a segmentation has one size only.")


def start_segmentation(
    role: str, kind: str, *, source: SourceSeries, header: Dataset, identity: ObjectIdentity, **more: Any
) -> FileDataset:
    """What binary segmentations and label maps have in common."""
    dataset = begin(role, modality="SEG", source=source, header=header, identity=identity, **more)
    dataset.ContentDate, dataset.ContentTime = dataset.SeriesDate, dataset.SeriesTime
    dataset.ContentLabel, dataset.ContentDescription = "SEGMENTATION", dataset.SeriesDescription
    dataset.ContentCreatorName = ""
    if "BodyPartExamined" in header and header.BodyPartExamined:
        dataset.BodyPartExamined = header.BodyPartExamined
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.SegmentationType, dataset.LossyImageCompression = kind, "00"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.PixelRepresentation = 0
    return dataset


def segment_item(number: int, segment: Segment) -> Dataset:
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


def referenced_series(source: SourceSeries, sop_classes: Mapping[str, str]) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = source.series_instance_uid
    item.ReferencedInstanceSequence = DicomSequence(
        [reference(sop_classes, uid) for uid in source.frames_of_instance]
    )
    return item


def add_frames(
    dataset: Dataset,
    source: SourceSeries,
    header: Dataset,
    sop_classes: Mapping[str, str],
    drawn: Sequence[SegFrame],
    identity: ObjectIdentity,
) -> None:
    first = drawn[0].frame
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = first.rows, first.columns, len(drawn)
    placed = all(each.frame.has_place for each in drawn)
    alike = all(first.same_grid(each.frame) for each in drawn)
    by_segment = drawn[0].segment_number is not None
    _add_dimensions(dataset, identity, placed=placed, by_segment=by_segment)
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
        index = place[each.frame.key]
        content.DimensionIndexValues = [each.segment_number, index] if by_segment else [index]
        content.StackID, content.InStackPositionNumber = "1", index
        group.FrameContentSequence = DicomSequence([content])
        if placed:
            position = Dataset()
            position.ImagePositionPatient = decimals(each.frame.position or ())
            group.PlanePositionSequence = DicomSequence([position])
            if not alike:
                _add_geometry(group, each.frame, source, header)
        if by_segment:
            segment = Dataset()
            segment.ReferencedSegmentNumber = each.segment_number
            group.SegmentIdentificationSequence = DicomSequence([segment])
        group.DerivationImageSequence = DicomSequence([_derivation(sop_classes, each.frame.key, several)])
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = DicomSequence(groups)


def _add_dimensions(dataset: Dataset, identity: ObjectIdentity, *, placed: bool, by_segment: bool) -> None:
    uid = derived_uid("dimensions", *identity.parts, dataset.SOPInstanceUID)
    organisation = Dataset()
    organisation.DimensionOrganizationUID = uid
    dataset.DimensionOrganizationSequence = DicomSequence([organisation])
    along: tuple[BaseTag, BaseTag, str] = (
        (Tag("ImagePositionPatient"), Tag("PlanePositionSequence"), "Image Position")
        if placed
        else (Tag("InStackPositionNumber"), Tag("FrameContentSequence"), "Position in the series")
    )
    segment = (Tag("ReferencedSegmentNumber"), Tag("SegmentIdentificationSequence"), "Segment Number")
    dimensions = []
    for pointer, group, label in (segment, along) if by_segment else (along,):
        item = Dataset()
        item.DimensionOrganizationUID = uid
        item.DimensionIndexPointer, item.FunctionalGroupPointer = pointer, group
        item.DimensionDescriptionLabel = label
        dimensions.append(item)
    dataset.DimensionIndexSequence = DicomSequence(dimensions)


def _add_geometry(group: Dataset, frame: SourceFrame, source: SourceSeries, header: Dataset) -> None:
    orientation, measures = Dataset(), Dataset()
    orientation.ImageOrientationPatient = decimals(frame.orientation or ())
    measures.PixelSpacing = decimals((frame.row_mm or 0.0, frame.column_mm or 0.0))
    between_mm = _distance_between_slices_mm(source)
    thickness_mm = header.get("SliceThickness") or between_mm or _usual_distance_mm(source)
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


def _usual_distance_mm(source: SourceSeries) -> float | None:
    """Of slices that make no regular volume, such as tilted ones; None of a single slice."""
    return source.slice_distance_mm if len(source.frames) > 1 else None


@cache
def _concept(code: Code) -> Dataset:
    """Made once, as every frame has the same."""
    return code.as_dicom()


def _derivation(sop_classes: Mapping[str, str], key: FrameKey, several: set[str]) -> Dataset:
    image = reference(sop_classes, key.sop_instance_uid)
    if key.sop_instance_uid in several:
        image.ReferencedFrameNumber = key.frame_number
    image.PurposeOfReferenceCodeSequence = DicomSequence([_concept(_SOURCE_IMAGE)])
    image.SpatialLocationsPreserved = "YES"
    item = Dataset()
    item.SourceImageSequence = DicomSequence([image])
    item.DerivationCodeSequence = DicomSequence([_concept(_SEGMENTATION)])
    return item
