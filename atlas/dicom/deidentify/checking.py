"""Looks whether a file that should be de-identified already still names somebody."""

import re
from typing import BinaryIO

from pydicom.datadict import dictionary_description, dictionary_has_tag, tag_for_keyword

from atlas.dicom import values
from atlas.dicom.deidentify.rules import PATIENT_AGE
from atlas.dicom.elements import VR_OF, CutOff, Element, Malformed, every, named
from atlas.dicom.headers import Header, Unreadable
from atlas.dicom.parts import take_apart

SENTENCES_MAX = 20
_IDENTIFIES = frozenset(
    tag_for_keyword(keyword) or 0
    for keyword in """
    OtherPatientIDs PatientBirthName OtherPatientNames PatientMotherBirthName PatientAddress
    PatientTelephoneNumbers PatientTelecomInformation InsurancePlanIdentification MilitaryRank BranchOfService
    MedicalRecordLocator ReferringPhysicianAddress ReferringPhysicianTelephoneNumbers PersonAddress
    PersonTelephoneNumbers PersonTelecomInformation CurrentPatientLocation OrderCallbackPhoneNumber
    PatientBirthDateInAlternativeCalendar OrderCallbackTelecomInformation PatientInstitutionResidence
    """.split()  # noqa: SIM905
)
_BIRTH_DATE, _IDENTITY_REMOVED = 0x00100030, 0x00120062
_LOOKED_AT = _IDENTIFIES | {_BIRTH_DATE, _IDENTITY_REMOVED, PATIENT_AGE}
# What stands in the place of a name or a number. Names of people hold no digits; pseudonyms nearly always do.
_NOTHING = re.compile(
    r"(?i)[\s^=.*?_-]*$|anon|remov|unknown|none|null|n/?a$|de-?ident|redact|hidden|blank|xx|test|phantom|patient"
    r"|subject|case|volunteer|no.?name|empty|not |dummy|pseudo|research|qa\b"
)
_DIGIT = re.compile(r"\d")


def check(file: BinaryIO, header: Header) -> list[str]:
    """Sentences naming the attributes that still identify a person, never their values; [] if none does.

    Raises NotDicom or Unreadable.
    """
    parts = take_apart(file)  # again: what identifies may stand where no header looks, such as in sequences
    patient_id = values.text(header.dataset, "PatientID")
    found: dict[int, str] = {}
    try:
        for buffer, elements in ((parts.buffer, parts.elements), (parts.tail, parts.tail_elements)):
            for element, _ in every(buffer, elements, parts.encoding):
                if element[0] not in found and (sentence := _sentence(buffer, element, patient_id)):
                    found[element[0]] = sentence
    except (CutOff, Malformed) as error:
        raise Unreadable(f"The header can't be read: a sequence is broken at {error}.") from error
    return list(found.values())[:SENTENCES_MAX]


def _sentence(buffer: bytes, element: Element, patient_id: str) -> str:
    tag, vr, _, value, end, _ = element
    kind = VR_OF.get(tag, vr)
    if kind == b"PN":
        said = _text(buffer, value, end)
        is_harmless = _NOTHING.match(said) or _DIGIT.search(said) or _bare(said) == _bare(patient_id)
        return "" if is_harmless else f"{_called(tag)} holds a name. Empty it, or put the pseudonym there."
    if tag not in _LOOKED_AT or kind == b"SQ":
        return ""
    said = _text(buffer, value, end)
    if tag == _BIRTH_DATE:  # a first of January is a year of birth, no more
        return f"{_called(tag)} holds a date. Empty it." if said and not said.endswith("0101") else ""
    if tag == PATIENT_AGE:
        age = re.match(r"(\d{3})Y", said)
        return f"{_called(tag)} is above 90 years. Write 090Y instead." if age and int(age[1]) > 90 else ""
    if tag == _IDENTITY_REMOVED:
        return f"{_called(tag)} says NO: its sender has not de-identified it." if said == "NO" else ""
    return "" if _NOTHING.match(said) or said == patient_id else f"{_called(tag)} holds a value. Empty it."


def _text(buffer: bytes, value: int, end: int) -> str:
    return buffer[value : min(end, value + 1024)].decode("latin-1").strip(" \0")


def _bare(name: str) -> str:
    return name.replace("^", "").strip().casefold()


def _called(tag: int) -> str:
    return (
        f"{dictionary_description(tag)} {named(tag)}" if dictionary_has_tag(tag) else f"Private {named(tag)}"
    )
