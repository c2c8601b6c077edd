"""Labels and questions as a file: to keep, to hand on, to begin another project with.

The file is JSON: {"atlas_labels": 1, "labels": […], "questions": […]}, each entry as `reading.schemas.labels`
and `reading.questions` describe it. Keys travel with them, so that the files of two projects name the same
thing alike. What only holds earlier marks stays behind.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from annotations.models import LabelSchema
from annotations.reading.questions import OPTIONS_MAX, QUESTIONS_MAX
from annotations.reading.schemas.labels import LABELS_MAX, in_use

FORMAT = 1
FILE_BYTES_MAX = 1024 * 1024
KEY = re.compile(r"[a-z0-9][a-z0-9_]{0,59}")

LABEL_FIELDS = {"key", "name", "color", "kinds", "code", "required"}
QUESTION_FIELDS = {
    "key",
    "text",
    "of",
    "only",
    "type",
    "options",
    "unit",
    "least",
    "most",
    "required",
    "when",
}
OPTION_FIELDS = {"key", "name", "code"}


@dataclass(frozen=True)
class Brought:
    """The labels and questions of a file, and the keys they came with. Not yet judged beyond their shape."""

    labels: list[dict[str, Any]]
    questions: list[dict[str, Any]]
    keys: frozenset[str]


def exported(schema: LabelSchema) -> dict[str, Any]:
    """What is in use of a version, as the file has it."""
    return {
        "atlas_labels": FORMAT,
        "labels": [dict(label) for label in in_use(schema.labels)],
        "questions": [dict(question) for question in in_use(schema.questions)],
    }


def brought(body: bytes) -> Brought:
    """Raises ValidationError, with a sentence for everything that is wrong with the file's shape."""
    if len(body) > FILE_BYTES_MAX:
        raise ValidationError(f"A file of labels has at most {FILE_BYTES_MAX // 1024} kB.")
    try:
        content = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ValidationError("This is no JSON file. Take one that Atlas has exported.") from None
    if not isinstance(content, dict) or "atlas_labels" not in content:
        raise ValidationError("This file holds no labels: it has no `atlas_labels`.")
    if content["atlas_labels"] != FORMAT:
        found = str(content["atlas_labels"])[:20]
        raise ValidationError(f"This file is of format {found}; known is {FORMAT}.")
    problems: list[str] = []
    unknown = sorted(set(content) - {"atlas_labels", "labels", "questions", "starter"})
    if unknown:
        problems.append(f"The file has no place for {', '.join(unknown)[:100]}.")
    labels = _entries(content, "labels", LABELS_MAX, LABEL_FIELDS, problems)
    questions = _entries(content, "questions", QUESTIONS_MAX, QUESTION_FIELDS, problems)
    for place, label in enumerate(labels, start=1):
        _check_types(f"Label {place}", label, problems, texts=("key", "name", "color"), lists=("kinds",))
        _check_code(f"Label {place}", label.get("code"), problems)
    for place, question in enumerate(questions, start=1):
        _check_question(f"Question {place}", question, problems)
    if problems:
        raise ValidationError(problems)
    keys = [str(entry["key"]) for entry in (*labels, *questions) if entry.get("key")]
    return Brought(labels, questions, frozenset(keys))


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _entries(
    content: Mapping[str, Any], name: str, most: int, fields: set[str], problems: list[str]
) -> list[dict[str, Any]]:
    found = content.get(name, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        problems.append(f"`{name}` is a list of objects.")
        return []
    if len(found) > most:
        problems.append(f"At most {most} {name}; these are {len(found)}.")
        return []
    for place, entry in enumerate(found, start=1):
        unknown = sorted(set(entry) - fields)
        if unknown:
            problems.append(f"{name[:-1].title()} {place} has no place for {', '.join(unknown)[:100]}.")
    return found


def _check_types(
    of: str,
    entry: Mapping[str, Any],
    problems: list[str],
    *,
    texts: Sequence[str],
    lists: Sequence[str] = (),
) -> None:
    for name in texts:
        value = entry.get(name, "")
        if not isinstance(value, str) or "\0" in value or not value.isprintable():
            problems.append(f"{of}: `{name}` is a text.")
    for name in lists:
        value = entry.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            problems.append(f"{of}: `{name}` is a list of texts.")
    key = entry.get("key")
    if isinstance(key, str) and key and not KEY.fullmatch(key):
        problems.append(f"{of}: a key has small letters, digits and “_”.")
    if not isinstance(entry.get("required", False), bool):
        problems.append(f"{of}: `required` is true or false.")


def _check_code(of: str, code: Any, problems: list[str]) -> None:
    if code is None:
        return
    parts = {"value", "scheme", "meaning"}
    if not isinstance(code, dict) or set(code) - parts:
        problems.append(f"{of}: a code has a `value`, a `scheme` and a `meaning`.")
    else:
        _check_types(of, code, problems, texts=tuple(parts))


def _check_question(of: str, question: Mapping[str, Any], problems: list[str]) -> None:
    _check_types(of, question, problems, texts=("key", "text", "of", "type", "unit"), lists=("only",))
    for name in ("least", "most"):
        if question.get(name) is not None and type(question[name]) not in (int, float):
            problems.append(f"{of}: `{name}` is a number or null.")
    options = question.get("options", [])
    if not isinstance(options, list) or len(options) > OPTIONS_MAX:
        problems.append(f"{of}: `options` is a list of at most {OPTIONS_MAX} answers.")
        options = []
    for option in options:
        if not isinstance(option, dict) or set(option) - OPTION_FIELDS:
            problems.append(f"{of}: an answer to choose from has a `name`, a coded term a `code`, too.")
            continue
        _check_types(of, option, problems, texts=("key", "name"))
        _check_code(of, option.get("code"), problems)
    when = question.get("when")
    if when is None:
        return
    if not isinstance(when, dict) or set(when) != {"question", "is"} or not isinstance(when["is"], list):
        problems.append(f"{of}: `when` names a `question`, and in `is` its answers.")
    else:
        _check_types(of, when, problems, texts=("question",), lists=("is",))
