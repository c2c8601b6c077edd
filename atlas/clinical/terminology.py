"""Terminologies by their short names: their FHIR systems, how their codes look, what some of them mean.

A code is kept only where it looks like one of its terminology, so nothing else travels in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from atlas.clinical.errors import Wrong


@dataclass(frozen=True)
class Terminology:
    key: str
    title: str
    pattern: re.Pattern[str]
    systems: tuple[str, ...] = ()
    """URLs, in small letters, without a last slash."""


def _one(key: str, title: str, pattern: str, *systems: str) -> Terminology:
    return Terminology(key, title, re.compile(pattern), systems)


TERMINOLOGIES: Mapping[str, Terminology] = {
    one.key: one
    for one in (
        _one(
            "ICD10", "ICD-10", r"[A-Z][0-9][0-9A-B](\.[0-9A-Z]{1,4})?",
            "http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm",
            "http://hl7.org/fhir/sid/icd-10-gm", "http://fhir.de/codesystem/bfarm/icd-10-gm",
            "http://fhir.de/codesystem/dimdi/icd-10-gm", "urn:oid:2.16.840.1.113883.6.90",
        ),
        _one(
            "ICDO3", "ICD-O-3", r"[89][0-9]{3}/[0-9]|C[0-9]{2}\.[0-9]",
            "http://terminology.hl7.org/codesystem/icd-o-3", "urn:oid:2.16.840.1.113883.6.43.1",
        ),
        _one("SCT", "SNOMED CT", r"[1-9][0-9]{5,17}", "http://snomed.info/sct"),
        _one("ATC", "ATC", r"[A-Z][0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?", "http://www.whocc.no/atc",
             "http://fhir.de/codesystem/bfarm/atc", "http://fhir.de/codesystem/dimdi/atc"),
        _one("RXNORM", "RxNorm", r"[1-9][0-9]{0,7}", "http://www.nlm.nih.gov/research/umls/rxnorm"),
        _one("OPS", "OPS", r"[1-9]-[0-9]{2}[0-9a-z](\.[0-9a-z]{1,3})?",
             "http://fhir.de/codesystem/bfarm/ops", "http://fhir.de/codesystem/dimdi/ops"),
        _one("ICD10PCS", "ICD-10-PCS", r"[0-9A-HJ-NP-Z]{7}", "http://www.cms.gov/medicare/coding/icd10",
             "http://hl7.org/fhir/sid/icd-10-pcs"),
        _one("CPT", "CPT", r"[0-9]{4}[0-9A-Z]", "http://www.ama-assn.org/go/cpt"),
        _one("NCIT", "NCI Thesaurus", r"C[0-9]{3,7}", "http://ncicb.nci.nih.gov/xml/owl/evs/thesaurus.owl"),
        _one("LOINC", "LOINC", r"[0-9]{1,7}-[0-9]", "http://loinc.org"),
    )
}  # fmt: skip
BY_SYSTEM = {system: one.key for one in TERMINOLOGIES.values() for system in one.systems}
_TOLD_BY_LOOKS = (
    ("ICDO3", re.compile(r"[89][0-9]{3}/[0-9]")),
    ("ATC", re.compile(r"[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}", re.I)),
    ("ICD10", re.compile(r"[A-Z][0-9][0-9A-B].*", re.I)),
    ("OPS", re.compile(r"[1-9]-.*")),
    ("SCT", re.compile(r"[0-9]+")),
)
"""Where a table doesn't say whose codes they are."""

_SEPARATED = re.compile(r"([A-Za-z0-9-]{2,12})[:|]\s*(\S+)")
_SPELLINGS = {
    "ICD10": "ICD10", "ICD10CM": "ICD10", "ICD10GM": "ICD10", "ICD10WHO": "ICD10", "ICDO3": "ICDO3",
    "ICDO": "ICDO3", "SCT": "SCT", "SNOMED": "SCT", "SNOMEDCT": "SCT", "ATC": "ATC", "RXNORM": "RXNORM",
    "OPS": "OPS", "ICD10PCS": "ICD10PCS", "CPT": "CPT", "NCIT": "NCIT", "NCI": "NCIT", "LOINC": "LOINC",
}  # fmt: skip


def coded(written: str, scheme: str = "") -> str:
    """ "ICD10:C34.1" for what a cell holds, with or without the name of its terminology before it; `scheme`
    is a key of TERMINOLOGIES for cells that don't say. Raises Wrong, without the value."""
    text = written.strip()
    if match := _SEPARATED.fullmatch(text):
        spelled = _SPELLINGS.get(re.sub(r"[^A-Za-z0-9]", "", match[1]).upper())
        if spelled is None:
            raise Wrong(f"This terminology isn't known here. Known: {', '.join(TERMINOLOGIES)}.")
        return _checked(spelled, match[2])
    if scheme:
        return _checked(scheme, text)
    for key, looks in _TOLD_BY_LOOKS:
        if looks.fullmatch(text):
            return _checked(key, text)
    raise Wrong(
        "This is no code of ICD-10, ICD-O-3, SNOMED CT, ATC or OPS. For others write the terminology before "
        "it, such as NCIT:C2926."
    )


def _checked(key: str, value: str) -> str:
    if key in ("ICD10", "ATC", "ICD10PCS", "ICDO3", "NCIT"):
        value = value.upper()
    if key == "ICD10":
        value = re.sub(r"[!*+†]$|[GVZA]$(?<=\d[GVZA])", "", value) if "." in value else value
        if re.fullmatch(r"[A-Z]\d\d[0-9A-Z]{1,4}", value):  # written without its point
            value = f"{value[:3]}.{value[3:]}"
        value = value.removesuffix(".-").removesuffix(".")
    if key == "ICDO3" and re.fullmatch(r"C\d{3}", value):
        value = f"{value[:3]}.{value[3:]}"
    one = TERMINOLOGIES[key]
    if not one.pattern.fullmatch(value) or (key == "SCT" and not _is_verhoeff(value)):
        raise Wrong(f"This is no code of {one.title}.")
    return f"{key}:{value}"


_MULTIPLIED = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
_PERMUTED = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _is_verhoeff(digits: str) -> bool:
    """Whether the last digit is the check digit that SNOMED CT's identifiers end with (Verhoeff)."""
    sum_ = 0
    for at, digit in enumerate(reversed(digits)):
        place = int(digit)
        for _ in range(at % 8):
            place = _PERMUTED[place]
        sum_ = _MULTIPLIED[sum_][place]
    return sum_ == 0


_SITES = {
    "C00": "lip", "C01": "base of tongue", "C02": "tongue", "C03": "gum", "C04": "floor of mouth",
    "C05": "palate", "C06": "mouth", "C07": "parotid gland", "C08": "major salivary glands",
    "C09": "tonsil", "C10": "oropharynx", "C11": "nasopharynx", "C12": "piriform sinus",
    "C13": "hypopharynx", "C15": "oesophagus", "C16": "stomach", "C17": "small intestine", "C18": "colon",
    "C19": "rectosigmoid junction", "C20": "rectum", "C21": "anus", "C22": "liver", "C23": "gallbladder",
    "C24": "biliary tract", "C25": "pancreas", "C30": "nasal cavity", "C31": "accessory sinuses",
    "C32": "larynx", "C33": "trachea", "C34": "bronchus and lung", "C37": "thymus",
    "C38": "heart and mediastinum", "C40": "bone of limbs", "C41": "bone", "C43": "skin (melanoma)",
    "C44": "skin", "C45": "pleura and peritoneum (mesothelioma)", "C47": "peripheral nerves",
    "C48": "retroperitoneum and peritoneum", "C49": "soft tissue", "C50": "breast", "C51": "vulva",
    "C52": "vagina", "C53": "cervix uteri", "C54": "corpus uteri", "C55": "uterus", "C56": "ovary",
    "C57": "female genital organs", "C60": "penis", "C61": "prostate", "C62": "testis", "C64": "kidney",
    "C65": "renal pelvis", "C66": "ureter", "C67": "bladder", "C68": "urinary organs", "C69": "eye",
    "C70": "meninges", "C71": "brain", "C72": "central nervous system", "C73": "thyroid gland",
    "C74": "adrenal gland", "C75": "endocrine glands", "C81": "Hodgkin lymphoma", "C82": "lymphoma",
    "C83": "lymphoma", "C84": "lymphoma", "C85": "lymphoma", "C90": "multiple myeloma", "C91": "leukaemia",
    "C92": "leukaemia", "C93": "leukaemia",
}  # fmt: skip
_MORPHOLOGIES = {
    "8041/3": "small cell carcinoma", "8046/3": "non-small cell carcinoma",
    "8070/3": "squamous cell carcinoma", "8140/3": "adenocarcinoma", "8170/3": "hepatocellular carcinoma",
    "8310/3": "clear cell carcinoma", "8312/3": "renal cell carcinoma", "8500/3": "ductal carcinoma",
    "8520/3": "lobular carcinoma", "8720/3": "melanoma", "9440/3": "glioblastoma",
}  # fmt: skip


def meaning_of(code: str) -> str:
    """In words, "" where this list doesn't have it."""
    scheme, _, value = code.partition(":")
    if scheme == "ICD10" and (site := _SITES.get(value[:3])):
        is_site = value < "C81" and "(" not in site
        return f"Malignant neoplasm of {site}" if is_site else site[0].upper() + site[1:]
    if scheme == "ICDO3":
        told = _MORPHOLOGIES.get(value) or _SITES.get(value[:3], "")
        return told[:1].upper() + told[1:]
    return ""


def is_cancer(code: str) -> bool:
    """Of ICD-10: whether it names a malignant or uncertain tumour, or one in situ. No secondary one."""
    scheme, _, value = code.partition(":")
    if scheme != "ICD10":
        return False
    return ("C00" <= value[:3] <= "C97" and not "C77" <= value[:3] <= "C79") or "D00" <= value[:3] <= "D09"
