"""Worlds drawn at random; the first case of each has everything that is asked for by name."""

import datetime
import random
from typing import Any

from atlas.clinical.codes import STAGES, STATUSES
from tests.annotations.cohort.language.world import AnyCase, AnyRead, Handed, World

DESCRIPTIONS = ["", "Axial", "axial thin", 'a "quoted" \\ % _', "AND", "12", "T1 é", "éclair", "THIN  slab"]
SIZES = [None, 0.0, 0.25, 5.0, 9.75, 10.0, 10.5, 29.0]
SHARES = [None, 0.0, 0.25, 0.5, 0.75, 1.0]
MAKERS = ["", "SIEMENS", "GE MEDICAL SYSTEMS", "Philips"]
CONDITIONS = ["SCT:254637007", "ICD10:C34.1"]
TREATED_WITH = ["SCT:367336001", "ATC:L01XA01"]
STATES = ["present", "absent", "indeterminate", "not_assessed"]


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
