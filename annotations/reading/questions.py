"""The questions of a schema: their shape, checked before a version is written. Nothing is kept here.

A question is {key, text, of, only, type, options, unit, least, most, required, when}:

- `of` is what it asks about: the case, each study, each series, or each annotation (a finding). `only`
  narrows it to labels (of annotations) or modalities (of series); empty: all.
- `options` are {key, name, code}; `code` is {value, scheme, meaning} for coded terms, else null.
- `least` and `most` bound a number in `unit` (UCUM).
- `when` is {question, is}: asked only where that question, asked of the same thing or of the case, has one of
  these options as its answer. It comes earlier in the list, so no question waits for itself.
- `retired` is there, and true, where it is no longer asked and yet holds answers.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.text import slugify

ABOUT = {"case": "The case", "study": "Each study", "series": "Each series", "annotation": "Each finding"}
TYPES = {
    "choice": "One of a list",
    "choices": "Several of a list",
    "code": "A coded term",
    "number": "A number",
    "text": "A text",
    "date": "A date",
}
WITH_OPTIONS = ("choice", "choices", "code")
QUESTIONS_MAX, OPTIONS_MAX = 100, 200
TEXT_LENGTH_MAX, NAME_LENGTH_MAX, UNIT_LENGTH_MAX, CODE_LENGTH_MAX = 200, 64, 16, 16
NUMBER_MAX = 1e12
RESERVED = ("state", "proposal")  # answers of their own: see journal.answers

type Question = dict[str, Any]


def checked_questions(
    questions: Sequence[dict[str, Any]], *, labels: Sequence[dict[str, Any]], used_keys: Iterable[str]
) -> list[Question]:
    """The questions as they are kept, new ones with a key of their own.

    Raises ValidationError with one entry a question at fault ("q0.text": …).
    """
    if len(questions) > QUESTIONS_MAX:
        raise ValidationError(f"At most {QUESTIONS_MAX} questions; these are {len(questions)}.")
    used = set(used_keys)
    taken = used | set(RESERVED) | {str(one.get("key")) for one in questions if one.get("key")}
    problems: dict[str, str] = {}
    kept: list[Question] = []
    for index, raw in enumerate(questions):
        question, found = _checked(raw, labels, kept, used, taken)
        taken.add(question["key"])
        kept.append(question)
        problems |= {f"q{index}.{field}": sentence for field, sentence in found.items()}
    if problems:
        raise ValidationError(problems)
    return kept


def _checked(
    raw: dict[str, Any],
    labels: Sequence[dict[str, Any]],
    before: list[Question],
    used: set[str],
    taken: set[str],
) -> tuple[Question, dict[str, str]]:
    found: dict[str, str] = {}
    text = " ".join(str(raw.get("text", "")).split())
    if not text or len(text) > TEXT_LENGTH_MAX:
        found["text"] = f"A question has 1 to {TEXT_LENGTH_MAX} characters."
    key = str(raw.get("key") or "")
    if key and (key not in used or any(key == other["key"] for other in before)):
        found["key"] = "This question doesn't come from this project's schema."
    of, kind = raw.get("of"), raw.get("type")
    if of not in ABOUT:
        found["of"] = "Say what it asks about."
    if kind not in TYPES:
        found["type"] = "Choose what an answer is."
    retired = bool(raw.get("retired"))
    if not retired and any(
        other["text"].casefold() == text.casefold() and other["of"] == of and not other.get("retired")
        for other in before
    ):
        found["text"] = "Two questions about the same thing have this text."
    question: Question = {
        "key": key or new_key(text, taken),
        "text": text,
        "of": of,
        "only": list(raw.get("only") or ()) if retired else _only(raw, of, labels, found),
        "type": kind,
        "options": _options(raw, found) if kind in WITH_OPTIONS else [],
        "unit": "",
        "least": None,
        "most": None,
        "required": bool(raw.get("required")) and not retired,
        "when": None if retired else _when(raw, of, before, found),
    }
    if retired:
        question["retired"] = True
    if kind == "number":
        question |= _number(raw, found)
    if kind == "code" and any(option["code"] is None for option in question["options"]):
        found.setdefault("options", "Each coded term has a code: name | value | scheme.")
    return question, found


def _only(raw: dict[str, Any], of: Any, labels: Sequence[dict[str, Any]], found: dict[str, str]) -> list[str]:
    wanted = [str(one).strip() for one in raw.get("only") or () if str(one).strip()]
    if of == "annotation":
        known = [label["key"] for label in labels]
        unknown = [one for one in wanted if one not in known]
        if unknown:
            found["only"] = f"There is no label {unknown[0][:60]!r}."
        return [key for key in known if key in wanted]
    if of == "series":
        wanted = [one.upper() for one in wanted]
        if any(not re.fullmatch(r"[A-Z0-9]{2,16}", one) for one in wanted):
            found["only"] = "Modalities as DICOM writes them: CT, MR, PT."
        return list(dict.fromkeys(wanted))
    return []


def _options(raw: dict[str, Any], found: dict[str, str]) -> list[dict[str, Any]]:
    options: list[dict[str, Any]] = []
    given = raw.get("options") or []
    if not 2 <= len(given) <= OPTIONS_MAX:
        found["options"] = f"Give 2 to {OPTIONS_MAX} answers to choose from, one a line."
    for option in list(given)[:OPTIONS_MAX]:
        name = " ".join(str(option.get("name", "")).split())
        if not name or len(name) > NAME_LENGTH_MAX:
            found.setdefault("options", f"An answer has 1 to {NAME_LENGTH_MAX} characters.")
        if any(other["name"].casefold() == name.casefold() for other in options):
            found.setdefault("options", f"“{name[:60]}” stands there twice.")
        key = new_key(name, {other["key"] for other in options})
        options.append({"key": key, "name": name, "code": _code(option, name, found)})
    return options


def _code(option: dict[str, Any], name: str, found: dict[str, str]) -> dict[str, str] | None:
    code = option.get("code") or {}
    value, scheme = (str(code.get(part) or "").strip() for part in ("value", "scheme"))
    if not value and not scheme:
        return None
    if not value or not scheme or max(len(value), len(scheme)) > CODE_LENGTH_MAX:
        found.setdefault(
            "options", f"A code has a value and a scheme of at most {CODE_LENGTH_MAX} characters."
        )
    return {"value": value, "scheme": scheme, "meaning": name}


def _number(raw: dict[str, Any], found: dict[str, str]) -> dict[str, Any]:
    unit = str(raw.get("unit") or "").strip()
    if len(unit) > UNIT_LENGTH_MAX:
        found["unit"] = f"A unit has at most {UNIT_LENGTH_MAX} characters."
    bounds: dict[str, float | None] = {}
    for name in ("least", "most"):
        given = raw.get(name)
        if given is None or given == "":
            bounds[name] = None
            continue
        try:
            bounds[name] = float(given)
        except (TypeError, ValueError):
            bounds[name] = math.nan
        if not math.isfinite(bounds[name] or 0.0) or abs(bounds[name] or 0.0) > NUMBER_MAX:
            found[name] = "A number, or nothing."
            bounds[name] = None
    least, most = bounds["least"], bounds["most"]
    if least is not None and most is not None and least >= most:
        found["most"] = "The largest number is larger than the smallest."
    return {"unit": unit, **bounds}


def _when(
    raw: dict[str, Any], of: Any, before: list[Question], found: dict[str, str]
) -> dict[str, Any] | None:
    when = raw.get("when") or {}
    key = str(when.get("question") or "")
    if not key:
        return None
    other = next((one for one in before if one["key"] == key), None)
    if other is None or other["type"] not in WITH_OPTIONS or other["of"] not in (of, "case"):
        found["when"] = (
            "It can wait for a question with a list of answers that stands before it and asks about the same "
            "thing, or about the case."
        )
        return None
    wanted = [str(one).strip() for one in when.get("is") or () if str(one).strip()]
    named = {option["name"].casefold(): option["key"] for option in other["options"]}
    named |= {option["key"]: option["key"] for option in other["options"]}
    unknown = [one for one in wanted if one.casefold() not in named]
    if unknown or not wanted:
        names = ", ".join(option["name"] for option in other["options"])
        found["when"] = f"Name answers of “{other['text'][:80]}”: {names}."[:400]
        return None
    return {"question": key, "is": list(dict.fromkeys(named[one.casefold()] for one in wanted))}


def new_key(name: str, taken: set[str]) -> str:
    base = slugify(name).replace("-", "_")[:40] or "answer"
    key, count = base, 1
    while key in taken:
        count += 1
        key = f"{base}_{count}"
    return key
