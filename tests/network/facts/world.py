"""Small random datasets as plain Python: what the language means, subject by subject, and the same in columns
and in a database."""

import datetime
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils import timezone
from pydicom.uid import generate_uid

from accounts.models import Organisation, User
from annotations.cohort.language.expression import All, Any_, Condition, Expression, Group, Not
from annotations.cohort.language.fields import FIELDS, LEVELS, Kind
from annotations.models import (
    Case,
    CaseStudy,
    Comparison,
    LabelFact,
    LabelSchema,
    MarkFact,
    Read,
    ReferenceStandard,
    Submission,
)
from atlas.clinical.codes import stage_code
from atlas.models import ClinicalFact, Dataset, Project, Series, Study, Subject
from network.facts.building import COLUMNS, _table
from network.facts.columns import SUBJECTS, SUBMISSIONS, Facts
from tests.annotations.cohort.language.meaning import fact_holds, row_holds

SIZES = [None, 0.0, 0.5, 5.0, 10.0, 10.5, 29.0]
STATES = ["present", "absent", "indeterminate", "not_assessed"]
OWN_VALUES = {
    "subject.site": ["north", "nowhere"],
    "series.modality": ["CT", "MR", "PT"],
    "series.body_part": ["CHEST", "HEAD AND NECK"],
    "series.manufacturer": ["Acme", "Bolt & Sons"],
    "clinical.condition": ["SCT:1", "SCT:2"],
    "clinical.treatment_code": ["ATC:1"],
    "mark.code": ["SCT:1", "99X:a b"],
    "mark.modality": ["CT", "MR"],
    "label.code": ["SCT:1", "99X:a b"],
}
LABELS = [
    {"key": "tumour", "name": "Tumour", "kinds": ["segment"], "code": {"scheme": "SCT", "value": "1"}},
    {"key": "node", "name": "Lymph node", "kinds": ["segment"], "code": {"scheme": "99X", "value": "a b"}},
]
CODES = {"tumour": "SCT:1", "node": "99X:a b"}
NAMES = {"tumour": "Tumour", "node": "Lymph node"}


@dataclass
class Person:
    """One subject of one dataset. Rows have the short names of fields."""

    sex: str
    age: int | None
    studies: list[dict[str, Any]]
    """Each with `series`."""
    clinical: list[dict[str, Any]]
    results: list[dict[str, Any]]
    """Each {is_reference, marks, labels}."""
    agreement: list[dict[str, Any]]
    public_id: str = ""


# What the language means -------------------------------------------------------------------------


def holds(node: Expression, person: Person) -> bool:
    match node:
        case All():
            return all(holds(each, person) for each in node.of)
        case Any_():
            return any(holds(each, person) for each in node.of)
        case Not():
            return not holds(node.of, person)
        case Group():
            return _group(node, person)
        case Condition() if node.about.level == "case":
            own = {"sex": person.sex, "age": person.age, "site": "north", "time_points": len(person.studies)}
            return fact_holds(node, own[node.about.short])
    return _group(Group(node.about.level, node), person)


def _group(group: Group, person: Person) -> bool:
    def enough(rows: Iterable[dict[str, Any]]) -> bool:
        found = sum(1 for row in rows if row_holds(group.where, row))
        return group.count.least <= found and (group.count.most is None or found <= group.count.most)

    if LEVELS[group.level].has_reads:
        asked = [one for one in person.results if group.of == "result" or one["is_reference"]]
        return any(enough(one["marks" if group.level == "mark" else "labels"]) for one in asked)
    rows = {
        "study": person.studies,
        "series": [one for study in person.studies for one in study["series"]],
        "clinical": person.clinical,
        "agreement": person.agreement,
    }
    return enough(rows[group.level])


# A random dataset --------------------------------------------------------------------------------


def people(chance: random.Random, count: int) -> list[Person]:
    found = [_person(chance) for _ in range(count)]
    for at, one in enumerate(found):
        one.public_id = f"p{at:04}"
    return found


def _person(chance: random.Random) -> Person:
    studies = _studies(chance)
    return Person(
        sex=chance.choice(["F", "M", "O", ""]),
        age=studies[0]["age"],
        studies=studies,
        clinical=[_clinical(chance) for _ in range(chance.choice([0, 1, 3, 6]))],
        results=[_result(chance, of_reference=chance.random() < 0.5) for _ in range(chance.randint(0, 1))],
        agreement=[_agreement(chance) for _ in range(chance.randint(0, 2))],
    )


def _studies(chance: random.Random) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    day = datetime.date(2026, 1, 14)
    for position in range(1, chance.randint(1, 4) + 1):
        day += datetime.timedelta(days=chance.choice([1, 7, 14, 28]))
        first, before = (found[0]["date"], found[-1]["date"]) if found else (day, None)
        found.append(
            {
                "age": chance.choice([None, 0, 3, 5, 60, 61]),
                "date": day,
                "position": position,
                "days_since_first": (day - first).days,
                "interval": (day - before).days if before else None,
                "series": [_series(chance) for _ in range(chance.randint(1, 3))],
            }
        )
    return found


def _series(chance: random.Random) -> dict[str, Any]:
    is_told = chance.random() < 0.8
    return {
        "modality": chance.choice(["CT", "MR", "PT"]),
        "body_part": chance.choice(["", "CHEST", "HEAD AND NECK"]),
        "manufacturer": chance.choice(["", "Acme", "Bolt & Sons"]),
        "images": chance.randint(1, 8),
        "plane": chance.choice(["", "axial", "coronal"]) if is_told else None,
        "phases": chance.choice([1, 1, 3]) if is_told else None,
        "finding": sorted(set(chance.choices(["gantry_tilt", "lossy"], k=chance.randint(0, 2)))),
        "slice_thickness_mm": chance.choice([None, 0.5, 1.0, 2.5]),
        "pixel_spacing_mm": chance.choice([None, 0.5, 0.75]),
    }


def _clinical(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(["condition", "stage", "treatment", "status", "death"])
    row: dict[str, Any] = {"kind": kind, "days_since_first": chance.choice([None, -30, 0, 14])}
    match kind:
        case "condition":
            row["condition"] = chance.choice(["SCT:1", "SCT:2"])
        case "stage":
            name, value = chance.choice([("t", "T2a"), ("n", "N1"), ("m", "M0"), ("group", "II")])
            row[f"stage_{name}"] = value
        case "treatment":
            row |= {"treatment": chance.choice(["surgery", "chemotherapy"]), "treatment_code": "ATC:1"}
        case "status":
            row["status"] = chance.choice(["stable", "worse"])
    return row


def _result(chance: random.Random, *, of_reference: bool) -> dict[str, Any]:
    return {
        "is_reference": of_reference,
        "marks": [
            {
                "code": chance.choice(["", "SCT:1", "99X:a b"]),
                "kind": chance.choice(["segment", "length"]),
                "state": chance.choice(STATES),
                "longest_mm": chance.choice(SIZES),
                "shortest_mm": chance.choice(SIZES),
                "volume_ml": chance.choice(SIZES),
                "origin": chance.choice(["reader", "proposal"]),
                "modality": chance.choice(["CT", "MR"]),
            }
            for _ in range(chance.randint(0, 4))
        ],
        "labels": [
            {
                "key": key,
                "code": CODES[key],
                "state": chance.choice(STATES),
                "lesions": chance.randint(0, 3),
                "longest_mm": chance.choice(SIZES),
                "volume_ml": chance.choice(SIZES),
            }
            for key in CODES
        ],
    }


def _agreement(chance: random.Random) -> dict[str, Any]:
    return {
        "dice": chance.choice([None, 0.0, 0.25, 1.0]),
        "surface_dice": chance.choice([None, 0.5]),
        "hd95_mm": chance.choice(SIZES),
        "unmatched": chance.randint(0, 3),
        "disagrees": chance.random() < 0.3,
    }


# In columns --------------------------------------------------------------------------------------


def in_columns(found: list[Person], *, seed: int = 0) -> Facts:
    """The facts of one dataset that holds these people, with keys made of `seed` and their public ids."""
    rows: dict[str, list[tuple[Any, ...]]] = {level: [] for level in COLUMNS}
    for at, one in enumerate(found):
        rows[SUBJECTS].append((at, one.sex, "north", one.age, len(one.studies), 24300 + at % 5, ""))
        rows["study"] += [(at, *_told("study", study)) for study in one.studies]
        rows["series"] += [(at, *_told("series", each)) for study in one.studies for each in study["series"]]
        rows["clinical"] += [(at, *_told("clinical", each)) for each in one.clinical]
        rows["agreement"] += [(at, *_told("agreement", each)) for each in one.agreement]
        for result in one.results:
            number = len(rows[SUBMISSIONS])
            rows[SUBMISSIONS].append((at, "yes" if result["is_reference"] else ""))
            rows["mark"] += [(number, *_told("mark", each)) for each in result["marks"]]
            rows["label"] += [(number, *_told("label", each)) for each in result["labels"]]
    keys = [random.Random(f"{seed}/{one.public_id}").getrandbits(64) for one in found]
    series = [[each for study in one.studies for each in study["series"]] for one in found]
    return Facts(
        np.array(keys, np.uint64),
        np.array([hash(repr(one)) & (2**64 - 1) for one in found], np.uint64),
        {
            "studies": np.array([len(one.studies) for one in found], np.int64),
            "series": np.array([len(each) for each in series], np.int64),
            "images": np.array([sum(one["images"] for one in each) for each in series], np.int64),
        },
        {level: _table(level, found_rows) for level, found_rows in rows.items()},
    )


def _told(level: str, row: dict[str, Any]) -> list[Any]:
    """The values of a level's columns."""
    found = []
    for key in COLUMNS[level]:
        value = NAMES[row["key"]] if key == "words" else row.get(key.rpartition(".")[2])
        if key in FIELDS and FIELDS[key].kind is Kind.YES_NO:
            value = "yes" if value else "no"
        found.append(tuple(value) if isinstance(value, list) else value)
    return found


# In a database -----------------------------------------------------------------------------------


def stored(found: list[Person], slug: str, reader: User, other: User) -> Dataset:
    """A dataset that holds these people, read in a project of its own."""
    organisation = Organisation.objects.get_or_create(
        slug="north", defaults={"name": "North", "country": "SE"}
    )[0]
    dataset = Dataset.objects.create(organisation=organisation, name=slug, slug=slug, organ="lung")
    project = Project.objects.create(organisation=organisation, name=slug, slug=slug, created_by=reader)
    schema = LabelSchema.objects.create(project=project, version=1, labels=LABELS, created_by=reader)
    for at, one in enumerate(found, start=1):
        subject = Subject.objects.create(
            organisation=organisation, pseudonym=f"{slug}-{one.public_id}", sex=one.sex
        )
        one.public_id = subject.public_id
        studies = [_store_study(study, dataset, subject) for study in one.studies]
        _store_clinical(one, dataset, subject)
        case = Case.objects.create(project=project, subject=subject, number=at)
        for position, study in enumerate(studies, start=1):
            CaseStudy.objects.create(case=case, study=study, position=position)
        drawn_on = {
            modality: Series.objects.create(
                **_plain(studies[0]), modality=modality, frame_count=0, instance_count=9
            )
            for modality in ("CT", "MR")
        }
        _store_reads(one, case, schema, (reader, other), drawn_on)
    return dataset


def _plain(study: Study) -> dict[str, Any]:
    return {
        "organisation": study.organisation,
        "study": study,
        "series_instance_uid": generate_uid(),
        "changed_at": timezone.now(),
    }


def _store_study(told: dict[str, Any], dataset: Dataset, subject: Subject) -> Study:
    study = Study.objects.create(
        organisation=dataset.organisation,
        dataset=dataset,
        subject=subject,
        study_instance_uid=generate_uid(),
        date=told["date"],
        age_years=told["age"],
    )
    for one in told["series"]:
        phases = [[n, 5] for n in range(one["phases"] or 0)]
        Series.objects.create(
            **_plain(study),
            modality=one["modality"],
            body_part=one["body_part"],
            manufacturer=one["manufacturer"],
            instance_count=one["images"],
            frame_count=one["images"],
            slice_thickness_mm=one["slice_thickness_mm"],
            pixel_spacing_mm=one["pixel_spacing_mm"],
            findings=[{"code": code, "sentence": code, "spoils": []} for code in one["finding"]],
            summary=None
            if one["plane"] is None
            else {"plane": one["plane"], "sides": [], "phases": phases if len(phases) > 1 else []},
        )
    Series.objects.create(**_plain(study), modality="SR", instance_count=1)
    return study


def _store_clinical(one: Person, dataset: Dataset, subject: Subject) -> None:
    for at, row in enumerate(one.clinical):
        name, code = "", "SCT:9"
        for stage in ("t", "n", "m", "group"):
            if value := row.get(f"stage_{stage}"):
                name, code = stage if stage == "group" else stage.upper(), stage_code(value)
        days = row["days_since_first"]
        ClinicalFact.objects.create(
            subject=subject,
            dataset=dataset,
            kind=row["kind"],
            name=row.get("treatment") or row.get("status") or name,
            code=row.get("condition") or row.get("treatment_code") or code,
            meaning="as the code says",
            starts_on=None if days is None else one.studies[0]["date"] + datetime.timedelta(days=days),
            digest=str(at),
        )


def _store_reads(
    one: Person,
    case: Case,
    schema: LabelSchema,
    readers: tuple[User, User],
    drawn_on: dict[str, Series],
) -> None:
    handed = []
    for reader in readers:
        read = Read.objects.create(
            case=case, reader=reader, schema=schema, state="accepted" if one.agreement else "submitted"
        )
        handed.append(Submission.objects.create(read=read, round=1, edit_number=1, by=reader))
    for at, row in enumerate(one.agreement):
        Comparison.objects.create(case=case, first=handed[0], second=handed[1], label=f"l{at}", **row)
    if one.agreement:  # what is accepted twice would be a result twice
        case.needs_adjudication = True
        case.save()
    for result in one.results:
        submission = handed[0]
        if result["is_reference"]:
            ReferenceStandard.objects.create(case=case, how="accepted", submission=submission)
        else:
            Read.objects.filter(pk=submission.read_id).update(state="accepted")
            Case.objects.filter(pk=case.pk).update(needs_adjudication=False)
            Read.objects.filter(case=case).exclude(pk=submission.read_id).update(state="accepted", round=2)
        MarkFact.objects.bulk_create(
            MarkFact(
                submission=submission,
                annotation=f"00000000-0000-0000-0000-{at:012}",
                series=drawn_on[mark["modality"]],
                label="tumour",
                **{name: value for name, value in mark.items() if name != "modality"},
            )
            for at, mark in enumerate(result["marks"])
        )
        LabelFact.objects.bulk_create(
            LabelFact(
                submission=submission,
                label=label["key"],
                count=label["lesions"],
                **{name: label[name] for name in ("code", "state", "longest_mm", "volume_ml")},
            )
            for label in result["labels"]
        )
