"""Sorts of treatments: by words as tables write them, by codes, by the names of medicines."""

import re

from atlas.clinical.codes import TREATMENTS
from atlas.clinical.errors import Wrong

_WORDS = {
    "surgery": "surgery surgical operation op resection excision chirurgie operativ cirugía cirugia",
    "radiotherapy": "radiotherapy radiation radiationtherapy rt xrt ebrt sbrt irradiation bestrahlung "
    "strahlentherapie radiotherapie radiothérapie radioterapia",
    "chemotherapy": "chemotherapy chemo ct-x chemotherapie chimiothérapie quimioterapia",
    "immunotherapy": "immunotherapy immuno io immuntherapie immunothérapie inmunoterapia",
    "targeted": "targeted targetedtherapy tki zielgerichtet",
    "hormone": "hormone hormonal endocrine hormonaltherapy hormonetherapy endocrinetherapy adt "
    "hormontherapie hormonothérapie hormonoterapia",
    "medicine": "medicine medication drug systemic systemictherapy systemtherapie",
    "transplant": "transplant transplantation sct hsct",
    "surveillance": "surveillance activesurveillance watchfulwaiting observation",
    "other": "other",
}
_SORT_OF_WORD = {word: sort for sort, words in _WORDS.items() for word in words.split()}

_MEDICINES = {
    "chemotherapy": "cisplatin carboplatin oxaliplatin paclitaxel docetaxel cabazitaxel doxorubicin "
    "epirubicin idarubicin daunorubicin mitoxantrone cyclophosphamide ifosfamide melphalan busulfan "
    "bendamustine temozolomide dacarbazine procarbazine lomustine carmustine gemcitabine capecitabine "
    "fluorouracil tegafur trifluridine methotrexate pemetrexed cytarabine fludarabine azacitidine "
    "decitabine irinotecan topotecan etoposide vincristine vinblastine vinorelbine eribulin bleomycin "
    "mitomycin dactinomycin trabectedin leucovorin",
    "immunotherapy": "nivolumab pembrolizumab atezolizumab durvalumab avelumab ipilimumab cemiplimab "
    "tremelimumab dostarlimab tislelizumab interferon aldesleukin",
    "targeted": "trastuzumab pertuzumab bevacizumab cetuximab panitumumab ramucirumab rituximab obinutuzumab "
    "daratumumab imatinib dasatinib nilotinib erlotinib gefitinib afatinib osimertinib crizotinib alectinib "
    "brigatinib lorlatinib sunitinib sorafenib pazopanib axitinib cabozantinib lenvatinib regorafenib "
    "vemurafenib dabrafenib trametinib encorafenib binimetinib palbociclib ribociclib abemaciclib olaparib "
    "niraparib rucaparib talazoparib everolimus temsirolimus lapatinib neratinib tucatinib ibrutinib "
    "sotorasib adagrasib selpercatinib bortezomib carfilzomib lenalidomide pomalidomide",
    "hormone": "tamoxifen anastrozole letrozole exemestane fulvestrant leuprolide leuprorelin goserelin "
    "triptorelin degarelix bicalutamide flutamide enzalutamide apalutamide darolutamide abiraterone "
    "octreotide lanreotide",
}
_SORT_OF_MEDICINE = {name: sort for sort, names in _MEDICINES.items() for name in names.split()}

_ATC = (
    ("L01FF", "immunotherapy"), ("L01E", "targeted"), ("L01F", "targeted"), ("L01XC", "targeted"),
    ("L01XE", "targeted"), ("L01XK", "targeted"), ("L01", "chemotherapy"), ("L02", "hormone"),
    ("L03", "immunotherapy"), ("H01", "hormone"),
)  # fmt: skip
_OPS = (("5-", "surgery"), ("8-52", "radiotherapy"), ("8-53", "radiotherapy"), ("8-54", "chemotherapy"))
CODES = {
    "surgery": "SCT:387713003",
    "radiotherapy": "SCT:108290001",
    "chemotherapy": "SCT:367336001",
    "immunotherapy": "SCT:76334006",
}
"""Of SNOMED CT, for treatments of which no code is told; the others have ATLAS: and their sort."""


def sort_named(written: str) -> str:
    """A key of TREATMENTS. Raises Wrong, without the value."""
    folded = re.sub(r"[\s_-]+", "", written.casefold())
    found = _SORT_OF_WORD.get(folded) or _SORT_OF_WORD.get(folded.removesuffix("therapy"))
    if found is None:
        raise Wrong(f"This sort of treatment isn't known. Known: {', '.join(TREATMENTS)}.")
    return found


def sort_of(code: str, words: str) -> str:
    """By code or by a medicine's name among the words; "" where neither tells."""
    scheme, _, value = code.partition(":")
    table = {"ATC": _ATC, "OPS": _OPS}.get(scheme, ())
    for start, sort in table:
        if value.startswith(start):
            return sort
    for name in medicines_in(words):
        return _SORT_OF_MEDICINE[name]
    by_code = {told: sort for sort, told in CODES.items()}
    return by_code.get(code, "medicine" if scheme in ("ATC", "RXNORM") else "")


def medicines_in(words: str) -> list[str]:
    """The medicines that this list knows, as they come."""
    return [word for word in re.findall(r"[a-z]+", words.casefold()) if word in _SORT_OF_MEDICINE]


def code_of(sort: str) -> str:
    return CODES.get(sort, f"ATLAS:{sort}")
