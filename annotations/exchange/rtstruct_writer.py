"""Writes RT Structure Sets (PS3.3 A.19): masks and closed figures as outlines in patient millimetres.

A mask's outlines run along the borders of its pixels and fill to the same pixels. Figures keep the points
they were drawn with; ellipses become polygons. Regions may overlap; one without an outline says that there
is nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydicom import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage

from annotations.exchange.codes import Code
from annotations.exchange.contours import outlines_of
from annotations.exchange.objects import ObjectIdentity, begin, bytes_of, reference
from annotations.exchange.outlines import ellipse_outline
from annotations.exchange.source import ExchangeError, FrameKey, SourceSeries
from annotations.measures import masks
from annotations.measures.figures import curve_through

ROLE = "structure set"
_STUDY = "1.2.840.10008.3.1.2.3.1"  # Detached Study Management, by which RTSTRUCT still names studies
_DECIMALS = 6  # of a millimetre

type Outlines = Mapping[FrameKey, Sequence[NDArray[np.float64]]]


@dataclass(frozen=True)
class Region:
    """One region of interest. `outlines` are closed, float[n, 3] in patient mm, by the frame they lie on."""

    name: str
    meaning: Code
    outlines: Outlines = field(default_factory=dict)
    description: str = ""
    identity: UUID | None = None
    color: str | None = None
    is_manual: bool = True


def outlines_of_mask(source: SourceSeries, planes: Mapping[FrameKey, bytes]) -> Outlines:
    """Raises ExchangeError where a plane lies on a frame without a place in the patient."""
    found = {}
    for key, runs in planes.items():
        frame = source.frame_at.get(key)
        if frame is None or not frame.has_place:
            raise ExchangeError(
                f"Image {key.sop_instance_uid}, which was drawn on, has no place in the patient."
            )
        if masks.is_empty(runs):
            continue
        along_row, down_column, _ = frame.axes
        found[key] = [
            np.array(frame.position)
            + (points[:, :1] - 0.5) * (frame.column_mm or 0) * along_row
            + (points[:, 1:] - 0.5) * (frame.row_mm or 0) * down_column
            for points in outlines_of(masks.decode(runs, frame.rows, frame.columns))
        ]
    return found


def outline_of_figure(
    kind: str, points_mm: ArrayLike, *, normal: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """The closed outline of a figure, float[n, 3]; None of a figure that encloses nothing in its plane.
    `normal`, a unit vector, is that of the image it lies on."""
    points = np.asarray(points_mm, dtype=np.float64)
    if kind in ("polygon", "freehand", "livewire", "rectangle"):
        return points
    if kind == "spline":
        return curve_through(points)
    if kind == "ellipse":
        return ellipse_outline(points)
    if kind == "circle":
        center, arm = points[0], points[1] - points[0]
        across = np.cross(normal, arm)
        return ellipse_outline(np.array([center - arm, center + arm, center - across, center + across]))
    return None


def write_rtstruct(
    *,
    source: SourceSeries,
    header: Dataset,
    sop_classes: Mapping[str, str],
    regions: Sequence[Region],
    identity: ObjectIdentity,
) -> bytes:
    """The file, as bytes; regions are numbered from 1. `header` and `sop_classes` as for `write_seg`.

    Raises ExchangeError where the series has no frame of reference, or nothing is outlined.
    """
    if not source.frame_of_reference_uid:
        raise ExchangeError("its images name no frame of reference")
    if not any(region.outlines for region in regions):
        raise ExchangeError("nothing on it has an outline")
    dataset = begin(
        ROLE,
        sop_class_uid=RTStructureSetStorage,
        modality="RTSTRUCT",
        source=source,
        header=header,
        identity=identity,
        # With explicit representations, the points of a long outline don't fit into their 16-bit length.
        transfer_syntax_uid=ImplicitVRLittleEndian,
    )
    dataset.OperatorsName = ""
    dataset.StructureSetLabel, dataset.StructureSetName = "ATLAS", dataset.SeriesDescription
    dataset.StructureSetDate, dataset.StructureSetTime = dataset.SeriesDate, dataset.SeriesTime
    dataset.ReferencedFrameOfReferenceSequence = DicomSequence([_frame_of_reference(source, sop_classes)])
    rois, contours, observations = [], [], []
    several = {uid for uid, frames in source.frames_of_instance.items() if len(frames) > 1}
    for number, region in enumerate(regions, start=1):
        rois.append(_roi(number, region, source))
        contours.append(_contours(number, region, source, sop_classes, several))
        observations.append(_observation(number, region))
    dataset.StructureSetROISequence = DicomSequence(rois)
    dataset.ROIContourSequence = DicomSequence(contours)
    dataset.RTROIObservationsSequence = DicomSequence(observations)
    return bytes_of(dataset)


def _frame_of_reference(source: SourceSeries, sop_classes: Mapping[str, str]) -> Dataset:
    series, study, item = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = source.series_instance_uid
    series.ContourImageSequence = DicomSequence(
        [reference(sop_classes, uid) for uid in source.frames_of_instance]
    )
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = _STUDY, source.study_instance_uid
    study.RTReferencedSeriesSequence = DicomSequence([series])
    item.FrameOfReferenceUID = source.frame_of_reference_uid
    item.RTReferencedStudySequence = DicomSequence([study])
    return item


def _roi(number: int, region: Region, source: SourceSeries) -> Dataset:
    item = Dataset()
    item.ROINumber, item.ROIName = number, region.name[:64]
    item.ReferencedFrameOfReferenceUID = source.frame_of_reference_uid
    item.ROIGenerationAlgorithm = "MANUAL" if region.is_manual else ""
    if region.description:
        item.ROIDescription = region.description
    return item


def _contours(
    number: int,
    region: Region,
    source: SourceSeries,
    sop_classes: Mapping[str, str],
    several: set[str],
) -> Dataset:
    item = Dataset()
    item.ReferencedROINumber = number
    if region.color:
        item.ROIDisplayColor = [int(region.color[at : at + 2], 16) for at in (1, 3, 5)]
    drawn: list[Dataset] = []
    for frame in source.frames:
        for points in region.outlines.get(frame.key, ()):
            image = reference(sop_classes, frame.key.sop_instance_uid)
            if frame.key.sop_instance_uid in several:
                image.ReferencedFrameNumber = frame.key.frame_number
            contour = Dataset()
            contour.ContourImageSequence = DicomSequence([image])
            contour.ContourGeometricType = "CLOSED_PLANAR"
            contour.NumberOfContourPoints = len(points)
            contour.ContourNumber = len(drawn) + 1
            contour.ContourData = list(_decimals(points.ravel().tolist()))
            drawn.append(contour)
    if drawn:
        item.ContourSequence = DicomSequence(drawn)
    return item


def _decimals(values: Iterable[float]) -> Iterable[str]:
    """Nanometres, so that borders of pixels stay between their centres, in at most 16 characters."""
    for value in values:
        yield f"{round(value, _DECIMALS) + 0.0:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def _observation(number: int, region: Region) -> Dataset:
    item = Dataset()
    item.ObservationNumber = item.ReferencedROINumber = number
    if region.identity:
        item.ROIObservationDescription = f"Annotation {region.identity}"
    item.RTROIIdentificationCodeSequence = DicomSequence([region.meaning.as_dicom()])
    item.RTROIInterpretedType, item.ROIInterpreter = "", ""
    return item
