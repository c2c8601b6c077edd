"""Terms of the profile's vocabularies for what the node counts, where their codes are known.

Codes of the hyper-ontology (`EUCAIM`) stand here only where the initiative itself published what they mean:
in the profile and its value set of segmentation labels, in the tables of its data pipeline (modalities by
DICOM's code), in its search bridge (manufacturers, sexes, cancers). None is made up: whatever has no known
code gets a term of this node, with its own address, its name, and the class that it belongs to.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

EUCAIM = "https://cancerimage.eu/ontology/EUCAIM#"
DICOM = "http://dicom.nema.org/resources/ontology/DCM/"

# Classes that the profile takes the values of a property from.
TIER = "SPEC1000008"
COLLECTION_METHOD = "SPEC1000002"
SEX = "COM1001396"
CONDITION = "CLIN1007977"
MODALITY = "IMG1000009"
MANUFACTURER = "IMG1000010"
BODY_PART = "BP1000024"


@dataclass(frozen=True)
class Term:
    """A value of one of the profile's vocabularies."""

    iri: str
    label: str
    is_known: bool
    """Whether it is the hyper-ontology's own; if not, `parent` says where it belongs."""
    parent: str
    also: str = ""
    """The same in another vocabulary, where that is known."""


SEXES = {"M": ("COM1001366", "Male"), "F": ("COM1001370", "Female")}
SEX_UNKNOWN = ("COM1002760", "Sex unknown")

# DICOM's modality -> hyper-ontology, and the name that DICOM gives it (PS3.16 CID 29).
MODALITIES = {
    "CT": ("IMG1000042", "Computed Tomography"),
    "MR": ("IMG1000038", "Magnetic Resonance"),
    "PT": ("IMG1000062", "Positron emission tomography"),
    "MG": ("IMG1004455", "Mammography"),
    "US": ("IMG1000035", "Ultrasound"),
    "NM": ("IMG1000071", "Nuclear Medicine"),
    "CR": ("IMG1000024", "Computed Radiography"),
    "DX": ("IMG1000028", "Digital Radiography"),
    "RF": ("IMG1000041", "Radiofluoroscopy"),
    "SM": ("IMG1004456", "Slide Microscopy"),
    "XA": ("", "X-Ray Angiography"),
    "SC": ("", "Secondary Capture"),
    "OT": ("", "Other"),
}
_AS_DICOM = {"PET": "PT"}

# How a manufacturer writes itself in (0008,0070) varies: what the name begins with or holds as a word.
MANUFACTURERS = (
    (re.compile(r"\bsiemens\b", re.IGNORECASE), "IMG1000044", "Siemens"),
    (re.compile(r"\btoshiba\b", re.IGNORECASE), "IMG1000045", "Toshiba"),
    (re.compile(r"\bphilips\b", re.IGNORECASE), "IMG1000046", "Philips"),
    (re.compile(r"^ge\b|\bgeneral electric\b", re.IGNORECASE), "IMG1000047", "General Electric"),
)

BODY_PARTS = {
    "abdomen": "BP1000173", "abdomenpelvis": "BP1000211", "adrenal": "BP1000084", "arm": "BP1000220",
    "bladder": "BP1000301", "brain": "BP1000051", "breast": "BP1000136", "cervix": "BP1000290",
    "chest": "BP1000067", "chestabdomen": "BP1000183", "chestabdpelvis": "BP1000154",
    "chestabdomenpelvis": "BP1000154", "colon": "BP1000257", "cspine": "BP1000240", "ear": "BP1000163",
    "esophagus": "BP1000303", "extremity": "BP1000171", "face": "BP1000293", "foot": "BP1000020",
    "gallbladder": "BP1000142", "head": "BP1000120", "headneck": "BP1000008", "heart": "BP1000075",
    "kidney": "BP1000298", "knee": "BP1000112", "liver": "BP1000105", "lspine": "BP1000064",
    "lung": "BP1000113", "mediastinum": "BP1000107", "neck": "BP1000121", "neckchest": "BP1000233",
    "neckchestabdomen": "BP1000204", "ovary": "BP1000274", "pancreas": "BP1000209", "pelvis": "BP1000092",
    "prostate": "BP1000021", "rectum": "BP1000130", "shoulder": "BP1000042", "skull": "BP1000135",
    "spine": "BP1000077", "stomach": "BP1000302", "thorax": "BP1000067", "thyroid": "BP1000286",
    "tspine": "BP1000194", "uterus": "BP1000085", "vagina": "BP1000299",
}  # fmt: skip

# The place of the primary tumour, as a dataset states it -> the cancer, and SNOMED CT's concept if known.
CONDITIONS = {
    "brain": ("", "Malignant neoplasm of brain", ""),
    "head_and_neck": ("", "Malignant neoplasm of head and neck", ""),
    "lung": ("CLIN1000065", "Malignant neoplasm of lung", "363358000"),
    "breast": ("CLIN1000060", "Malignant neoplasm of breast", ""),
    "liver": ("", "Malignant neoplasm of liver", ""),
    "pancreas": ("", "Malignant neoplasm of pancreas", ""),
    "kidney": ("", "Malignant neoplasm of kidney", ""),
    "colorectal": ("", "Malignant neoplasm of colon and rectum", ""),
    "uterus_ovary": ("", "Malignant neoplasm of uterus or ovary", ""),
    "bladder": ("", "Malignant neoplasm of bladder", ""),
    "prostate": ("CLIN1000075", "Malignant neoplasm of prostate", "399068003"),
    "soft_tissue": ("", "Malignant neoplasm of soft tissue", ""),
    "several": (CONDITION, "Malignant neoplastic disease", ""),
}

# SNOMED CT's code of a condition -> hyper-ontology, as the initiative's search bridge has them.
BY_SNOMED = {
    "363406005": "CLIN1000057",
    "254837009": "CLIN1000060",
    "363358000": "CLIN1000065",
    "363484005": "CLIN1000087",
    "399068003": "CLIN1000075",
}

# Names of labels -> the initiative's value set of segmentation labels. Others have no place in it.
LABELS = {
    "lesion": "IMG1016402", "mass": "IMG1016511", "nodule": "IMG1016591", "cyst": "CLIN1051018",
    "necrosis": "CLIN1051010", "edema": "CLIN1051008", "polyp": "CLIN1054863", "hemorrhage": "CLIN1051020",
    "lymph node": "BP1000202", "liver": "CLIN1063728", "brain": "BP1000051", "lung": "BP1000113",
    "kidney": "BP1000298", "bladder": "BP1000301", "breast": "CLIN1063727", "prostate": "BP1000021",
    "pancreas": "BP1000209", "heart": "BP1000075", "aorta": "BP1000143", "stomach": "BP1000302",
    "esophagus": "BP1000303", "gallbladder": "BP1000142", "adrenal gland": "BP1000084",
    "uterus": "BP1000085", "thyroid": "BP1000286", "colon": "CLIN1063722", "rectum": "CLIN1063724",
    "peripheral zone of prostate": "BP1000006", "transition zone of prostate": "BP1000100",
    "seminal vesicles": "BP1000191", "non-enhancing tumor": "IMG1016512",
}  # fmt: skip


@dataclass(frozen=True)
class Vocabulary:
    """Makes terms; `own` is the address below which this node keeps terms that have no known code."""

    own: str

    def sex(self, value: str) -> Term:
        code, label = SEXES.get(value.strip().upper(), ("", ""))
        if not code and value.strip().upper() in ("", "U", "UNKNOWN"):
            code, label = SEX_UNKNOWN
        return self._term("sex", value, SEX, code, label)

    def modality(self, value: str) -> Term:
        name = _AS_DICOM.get(value, value)
        code, label = MODALITIES.get(name, ("", ""))
        return self._term("modality", name, MODALITY, code, label, DICOM + name if label else "")

    def manufacturer(self, value: str) -> Term:
        for pattern, code, label in MANUFACTURERS:
            if pattern.search(value):
                return self._term("manufacturer", value, MANUFACTURER, code, label)
        return self._term("manufacturer", value, MANUFACTURER)

    def body_part(self, value: str) -> Term:
        code = BODY_PARTS.get(re.sub(r"[^a-z]", "", value.lower()), "")
        return self._term("body-part", value, BODY_PART, code, value.capitalize() if value.isupper() else "")

    def condition(self, code: str, label: str = "") -> Term:
        """Of a clinical fact: `code` as scheme:value, such as SCT:363358000."""
        scheme, _, value = code.partition(":")
        is_snomed = scheme == "SCT" and value.isdigit()
        known = BY_SNOMED.get(value, "") if is_snomed else ""
        also = f"http://snomed.info/id/{value}" if is_snomed else ""
        return self._term("condition", code, CONDITION, known, label, also)

    def condition_of_organ(self, organ: str) -> Term:
        code, label, snomed = CONDITIONS.get(organ, CONDITIONS["several"])
        also = f"http://snomed.info/id/{snomed}" if snomed else ""
        return self._term("condition", organ, CONDITION, code, label, also)

    def condition_of_code(self, code: str) -> Term:
        """A code that a person typed: they answer for what it means."""
        return self._term("condition", code, CONDITION, code, code)

    def tier(self, value: str, label: str) -> Term:
        return self._term("tier", value, TIER, "", label)

    def collection_method(self, value: str, label: str) -> Term:
        return self._term("collection-method", value, COLLECTION_METHOD, "", label)

    def label(self, value: str) -> str:
        """The address of a segmentation label in the value set; "" where it isn't in it."""
        code = LABELS.get(value.strip().lower(), "")
        return EUCAIM + code if code else ""

    def _term(
        self, kind: str, value: str, parent: str, code: str = "", label: str = "", also: str = ""
    ) -> Term:
        iri = EUCAIM + code if code else f"{self.own}#{kind}-{quote(value.strip().lower(), safe='')}"
        return Term(iri, label or value, bool(code), EUCAIM + parent, also)
