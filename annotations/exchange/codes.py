"""Coded meanings of labels, as DICOM and the tables give them: value, scheme, meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import highdicom as hd
from pydicom import Dataset


@dataclass(frozen=True)
class Code:
    """One concept of a coding scheme, such as SCT (SNOMED CT) or DCM."""

    value: str
    scheme: str
    meaning: str

    def as_dicom(self) -> hd.sr.CodedConcept:
        return hd.sr.CodedConcept(self.value, self.scheme, self.meaning[:64])

    def as_json(self) -> dict[str, str]:
        return {"value": self.value, "scheme": self.scheme, "meaning": self.meaning}

    @classmethod
    def from_dicom(cls, item: Dataset) -> "Code":
        value = item.get("CodeValue") or item.get("LongCodeValue") or item.get("URNCodeValue") or ""
        return cls(str(value), str(item.get("CodingSchemeDesignator", "")), str(item.get("CodeMeaning", "")))


ABNORMAL_STRUCTURE = Code("49755003", "SCT", "Morphologically Abnormal Structure")
SPATIAL_CONCEPT = Code("309825002", "SCT", "Spatial and Relational Concept")

# What a segment is (PS3.16 CID 7159), of which the category (CID 7150) follows.
_ABNORMAL = {
    ("SCT", value)
    for value in (
        "4147007",  # Mass
        "108369006",  # Neoplasm
        "86049000",  # Neoplasm, primary
        "14799000",  # Neoplasm, secondary
        "52988006",  # Lesion
        "27925004",  # Nodule
        "79654002",  # Edema
        "6574001",  # Necrosis
    )
}


def type_of(label: Mapping[str, Any]) -> Code:
    """What a schema label means; a label without a code keeps its own key under a private scheme."""
    code = label.get("code")
    if code and code.get("value"):
        return Code(code["value"], code["scheme"], code["meaning"])
    return Code(label["key"], "99ATLAS", label["name"])


def category_of(code: Code) -> Code:
    return ABNORMAL_STRUCTURE if (code.scheme, code.value) in _ABNORMAL else SPATIAL_CONCEPT
