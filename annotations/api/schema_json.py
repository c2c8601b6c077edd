"""The JSON of a read's labels and questions."""

from typing import Any

from annotations.models import Read
from annotations.reading.schemas import schemas_of


def schema_json(read: Read) -> dict[str, Any]:
    """`former` names what earlier versions had and this one hasn't: the read's history speaks of it."""
    schema = read.schema
    return {
        "version": schema.version,
        "labels": [{"code": None, "required": False, "retired": False} | label for label in schema.labels],
        "questions": [{"retired": False} | question for question in schema.questions],
        "former": _former(read),
    }


def _former(read: Read) -> dict[str, list[dict[str, str]]]:
    schema = read.schema
    if schema.version <= 1:
        return {"labels": [], "questions": []}
    before = schemas_of(read.case.project).filter(version__lt=schema.version).order_by("version")
    labels: dict[str, dict[str, str]] = {}
    questions: dict[str, dict[str, str]] = {}
    for version in before:
        labels |= {
            one["key"]: {name: one[name] for name in ("key", "name", "color")} for one in version.labels
        }
        questions |= {one["key"]: {name: one[name] for name in ("key", "text")} for one in version.questions}
    for one in schema.labels:
        labels.pop(one["key"], None)
    for one in schema.questions:
        questions.pop(one["key"], None)
    return {"labels": list(labels.values()), "questions": list(questions.values())}
