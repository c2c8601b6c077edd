"""Attributes that searches know (PS3.18 10.6.1.2): their tags, their level, and the column behind each."""

from dataclasses import dataclass

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

LEVELS = ("study", "series", "instance")


@dataclass(frozen=True, slots=True)
class Attribute:
    """`path` is the column, counted from the model of its own level; "" for what is never kept here."""

    keyword: str
    tag: str
    vr: str
    level: str
    path: str
    is_matched: bool = True
    by_default: bool = True


def _attribute(keyword: str, level: str, path: str = "", **options: bool) -> Attribute:
    tag = int(tag_for_keyword(keyword) or 0)
    return Attribute(keyword, f"{tag:08X}", dictionary_VR(tag), level, path, **options)


ATTRIBUTES: tuple[Attribute, ...] = (
    _attribute("StudyDate", "study", "date"),
    _attribute("StudyTime", "study", "time"),
    _attribute("AccessionNumber", "study", "accession_number"),
    _attribute("InstanceAvailability", "study", is_matched=False),
    _attribute("ModalitiesInStudy", "study"),
    _attribute("ReferringPhysicianName", "study"),
    _attribute("StudyDescription", "study", "description"),
    _attribute("PatientName", "study"),
    _attribute("PatientID", "study", "subject__pseudonym"),
    _attribute("PatientBirthDate", "study"),
    _attribute("PatientSex", "study", "subject__sex"),
    _attribute("PatientAge", "study", "age_years", is_matched=False, by_default=False),
    _attribute("StudyInstanceUID", "study", "study_instance_uid"),
    _attribute("StudyID", "study", "study_id"),
    _attribute("NumberOfStudyRelatedSeries", "study", is_matched=False),
    _attribute("NumberOfStudyRelatedInstances", "study", is_matched=False),
    _attribute("Modality", "series", "modality"),
    _attribute("SeriesDescription", "series", "description"),
    _attribute("BodyPartExamined", "series", "body_part"),
    _attribute("SeriesInstanceUID", "series", "series_instance_uid"),
    _attribute("SeriesNumber", "series", "number"),
    _attribute("FrameOfReferenceUID", "series", "frame_of_reference_uid", by_default=False),
    _attribute("NumberOfSeriesRelatedInstances", "series", is_matched=False),
    _attribute("SOPClassUID", "instance", "sop_class_uid"),
    _attribute("SOPInstanceUID", "instance", "sop_instance_uid"),
    _attribute("InstanceNumber", "instance", "instance_number"),
    _attribute("NumberOfFrames", "instance", "number_of_frames"),
    _attribute("Rows", "instance", "rows"),
    _attribute("Columns", "instance", "columns"),
    _attribute("BitsAllocated", "instance", "bits_allocated"),
    _attribute("AvailableTransferSyntaxUID", "instance", "transfer_syntax_uid"),
)
BY_TAG = {attribute.tag: attribute for attribute in ATTRIBUTES}

# A de-identified image has no names and no date of birth: whoever asks for one finds nothing.
NEVER_KEPT = {BY_TAG[tag] for tag in ("00080090", "00100010", "00100030")}

_UP = {"study": "series__study__", "series": "series__"}


def path_from(level: str, attribute: Attribute) -> str:
    """The attribute's column, counted from the model of `level` (which is its own or a lower one)."""
    if attribute.level == level:
        return attribute.path
    up = {"series": {"study": "study__"}, "instance": _UP}[level][attribute.level]
    return up + attribute.path


def tag_of(written: str) -> str | None:
    """The tag, as eight hexadecimal digits, that a keyword or tag names; None where it names none."""
    if len(written) == 8 and all(letter in "0123456789abcdefABCDEF" for letter in written):
        return written.upper() if keyword_for_tag(int(written, 16)) else None
    tag = tag_for_keyword(written)
    return f"{tag:08X}" if tag is not None else None
