"""What one DICOM object contributes to its series: facts for the index, and a description of each frame."""

from dataclasses import dataclass, field, replace
from typing import BinaryIO

from pydicom.dataset import Dataset

from atlas.dicom import values
from atlas.dicom.decoding import codestream_contradicts
from atlas.dicom.frames import (
    BROWSER_DECODES,
    JPEG_2000,
    NATIVE,
    NoFrames,
    PixelFormat,
    Ranges,
    frame_ranges,
    must_be_decoded,
    pixel_format,
    read_ranges,
)
from atlas.dicom.geometry import (
    NO_SPACING,
    Orientation,
    Position,
    Spacing,
    letters_of,
    orientation_of,
    position_of,
    spacing_of,
)
from atlas.dicom.headers import DEFLATED, EXPLICIT_LITTLE, Header, inflated
from atlas.dicom.phases import Moment, moment_of
from atlas.dicom.summary import side_of
from atlas.dicom.suv import NO_SUV, suv_of
from atlas.dicom.wellformed import ill_formed

# Objects about images, not images: they are stored and announced, and have no frames to show.
DERIVED = {
    "SEG",
    "SR",
    "RTSTRUCT",
    "RTPLAN",
    "RTRECORD",
    "PR",
    "KO",
    "REG",
    "RWV",
    "DOC",
    "FID",
    "AU",
    "ECG",
    "HD",
}
UCUM = {"[hnsf'U]": "HU", "1": ""}  # units of a parametric map, as a reader knows them
END_MARKER, END_BYTES = b"\xff\xd9", 16  # padding may follow it
ENDS_WITH_MARKER = BROWSER_DECODES - {"1.2.840.10008.1.2.5"}
PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
DERIVED_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
    "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation
    "1.2.840.10008.5.1.4.1.1.66.5",  # Surface Segmentation
    "1.2.840.10008.5.1.4.1.1.67",  # Real World Value Mapping
    "1.2.840.10008.5.1.4.1.1.481.3",  # RT Structure Set
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: where it is in the patient, how its numbers are meant, where its bytes are.

    `ranges` is None where the bytes are cut off, and counts in the object named `source`. `order` tells
    frames of the same place apart and sorts them. `number` counts from 1 within its instance. `side` is
    (laterality, view), "" for what is not known. `decode`: browsers need a decoded rendition.
    """

    sop_instance_uid: str
    number: int
    instance_number: int | None
    order: Moment
    position: Position | None
    orientation: Orientation | None
    letters: tuple[str, str] | None
    side: tuple[str, str]
    spacing: Spacing
    pixel: PixelFormat
    center: float | None
    width: float | None
    slope: float
    intercept: float
    ranges: Ranges | None
    syntax: str
    decode: bool
    source: str


@dataclass(frozen=True, slots=True)
class Description:
    """One instance. `problem` says why it has no frames although it should have some, `no_suv` why a PET
    image has no SUV. `ill_formed`: keywords of attributes written as DICOM doesn't allow. `ends_early`:
    compressed frames without their end."""

    sop_instance_uid: str
    frames: list[Frame]
    problem: str = ""
    units: str = ""
    suv_factor: float | None = None
    lossy: bool = False
    modality_lut: bool = False
    ill_formed: tuple[str, ...] = ()
    ends_early: int = 0
    no_suv: str = ""
    ultrasound_regions: bool = False
    frame_of_reference_uid: str = ""
    facts: dict = field(default_factory=dict)


def is_derived(modality: str, sop_class_uid: str) -> bool:
    return modality in DERIVED or sop_class_uid in DERIVED_CLASSES


def series_facts(header: Header) -> dict:
    """What the manifest says about the series, from one of its headers."""
    dataset = header.dataset
    return {
        "uid": values.uid(dataset, "SeriesInstanceUID"),
        "number": values.integer(dataset, "SeriesNumber"),
        "modality": values.text(dataset, "Modality", length_max=16),
        "description": values.text(dataset, "SeriesDescription"),
        "body_part": values.text(dataset, "BodyPartExamined", length_max=16),
        "laterality": values.text(dataset, "Laterality", length_max=1)
        or values.text(dataset, "ImageLaterality", length_max=1),
        "frame_of_reference": values.uid(dataset, "FrameOfReferenceUID") or None,
        "images_a_second": _images_a_second(dataset),
    }


def _images_a_second(dataset: Dataset) -> float | None:
    """How fast a film is played: as its maker recommends, or as it was taken."""
    time_ms = values.number(dataset, "FrameTime")
    rates = (
        values.number(dataset, "RecommendedDisplayFrameRate"),
        values.number(dataset, "CineRate"),
        1000 / time_ms if time_ms and time_ms > 0 else None,
    )
    return next((rate for rate in rates if rate and rate > 0), None)


def describe(file: BinaryIO, header: Header, source: str = "") -> Description:
    """Describe one stored object, `source` by name. What is wrong with the file becomes `problem`."""
    dataset = header.dataset
    modality = values.text(dataset, "Modality", length_max=16)
    suv = suv_of(dataset) if modality == "PT" else NO_SUV
    base = Description(
        sop_instance_uid=values.uid(dataset, "SOPInstanceUID"),
        frames=[],
        units=_units(dataset, modality),
        suv_factor=suv.factor,
        no_suv=suv.problem,
        lossy=values.text(dataset, "LossyImageCompression") == "01",
        modality_lut=bool(values.items(dataset, "ModalityLUTSequence")),
        ill_formed=ill_formed(dataset),
        ultrasound_regions=bool(values.items(dataset, "SequenceOfUltrasoundRegions")),
        frame_of_reference_uid=values.uid(dataset, "FrameOfReferenceUID"),
        facts=series_facts(header),
    )
    sop_class = values.uid(dataset, "SOPClassUID")
    if is_derived(modality, sop_class):
        return base
    if not header.pixel_keyword:
        should_have = values.integer(dataset, "Rows") is not None
        return replace(base, problem="The file ends before its pixels." if should_have else "")
    if sop_class == DOSE:
        return replace(base, problem="Dose grids can't be shown yet.")
    try:
        frames = _frames(file, header, modality, source)
    except NoFrames as error:
        return replace(base, problem=str(error))
    return replace(base, frames=frames, ends_early=_without_end(file, header, frames))


def _frames(file: BinaryIO, header: Header, modality: str, source: str) -> list[Frame]:
    dataset = header.dataset
    pixel = pixel_format(header)
    content = inflated(file) if header.transfer_syntax_uid == DEFLATED else file
    all_ranges = frame_ranges(content, header, pixel)
    decode = must_be_decoded(header, pixel) or _lies_about_sign(content, header, pixel, all_ranges)
    syntax = EXPLICIT_LITTLE if header.transfer_syntax_uid in NATIVE else header.transfer_syntax_uid
    shared = values.item(dataset, "SharedFunctionalGroupsSequence")
    each = values.items(dataset, "PerFrameFunctionalGroupsSequence")
    uid = values.uid(dataset, "SOPInstanceUID")
    instance_number = values.integer(dataset, "InstanceNumber")
    plain = _Plane.of(dataset, None, None, modality)
    letters, side = letters_of(dataset), side_of(dataset)
    found = []
    for index, ranges in enumerate(all_ranges):
        own = each[index] if index < len(each) else None
        plane = _Plane.of(dataset, shared, own, modality) if shared is not None or own is not None else plain
        found.append(
            Frame(
                sop_instance_uid=uid,
                number=index + 1,
                instance_number=instance_number,
                order=plane.order._replace(instance_number=instance_number or 0, frame_index=index),
                # One position can't be that of several frames: without functional groups they have none.
                position=plane.position if own is not None or len(all_ranges) == 1 else None,
                orientation=plane.orientation,
                letters=letters,
                side=side,
                spacing=plane.spacing,
                pixel=pixel,
                center=plane.window[0],
                width=plane.window[1],
                slope=plane.rescale[0],
                intercept=plane.rescale[1],
                ranges=ranges,
                syntax=syntax,
                decode=decode,
                source=source,
            )
        )
    return found


def _without_end(file: BinaryIO, header: Header, frames: list[Frame]) -> int:
    """How many JPEG, JPEG-LS and JPEG 2000 frames lack the marker that ends them all (FFD9)."""
    if header.transfer_syntax_uid not in ENDS_WITH_MARKER:
        return 0
    cut = 0
    for frame in frames:
        if frame.ranges:
            offset, length = frame.ranges[-1]
            last = read_ranges(file, ((offset + max(0, length - END_BYTES), min(length, END_BYTES)),))
            cut += END_MARKER not in last
    return cut


def _lies_about_sign(
    file: BinaryIO, header: Header, pixel: PixelFormat, all_ranges: list[Ranges | None]
) -> bool:
    if header.transfer_syntax_uid not in JPEG_2000:
        return False
    whole = next((ranges for ranges in all_ranges if ranges), None)
    if whole is None:
        return False
    start = read_ranges(file, ((whole[0][0], min(whole[0][1], 256)),))
    return codestream_contradicts(header.transfer_syntax_uid, pixel, start)


@dataclass(frozen=True, slots=True)
class _Plane:
    """What functional groups (PS3.3 C.7.6.16) or plain attributes say about one frame."""

    position: Position | None
    orientation: Orientation | None
    spacing: Spacing
    window: tuple[float | None, float | None]
    rescale: tuple[float, float]
    order: Moment

    @classmethod
    def of(cls, dataset: Dataset, shared: Dataset | None, own: Dataset | None, modality: str) -> "_Plane":
        def group(name: str) -> Dataset | None:
            return values.item(own, name) or values.item(shared, name)

        measures = group("PixelMeasuresSequence")
        return cls(
            position=position_of(group("PlanePositionSequence"), dataset),
            orientation=orientation_of(group("PlaneOrientationSequence"), dataset),
            spacing=spacing_of(dataset, measures, modality) if dataset is not None else NO_SPACING,
            window=_window(group("FrameVOILUTSequence"), dataset),
            rescale=_of_map(group("RealWorldValueMappingSequence"), dataset)
            or _rescale(group("PixelValueTransformationSequence"), dataset),
            order=moment_of(dataset, group),
        )


def _window(*datasets: Dataset | None) -> tuple[float | None, float | None]:
    """The first window; else the range of input values of the first VOI lookup table."""
    for dataset in datasets:
        center, width = values.number(dataset, "WindowCenter"), values.number(dataset, "WindowWidth")
        if center is not None and width is not None and width >= 1:
            return center, width
        table = values.item(dataset, "VOILUTSequence")
        described = values.numbers(table, "LUTDescriptor", 3)
        if described:
            entries = described[0] or 65536  # PS3.3 C.11.2.1.1: 0 means 2^16
            return described[1] + entries / 2, float(entries)
    return None, None


def _of_map(mapping: Dataset | None, dataset: Dataset) -> tuple[float, float] | None:
    """(slope, intercept) of a parametric map's real world values (PS3.3 C.7.6.16.2.11)."""
    if values.uid(dataset, "SOPClassUID") != PARAMETRIC_MAP:
        return None
    slope = values.number(mapping, "RealWorldValueSlope")
    return (slope, values.number(mapping, "RealWorldValueIntercept") or 0.0) if slope else None


def _rescale(*datasets: Dataset | None) -> tuple[float, float]:
    """(slope, intercept); a slope of 0 would make all values equal and is taken as absent."""
    for dataset in datasets:
        slope, intercept = values.number(dataset, "RescaleSlope"), values.number(dataset, "RescaleIntercept")
        if slope is not None or intercept is not None:
            return slope or 1.0, intercept or 0.0
    return 1.0, 0.0


def _units(dataset: Dataset, modality: str) -> str:
    """What stored value × slope + intercept is measured in; "" where nobody says."""
    if modality == "PT":
        return values.text(dataset, "Units", length_max=16)
    shared = values.item(dataset, "SharedFunctionalGroupsSequence")
    each = values.item(dataset, "PerFrameFunctionalGroupsSequence")
    if values.uid(dataset, "SOPClassUID") == PARAMETRIC_MAP:
        name = "RealWorldValueMappingSequence"
        mapping = values.item(each, name) or values.item(shared, name)
        code = values.item(mapping, "MeasurementUnitsCodeSequence")
        written = values.text(code, "CodeValue", length_max=16)
        return UCUM.get(written, written)
    for source in (
        values.item(each, "PixelValueTransformationSequence"),
        values.item(shared, "PixelValueTransformationSequence"),
        dataset,
    ):
        written = values.text(source, "RescaleType", length_max=16)
        if written:
            return "" if written == "US" else written
    is_ct = modality == "CT" and values.number(dataset, "RescaleIntercept") is not None
    return "HU" if is_ct else ""
