"""What facts are said with: categories of TNM, sorts of treatments, how a disease goes. No Django here.

A fact is (kind, name, code): a stage's name is T, N, M or group and its code `UICC:T2a`; a treatment's name
is its sort, its code what it was in a terminology; a status has its key as name and a code of mCODE's.
"""

from collections.abc import Mapping

STAGE_SCHEME = "UICC"
_T = "TX T0 Tis Ta T1 T1mi T1a T1a1 T1a2 T1b T1b1 T1b2 T1b3 T1c T1c1 T1c2 T1c3 T1d"
_T_LATE = "T2 T2a T2a1 T2a2 T2b T2c T2d T3 T3a T3b T3c T3d T3e T4 T4a T4b T4c T4d T4e"
_N = "NX N0 N1 N1mi N1a N1b N1c N2 N2mi N2a N2b N2c N3 N3a N3b N3c"
_M = "MX M0 M1 M1a M1b M1c M1c1 M1c2 M1d M1e"
_GROUP = (
    "0 0a 0is I IA IA1 IA2 IA3 IB IB1 IB2 IB3 IC IS II IIA IIA1 IIA2 IIB IIC III IIIA IIIA1 IIIA2 IIIB IIIC "
    "IIIC1 IIIC2 IIID IV IVA IVB IVC"
)
STAGES: Mapping[str, tuple[str, ...]] = {
    "T": (*_T.split(), *_T_LATE.split()),
    "N": tuple(_N.split()),
    "M": tuple(_M.split()),
    "group": tuple(_GROUP.split()),
}
"""By name, the categories of UICC's and AJCC's editions, in order. Which of clinical and pathological it is
stands in a fact's words."""

TREATMENTS: Mapping[str, str] = {
    "surgery": "surgery",
    "radiotherapy": "radiotherapy",
    "chemotherapy": "chemotherapy",
    "immunotherapy": "immunotherapy",
    "targeted": "targeted therapy",
    "hormone": "hormone therapy",
    "medicine": "medicine, sort not told",
    "transplant": "stem cell transplant",
    "surveillance": "active surveillance",
    "other": "other",
}

STATUSES: Mapping[str, str] = {
    "not_detected": "not detected",
    "improved": "improved",
    "stable": "stable",
    "worse": "worse",
    "not_determined": "not determined",
}
STATUS_CODES: Mapping[str, str] = {
    "not_detected": "SCT:260415000",
    "improved": "SCT:268910001",
    "stable": "SCT:359746009",
    "worse": "SCT:271299001",
    "not_determined": "SCT:709137006",
}
"""mCODE's value set for the trend of a cancer."""

DEATH_CODE = "SCT:419099009"

KINDS: Mapping[str, str] = {
    "condition": "primary cancer",
    "stage": "stage",
    "treatment": "treatment",
    "status": "disease status",
    "death": "death",
}


def stage_code(category: str) -> str:
    return f"{STAGE_SCHEME}:{category}"
