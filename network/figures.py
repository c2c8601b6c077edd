"""The figures of a version of a dataset, all disclosed: what the catalogue shows and other nodes are told."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from network.disclosure import (
    NOBODY,
    Cell,
    Policy,
    disclose,
    disclose_middle,
    disclose_table,
    is_few,
    rest_of,
    sum_of,
)
from network.facets import AGES, FACETS, TIME_POINTS, VALUE_LENGTH_MAX, Of
from network.facts.building import MEASUREMENTS, ONE_READER, TWO_READERS
from network.facts.columns import SUBJECTS, SUBMISSIONS, Array, Bits, Codes, Facts, Numbers
from network.facts.evaluating import cells_of

COUNTED = ("subjects", "studies", "series", "images")
LABELLED = {"two_readers": TWO_READERS, "one_reader": ONE_READER, "measurements": MEASUREMENTS, "none": ""}
AGREEMENT = {"dice": 3, "surface_dice": 3, "hd95_mm": 1}
"""Figures of agreement, and the decimals that they are told with."""

type Told = dict[str, int | None]


def of_version(facts: Facts, policy: Policy, of_dataset: Mapping[str, str]) -> dict[str, Any]:
    """`facts` of one dataset; `of_dataset`: the value of each facet that the whole dataset has one of."""
    return _Figures(facts, policy).all(of_dataset)


class _Figures:
    def __init__(self, facts: Facts, policy: Policy) -> None:
        self.facts, self.policy = facts, policy
        self.total = self.cell(np.ones(len(facts.keys), bool))
        self.subjects = facts.tables[SUBJECTS].columns

    def all(self, of_dataset: Mapping[str, str]) -> dict[str, Any]:
        whole = totals(self.total, self.policy)
        days = self.numbers("study", "study.interval")
        return {
            **whole,
            "facets": {
                **{name: {value: whole["subjects"]} for name, value in of_dataset.items() if value},
                **self.facets(names_few=whole["subjects"] is not None),
            },
            "followed": self.told_followed(),
            "median_interval_days": _rounded(self.middle(days), 0),
            "labels": self.labels(),
            "agreement": self.agreement(),
            "quality": self.quality(),
            "growth": self.growth(),
        }

    # Tables of subjects ----------------------------------------------------------------------

    def facets(self, *, names_few: bool) -> dict[str, Told]:
        """`names_few`: whether there is a number at all, so that a name alone isn't of a few for sure."""
        ages = self.own_numbers("subject.age")
        last = len(AGES) - 1
        found = {
            "condition": self.told(self.with_codes("clinical", "clinical.condition")),
            "modality": self.told(self.with_codes("series", "series.modality")),
            "manufacturer": self.told(self.with_codes("series", "series.manufacturer")),
            "body_part": self.told(self.with_codes("series", "series.body_part")),
            "sex": self.told(self.with_codes(SUBJECTS, "subject.sex")),
            "age": self.told(
                {
                    group: (ages >= 10 * at) & (ages < (10 * at + 10 if at < last else np.inf))
                    for at, group in enumerate(AGES)
                }
            ),
            "label": self.told({value: mask for value, mask in self.annotated_with().items() if mask.any()}),
            "time_points": self.told(self.by_time_points()),
        }
        return {
            name: {
                value: subjects
                for value, subjects in values.items()
                if subjects is not None or (FACETS[name].names_few and names_few)
            }
            for name, values in found.items()
        }

    def labels(self) -> Told:
        found = self.with_codes(SUBJECTS, "labelled")
        column = self.codes(SUBJECTS, "labelled")
        found[""] = column.codes == 0
        nobody = np.zeros(len(self.facts.keys), bool)
        table = {name: found.get(value, nobody) for name, value in LABELLED.items()}
        return self.told(table)

    def told(self, masks: Mapping[str, Array]) -> Told:
        """By value, of how many subjects it is true. Values that no subject has two of divide the subjects,
        whether they always do or only in this dataset."""
        cells = {value: self.cell(mask) for value, mask in masks.items()}
        anyone = np.logical_or.reduce(list(masks.values())).sum() if masks else 0
        is_partition = sum(cell.subjects for cell in cells.values()) == anyone
        return disclose_table(cells, self.total, self.policy, is_partition=is_partition)

    def told_followed(self) -> int | None:
        """Subjects with two time points or more: not where they, less those of whom the number of time points
        is told, would be a few."""
        times, of = self.own_numbers("case.time_points"), self.by_time_points()
        followed = self.cell(times >= 2)
        told = self.told({"followed": times >= 2})["followed"]
        if is_few(rest_of(self.total, followed), self.policy):
            return told  # as all are: no part of it but of the total
        hidden = [
            self.cell(of[value])
            for value, subjects in self.told(of).items()
            if subjects is None and value != TIME_POINTS[0]
        ]
        return None if hidden and is_few(sum_of(hidden), self.policy) else told

    def by_time_points(self) -> dict[str, Array]:
        times = self.own_numbers("case.time_points")
        return {
            number: times >= len(TIME_POINTS) if number.endswith("+") else times == int(number)
            for number in TIME_POINTS
        }

    def quality(self) -> Told:
        """Findings of the checks at intake, without the names of those that few have."""
        found = {
            code: mask for code, mask in self.with_bits("series", "series.finding").items() if mask.any()
        }
        return {code: subjects for code, subjects in self.told(found).items() if subjects is not None}

    def growth(self) -> list[list[Any]]:
        """[month, subjects that came with it]: months are put together until enough came."""
        since = self.own_numbers("since").astype(np.int64)
        periods: dict[str, Cell] = {}
        waiting = NOBODY
        for month in np.unique(since):
            waiting = sum_of([waiting, self.cell(since == month)])
            if not is_few(waiting, self.policy):
                periods[f"{month // 12:04}-{month % 12 + 1:02}"] = waiting
                waiting = NOBODY
        if periods and waiting.subjects:  # too few came last: they stand with those before
            last = next(reversed(periods))
            periods[last] = sum_of([periods[last], waiting])
        told = disclose_table(periods, self.total, self.policy, is_partition=True)
        return [[month, subjects] for month, subjects in told.items() if subjects is not None]

    # Medians ---------------------------------------------------------------------------------

    def agreement(self) -> dict[str, Any]:
        found = {}
        for name, decimals in AGREEMENT.items():
            per_subject = self.numbers("agreement", f"agreement.{name}")
            found[name] = {
                "median": _rounded(self.middle(per_subject), decimals),
                "n": self.told({name: ~np.isnan(per_subject)})[name],
            }
        return found

    def middle(self, per_subject: Array) -> float | None:
        known = per_subject[~np.isnan(per_subject)]
        return disclose_middle([float(value) for value in known], self.policy)

    # Of each subject -------------------------------------------------------------------------

    def cell(self, mask: Array) -> Cell:
        return cells_of(self.facts, mask)[0]

    def own_numbers(self, key: str) -> Array:
        column = self.subjects[key]
        return column.numbers if isinstance(column, Numbers) else np.empty(0)

    def numbers(self, level: str, key: str) -> Array:
        """The mean of what a subject's rows have, NaN where none has any."""
        table = self.facts.tables[level]
        column = table.columns[key]
        values = column.numbers if isinstance(column, Numbers) else np.empty(0)
        known = ~np.isnan(values)
        size = len(self.facts.keys)
        sums = np.bincount(table.owner[known], values[known].astype(float), minlength=size)
        counts = np.bincount(table.owner[known], minlength=size)
        return np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)

    def codes(self, level: str, key: str) -> Codes:
        column = self.facts.tables[level].columns[key]
        if not isinstance(column, Codes):
            raise TypeError(f"{key} is no column of codes.")
        return column

    def with_codes(self, level: str, key: str) -> dict[str, Array]:
        """By value, the subjects with a row that has it."""
        column, owner = self.codes(level, key), self.owner_of(level)
        return {
            value[:VALUE_LENGTH_MAX]: self.who(owner[column.codes == at])
            for at, value in enumerate(column.values)
            if at
        }

    def with_bits(self, level: str, key: str) -> dict[str, Array]:
        column, owner = self.facts.tables[level].columns[key], self.owner_of(level)
        if not isinstance(column, Bits):
            raise TypeError(f"{key} is no column of bits.")
        return {
            value: self.who(owner[(column.bits >> np.uint64(at)) & np.uint64(1) == 1])
            for at, value in enumerate(column.values)
        }

    def annotated_with(self) -> dict[str, Array]:
        """By a label's words, the subjects in whose result it is present."""
        words, states = self.codes("label", "words"), self.codes("label", "label.state")
        present = np.array([value == "present" for value in states.values])[states.codes]
        owner = self.owner_of("label")
        return {
            value[:VALUE_LENGTH_MAX]: self.who(owner[present & (words.codes == at)])
            for at, value in enumerate(words.values)
            if at
        }

    def owner_of(self, level: str) -> Array:
        """The subject of each row."""
        owner = self.facts.tables[level].owner
        if level == SUBJECTS:
            return np.arange(len(owner))
        return self.facts.tables[SUBMISSIONS].owner[owner] if level in ("mark", "label") else owner

    def who(self, subjects: Array) -> Array:
        found = np.zeros(len(self.facts.keys), bool)
        found[subjects] = True
        return found


def totals(cell: Cell, policy: Policy) -> Told:
    """Subjects, studies, series and images of a cell: never fewer than what each has at least one of."""
    told = disclose(cell, policy)
    found: Told = {"subjects": told.subjects}
    least = told.subjects
    for name in COUNTED[1:]:
        number = told.magnitudes[name]
        least = None if least is None or number is None else max(least, number)
        found[name] = least
    return found


def within(counts: Mapping[str, int | None], most: Mapping[str, int | None]) -> Told:
    """Counts of a part, no more than those of the whole: noise doesn't make a part larger."""
    return {
        name: None if counts[name] is None or most.get(name) is None else min(counts[name], most[name])  # type: ignore[type-var]
        for name in COUNTED
    }


def dataset_facets(values: Mapping[str, str]) -> dict[str, str]:
    """Only those that a whole dataset has one of."""
    return {name: value for name, value in values.items() if FACETS[name].of is Of.DATASET}


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)
