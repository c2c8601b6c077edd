"""The labels of a schema: their shape, checked before a version is written. Nothing is kept here.

A label is {key, name, color, kinds, code, required}. One that is no longer used, yet still holds marks, has
`retired` as well: nothing new is marked with it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from annotations.reading.questions import checked_questions

KINDS = {
    "segment": "Segment",
    "length": "Length",
    "bidirectional": "Long and short axis",
    "ellipse": "Ellipse",
    "circle": "Circle",
    "rectangle": "Rectangle",
    "polygon": "Polygon",
    "freehand": "Freehand region",
    "spline": "Curve",
    "livewire": "Live wire outline",
    "angle": "Angle",
    "cobb": "Cobb angle",
    "arrow": "Arrow with text",
    "box": "Box",
    "point": "Point",
}
COLORS = ("#f5a742", "#f27cc0", "#a9d84e", "#3fd0bb", "#b9a8ff", "#6fb7ff", "#ff8f85", "#ffe066", "#c9d1d8")
NAME_LENGTH_MAX = 64  # DICOM's LO, where labels end up
CODE_VALUE_LENGTH_MAX = 16  # DICOM's SH
LABELS_MAX = 200


def in_use[Entry: Mapping[str, Any]](entries: Sequence[Entry]) -> list[Entry]:
    """Labels or questions that something new may be said with."""
    return [entry for entry in entries if not entry.get("retired")]


def checked_both(
    labels: Sequence[dict[str, Any]],
    used_keys: set[str],
    questions: Sequence[dict[str, Any]],
    asked_before: set[str],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Both are looked at before anything is refused, so that every fault is told at once."""
    problems: dict[str, Any] = {}
    try:
        checked = _checked(labels, used_keys)
    except ValidationError as refusal:
        if not hasattr(refusal, "error_dict"):
            raise
        problems |= refusal.message_dict
        checked = list(labels)
    try:
        asked = checked_questions(questions, labels=checked, used_keys=asked_before)
    except ValidationError as refusal:
        if not hasattr(refusal, "error_dict"):
            raise
        problems |= refusal.message_dict
    if problems:
        raise ValidationError(problems)
    return checked, asked


def _checked(labels: Sequence[dict[str, Any]], used_keys: set[str]) -> list[dict[str, Any]]:
    if not in_use(labels):
        raise ValidationError("A schema needs at least one label.")
    if len(labels) > LABELS_MAX:
        raise ValidationError(f"At most {LABELS_MAX} labels; these are {len(labels)}.")
    problems: dict[str, str] = {}
    checked: list[dict[str, Any]] = []
    names: set[str] = set()
    keys = {label.get("key") for label in labels if label.get("key")}
    for index, label in enumerate(labels):
        name = " ".join(str(label.get("name", "")).split())
        retired = bool(label.get("retired"))
        found = _problems(label, name, set() if retired else names)
        if not retired:
            names.add(name.casefold())
        key = label.get("key") or _new_key(name, used_keys | keys)
        if label.get("key") and (key not in used_keys or any(key == other["key"] for other in checked)):
            found["key"] = "This label doesn't come from this project's schema."
        keys.add(key)
        problems |= {f"{index}.{field}": sentence for field, sentence in found.items()}
        checked.append(
            {
                "key": key,
                "name": name,
                "color": str(label.get("color", "")).lower(),
                "kinds": [kind for kind in KINDS if kind in label.get("kinds", ())],
                "code": _code(label),
                "required": bool(label.get("required")) and not retired,
            }
            | ({"retired": True} if retired else {})
        )
    if problems:
        raise ValidationError(problems)
    return checked


def _problems(label: dict[str, Any], name: str, names: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    if not name:
        found["name"] = "Give the label a name."
    elif len(name) > NAME_LENGTH_MAX:
        found["name"] = f"At most {NAME_LENGTH_MAX} characters; this has {len(name)}."
    elif name.casefold() in names:
        found["name"] = "Two labels have this name."
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", str(label.get("color", ""))):
        found["color"] = "Choose a colour."
    kinds = label.get("kinds", ())
    unknown = [str(kind) for kind in kinds if kind not in KINDS]
    if unknown:
        found["kinds"] = f"There is no mark of kind {unknown[0]!r}."
    elif not kinds:
        found["kinds"] = "Choose at least one kind of mark."
    code = label.get("code") or {}
    parts = [str(code.get(part, "")).strip() for part in ("value", "scheme", "meaning")]
    if any(parts) and not all(parts):
        found["code"] = "A code has a value, a scheme and a meaning, or is left empty."
    elif len(parts[0]) > CODE_VALUE_LENGTH_MAX or len(parts[1]) > CODE_VALUE_LENGTH_MAX:
        found["code"] = f"Value and scheme have at most {CODE_VALUE_LENGTH_MAX} characters."
    elif len(parts[2]) > NAME_LENGTH_MAX:
        found["code"] = f"The meaning has at most {NAME_LENGTH_MAX} characters."
    return found


def _code(label: dict[str, Any]) -> dict[str, str] | None:
    code = label.get("code") or {}
    parts = {part: str(code.get(part, "")).strip() for part in ("value", "scheme", "meaning")}
    return parts if all(parts.values()) else None


def _new_key(name: str, taken: set[str | None]) -> str:
    base = slugify(name).replace("-", "_")[:40] or "label"
    key, count = base, 1
    while key in taken:
        count += 1
        key = f"{base}_{count}"
    return key
