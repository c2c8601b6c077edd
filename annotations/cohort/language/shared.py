"""What may be asked across nodes: facts that mean the same everywhere, in steps that single nobody out.

Texts, names within a project, readers and cases that are still being read are not asked across nodes; numbers
stand on steps, so that two questions can't be moved apart by one subject's size or age. Pure.
"""

from collections.abc import Mapping

from annotations.cohort.language.errors import CohortError
from annotations.cohort.language.expression import Condition, Expression, conditions, groups

_BY_LEVEL: Mapping[str, str] = {
    "subject": "sex age site",
    "case": "time_points",
    "study": "position days_since_first interval",
    "series": "modality body_part images plane phases finding manufacturer slice_thickness_mm "
    "pixel_spacing_mm",
    "clinical": "kind condition stage_t stage_n stage_m stage_group treatment treatment_code status "
    "days_since_first",
    "mark": "code kind state longest_mm shortest_mm volume_ml origin modality",
    "label": "code state lesions longest_mm volume_ml",
    "agreement": "dice surface_dice hd95_mm unmatched disagrees",
}
SHARED = frozenset(f"{level}.{name}" for level, names in _BY_LEVEL.items() for name in names.split())
"""Keys of fields."""

SHARED_OF = ("result", "reference")
"""Whose marks a group may ask of: those that are settled."""

CONDITIONS_MAX = 12
"""Each value of a list counts as one."""

STEPS: Mapping[str, float] = {
    "subject.age": 5,
    "study.days_since_first": 7,
    "study.interval": 7,
    "clinical.days_since_first": 7,
    "series.images": 10,
    "series.slice_thickness_mm": 0.5,
    "series.pixel_spacing_mm": 0.1,
    "mark.longest_mm": 1,
    "mark.shortest_mm": 1,
    "mark.volume_ml": 0.5,
    "label.longest_mm": 1,
    "label.volume_ml": 0.5,
    "agreement.dice": 0.05,
    "agreement.surface_dice": 0.05,
    "agreement.hd95_mm": 1,
}
"""What bounds stand on, in the unit that the field is kept in. Numbers without a step are small counts."""


def require_shared(expression: Expression) -> None:
    """Raises CohortError where it asks what can't be asked across nodes."""
    asked = list(conditions(expression))
    count = sum(max(1, len(each.values)) if each.op == "in" else 1 for each in asked)
    if count > CONDITIONS_MAX:
        raise CohortError(
            f"It has {count} conditions, each value of a list counted; across nodes at most "
            f"{CONDITIONS_MAX} are answered, so that nobody is described."
        )
    for condition in asked:
        if condition.field not in SHARED:
            raise CohortError(
                f"{condition.field} can't be asked across nodes: it means something in one project, or could "
                "name somebody.",
                place=condition.place,
                known=sorted(SHARED),
            )
        if condition.field in STEPS and condition.op not in ("known", "unknown"):
            _require_steps(condition, STEPS[condition.field])
    for group in groups(expression):
        level = f"{group.level}."
        if not any(key.startswith(level) for key in SHARED):
            raise CohortError(f"{group.level}(…) can't be asked across nodes.", known=sorted(SHARED))
        if group.of not in SHARED_OF:
            raise CohortError(
                f"Across nodes {group.level}(…) asks of the result of a case or its reference standard, not "
                f"“of {group.of}”.",
                known=SHARED_OF,
            )


def is_shared(key: str) -> bool:
    return key in SHARED


def _require_steps(condition: Condition, step: float) -> None:
    """Bounds between values stand on a step. Of whole numbers, “at most 69” is the same as “less than 70”."""
    field = condition.about
    if condition.op in ("is", "is_not"):
        raise CohortError(
            f"Across nodes {condition.field} is asked with “at least”, “less than” or “between”, not for one "
            "exact value.",
            place=condition.place,
        )
    for at, number in enumerate(condition.numbers()):
        is_upper = condition.op in ("<=", ">") or (condition.op == "between" and at == 1)
        bound = number + 1 if field.whole and is_upper else number
        steps = round(bound / step)
        if abs(bound - steps * step) > 1e-9 * max(1.0, abs(bound)):
            shift = 1 if field.whole and is_upper else 0
            below, above = (steps - 1) * step - shift, (steps + 1) * step - shift
            near = steps * step - shift
            known = [f"{value:g}" for value in (near, below, above) if value >= field.least]
            raise CohortError(
                f"Across nodes {condition.field} stands on steps of {step:g}"
                f"{' ' + field.unit if field.unit else ''}: {near:g} instead of {number:g}.",
                place=condition.place,
                known=known,
            )
