"""Adds up the digests of a release's cases. What it keeps grows with sites, labels and readers; of cases it
keeps the names of subjects, so that nobody counts twice, and a number for each comparison."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from annotations.cohort.card.bins import Histogram
from annotations.cohort.card.digest import Digest

HALF_DECADES = [a * 10.0**e for e in range(-3, 4) for a in (1, 3)]
DICE = [0.1 * tenth for tenth in range(1, 10)] + [0.95]
AGES = list(range(10, 100, 10))
DIAMETERS_MM = [5, 10, 15, 20, 30, 40, 50, 75, 100]
THICKNESSES_MM = [0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]
DAYS = [1, 15, 29, 57, 92, 183, 366, 731]
POINTS = list(range(1, 11))


@dataclass
class OfLabel:
    """Of one label: cases by what is said of it, the sizes of what is there, and how two readers agree."""

    name: str
    states: Counter[str] = field(default_factory=Counter)
    marks: int = 0
    dice: array = field(default_factory=lambda: array("d"))
    dice_subjects: array = field(default_factory=lambda: array("l"))
    said: list[tuple[int, int, int]] = field(default_factory=list)
    """Of each pair of readers of a case: how many said absent, how many present, and the subject's number."""


@dataclass
class Gathered:
    """All counts of a card."""

    cases: int = 0
    withheld: int = 0
    studies: int = 0
    series: int = 0
    reads: int = 0
    marks: int = 0
    sites: dict[str, str] = field(default_factory=dict)
    datasets: set[str] = field(default_factory=set)
    years: set[int] = field(default_factory=set)
    handed_in: list[str] = field(default_factory=list)
    readers: set[str] = field(default_factory=set)
    reads_of_a_case: Counter[int] = field(default_factory=Counter)
    references: Counter[str] = field(default_factory=Counter)
    by_site: Counter[str] = field(default_factory=Counter)
    by_country: Counter[str] = field(default_factory=Counter)
    by_sex: Counter[str] = field(default_factory=Counter)
    parts: Counter[tuple[str, int | None]] = field(default_factory=Counter)
    modalities: Counter[str] = field(default_factory=Counter)
    scanners: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    without_volume: int = 0
    origins: Counter[str] = field(default_factory=Counter)
    unaided: Counter[str] = field(default_factory=Counter)
    proposals: Counter[str] = field(default_factory=Counter)
    proposed_by: set[str] = field(default_factory=set)
    labels: dict[str, OfLabel] = field(default_factory=dict)
    ages: Histogram = field(default_factory=lambda: Histogram(AGES))
    time_points: Histogram = field(default_factory=lambda: Histogram(POINTS))
    days_between: Histogram = field(default_factory=lambda: Histogram(DAYS))
    thicknesses_mm: Histogram = field(default_factory=lambda: Histogram(THICKNESSES_MM))
    diameters_mm: Histogram = field(default_factory=lambda: Histogram(DIAMETERS_MM))
    volumes_ml: Histogram = field(default_factory=lambda: Histogram(HALF_DECADES))
    dice: Histogram = field(default_factory=lambda: Histogram(DICE))
    subjects: dict[str, int] = field(default_factory=dict)
    """Every subject with a number."""

    def add(self, digest: Digest) -> None:
        self.cases += 1
        subject = self._subject(digest["case"])
        self._add_images(digest)
        if "labels" in digest:
            self._add_marks(digest, subject)
        else:
            self.withheld += 1

    def _subject(self, case: dict[str, Any]) -> int:
        """The subject's number; counted where it is new."""
        name = f"{case['site']}/{case['subject']}"
        if name not in self.subjects:
            self.subjects[name] = len(self.subjects)
            self.sites[case["site"]] = case["country"]
            self.by_site[case["site"]] += 1
            self.by_country[case["country"]] += 1
            self.by_sex[case.get("sex", "")] += 1
            if "age_years" in case:
                self.ages.add(case["age_years"])
        return self.subjects[name]

    def _add_images(self, digest: Digest) -> None:
        case = digest["case"]
        self.studies += case["time_points"]
        self.time_points.add(case["time_points"])
        self.datasets.update(filter(None, case.get("dataset", "").split("; ")))
        self.parts[case.get("part", ""), case.get("fold")] += 1
        self.references[case.get("reference", "")] += 1
        if "first_study_date" in case:
            self.years.add(int(case["first_study_date"][:4]))
        for days in digest["days_between"]:
            self.days_between.add(days)
        for series in digest["series"]:
            self.series += 1
            self.modalities[series["modality"]] += 1
            self.scanners[series.get("manufacturer", "")] += 1
            self.without_volume += not series["has_volume"]
            self.findings.update(filter(None, series["findings"].split("; ")))
            if "slice_thickness_mm" in series:
                self.thicknesses_mm.add(series["slice_thickness_mm"])

    def _add_marks(self, digest: Digest, subject: int) -> None:
        self.reads += len(digest["readers"])
        self.reads_of_a_case[len(digest["readers"])] += 1
        self.readers.update(reader for reader, _ in digest["readers"])
        if digest["handed_in"]:
            days = [*self.handed_in, *digest["handed_in"]]
            self.handed_in = [min(days), max(days)]
        for key, name, state in digest["labels"]:
            self._label(key, name).states[state] += 1
        for size in digest["lesions"]:
            self._label(size["label"]).marks += 1
            if size["longest_mm"] is not None:
                self.diameters_mm.add(size["longest_mm"])
            if size["volume_ml"] is not None:
                self.volumes_ml.add(size["volume_ml"])
        self.marks += sum(digest["origins"].values())
        self.origins.update(digest["origins"])
        self.unaided.update(digest["unaided"])
        self.proposals.update(digest["proposals"])
        self.proposed_by.update(digest["proposed_by"])
        for row in digest["agreement"]:
            self._add_agreement(row, subject)

    def _add_agreement(self, row: dict[str, Any], subject: int) -> None:
        of = self._label(row["label"])
        if row["dice"] is not None:
            self.dice.add(row["dice"])
            of.dice.append(row["dice"])
            of.dice_subjects.append(subject)
        if None not in row["said"]:
            of.said.append((row["said"].count(False), row["said"].count(True), subject))

    def _label(self, key: str, name: str = "") -> OfLabel:
        return self.labels.setdefault(key, OfLabel(name or key))
