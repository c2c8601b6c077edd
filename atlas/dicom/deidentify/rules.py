"""What is to be done with each public attribute, for a profile with its options."""

from enum import IntEnum
from functools import lru_cache

from pydicom._dicom_dict import DicomDictionary

from atlas.dicom.deidentify import profile_tables
from atlas.dicom.deidentify.profile import Profile
from atlas.dicom.deidentify.profile_tables import Row


class Act(IntEnum):
    """KEEP as it stands · WALK: keep the sequence, go through its items · DROP · EMPTY · DUMMY: put a value
    that says nothing · BY_TYPE: drop, empty or dummy, as the IOD asks · UID, DATE, TEXT, AGE: the value,
    changed · PATIENT: the pseudonym · CODES: walk, and clean the meanings of local codes · CONTENT: walk
    the items of a report's content."""

    KEEP = 0
    WALK = 1
    DROP = 2
    EMPTY = 3
    DUMMY = 4
    BY_TYPE = 5
    UID = 6
    DATE = 7
    TEXT = 8
    AGE = 9
    PATIENT = 10
    CODES = 11
    CONTENT = 12


CONTENT_SEQUENCE = 0x0040A730
SPECIFIC_CHARACTER_SET = 0x00080005
PATIENT_NAME, PATIENT_ID, ISSUER_OF_PATIENT_ID = 0x00100010, 0x00100020, 0x00100021
PATIENT_AGE = 0x00101010
IDENTITY_REMOVED, METHOD, METHOD_CODES = 0x00120062, 0x00120063, 0x00120064
VISUAL_FEATURES, DATES_MODIFIED = 0x00280302, 0x00280303
TEXT_VRS = frozenset((b"LO", b"SH", b"ST", b"LT", b"UT", b"UC"))
_BASIC = {"X": Act.DROP, "Z": Act.EMPTY, "D": Act.DUMMY, "U": Act.UID}

# UIDs that name a kind of thing, not a thing: the same for everybody.
_KINDS = frozenset(
    """
    SOPClassUID RelatedGeneralSOPClassUID OriginalSpecializedSOPClassUID SOPClassesInStudy
    ReferencedSOPClassUID SOPClassesSupported PertinentSOPClassesInStudy PertinentSOPClassesInSeries
    CodingSchemeUID ContextUID MappingResourceUID ContextGroupExtensionCreatorUID
    StoredInstanceTransferSyntaxUID AvailableTransferSyntaxUID FlowTransferSyntaxUID
    MACCalculationTransferSyntaxUID EncryptedContentTransferSyntaxUID
    """.split()  # noqa: SIM905
)
# Beside the table: attributes that it leaves out and that point to somebody or to somebody's files.
_ALSO_DROPPED = frozenset(
    """
    PatientBirthDateInAlternativeCalendar PatientDeathDateInAlternativeCalendar RetrieveURL
    RetrieveURI StoredInstanceBaseURI FolderAccessURI FileAccessURI FilenameInContainer
    PixelDataProviderURL StorageURL ContactURI ContactDisplayName HL7InstanceIdentifier
    UniformResourceLocatorTrial PatientBreedDescription PlacerOrderNumberProcedure
    FillerOrderNumberProcedure OwnerID AuthorizationEquipmentCertificationNumber
    PlacerOrderNumberImagingServiceRequestRetired FillerOrderNumberImagingServiceRequestRetired
    StrainStockNumber BreedRegistrationNumber ComponentWelderIDs UniversalEntityID
    LocalNamespaceEntityID DataSetTrailingPadding
    """.split()  # noqa: SIM905
)
_ALSO_WALKED = frozenset(("ReferencedImageSequence", "SourceImageSequence"))  # X/Z/U*: kept with new UIDs


@lru_cache(maxsize=64)
def rules_for(profile: Profile) -> dict[int, Act]:
    """Tag → act, for every public attribute of the dictionary and of the table. What isn't in it is unknown,
    private, or in a group that repeats."""
    table = profile_tables.attributes()
    rules: dict[int, Act] = {}
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        if 0x0008 <= tag >> 16 < 0x7FE0 and tag & 0xFFFF:  # not commands, file meta, group lengths, pixels
            row = table.get(tag)
            rules[tag] = _by_row(tag, vr, row, profile) if row else _without_row(vr, keyword, profile)
    rules.update(dict.fromkeys(set(table) - set(DicomDictionary), Act.DROP))  # younger than the dictionary
    for tag in (0x7FE00001, 0x7FE00002):  # where encapsulated frames begin
        rules[tag] = Act.KEEP
    rules.update({PATIENT_ID: Act.PATIENT, PATIENT_NAME: Act.PATIENT})
    rules.update(dict.fromkeys((IDENTITY_REMOVED, METHOD, METHOD_CODES, DATES_MODIFIED), Act.DROP))
    return rules


def _by_row(tag: int, vr: str, row: Row, profile: Profile) -> Act:
    chosen = {option: action for option, action in row.options.items() if option in profile.options}
    if "dates" in row.options and vr in ("DA", "DT", "TM"):
        # Also where the device's identity is kept: its calibration was shortly before the patient's visit.
        return _dates(vr) if "dates" in chosen else _basic(row)
    if "dates" in chosen:
        return Act.KEEP if vr == "SH" else _basic(row)  # the time zone, which days don't move
    if "K" in chosen.values():
        return Act.AGE if vr == "AS" else _kept(vr)
    if "clean_structured_content" in chosen:
        return Act.CONTENT if tag == CONTENT_SEQUENCE else Act.WALK
    if "clean_graphics" in chosen:
        return Act.WALK
    if chosen.keys() & {"clean_descriptors", "patient_characteristics"}:
        return Act.CODES if vr == "SQ" else Act.TEXT if vr.encode() in TEXT_VRS else _basic(row)
    if tag == 0x00700006 and "clean_graphics" in profile.options:  # Unformatted Text Value of a drawing
        return Act.TEXT
    return _basic(row)


def _basic(row: Row) -> Act:
    if row.basic == "X/Z/U*":
        return Act.WALK
    return Act.BY_TYPE if "/" in row.basic else _BASIC[row.basic]


def _kept(vr: str) -> Act:
    return Act.WALK if vr == "SQ" else Act.KEEP


def _dates(vr: str) -> Act:
    return Act.KEEP if vr == "TM" else Act.DATE


def _without_row(vr: str, keyword: str, profile: Profile) -> Act:
    """The table says nothing of it, so it may stay; but names, places of files, dates and free text go, in
    case the table forgot one."""
    if keyword in _ALSO_DROPPED:
        return Act.DROP
    if vr == "SQ":
        return Act.WALK
    if vr == "UI":
        return Act.KEEP if keyword in _KINDS else Act.UID
    if vr in ("PN", "AE"):
        return Act.DROP
    if vr in ("DA", "DT"):
        return Act.DATE if "dates" in profile.options else Act.DROP
    if vr in ("LT", "ST", "UT"):
        return Act.TEXT
    return Act.KEEP


@lru_cache(maxsize=4096)
def by_type(tag: int, sop_class_uid: str, within: int) -> Act:
    """The act for an attribute that has several: the mildest that keeps the object conforming to its IOD.
    `within` is the tag of the sequence around it, 0 for none."""
    basic = profile_tables.attributes()[tag].basic.split("/")
    by_class, nested = profile_tables.required()
    kind = nested.get((within, tag), "3") if within else by_class.get(sop_class_uid, {}).get(tag, "3")
    wanted = {"1": "DZX", "2": "ZDX", "3": "XZD"}[kind]
    return _BASIC[next(action for action in wanted if action in basic)]


@lru_cache(maxsize=4096)
def when_cleaned_away(tag: int, sop_class_uid: str, within: int) -> Act:
    """What to do where cleaning leaves nothing of a text."""
    row = profile_tables.attributes().get(tag)
    if row is None:
        return Act.DUMMY
    return by_type(tag, sop_class_uid, within) if "/" in row.basic else _BASIC[row.basic]
