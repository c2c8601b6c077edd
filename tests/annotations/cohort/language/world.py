"""Small random projects as plain Python: what the language means, case by case, and the same in a database.

`holds` is the meaning of the language, written to be read. `stored` writes a world as rows.
"""

import datetime
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Organisation, User
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
from annotations.models import (
    Case,
    CaseStudy,
    Comparison,
    LabelFact,
    LabelSchema,
    MarkFact,
    Read,
    Recall,
    ReferenceStandard,
    Release,
    ReleaseCase,
    Submission,
)
from atlas.clinical.codes import STAGES, STATUSES, stage_code
from atlas.models import ClinicalFact, Dataset, Project, Series, Study, Subject

LABELS = [
    {"key": "tumour", "name": "Tumour", "kinds": ["segment"], "code": {"scheme": "SCT", "value": "1"}},
    {"key": "node", "name": "Node", "kinds": ["segment"], "code": {"scheme": "99X", "value": "a b"}},
]
DESCRIPTIONS = ["", "Axial", "axial thin", 'a "quoted" \\ % _', "AND", "12", "T1 é", "éclair", "THIN  slab"]
SIZES = [None, 0.0, 0.25, 5.0, 9.75, 10.0, 10.5, 29.0]
SHARES = [None, 0.0, 0.25, 0.5, 0.75, 1.0]
MAKERS = ["", "SIEMENS", "GE MEDICAL SYSTEMS", "Philips"]
CONDITIONS = ["SCT:254637007", "ICD10:C34.1"]
TREATED_WITH = ["SCT:367336001", "ATC:L01XA01"]
STATES = ["present", "absent", "indeterminate", "not_assessed"]


@dataclass
class Handed:
    round: int
    marks: list[dict[str, Any]]
    labels: list[dict[str, Any]]
    row: Submission | None = None


@dataclass
class AnyRead:
    reader: int
    """Which of the world's people."""
    kind: str
    state: str
    round: int
    handed: list[Handed]
    row: Read | None = None

    @property
    def last(self) -> Handed | None:
        return self.handed[-1] if self.handed and self.state != "set_aside" else None


@dataclass
class AnyCase:
    number: int
    subject: dict[str, Any]
    purpose: str
    waits: bool
    recalled: bool
    studies: list[dict[str, Any]]
    """In order, each with `series`."""
    reads: list[AnyRead]
    reference: tuple[str, Handed] | None
    comparisons: list[dict[str, Any]]
    releases: list[tuple[int, bool]]
    """(number, whether the case was withdrawn)."""


@dataclass
class World:
    people: int
    """The first asks, and reads some cases themselves."""
    cases: list[AnyCase]
    names: dict[int, str] = field(default_factory=dict)
    """Of people, as releases name them."""


# What the language means ------------------------------------------------------------------------


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
            return _fact(node, _of_case(node.field, case))
    return _group(Group(node.about.level, node), case, world)


def _group(group: Group, case: AnyCase, world: World) -> bool:
    def enough(rows: Iterable[dict[str, Any]]) -> bool:
        found = sum(1 for row in rows if _row_holds(group.where, row))
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


def _row_holds(node: Expression, row: dict[str, Any]) -> bool:
    match node:
        case All():
            return all(_row_holds(each, row) for each in node.of)
        case Any_():
            return any(_row_holds(each, row) for each in node.of)
        case Not():
            return not _row_holds(node.of, row)
    assert isinstance(node, Condition)
    return _fact(node, row[node.about.short])


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


def _fact(condition: Condition, value: Any) -> bool:
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


# A random world ---------------------------------------------------------------------------------


def build(chance: random.Random, cases: int = 14, people: int = 4) -> World:
    subjects = [
        {"sex": chance.choice(["F", "M", "O", ""]), "site": site, "facts": _facts(chance)}
        for site in ("north", "south") * 4
    ]
    subjects[1]["facts"] += [_fact_of(chance, *one, "ct") for one in EVERY_FACT]  # of the first case
    return World(
        people, [_case(chance, number, subjects[number % 8], people) for number in range(1, cases + 1)]
    )


EVERY_FACT = [
    *(("condition", "", code) for code in CONDITIONS),
    *(("treatment", "chemotherapy", code) for code in TREATED_WITH),
    *(("stage", name, categories[4]) for name, categories in STAGES.items()),
    *(("status", key, key) for key in STATUSES),
    ("death", "", ""),
]


def _facts(chance: random.Random) -> list[dict[str, Any]]:
    return [
        _fact_of(chance, *chance.choice(EVERY_FACT), chance.choice(["ct", "mr-2", "of nobody"]))
        for _ in range(chance.randint(0, 5))
    ]


def _fact_of(chance: random.Random, kind: str, name: str, value: str, dataset: str) -> dict[str, Any]:
    day = datetime.date(2026, 1, 14) + datetime.timedelta(days=chance.choice([-7, 0, 1, 14, 28]))
    on = None if chance.random() < 0.2 else day
    return {"kind": kind, "name": name, "value": value, "dataset": dataset, "on": on}


def _case(chance: random.Random, number: int, subject: dict[str, Any], people: int) -> AnyCase:
    reads = [
        _read(chance, reader, "read")
        for reader in chance.sample(range(people), chance.randint(0, people - 1))
    ]
    free = [reader for reader in range(people) if reader not in [one.reader for one in reads]]
    if free and chance.random() < 0.4:
        reads.append(_read(chance, free[0], "adjudication"))
    handed = [(one, each) for one in reads for each in one.handed[-1:]]
    reference = None
    if handed and chance.random() < 0.4:
        reference = (chance.choice(["accepted", "agreed", "adjudicated"]), chance.choice(handed)[1])
    comparisons = []
    for i, first in enumerate(handed):
        for second in handed[i + 1 :]:
            comparisons += [_comparison(chance, first, second, label) for label in ("tumour", "node")]
    return AnyCase(
        number=number,
        subject=subject,
        purpose=chance.choice(["ordinary", "ordinary", "reference", "training"]),
        waits=chance.random() < 0.2,
        recalled=chance.random() < 0.2,
        studies=_studies(chance, everything=number == 1),
        reads=reads,
        reference=reference,
        comparisons=comparisons,
        releases=[(release, chance.random() < 0.3) for release in (1, 2) if chance.random() < 0.4],
    )


def _studies(chance: random.Random, *, everything: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    day = datetime.date(2026, 1, 14)
    for position in range(1, (3 if everything else chance.randint(0, 4)) + 1):
        day += datetime.timedelta(days=chance.choice([0, 1, 7, 14, 28]))
        dated = None if chance.random() < 0.15 else day
        first, before = (found[0]["date"], found[-1]["date"]) if found else (dated, None)
        series = [_series(chance, m, b) for m, b in _kinds(chance, everything=everything)]
        found.append(
            {
                "dataset": ("ct", "mr-2")[position % 2] if everything else chance.choice(["ct", "mr-2"]),
                "description": chance.choice(DESCRIPTIONS),
                "age": chance.choice([None, 0, 3, 5, 8]),
                "position": position,
                "date": dated,
                "days_since_first": (dated - first).days if dated and first else None,
                "interval": (dated - before).days if dated and before else None,
                "series": series,
            }
        )
    return found


def _kinds(chance: random.Random, *, everything: bool) -> list[tuple[str, str]]:
    if everything:
        return [("CT", "CHEST"), ("MR", "HEAD AND NECK"), ("PT", "CHEST")]
    some = [chance.choice(["CT", "MR", "PT", "SEG", "SR"]) for _ in range(chance.randint(0, 3))]
    return [(modality, chance.choice(["", "CHEST", "HEAD AND NECK"])) for modality in some]


def _series(chance: random.Random, modality: str, body_part: str) -> dict[str, Any]:
    is_told = chance.random() < 0.8
    plane = chance.choice(["", "axial", "coronal", "sagittal", "oblique"])
    return {
        "modality": modality,
        "body_part": body_part,
        "description": chance.choice(DESCRIPTIONS),
        "images": chance.randint(0, 8),
        "frames": 3 if body_part and modality not in ("SEG", "SR") else chance.choice([0, 3]),
        "plane": plane if is_told else None,
        "phases": chance.choice([1, 1, 3, 5]) if is_told else None,
        "manufacturer": chance.choice(MAKERS[1:] if body_part else MAKERS),
        "model": chance.choice(DESCRIPTIONS),
        "slice_thickness_mm": chance.choice(SIZES),
        "pixel_spacing_mm": chance.choice(SIZES),
        "finding": sorted(set(chance.choices(["gantry_tilt", "lossy", "no_suv"], k=chance.randint(0, 2)))),
    }


def _read(chance: random.Random, reader: int, kind: str) -> AnyRead:
    state = chance.choice(["assigned", "in_progress", "submitted", "returned", "accepted", "set_aside"])
    rounds = 0 if state in ("assigned", "in_progress") else chance.randint(1, 2)
    handed = [_handed(chance, round_) for round_ in range(1, rounds + 1)]
    return AnyRead(reader, kind, state, max(rounds, 1) + (state == "returned"), handed)


def _handed(chance: random.Random, round_: int) -> Handed:
    return Handed(
        round_,
        marks=[_mark(chance) for _ in range(chance.randint(0, 4))],
        labels=[
            {
                "label": label,
                "code": chance.choice(["", "SCT:1", "99X:a b"]),
                "state": chance.choice(STATES),
                "lesions": chance.randint(0, 3),
                "longest_mm": chance.choice(SIZES),
                "volume_ml": chance.choice(SIZES),
            }
            for label in ("tumour", "node")
        ],
    )


def _mark(chance: random.Random) -> dict[str, Any]:
    return {
        "label": chance.choice(["tumour", "node"]),
        "code": chance.choice(["", "SCT:1", "99X:a b"]),
        "kind": chance.choice(["segment", "bidirectional", "length"]),
        "state": chance.choice(STATES),
        "longest_mm": chance.choice(SIZES),
        "shortest_mm": chance.choice(SIZES),
        "volume_ml": chance.choice(SIZES),
        "origin": chance.choice(["reader", "proposal", "proposal_changed"]),
        "modality": chance.choice(["CT", "MR", "PT"]),
    }


def _comparison(
    chance: random.Random, first: tuple[AnyRead, Handed], second: tuple[AnyRead, Handed], label: str
) -> dict[str, Any]:
    return {
        "between": (first[0], second[0]),
        "submissions": (first[1], second[1]),
        "label": label,
        "dice": chance.choice(SHARES),
        "surface_dice": chance.choice(SHARES),
        "hd95_mm": chance.choice(SIZES),
        "unmatched": chance.randint(0, 3),
        "disagrees": chance.random() < 0.3,
    }


# The same in the database -----------------------------------------------------------------------


def stored(world: World, slug: str, people: list[User], name_of: Callable[[Project, User], str]) -> Project:
    """A project that holds the world; the people are shared with other worlds."""
    sites = {name: _organisation(name) for name in ("north", "south")}
    datasets = {name: _dataset(sites["north"], name) for name in ("ct", "mr-2", "of nobody")}
    project = Project.objects.create(organisation=sites["north"], name=slug, slug=slug, created_by=people[0])
    schema = LabelSchema.objects.create(project=project, version=1, labels=LABELS, created_by=people[0])
    world.names = {at: name_of(project, person) for at, person in enumerate(people)}
    releases = [Release.objects.create(project=project, number=n, frozen_by=people[0]) for n in (1, 2)]

    @cache
    def subject(at: int) -> Subject:
        told = next(one.subject for one in world.cases if one.number % 8 == at)
        made = Subject.objects.create(
            organisation=sites[told["site"]], pseudonym=f"{slug}-{at}", sex=told["sex"]
        )
        _store_clinical(told["facts"], made, datasets)
        return made

    for told in world.cases:
        case = Case.objects.create(
            project=project,
            subject=subject(told.number % 8),
            number=told.number,
            purpose=told.purpose,
            needs_adjudication=told.waits,
        )
        if told.recalled:
            Recall.objects.create(project=project, case=case, case_number=case.number, reason="Consent.")
        drawn_on = _store_studies(told, case, datasets)
        _store_reads(told, case, schema, people, drawn_on)
        for number, withdrawn in told.releases:
            ReleaseCase.objects.create(
                release=releases[number - 1],
                case=case,
                number=case.number,
                withdrawn_at=timezone.now() if withdrawn else None,
            )
    return project


def _store_clinical(facts: list[dict[str, Any]], subject: Subject, datasets: dict[str, Dataset]) -> None:
    ClinicalFact.objects.bulk_create(
        ClinicalFact(
            subject=subject,
            dataset=datasets[fact["dataset"]],
            kind=fact["kind"],
            name=fact["name"],
            code=stage_code(fact["value"]) if fact["kind"] == "stage" else fact["value"],
            starts_on=fact["on"],
            digest=str(at),
        )
        for at, fact in enumerate(facts)
    )


def _organisation(slug: str) -> Organisation:
    return Organisation.objects.get_or_create(slug=slug, defaults={"name": slug, "country": "SE"})[0]


def _dataset(organisation: Organisation, slug: str) -> Dataset:
    return Dataset.objects.get_or_create(slug=slug, defaults={"name": slug, "organisation": organisation})[0]


def _store_studies(told: AnyCase, case: Case, datasets: dict[str, Dataset]) -> dict[str, Series]:
    """What marks are drawn on, by modality: series of a study that no case has."""
    organisation = case.subject.organisation
    uid = f"1.2.{case.pk}"

    def study(one: dict[str, Any], its_uid: str) -> Study:
        return Study.objects.create(
            organisation=organisation,
            dataset=datasets[one["dataset"]],
            subject=case.subject,
            study_instance_uid=its_uid,
            date=one["date"],
            description=one["description"],
            age_years=one["age"],
        )

    def series(of: Study, at: int, one: dict[str, Any]) -> Series:
        phases = [[n * 5, 5] for n in range(one["phases"] or 0)]
        return Series.objects.create(
            organisation=organisation,
            study=of,
            series_instance_uid=f"{of.study_instance_uid}.{at}",
            modality=one["modality"],
            body_part=one["body_part"],
            description=one["description"],
            instance_count=one["images"],
            frame_count=one["frames"],
            changed_at=timezone.now(),
            manufacturer=one.get("manufacturer", ""),
            model_name=one.get("model", ""),
            slice_thickness_mm=one.get("slice_thickness_mm"),
            pixel_spacing_mm=one.get("pixel_spacing_mm"),
            findings=[{"code": code, "sentence": code, "spoils": []} for code in one["finding"]],
            summary=None
            if one["plane"] is None
            else {"plane": one["plane"], "sides": [], "phases": phases if len(phases) > 1 else []},
        )

    for one in told.studies:
        made = study(one, f"{uid}.{one['position']}")
        CaseStudy.objects.create(case=case, study=made, position=one["position"])
        for at, each in enumerate(one["series"]):
            series(made, at, each)
    plain = {"dataset": "ct", "date": None, "description": "", "age": None}
    aside = study(plain, f"{uid}.99")
    told_of = {"body_part": "", "description": "", "images": 1, "frames": 0, "finding": [], "phases": 1}
    return {
        modality: series(aside, at, {**told_of, "plane": "", "modality": modality})
        for at, modality in enumerate(("CT", "MR", "PT"))
    }


def _store_reads(
    told: AnyCase, case: Case, schema: LabelSchema, people: list[User], drawn_on: dict[str, Series]
) -> None:
    for one in told.reads:
        one.row = Read.objects.create(
            case=case,
            reader=people[one.reader],
            schema=schema,
            kind=one.kind,
            state=one.state,
            round=one.round,
        )
        for handed in one.handed:
            handed.row = Submission.objects.create(
                read=one.row,
                round=handed.round,
                edit_number=1,
                by=people[one.reader],
                facts_at=timezone.now(),
            )
            _store_facts(handed, drawn_on)
    if told.reference:
        ReferenceStandard.objects.create(case=case, how=told.reference[0], submission=told.reference[1].row)
    for one in told.comparisons:
        first, second = sorted((each.row for each in one["submissions"]), key=lambda row: row.pk)
        numbers = {
            key: one[key] for key in ("label", "dice", "surface_dice", "hd95_mm", "unmatched", "disagrees")
        }
        Comparison.objects.create(case=case, first=first, second=second, **numbers)


def _store_facts(handed: Handed, drawn_on: dict[str, Series]) -> None:
    MarkFact.objects.bulk_create(
        MarkFact(
            submission=handed.row,
            annotation=UUID(int=at),
            series=drawn_on[mark["modality"]],
            **{key: value for key, value in mark.items() if key != "modality"},
        )
        for at, mark in enumerate(handed.marks)
    )
    LabelFact.objects.bulk_create(
        LabelFact(
            submission=handed.row,
            count=label["lesions"],
            **{key: value for key, value in label.items() if key != "lesions"},
        )
        for label in handed.labels
    )
