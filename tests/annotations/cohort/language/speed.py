"""Random expressions over a crowd, as a lead might ask them; how long the answers take."""

import random
import statistics
import time
from typing import Any

from accounts.models import User
from annotations.cohort.language import cases_matching, parse
from annotations.cohort.language.counts import found_by
from annotations.cohort.language.fields import FIELDS, GROUPS, LEVELS, Field, fields_of
from annotations.cohort.language.known import is_own, values_of
from atlas.models import Project

LIKELY = {
    "mark.longest_mm": (5, 40),
    "mark.shortest_mm": (5, 30),
    "mark.volume_ml": (0, 20),
    "label.longest_mm": (5, 40),
    "label.volume_ml": (0, 20),
    "label.lesions": (0, 4),
    "agreement.dice": (0.6, 1),
    "agreement.surface_dice": (0.6, 1),
    "agreement.hd95_mm": (0, 8),
    "case.number": (1, 10_000),
    "series.images": (50, 150),
    "subject.age": (30, 80),
    "study.age": (30, 80),
}


def expression(chance: random.Random, project: Project, conditions: int) -> dict[str, Any]:
    """So many conditions, joined by all or any; groups of one to three facts, some negated."""
    parts: list[dict[str, Any]] = []
    while conditions > 0:
        if conditions > 1 and chance.random() < 0.5:
            level = chance.choice(GROUPS)
            size = min(conditions, chance.randint(1, 3))
            inner = [condition(chance, project, chance.choice(fields_of(level))) for _ in range(size)]
            part: dict[str, Any] = {level: {"all": inner}}
            if chance.random() < 0.4:
                part["count"] = {chance.choice(("at_least", "at_most")): chance.randint(1, 3)}
            if LEVELS[level].has_reads and chance.random() < 0.3:
                part["of"] = chance.choice(("reference", "accepted", "handed_in"))
            conditions -= size
        else:
            part = condition(chance, project, chance.choice(list(FIELDS.values())))
            conditions -= 1
        parts.append({"not": part} if chance.random() < 0.2 else part)
    return {chance.choice(("all", "any")): parts}


def condition(chance: random.Random, project: Project, field: Field) -> dict[str, Any]:
    node: dict[str, Any] = {"field": field.key, "op": chance.choice(sorted(field.operators))}
    if node["op"] in ("known", "unknown"):
        return node
    value = _value(chance, project, field)
    if value is None:  # the project has none
        return {"field": field.key, "op": "unknown"}
    if node["op"] == "in":
        node["value"] = [value]
    elif node["op"] == "between":
        node["value"] = sorted([value, _value(chance, project, field)])
    else:
        node["value"] = value
    return node


def _value(chance: random.Random, project: Project, field: Field) -> Any:
    match field.kind:
        case "yes_no":
            return chance.random() < 0.5
        case "text":
            return chance.choice(("CT", "axial", "chest", "thin"))
        case "number":
            low, high = LIKELY.get(field.key, (max(field.least, 0), 4))
            return chance.randint(int(low), int(high)) if field.whole else round(chance.uniform(low, high), 2)
    values = sorted(values_of(project, field)) if is_own(field) else sorted(field.values or ())
    return chance.choice(values) if values else None


def measured(project: Project, by: User, *, times: int = 200, seed: int = 1) -> list[tuple[float, Any]]:
    """(milliseconds, expression), the slowest first: parsed, checked, found and counted, nothing cached."""
    chance = random.Random(seed)
    asked = [expression(chance, project, chance.randint(1, 5)) for _ in range(times)]
    found = []
    for one in asked:
        begun = time.perf_counter()
        found_by(cases_matching(project, parse(one), by))
        found.append((1000 * (time.perf_counter() - begun), one))
    return sorted(found, key=lambda each: -each[0])


def p95(times: list[tuple[float, Any]]) -> float:
    return statistics.quantiles([ms for ms, _ in times], n=20)[-1]
