"""FHIR R4 bundles with mCODE's profiles: whose they are, and the facts in them. No Django here.

Taken are primary cancer conditions, stages of TNM, surgery, radiotherapy, medicines, disease status and
death; other resources are counted and left. Each one is checked as FHIR by itself, so that one which is wrong
leaves the others alone.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from atlas.clinical import facts, terminology
from atlas.clinical.dates import Day, parse
from atlas.clinical.errors import NotTaken, Wrong
from atlas.clinical.facts import Fact

BYTES_MAX = 64 * 1024 * 1024
ENTRIES_MAX = 100_000
DEPTH_MAX = 40
IDENTIFIERS_MAX = 20
TEXT_MAX = 200

PROFILE = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-"
_NEVER_WAS = ("entered-in-error", "not-done", "cancelled", "draft", "preparation", "unknown", "registered")

_STAGES = {
    "T": ("21905-5", "21899-0", "78873005", "399504009", "384625004"),
    "N": ("21906-3", "21900-6", "277206009", "399534004", "371494008"),
    "M": ("21907-1", "21901-4", "277208005", "399387003", "371497001"),
    "group": ("21908-9", "21902-2", "21914-7", "399537006", "399588009", "385356007"),
}
"""Codes of Observation.code (LOINC, SNOMED CT): clinical, pathological, either."""
_STAGE_OF_CODE = {code: name for name, codes in _STAGES.items() for code in codes}
_STAGE_PROFILES = {
    "tnm-primary-tumor-category": "T",
    "tnm-regional-nodes-category": "N",
    "tnm-distant-metastases-category": "M",
    "tnm-stage-group": "group",
}
_PATHOLOGICAL = frozenset({"21899-0", "21900-6", "21901-4", "384625004", "371494008", "371497001"})
_NUMBERED = ("http://snomed.info/sct", "http://loinc.org")
"""Whose codes are numbers, and say a category only in words."""
_STATUS_CODES = frozenset({"97509-4", "88040-1"})
_SURGERY, _RADIOTHERAPY = "387713003", frozenset({"108290001", "1217123003", "1255724003"})
_MEDICINES = ("MedicationRequest", "MedicationAdministration", "MedicationStatement")
DOUBLE = "Two different patients of the bundle have this id. Give each one its own."
_KEPT = ("Patient", "Condition", "Observation", "Procedure", *_MEDICINES)


@dataclass(frozen=True, slots=True)
class Person:
    """`identifiers` may each be what the images call them; `identifies` names elements that tell who it
    is; `has_double`: somebody else in the bundle has the same id."""

    identifiers: tuple[str, ...]
    identifies: tuple[str, ...] = ()
    has_double: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource that holds a fact, or should: `line` counts entries from 1; either `fact` or `problem`."""

    line: int
    person: Person | None
    fact: Fact | None = None
    problem: Wrong | None = None


@dataclass
class Bundle:
    """`people` by what they are referred to; `left` counts resources that hold no fact that is kept here, by
    their kind."""

    resources: list[tuple[int, str, dict[str, Any]]]
    people: dict[str, Person] = field(default_factory=dict)
    everyone: list[Person] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)

    def entries(self) -> Iterator[Entry]:
        self.left.clear()
        for line, url, resource in self.resources:
            kind = resource["resourceType"]
            person = self.people.get(url) if kind == "Patient" else self._person_of(resource)
            if kind == "Patient" and person is not None and person.has_double:
                yield Entry(line, person, problem=Wrong(DOUBLE, "Patient.id"))
                continue
            try:
                fact = _fact(kind, resource)
            except Wrong as error:
                yield Entry(line, person, problem=_named(kind, error))
                continue
            if fact is not None and person is not None and person.has_double:
                yield Entry(line, person, problem=Wrong(DOUBLE, "subject"))
            elif fact is not None:
                yield Entry(line, person, fact)
            elif kind != "Patient":
                self.left[kind] += 1

    def _person_of(self, resource: dict[str, Any]) -> Person | None:
        reference = resource.get("subject")
        told = reference.get("reference") if isinstance(reference, dict) else None
        if isinstance(told, str) and told in self.people:
            return self.people[told]
        logical = reference.get("identifier") if isinstance(reference, dict) else None
        value = logical.get("value") if isinstance(logical, dict) else None
        return Person((value.strip(),)) if isinstance(value, str) and 0 < len(value) <= TEXT_MAX else None


def read(content: bytes) -> Bundle:
    """Raises NotTaken."""
    entries = _entries(_json(content))
    found = Bundle([])
    called: dict[str, dict[frozenset[str], Person]] = {}
    for line, entry in enumerate(entries, start=1):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or not isinstance(kind, str):
            raise NotTaken(f"Entry {line} of the bundle holds no resource.")
        url = entry.get("fullUrl") if isinstance(entry.get("fullUrl"), str) else ""
        if kind == "Patient":
            person = _person(line, resource)
            found.everyone.append(person)
            name = f"Patient/{resource.get('id')}"
            url = url or name
            for each in {url, name} if resource.get("id") else {url}:
                called.setdefault(each, {}).setdefault(frozenset(person.identifiers), person)
        found.resources.append((line, url, resource))
    double = {each for people in called.values() if len(people) > 1 for each in people}
    for name, people in called.items():
        identifiers, person = next(iter(people.items()))
        found.people[name] = replace(person, has_double=identifiers in double)
    return found


def _json(content: bytes) -> dict[str, Any]:
    if len(content) > BYTES_MAX:
        raise NotTaken(f"The file is larger than {BYTES_MAX // 1024**2} MB. Split it.")
    if _depth(content) > DEPTH_MAX:
        raise NotTaken(f"The JSON is nested deeper than {DEPTH_MAX} levels.")
    try:
        given = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse, parse_int=_number)
    except (ValueError, RecursionError):
        raise NotTaken("This is no JSON, or not in UTF-8.") from None
    if not isinstance(given, dict) or given.get("resourceType") != "Bundle":
        raise NotTaken("This is no FHIR bundle: its resourceType is not Bundle.")
    return given


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _number(digits: str) -> int:
    if len(digits) > 30:
        raise ValueError("a number too long")
    return int(digits)


_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def _depth(content: bytes) -> int:
    """How deep brackets outside of strings are nested; counted before anything is parsed."""
    depth = deepest = 0
    for byte in _STRINGS.sub(b"", content).translate(None, _NO_BRACKETS):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _entries(bundle: dict[str, Any]) -> list[Any]:
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries:
        raise NotTaken("The bundle has no entries.")
    if len(entries) > ENTRIES_MAX:
        raise NotTaken(f"The bundle has more than {ENTRIES_MAX:,} entries. Split it.")
    return entries


def _person(line: int, resource: dict[str, Any]) -> Person:
    """The id counts where there is no identifier at all: it is of the server that wrote the bundle, and may
    be the Patient ID of somebody else here. Raises NotTaken."""
    values = []
    given = resource.get("identifier")
    if isinstance(given, list) and len(given) > IDENTIFIERS_MAX:
        raise NotTaken(f"Entry {line}: a patient has more than {IDENTIFIERS_MAX} identifiers.")
    for one in given if isinstance(given, list) else ():
        value = one.get("value") if isinstance(one, dict) else None
        if isinstance(value, str) and 0 < len(value.strip()) <= TEXT_MAX:
            values.append(value.strip())
    own = resource.get("id")
    if not given and isinstance(own, str) and 0 < len(own) <= TEXT_MAX:
        values.append(own)
    tells = [name for name in ("name", "telecom", "address", "photo", "contact") if resource.get(name)]
    born = resource.get("birthDate")
    if isinstance(born, str) and len(born) > 4 and not born.endswith("-01-01"):
        tells.append("birthDate")
    return Person(tuple(dict.fromkeys(values)), tuple(tells))


# Facts ---------------------------------------------------------------------------------------------


def _fact(kind: str, resource: dict[str, Any]) -> Fact | None:
    """None for what holds no fact that is kept. Raises Wrong."""
    if kind not in _KEPT:
        return None
    if _never_was(resource):
        return None
    match kind:
        case "Patient":
            if not any(name in resource for name in ("deceasedDateTime", "deceasedBoolean")):
                return None
            return _death(_valid(kind, resource))
        case "Condition":
            return _condition(resource)
        case "Observation":
            return _observation(resource)
        case "Procedure":
            return _procedure(resource)
    return _medicine(kind, resource)


def _never_was(resource: dict[str, Any]) -> bool:
    """Entered in error, refuted, not done: nothing to keep."""
    if resource.get("status") in _NEVER_WAS:
        return True
    verification = resource.get("verificationStatus")
    return any(code in ("entered-in-error", "refuted") for _, code, _ in _codings(verification))


def _valid(kind: str, resource: dict[str, Any]) -> dict[str, Any]:
    """The resource, once FHIR's own rules hold for it. Raises Wrong, with the element and no value."""
    from fhir.resources.R4B import get_fhir_model_class  # a third of a second: only where there is FHIR

    model = get_fhir_model_class(kind)
    try:
        model.model_validate(resource)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "extra_forbidden":
            raise Wrong("It holds an element that FHIR R4 doesn't know.") from None
        known = [str(part) for part in first["loc"] if isinstance(part, int) or str(part).isalnum()]
        path = ".".join(known)[:TEXT_MAX]
        sentence = "It is missing." if first["type"] == "missing" else "It isn't as FHIR R4 wants it."
        raise Wrong(sentence, path) from None
    except (RecursionError, ValueError, TypeError):
        raise Wrong("It isn't as FHIR R4 wants it.") from None
    return resource


def _condition(resource: dict[str, Any]) -> Fact | None:
    code, words = _best(resource.get("code"))
    if _has_profile(resource, "secondary-cancer-condition"):
        return None
    if not _has_profile(resource, "primary-cancer-condition") and not terminology.is_cancer(code):
        return None
    _valid("Condition", resource)
    if not code:
        raise Wrong("It has no code of a terminology that is known here.", "code")
    day = _day(resource, "onsetDateTime") or _period(resource, "onsetPeriod")[0]
    return Fact("condition", "", code, facts.condition(code, words).meaning, day or _asserted(resource))


def _asserted(resource: dict[str, Any]) -> Day | None:
    for one in resource.get("extension") or ():
        if isinstance(one, dict) and str(one.get("url")).endswith("/condition-assertedDate"):
            return _day(one, "valueDateTime")
    return _day(resource, "recordedDate")


def _observation(resource: dict[str, Any]) -> Fact | None:
    codes = {code for _, code, _ in _codings(resource.get("code"))}
    name = next((_STAGE_OF_CODE[code] for code in sorted(codes) if code in _STAGE_OF_CODE), "")
    for profile, told in _STAGE_PROFILES.items():
        if _has_profile(resource, profile):
            name = told
    is_status = bool(codes & _STATUS_CODES) or _has_profile(resource, "cancer-disease-status")
    if not name and not is_status:
        return None
    _valid("Observation", resource)
    day = _day(resource, "effectiveDateTime") or _period(resource, "effectivePeriod")[0]
    value = resource.get("valueCodeableConcept")
    if not isinstance(value, dict):
        raise Wrong("It has no coded value.", "valueCodeableConcept")
    try:
        if is_status:
            return _status(value, day)
        return _stage(name, value, day, is_pathological=bool(codes & _PATHOLOGICAL))
    except Wrong as error:
        raise Wrong(error.sentence, error.column or "valueCodeableConcept") from None


def _status(value: dict[str, Any], day: Day | None) -> Fact:
    for _, code, _ in _codings(value):
        try:
            return facts.status(code, day)
        except Wrong:
            continue
    return facts.status(_text(value.get("text")), day)


def _stage(name: str, value: dict[str, Any], day: Day | None, *, is_pathological: bool) -> Fact:
    told = [("" if system in _NUMBERED else code, words) for system, code, words in _codings(value)]
    told.append(("", _text(value.get("text"))))
    for code, words in told:
        for written in (code, words, facts.stage_in_words(name, words)):
            try:
                found = facts.stage(name, written, day)
            except Wrong:
                continue
            if is_pathological and name != "group" and found.meaning[:1] in "TNM":
                return Fact("stage", name, found.code, f"p{found.meaning}", day)
            return found
    raise Wrong("This stage isn't known here. Send its display, such as “AJCC cT2a” or “Stage IIB”.")


def _procedure(resource: dict[str, Any]) -> Fact | None:
    categories = {code for _, code, _ in _codings(resource.get("category"))}
    codes = {code for _, code, _ in _codings(resource.get("code"))}
    code, words = _best(resource.get("code"))
    sort = facts.medicines.sort_of(code, words)
    if _has_profile(resource, "cancer-related-surgical-procedure") or _SURGERY in categories:
        sort = "surgery"
    elif _has_profile(resource, "radiotherapy") or (categories | codes) & _RADIOTHERAPY:
        sort = "radiotherapy"
    if not sort or sort == "medicine":
        return None
    _valid("Procedure", resource)
    start, end = _period(resource, "performedPeriod")
    start = _day(resource, "performedDateTime") or start
    return facts.treatment(sort, code, words, start, end)


def _medicine(kind: str, resource: dict[str, Any]) -> Fact | None:
    code, words = _best(resource.get("medicationCodeableConcept"))
    sort = facts.medicines.sort_of(code, words)
    is_cancer = any(_has_profile(resource, f"cancer-related-medication-{one}") for one in (
        "request", "administration", "statement"
    ))  # fmt: skip
    if not is_cancer and (not sort or sort == "medicine"):
        return None
    _valid(kind, resource)
    start, end = _period(resource, "effectivePeriod")
    start = _day(resource, "effectiveDateTime") or start or _day(resource, "authoredOn")
    return facts.treatment(sort or "medicine", code, words, start, end)


def _death(resource: dict[str, Any]) -> Fact | None:
    day = _day(resource, "deceasedDateTime")
    if day is None and resource.get("deceasedBoolean") is not True:
        return None
    return facts.death("yes", day)


# Elements ------------------------------------------------------------------------------------------


def _has_profile(resource: dict[str, Any], name: str) -> bool:
    meta = resource.get("meta")
    told = meta.get("profile") if isinstance(meta, dict) else None
    return any(
        isinstance(one, str) and one.startswith(PROFILE + name)
        for one in (told if isinstance(told, list) else ())
    )


def _codings(concept: object) -> list[tuple[str, str, str]]:
    """(system, code, display) of a CodeableConcept, or of a list of them."""
    found = []
    for one in concept if isinstance(concept, list) else [concept]:
        given = one.get("coding") if isinstance(one, dict) else None
        for coding in given if isinstance(given, list) else ():
            if isinstance(coding, dict):
                parts = (_text(coding.get(name)) for name in ("system", "code", "display"))
                found.append(tuple(parts))
    return found  # type: ignore[return-value]


def _best(concept: object) -> tuple[str, str]:
    """(the first code of a terminology that is known, as "ICD10:C34.1", or "", all words)."""
    found, words = "", []
    for system, code, display in _codings(concept):
        key = terminology.BY_SYSTEM.get(system.casefold().rstrip("/"))
        words.append(display)
        if key and code and not found:
            with suppress(Wrong):
                found = terminology.coded(code, key)
    if isinstance(concept, dict):
        words.append(_text(concept.get("text")))
    return found, next((one for one in words if one), "")


def _text(value: object) -> str:
    return value.strip()[:TEXT_MAX] if isinstance(value, str) else ""


def _day(resource: dict[str, Any], name: str) -> Day | None:
    value = resource.get(name)
    if not isinstance(value, str):
        return None
    try:
        return parse(value)
    except Wrong as error:
        raise Wrong(error.sentence, name) from None


def _period(resource: dict[str, Any], name: str) -> tuple[Day | None, Day | None]:
    period = resource.get(name)
    if not isinstance(period, dict):
        return None, None
    return _day(period, "start"), _day(period, "end")


def _named(kind: str, error: Wrong) -> Wrong:
    return Wrong(error.sentence, f"{kind}.{error.column}" if error.column else kind)
