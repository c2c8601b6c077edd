"""What the language means, case by case, written to be read."""

from collections.abc import Callable, Iterable
from typing import Any

from annotations.cohort.language.expression import (
    All,
    Any_,
    Condition,
    Expression,
    Group,
    Not,
    is_about_readings,
)
from annotations.cohort.language.fields import LEVELS, fields_of
from tests.annotations.cohort.language.world import AnyCase, Handed, World


def matching(world: World, expression: Expression) -> list[int]:
    """The numbers of the cases, for the first of the world's people."""
    return [
        case.number
        for case in world.cases
        if not (is_about_readings(expression) and is_closed(case)) and holds(expression, case, world)
    ]


def is_closed(case: AnyCase) -> bool:
    finished = ("accepted", "set_aside")
    return any(one.reader == 0 and one.kind == "read" and one.state not in finished for one in case.reads)


def holds(node: Expression, case: AnyCase, world: World) -> bool:
    match node:
        case All():
            return all(holds(each, case, world) for each in node.of)
        case Any_():
            return any(holds(each, case, world) for each in node.of)
        case Not():
            return not holds(node.of, case, world)
        case Group():
            return _group(node, case, world)
        case Condition() if node.about.level == "case":
            return fact_holds(node, _of_case(node.field, case))
    return _group(Group(node.about.level, node), case, world)


def _group(group: Group, case: AnyCase, world: World) -> bool:
    def enough(rows: Iterable[dict[str, Any]]) -> bool:
        found = sum(1 for row in rows if row_holds(group.where, row))
        return group.count.least <= found and (group.count.most is None or found <= group.count.most)

    if LEVELS[group.level].has_reads:
        handed = _asked(case, group.of)
        return any(enough(one.marks if group.level == "mark" else one.labels) for one in handed)
    return enough(_rows(group.level, case, world))


def _asked(case: AnyCase, of: str) -> list[Handed]:
    last = [one.last for one in case.reads if one.last]
    accepted = [one.last for one in case.reads if one.last and one.state == "accepted"]
    if of == "handed_in":
        return last
    if of == "accepted":
        return accepted
    if case.reference:
        return [case.reference[1]]
    if of == "reference" or case.waits or case.purpose != "ordinary":
        return []
    read = [one for one in case.reads if one.kind == "read"]
    return [one.last for one in read if one.last and one.state == "accepted"]


def _rows(level: str, case: AnyCase, world: World) -> list[dict[str, Any]]:
    match level:
        case "study":
            return case.studies
        case "clinical":
            return _clinical(case, world)
        case "series":
            every = [series for study in case.studies for series in study["series"]]
            return [one for one in every if one["frames"] and one["modality"] not in ("SEG", "SR")]
        case "agreement":
            return [
                one
                for one in case.comparisons
                if all(read.kind == "read" and read.state != "set_aside" for read in one["between"])
            ]
        case "read":
            return [
                {"state": one.state, "kind": one.kind, "reader": world.names[one.reader], "round": one.round}
                for one in case.reads
                if one.state != "set_aside"
            ]
    return [{"number": number} for number, withdrawn in case.releases if not withdrawn]


def _clinical(case: AnyCase, world: World) -> list[dict[str, Any]]:
    """What is known of its subject, from datasets that some case has a study of."""
    datasets = {study["dataset"] for other in world.cases for study in other.studies}
    first = case.studies[0]["date"] if case.studies else None
    found = []
    for fact in case.subject["facts"]:
        kind, name, value = fact["kind"], fact["name"], fact["value"]
        row = dict.fromkeys(one.short for one in fields_of("clinical"))
        row["kind"] = kind
        row["days_since_first"] = (fact["on"] - first).days if fact["on"] and first else None
        if kind == "stage":
            row[f"stage_{name.lower()}"] = value
        elif kind == "treatment":
            row |= {"treatment": name, "treatment_code": value}
        elif kind != "death":
            row[kind] = value
        if fact["dataset"] in datasets:
            found.append(row)
    return found


def row_holds(node: Expression, row: dict[str, Any]) -> bool:
    match node:
        case All():
            return all(row_holds(each, row) for each in node.of)
        case Any_():
            return any(row_holds(each, row) for each in node.of)
        case Not():
            return not row_holds(node.of, row)
    assert isinstance(node, Condition)
    return fact_holds(node, row.get(node.about.short))


def _of_case(key: str, case: AnyCase) -> Any:
    values: dict[str, Callable[[], Any]] = {
        "subject.sex": lambda: case.subject["sex"],
        "subject.site": lambda: case.subject["site"],
        "subject.age": lambda: case.studies[0]["age"] if case.studies else None,
        "case.number": lambda: case.number,
        "case.time_points": lambda: len(case.studies),
        "case.purpose": lambda: case.purpose,
        "case.recalled": lambda: case.recalled,
        "case.reference": lambda: case.reference[0] if case.reference else "none",
        "case.waits_for_adjudication": lambda: case.waits,
        "case.readers": lambda: len({one.reader for one in case.reads if one.last and one.kind == "read"}),
    }
    return values[key]()


def fact_holds(condition: Condition, value: Any) -> bool:
    is_unknown = value in (None, "", [])
    if condition.op in ("known", "unknown"):
        return is_unknown == (condition.op == "unknown")
    if is_unknown:
        return False
    asked: list[Any] = list(condition.values)
    if not isinstance(value, str | bool | list):
        asked = list(condition.numbers())
    tests: dict[str, Callable[[], bool]] = {
        "is": lambda: value == asked[0] or (condition.about.kind == "text" and _same(value, asked[0])),
        "is_not": lambda: value != asked[0],
        "in": lambda: value in asked,
        "contains": lambda: asked[0].upper() in value.upper(),
        "starts_with": lambda: value.upper().startswith(asked[0].upper()),
        "has": lambda: asked[0] in value,
        ">=": lambda: value >= asked[0],
        "<=": lambda: value <= asked[0],
        ">": lambda: value > asked[0],
        "<": lambda: value < asked[0],
        "between": lambda: asked[0] <= value <= asked[1],
    }
    return tests[condition.op]()


def _same(value: str, other: str) -> bool:
    return value.upper() == other.upper()
