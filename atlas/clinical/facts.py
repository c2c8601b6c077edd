"""A fact about a person, made from what somebody wrote: understood whole, or refused with a sentence."""

import hashlib
import re
from dataclasses import dataclass, replace

from atlas.clinical import medicines, terminology
from atlas.clinical.codes import DEATH_CODE, STAGES, STATUS_CODES, stage_code
from atlas.clinical.dates import DAY, Day, middle
from atlas.clinical.errors import Wrong
from atlas.dicom.deidentify import texts

MEANING_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Fact:
    """`name` and `code` as `codes` says; `meaning` holds nothing that isn't a term of medicine."""

    kind: str
    name: str
    code: str
    meaning: str
    starts: Day | None = None
    ends: Day | None = None

    def __post_init__(self) -> None:
        if self.starts and self.ends and self.ends.span[1] < self.starts.span[0]:
            raise Wrong("It ends before it begins.")

    def moved(self, days: int | None) -> "Fact":
        """With its dates moved by so many days; without dates for None, as images lose theirs."""
        if days is None:
            return replace(self, starts=None, ends=None)
        starts = self.starts.moved(days) if self.starts else None
        ends = self.ends.moved(days) if self.ends else None
        if starts and ends and ends.span[1] < starts.span[0]:  # the middle of one was moved over an edge
            if ends.precision == DAY:
                starts = replace(starts, day=middle(ends.day, starts.precision))
            else:
                ends = replace(ends, day=middle(starts.day, ends.precision))
        return replace(self, starts=starts, ends=ends)

    def digest(self, dataset_id: int) -> str:
        """The same for the same fact in the same dataset, whatever file it comes in."""
        days = [f"{one.day} {one.precision}" if one else "" for one in (self.starts, self.ends)]
        said = self.meaning if self.kind == "stage" else ""  # clinical and pathological are two
        parts = (str(dataset_id), self.kind, self.name, self.code, said, *days)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def condition(written: str, words: str = "", starts: Day | None = None, *, scheme: str = "") -> Fact:
    code = terminology.coded(written, scheme)
    return Fact("condition", "", code, _meaning(code, words), starts)


# Stages ----------------------------------------------------------------------------------------

_BEFORE = re.compile(r"(?i)^\s*(?:ajcc|uicc)?\s*(?:stage|stadium|estadio|stade)?\s*")
_TNM = re.compile(r"(?i)([cpyaru]{0,3})\s*([TNM])?\s*(x|is|a|0|[1-4](?:mi|[a-e][1-3]?)?)")
_AFTER = re.compile(r"\s*\((?:m|s|\d+|sn|i[-+]|mol[-+]|i[-+],\s*sn|f|dcis|lcis|paget|pu|pd|scc)\)\s*$", re.I)
_CANONICAL = {name: {one.casefold(): one for one in known} for name, known in STAGES.items()}
_ARABIC = {"1": "I", "2": "II", "3": "III", "4": "IV"}


def stage(name: str, written: str, starts: Day | None = None) -> Fact:
    """`name` is T, N, M or group; what is written may say so again, and c or p before it."""
    text = " ".join(written.split())
    before, category = _group(text) if name == "group" else _category(name, text)
    words = f"Stage {category}" if name == "group" else before + category
    return Fact("stage", name, stage_code(category), words, starts)


def _category(name: str, text: str) -> tuple[str, str]:
    bare = _AFTER.sub("", text).strip()
    match = _TNM.fullmatch(bare)
    told = match[2] or name if match else ""
    found = _CANONICAL[name].get(f"{name}{match[3]}".casefold()) if match else None
    if match is None or told.upper() != name or found is None:
        raise Wrong(f"This is no {name} category of TNM, such as {STAGES[name][4]} or p{STAGES[name][2]}.")
    return match[1].casefold(), found


def _group(text: str) -> tuple[str, str]:
    bare = _BEFORE.sub("", text).replace(" ", "")
    bare = re.sub(r"(?i)^[cpya]{1,2}(?=[0-4IV])", "", bare)
    if bare[:1] in _ARABIC:
        bare = _ARABIC[bare[0]] + bare[1:]
    found = _CANONICAL["group"].get(bare.casefold())
    if found is None:
        raise Wrong("This is no stage group of TNM, such as 0, IA2, IIB or IV.")
    return "", found


_IN_WORDS = {
    "T": re.compile(r"\b([cpyaru]{0,3}T(?:X|is|a|0|[1-4][a-e0-9]{0,2}(?:mi)?))\b", re.I),
    "N": re.compile(r"\b([cpyaru]{0,3}N(?:X|0|[1-3][a-c]?(?:mi)?))\b", re.I),
    "M": re.compile(r"\b([cpyaru]{0,3}M(?:X|0|1[a-e]?[12]?))\b", re.I),
    "group": re.compile(r"(?i)stage\s+(?:group\s+)?([0IV][0-9IVABCDabcds]{0,5})\b"),
}


def stage_in_words(name: str, words: str) -> str:
    """The category that a display names, such as "American Joint Committee on Cancer cT2a"; "" for none."""
    match = _IN_WORDS[name].search(words)
    return match[1] if match else ""


# Treatments, status, death -----------------------------------------------------------------------


def treatment(
    sort: str = "",
    written: str = "",
    words: str = "",
    starts: Day | None = None,
    ends: Day | None = None,
    *,
    scheme: str = "",
) -> Fact:
    """At least one of sort (as it is written), code and words; the others follow from it."""
    code = terminology.coded(written, scheme) if written else ""
    known = medicines.sort_named(sort) if sort else medicines.sort_of(code, words)
    if not known:
        if not code:
            raise Wrong("What treatment this was can't be told. Name its sort, or give a code.")
        known = "other"
    drugs = ", ".join(dict.fromkeys(medicines.medicines_in(words)))
    said = drugs.capitalize() or _meaning(code, words) if code or words else ""
    return Fact("treatment", known, code or medicines.code_of(known), said, starts, ends)


_STATUSES = {
    "not_detected": "cr complete completeresponse completeremission remission ned noevidenceofdisease "
    "notdetected tumorfree tumourfree tumorfrei vollremission 260415000",
    "improved": "pr partial partialresponse partialremission improved improving teilremission 268910001 "
    "385633008",
    "stable": "sd stable stabledisease nochange stabileerkrankung 359746009 58158008",
    "worse": "pd progressive progressivedisease progression progress worse worsening worsened recurrence "
    "recurrent relapse relapsed rezidiv progredient 271299001 230993007",
    "not_determined": "ne notdetermined notevaluable notevaluated unknown unbekannt 709137006",
}
_STATUS_OF_WORD = {word: status for status, words in _STATUSES.items() for word in words.split()}


def status(written: str, starts: Day | None = None) -> Fact:
    found = _STATUS_OF_WORD.get(re.sub(r"[^a-z0-9]", "", written.casefold()))
    if found is None:
        raise Wrong(f"This disease status isn't known. Known: {', '.join(STATUS_CODES)}, or CR, PR, SD, PD.")
    return Fact("status", found, STATUS_CODES[found], "", starts)


_DIED = frozenset("dead deceased died yes y true 1 ja tot verstorben sí si muerto décédé x".split())  # noqa: SIM905
_LIVES = frozenset("alive living no n false 0 nein lebt lebend vivo vivant unknown".split())  # noqa: SIM905


def death(written: str, starts: Day | None = None) -> Fact | None:
    """`written` may be empty where the date says it. None for someone alive."""
    said = written.strip().casefold()
    if said in _LIVES or (not said and starts is None):
        if starts is not None:
            raise Wrong("There is a date of death of someone who is said to live.")
        return None
    if said and said not in _DIED:
        raise Wrong("Whether the person died can't be told. Write yes or no.")
    return Fact("death", "", DEATH_CODE, "", starts)


_TAG = re.compile(r"\s*\((disorder|procedure|finding|regime/therapy|qualifier value|product)\)\s*$")
_TERMS = frozenset(
    """
    lobectomy segmentectomy pneumonectomy mastectomy lumpectomy quadrantectomy prostatectomy nephrectomy
    hepatectomy colectomy hemicolectomy gastrectomy oesophagectomy esophagectomy pancreatectomy cystectomy
    orchiectomy oophorectomy hysterectomy thyroidectomy craniotomy lymphadenectomy resection excision biopsy
    ablation embolisation embolization brachytherapy radiotherapy chemotherapy immunotherapy radiation therapy
    treatment course primary cancer malignant invasive metastatic squamous non-small small-cell
    """.split()  # noqa: SIM905
)


def _meaning(code: str, words: str) -> str:
    """What a list knows; else the words of medicine among what was written, and nothing else of it."""
    if said := terminology.meaning_of(code):
        return said
    bare = _TAG.sub("", " ".join(words.split())[:1000])
    kept = [word for word in re.findall(r"[A-Za-z]+(?:-[A-Za-z]+)*", bare) if _is_term(word.casefold())]
    while kept and kept[0].casefold() in ("of", "the", "and", "with", "in"):
        del kept[0]
    return " ".join(kept)[:MEANING_LENGTH_MAX]


def _is_term(word: str) -> bool:
    return word in _TERMS or all(texts.is_common(part) for part in word.split("-"))
