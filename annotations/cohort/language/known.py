"""The values that a project knows, for fields whose values are its own. One it doesn't know is an error."""

from collections.abc import Iterable
from typing import Any

from annotations.cohort.language.errors import unknown
from annotations.cohort.language.expression import Condition, Expression, conditions
from annotations.cohort.language.fields import FIELDS, Field, Kind
from annotations.cohort.language.rows import CLINICAL, IS_IMAGE_SERIES, clinical_facts
from annotations.cohort.material import reader_identifier
from annotations.models import Case, CaseStudy, LabelSchema, Read, Release
from atlas.models import Project, Series

type Values = dict[str, str]
"""By value, its words for people: the value itself where there are none."""

LABELS = ("mark.label", "label.label", "agreement.label")
CODES = ("mark.code", "label.code")
SERIES_COLUMNS = {
    "series.modality": "modality",
    "mark.modality": "modality",
    "series.body_part": "body_part",
    "series.manufacturer": "manufacturer",
}


def require_known(project: Project, expression: Expression) -> None:
    """Raises CohortError where a condition names what the project doesn't know."""
    values: dict[str, Values] = {}
    for condition in conditions(expression):
        field = condition.about
        if not is_own(field):
            continue
        if field.key not in values:
            values[field.key] = values_of(project, field)
        _require(condition, values[field.key])


def _require(condition: Condition, values: Values) -> None:
    for value in condition.values:
        if value not in values:
            raise unknown(f"{condition.field} in this project", value, values, condition.place)


def is_own(field: Field) -> bool:
    return field.kind is Kind.CHOICE and field.values is None


def values_of(project: Project, field: Field) -> Values:
    """Of a field whose values are the project's own. One query."""
    key = field.key
    if key in LABELS:
        return {label["key"]: label["name"] for label in labels_of(project)}
    if key in CODES:
        return {code_of(label): label["name"] for label in labels_of(project) if code_of(label)}
    if key == "read.reader":
        return {name: name for name in sorted(readers_of(project))}
    return {value: value for value in sorted(filter(None, _distinct(project, key)))}


def _distinct(project: Project, key: str) -> Iterable[Any]:
    if key == "subject.site":
        found: Any = Case.objects.filter(project=project).values_list(
            "subject__organisation__slug", flat=True
        )
    elif key == "study.dataset":
        found = CaseStudy.objects.filter(case__project=project).values_list("study__dataset__slug", flat=True)
    elif key in CLINICAL:
        kind, _, column = CLINICAL[key]
        found = clinical_facts(project).filter(kind=kind).values_list(column, flat=True)
    else:
        column = SERIES_COLUMNS[key]
        here = CaseStudy.objects.filter(case__project=project).values("study")
        found = Series.objects.filter(IS_IMAGE_SERIES, study__in=here).values_list(column, flat=True)
    return found.order_by().distinct()


def labels_of(project: Project) -> list[dict[str, Any]]:
    """Of every version of the schema, each key once with the name it has now."""
    found: dict[str, dict[str, Any]] = {}
    schemas = LabelSchema.objects.filter(project=project, is_draft=False).order_by("-version")
    for labels in schemas.values_list("labels", flat=True):
        for label in labels:
            found.setdefault(label["key"], label)
    return list(found.values())


def code_of(label: dict[str, Any]) -> str:
    """scheme:value, "" for a label without code."""
    code = label.get("code") or {}
    return f"{code.get('scheme', '')}:{code['value']}"[:80] if code.get("value") else ""


def readers_of(project: Project) -> dict[str, int]:
    """Primary keys of all who read in the project, by the name without a person behind it."""
    reads = Read.objects.filter(case__project=project).order_by()
    people = reads.values_list("reader__public_id", "reader").distinct()
    release = Release(project=project)  # readers have one name in all releases of a project
    return {reader_identifier(release, public_id): pk for public_id, pk in people}


def names_of(project: Project, expression: Expression) -> dict[str, Values]:
    """Words for the values of an expression, for `words.as_text`."""
    used = {condition.field for condition in conditions(expression)}
    return {
        key: values_of(project, FIELDS[key]) for key in used if is_own(FIELDS[key]) and key in LABELS + CODES
    }
