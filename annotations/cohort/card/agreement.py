"""How far two blind readers agree on the cases of a release, label by label."""

from dataclasses import dataclass

import numpy as np

from annotations.cohort.card.gathering import Gathered, OfLabel
from annotations.measures.agreement.bootstrap import Interval
from annotations.measures.agreement.resampling import alpha_and_interval, median_interval


@dataclass(frozen=True)
class Measure:
    """`n` values; `interval` at 95 %, over subjects, None under 5 of them."""

    value: float | None
    n: int
    interval: Interval | None

    def __str__(self) -> str:
        if self.value is None:
            return "–"
        between = f" ({self.interval[0]:.2f} to {self.interval[1]:.2f})" if self.interval else ""
        return f"{self.value:.2f}{between}, n {self.n}"


@dataclass(frozen=True)
class LabelAgreement:
    """The median Dice where both drew, and Krippendorff's alpha of whether it is there."""

    name: str
    dice: Measure
    presence: Measure


def agreement_of(found: Gathered) -> list[LabelAgreement]:
    """Of the labels that two readers were compared on, in the schema's order."""
    return [
        LabelAgreement(label.name, _dice(label), _presence(label))
        for label in found.labels.values()
        if label.said or label.dice
    ]


def _dice(label: OfLabel) -> Measure:
    if not label.dice:
        return Measure(None, 0, None)
    values = np.frombuffer(label.dice)
    subjects = list(label.dice_subjects)
    return Measure(float(np.median(values)), len(values), median_interval(values, subjects))


def _presence(label: OfLabel) -> Measure:
    counts = [row[:2] for row in label.said]
    value, between = alpha_and_interval(counts, [row[2] for row in label.said])
    return Measure(value, len(counts), between)
