"""Writes measurement reports: Comprehensive 3D SR documents by TID 1500 (PS3.16), one for a read and series.

Each mark is a measurement group: of a segment of a segmentation (TID 1411), of a region on an image
(TID 1410), or of lines along which its numbers were measured (TID 1501). Its tracking identifier is the mark.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from pydicom import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import Comprehensive3DSRStorage

from annotations.exchange import sr_items as items
from annotations.exchange.codes import ABNORMAL_STRUCTURE, Code, category_of
from annotations.exchange.objects import ObjectIdentity, begin, bytes_of, reference
from annotations.exchange.source import ExchangeError, FrameKey, SourceSeries
from annotations.exchange.sr_numbers import ESTIMATED, quantity_of
from annotations.exchange.sr_shapes_writer import Figure, paths, region
from annotations.exchange.uids import uid_of

ROLE = "report"

_REPORT = Code("126000", "DCM", "Imaging Measurement Report")
_LANGUAGE = Code("121049", "DCM", "Language of Content Item and Descendants")
_ENGLISH = Code("en", "RFC5646", "English")
_OBSERVER_TYPE = Code("121005", "DCM", "Observer Type")
_PERSON = Code("121006", "DCM", "Person")
_OBSERVER_NAME = Code("121008", "DCM", "Person Observer Name")
_PROCEDURE = Code("121058", "DCM", "Procedure reported")
_IMAGE_LIBRARY = Code("111028", "DCM", "Image Library")
_IMAGE_LIBRARY_GROUP = Code("126200", "DCM", "Image Library Group")
_MODALITY = Code("121139", "DCM", "Modality")
_FRAME_OF_REFERENCE = Code("112227", "DCM", "Frame of Reference UID")
_MEASUREMENTS = Code("126010", "DCM", "Imaging Measurements")
_GROUP = Code("125007", "DCM", "Measurement Group")
_TRACKING_IDENTIFIER = Code("112039", "DCM", "Tracking Identifier")
_TRACKING_UID = Code("112040", "DCM", "Tracking Unique Identifier")
_CATEGORY = Code("276214006", "SCT", "Finding category")
_FINDING = Code("121071", "DCM", "Finding")
_SEGMENT = Code("121191", "DCM", "Referenced Segment")
_SOURCE_SERIES = Code("121232", "DCM", "Source series for segmentation")
_SOURCE = Code("260753009", "SCT", "Source")
_DERIVATION = Code("121401", "DCM", "Derivation")
_METHOD = Code("370129005", "SCT", "Measurement Method")
_COMMENT = Code("121106", "DCM", "Comment")
_EVALUATIONS = Code("C0034375", "UMLS", "Qualitative Evaluations")
_STATE = Code("state", "99ATLAS", "Is it in the case?")

STATES = {
    "present": Code("52101004", "SCT", "Present"),
    "absent": Code("272519000", "SCT", "Absent"),
    "indeterminate": Code("82334004", "SCT", "Indeterminate"),
    "not_assessed": Code("not_assessed", "99ATLAS", "Not assessed"),
}
_PROCEDURES = {
    "CT": Code("77477000", "SCT", "Computed tomography"),
    "MR": Code("113091000", "SCT", "Magnetic resonance imaging"),
    "PT": Code("82918005", "SCT", "Positron emission tomography"),
    "US": Code("16310003", "SCT", "Ultrasonography"),
    "MG": Code("71651007", "SCT", "Mammography"),
}
_MODALITIES = {
    "CT": "Computed Tomography",
    "MR": "Magnetic Resonance",
    "PT": "Positron emission tomography",
    "US": "Ultrasound",
    "MG": "Mammography",
}


@dataclass(frozen=True)
class Evaluation:
    """An answer: what was asked, and what was said, coded or in words."""

    question: Code
    values: Sequence[Code | str]


@dataclass(frozen=True)
class SegmentReference:
    """A segment of a segmentation beside the report."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    number: int


@dataclass(frozen=True)
class Group:
    """One mark. `numbers` are its measurements by name; `drawn_on` the frames it lies on."""

    identity: UUID
    label: str
    meaning: Code
    state: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    figure: Figure | None = None
    segment: SegmentReference | None = None
    drawn_on: Sequence[FrameKey] = ()
    estimated: bool = False
    comments: Sequence[str] = ()
    evaluations: Sequence[Evaluation] = ()


def write_sr(
    *,
    source: SourceSeries,
    header: Dataset,
    sop_classes: Mapping[str, str],
    groups: Sequence[Group],
    evaluations: Sequence[Evaluation],
    observer: str,
    identity: ObjectIdentity,
) -> bytes:
    """The file, as bytes; `evaluations` are of the series or the case as a whole, and `observer` an
    identifier without a name behind it. `header` and `sop_classes` as for `write_seg`.

    Raises ExchangeError where there is nothing to report, or a mark lies on an image of another series.
    """
    if not groups and not evaluations:
        raise ExchangeError("A report needs a mark or an answer.")
    keys = list(dict.fromkeys(key for group in groups for key in group.drawn_on)) or [source.frames[0].key]
    if elsewhere := [key for key in keys if key not in source.frame_at]:
        raise ExchangeError(
            f"A mark lies on image {elsewhere[0].sop_instance_uid}, which is not in series "
            f"{source.series_instance_uid}."
        )
    dataset = begin(
        ROLE,
        sop_class_uid=Comprehensive3DSRStorage,
        modality="SR",
        source=source,
        header=header,
        identity=identity,
    )
    # A document lies in no frame of reference; its shapes name theirs.
    for keyword in ("FrameOfReferenceUID", "PositionReferenceIndicator"):
        if keyword in dataset:
            del dataset[keyword]
    dataset.ContentDate, dataset.ContentTime = dataset.SeriesDate, dataset.SeriesTime
    dataset.ReferencedPerformedProcedureStepSequence = DicomSequence()
    dataset.PerformedProcedureCodeSequence = DicomSequence()
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    dataset.CurrentRequestedProcedureEvidenceSequence = DicomSequence(
        [_evidence(source, sop_classes, keys, groups)]
    )
    several = {uid for uid, frames in source.frames_of_instance.items() if len(frames) > 1}
    content = [
        items.code(_LANGUAGE, _ENGLISH, relation=items.CONCEPT),
        items.code(_OBSERVER_TYPE, _PERSON, relation=items.OBSERVER),
        items.person_name(_OBSERVER_NAME, observer),
        items.code(_PROCEDURE, _procedure(source), relation=items.CONCEPT),
        _library(source, sop_classes, keys),
    ]
    measured = [_group(group, source, sop_classes, several) for group in groups]
    if measured:
        content.append(items.container(_MEASUREMENTS, measured))
    if evaluations:
        content.append(items.container(_EVALUATIONS, _evaluated(evaluations)))
    dataset.update(items.container(_REPORT, content, template="1500", relation=""))
    return bytes_of(dataset)


def _procedure(source: SourceSeries) -> Code:
    return _PROCEDURES.get(source.modality, Code("363679005", "SCT", "Imaging"))


def _evidence(
    source: SourceSeries, sop_classes: Mapping[str, str], keys: Sequence[FrameKey], groups: Sequence[Group]
) -> Dataset:
    """Everything that the report refers to, by study, series and instance."""
    of_series: dict[str, dict[str, Dataset]] = {source.series_instance_uid: {}}
    for key in keys:
        uid = key.sop_instance_uid
        of_series[source.series_instance_uid][uid] = reference(sop_classes, uid)
    for group in groups:
        if group.segment:
            own = of_series.setdefault(group.segment.series_instance_uid, {})
            own[group.segment.sop_instance_uid] = _segmentation(group.segment)
    study, listed = Dataset(), []
    for uid, instances in of_series.items():
        series = Dataset()
        series.SeriesInstanceUID = uid
        series.ReferencedSOPSequence = DicomSequence(list(instances.values()))
        listed.append(series)
    study.StudyInstanceUID = source.study_instance_uid
    study.ReferencedSeriesSequence = DicomSequence(listed)
    return study


def _segmentation(segment: SegmentReference) -> Dataset:
    found = Dataset()
    found.ReferencedSOPClassUID = segment.sop_class_uid
    found.ReferencedSOPInstanceUID = segment.sop_instance_uid
    return found


def _library(source: SourceSeries, sop_classes: Mapping[str, str], keys: Sequence[FrameKey]) -> Dataset:
    """The images that were drawn on (TID 1600)."""
    modality = Code(source.modality, "DCM", _MODALITIES.get(source.modality, source.modality))
    entries = [items.code(_MODALITY, modality, relation=items.ACQUISITION)]
    if source.frame_of_reference_uid:
        entries.append(
            items.uid(_FRAME_OF_REFERENCE, source.frame_of_reference_uid, relation=items.ACQUISITION)
        )
    uids = dict.fromkeys(key.sop_instance_uid for key in keys)
    entries += [items.image(None, reference(sop_classes, uid)) for uid in uids]
    return items.container(_IMAGE_LIBRARY, [items.container(_IMAGE_LIBRARY_GROUP, entries)])


# One mark -------------------------------------------------------------------------------------------


def _group(group: Group, source: SourceSeries, sop_classes: Mapping[str, str], several: set[str]) -> Dataset:
    shape = region(group.figure) if group.figure else None
    template = "1411" if group.segment else "1410" if shape is not None else "1501"
    content = [
        items.text(_TRACKING_IDENTIFIER, group.label, relation=items.OBSERVER),
        items.uid(_TRACKING_UID, uid_of(group.identity), relation=items.OBSERVER),
    ]
    if category_of(group.meaning) == ABNORMAL_STRUCTURE:
        content.append(items.code(_CATEGORY, ABNORMAL_STRUCTURE))
    content.append(items.code(_FINDING, group.meaning))
    if group.segment:
        named = _segmentation(group.segment)
        named.ReferencedSegmentNumber = group.segment.number
        content += [
            items.image(_SEGMENT, named),
            items.uid(_SOURCE_SERIES, source.series_instance_uid),
        ]
    elif shape is not None:
        content.append(shape)
    content += [_measurement(name, value, group) for name, value in group.numbers.items()]
    content += _evaluated([Evaluation(_STATE, [STATES.get(group.state, STATES["present"])])])
    content += _evaluated(group.evaluations)
    content += [items.text(_COMMENT, comment) for comment in group.comments if comment]
    if not group.segment:
        for key in group.drawn_on:
            image = reference(sop_classes, key.sop_instance_uid)
            if key.sop_instance_uid in several:
                image.ReferencedFrameNumber = key.frame_number
            content.append(items.image(_SOURCE, image))
    return items.container(_GROUP, content, template=template)


def _measurement(name: str, value: float, group: Group) -> Dataset:
    quantity = quantity_of(name)
    more = []
    if group.estimated:
        more.append(items.code(_METHOD, ESTIMATED, relation=items.CONCEPT))
    if quantity.derivation:
        more.append(items.code(_DERIVATION, quantity.derivation, relation=items.CONCEPT))
    if group.figure is not None:
        more += paths(group.figure, name)
    return items.number(quantity.concept, value, quantity.unit, more)


def _evaluated(evaluations: Sequence[Evaluation]) -> list[Dataset]:
    return list(_said(evaluations))


def _said(evaluations: Sequence[Evaluation]) -> Iterator[Dataset]:
    for one in evaluations:
        for value in one.values:
            if isinstance(value, Code):
                yield items.code(one.question, value)
            elif value:
                yield items.text(one.question, value)
