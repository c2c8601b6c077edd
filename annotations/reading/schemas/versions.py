"""Label schemas: what readers may mark. Each change makes a new version; no version ever changes."""

import re
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.text import slugify

from accounts import audit, permissions
from accounts.models import User
from annotations.models import LabelSchema
from annotations.reading.projects import untouched_reads
from annotations.reading.questions import checked_questions
from atlas.models import Project

audit.register("schema.written")

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


def schemas_of(project: Project) -> QuerySet[LabelSchema]:
    """All versions that are or were in use, newest first."""
    return LabelSchema.objects.filter(project=project, is_draft=False).select_related("created_by")


def current_schema(project: Project) -> LabelSchema | None:
    """The version in use; a draft is none."""
    return LabelSchema.objects.filter(project=project, is_draft=False).order_by("-version").first()


@transaction.atomic
def write_schema(
    *,
    by: User,
    project: Project,
    labels: Sequence[dict[str, Any]],
    seen_version: int,
    questions: Sequence[dict[str, Any]] | None = None,
) -> tuple[LabelSchema, int]:
    """Make the next version from a whole list of labels: {key, name, color, kinds, code, required}.

    `questions` are as `reading.questions` describes them; without, those of the current version stay. A label
    or question with an empty key is new and gets one that no version has used. Reads that nobody has opened
    move to the new version; all others keep theirs. Returns the version and how many reads moved. What
    doesn't differ from the current version makes none: the current one comes back.

    Raises ValidationError, with one entry a label or question at fault ("0.name": …, "q0.text": …), or where
    someone else wrote a version since `seen_version`.
    """
    permissions.require(by, "manage_project", project)
    Project.objects.select_for_update().get(pk=project.pk)
    versions = list(LabelSchema.objects.filter(project=project).order_by("version"))
    current = versions[-1] if versions else None
    used_keys = {label["key"] for version in versions for label in version.labels}
    asked_before = {question["key"] for version in versions for question in version.questions}
    if questions is None:
        questions = current.questions if current else []
    checked, asked = _checked_both(labels, used_keys, questions, asked_before)
    if current is not None and checked == current.labels and asked == current.questions:
        return current, 0
    if seen_version != (current.version if current else 0):
        raise ValidationError(
            f"Version {current.version if current else 0} was written by someone else meanwhile. "
            "Open it, and make your change there."
        )
    schema = LabelSchema.objects.create(
        project=project, version=seen_version + 1, labels=checked, questions=asked, created_by=by
    )
    moved = untouched_reads().filter(case__project=project).update(schema=schema)
    audit.record(
        by,
        "schema.written",
        schema,
        version=schema.version,
        labels=len(checked),
        questions=len(asked),
        moved=moved,
    )
    return schema, moved


def _checked_both(
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
    if not labels:
        raise ValidationError("A schema needs at least one label.")
    if len(labels) > LABELS_MAX:
        raise ValidationError(f"At most {LABELS_MAX} labels; these are {len(labels)}.")
    problems: dict[str, str] = {}
    checked: list[dict[str, Any]] = []
    names: set[str] = set()
    keys = {label.get("key") for label in labels if label.get("key")}
    for index, label in enumerate(labels):
        name = " ".join(str(label.get("name", "")).split())
        found = _problems(label, name, names)
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
                "required": bool(label.get("required")),
            }
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
