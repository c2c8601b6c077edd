"""The rows behind each level, and each fact of a row as a condition on its columns."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import (
    Case,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
    lookups,
)
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import FirstValue, Greatest, Lag

from annotations.cohort.language.expression import Condition
from annotations.cohort.language.fields import Kind
from annotations.models import CaseStudy, Comparison, LabelFact, MarkFact, Read, ReleaseCase, Submission
from atlas.clinical.codes import stage_code
from atlas.models import ClinicalFact, Project, Series

DERIVED = ("SEG", "RTSTRUCT", "SR", "PR", "KO", "RTPLAN", "RTDOSE", "REG")
"""Modalities of objects about images: no image series. What came with the images may be withheld from a
reader, so no cohort is chosen by it."""
IS_IMAGE_SERIES = Q(frame_count__gt=0) & ~Q(modality__in=DERIVED)

COLUMNS = {
    "study.dataset": "study__dataset__slug",
    "study.description": "study__description",
    "study.age": "study__age_years",
    "study.position": "position",
    "series.modality": "modality",
    "series.body_part": "body_part",
    "series.description": "description",
    "series.images": "instance_count",
    "series.plane": "summary__plane",
    "series.manufacturer": "manufacturer",
    "series.model": "model_name",
    "series.slice_thickness_mm": "slice_thickness_mm",
    "series.pixel_spacing_mm": "pixel_spacing_mm",
    "clinical.kind": "kind",
    "mark.label": "label",
    "mark.code": "code",
    "mark.kind": "kind",
    "mark.state": "state",
    "mark.longest_mm": "longest_mm",
    "mark.shortest_mm": "shortest_mm",
    "mark.volume_ml": "volume_ml",
    "mark.origin": "origin",
    "mark.modality": "series__modality",
    "label.label": "label",
    "label.code": "code",
    "label.state": "state",
    "label.lesions": "count",
    "label.longest_mm": "longest_mm",
    "label.volume_ml": "volume_ml",
    "agreement.label": "label",
    "agreement.dice": "dice",
    "agreement.surface_dice": "surface_dice",
    "agreement.hd95_mm": "hd95_mm",
    "agreement.unmatched": "unmatched",
    "agreement.disagrees": "disagrees",
    "read.state": "state",
    "read.kind": "kind",
    "read.round": "round",
    "release.number": "release__number",
}
"""Where the value stands, from the level's row. The others have functions below."""

CLINICAL = {
    "clinical.condition": ("condition", "", "code"),
    "clinical.stage_t": ("stage", "T", "code"),
    "clinical.stage_n": ("stage", "N", "code"),
    "clinical.stage_m": ("stage", "M", "code"),
    "clinical.stage_group": ("stage", "group", "code"),
    "clinical.treatment": ("treatment", "", "name"),
    "clinical.treatment_code": ("treatment", "", "code"),
    "clinical.status": ("status", "", "name"),
}
"""Facts of clinical facts: the kind and name of those that have it, and the column. Others lack it."""

CASE_OF = {
    "study": "case",
    "series": "study__case_studies__case",
    "clinical": "of_case",
    "mark": "submission__read__case",
    "label": "submission__read__case",
    "agreement": "case",
    "read": "case",
    "release": "case",
}
"""The way from a row to its case."""


def rows_of(level: str, project: Project) -> QuerySet[Any]:
    """Every row of a level in the project. Series and cases may meet more than once: one row each.

    Marks and labels are those of all projects: which submissions are asked of narrows them down.
    """
    match level:
        case "study":
            return CaseStudy.objects.filter(case__project=project)
        case "series":
            return Series.objects.filter(IS_IMAGE_SERIES, study__case_studies__case__project=project)
        case "clinical":
            return clinical_facts(project)
        case "mark":
            return MarkFact.objects.all()
        case "label":
            return LabelFact.objects.all()
        case "agreement":
            others = Submission.objects.filter(  # few, so cheaper to leave out than the rest to look up
                Q(read__kind=Read.Kind.ADJUDICATION) | Q(read__state=Read.State.SET_ASIDE),
                read__case__project=project,
            ).values("pk")
            found = Comparison.objects.filter(case__project=project)
            return found.exclude(first__in=others).exclude(second__in=others)
        case "read":
            return Read.objects.filter(case__project=project).exclude(state=Read.State.SET_ASIDE)
        case _:
            return ReleaseCase.objects.filter(release__project=project, withdrawn_at=None, case__isnull=False)


def clinical_facts(project: Project) -> QuerySet[Any]:
    """Of the subjects of its cases, from datasets that it has studies of: one row a fact and case
    (`of_case`), with the days since the case's first study where the day is known."""
    studies = CaseStudy.objects.filter(case__project=project)
    first = studies.filter(case=OuterRef("subject__cases")).order_by("position", "pk")
    return ClinicalFact.objects.filter(
        subject__cases__project=project, dataset__in=studies.values("study__dataset")
    ).annotate(
        of_case=F("subject__cases"),
        days_since_first=Case(
            When(starts_precision="day", then=F("starts_on") - Subquery(first.values("study__date")[:1]))
        ),
    )


def holds(condition: Condition, project: Project, readers: Callable[[], dict[str, int]]) -> Q:
    """A fact of one row. `readers`: primary keys by the names that releases use."""
    match condition.field:
        case "study.days_since_first" | "study.interval":
            return _in_time(condition, project)
        case "series.phases":
            return _phases(condition)
        case "series.finding":
            return _finding(condition)
        case "read.reader":
            known = readers()
            theirs = Q(reader__in=[known[str(value)] for value in condition.values])
            return ~theirs if condition.op == "is_not" else theirs
        case "clinical.days_since_first":
            return on_days(condition, "days_since_first")
    if condition.field in CLINICAL:
        return _of_clinical(condition)
    return on_column(condition, COLUMNS[condition.field])


def on_column(condition: Condition, column: str) -> Q:
    """What is unknown (null, or no text) fulfils nothing but “unknown”."""
    field = condition.about
    known = Q(**{f"{column}__isnull": False})
    if field.kind in (Kind.CHOICE, Kind.TEXT):
        known &= ~Q(**{column: ""})
    values = condition.values if field.kind is not Kind.NUMBER else condition.numbers()
    if field.whole:
        values = tuple(int(value) for value in values)
    match condition.op:
        case "known":
            return known
        case "unknown":
            return ~known
        case "is_not":
            return known & ~Q(**{column: values[0]})
        case "in":
            return Q(**{f"{column}__in": list(values)})
        case "between":
            return Q(**{f"{column}__gte": values[0], f"{column}__lte": values[1]})
        case op:
            lookup = "iexact" if op == "is" and field.kind is Kind.TEXT else LOOKUPS[op]
            return Q(**{f"{column}__{lookup}": values[0]})


LOOKUPS = {
    "is": "exact",
    "contains": "icontains",
    "starts_with": "istartswith",
    ">=": "gte",
    "<=": "lte",
    ">": "gt",
    "<": "lt",
}


def _in_time(condition: Condition, project: Project) -> Q:
    """Days since the case's first study, or the one before, in the order of its time points."""
    before = FirstValue if condition.field == "study.days_since_first" else Lag
    windowed = CaseStudy.objects.filter(case__project=project).annotate(
        days=F("study__date")
        - Window(before("study__date"), partition_by=[F("case")], order_by=[F("position"), F("pk")])
    )
    if condition.op == "unknown":
        return ~Q(pk__in=windowed.filter(days__isnull=False).values("pk"))
    return Q(pk__in=windowed.filter(on_days(condition, "days")).values("pk"))


def on_days(condition: Condition, column: str) -> Q:
    """A duration held against numbers of days."""
    days = tuple(timedelta(days=value) for value in condition.numbers())
    match condition.op:
        case "known" | "unknown":
            return Q(**{f"{column}__isnull": condition.op == "unknown"})
        case "between":
            return Q(**{f"{column}__gte": days[0], f"{column}__lte": days[1]})
        case "is_not":
            return Q(**{f"{column}__lt": days[0]}) | Q(**{f"{column}__gt": days[0]})
        case op:
            return Q(**{f"{column}__{LOOKUPS[op]}": days[0], f"{column}__isnull": False})


def _of_clinical(condition: Condition) -> Q:
    kind, name, column = CLINICAL[condition.field]
    those = Q(kind=kind, name=name) if name else Q(kind=kind)
    match condition.op:
        case "known":
            return those
        case "unknown":
            return ~those
    values = [stage_code(str(value)) if kind == "stage" else value for value in condition.values]
    told = Q(**{f"{column}__in": values})
    return those & (~told if condition.op == "is_not" else told)


class _Length(Func):
    function = "jsonb_array_length"
    output_field = IntegerField()


COMPARED = {
    "is": lookups.Exact,
    ">=": lookups.GreaterThanOrEqual,
    "<=": lookups.LessThanOrEqual,
    ">": lookups.GreaterThan,
    "<": lookups.LessThan,
}


def compared(expression: Combinable, op: str, numbers: Sequence[float]) -> Q:
    """An expression that is never null, held against numbers."""
    if op == "between":
        return compared(expression, ">=", numbers[:1]) & compared(expression, "<=", numbers[1:])
    if op == "is_not":
        return ~compared(expression, "is", numbers)
    return Q(COMPARED[op](expression, int(numbers[0])))


def _phases(condition: Condition) -> Q:
    """The summary lists stacks where there are several, and is null where nothing is known."""
    known = Q(summary__isnull=False)
    match condition.op:
        case "known":
            return known
        case "unknown":
            return ~known
    count = Greatest(_Length(KeyTransform("phases", "summary")), Value(1))
    return known & compared(count, condition.op, condition.numbers())


def _finding(condition: Condition) -> Q:
    match condition.op:
        case "known":
            return ~Q(findings=[])
        case "unknown":
            return Q(findings=[])
    return Q(findings__contains=[{"code": condition.values[0]}])
