"""The bars of the card: `Release.card` holds them for the page of a release, the card's files draw them."""

from typing import Any

from annotations.cohort.card.bins import Rows, rows_of, safe_rows_of
from annotations.cohort.card.gathering import Gathered
from annotations.reading.journal.values import STATES

type Figure = dict[str, Any]
"""{title, unit, n, kind: “histogram” or “bars”, rows: [[word, count], …]}"""

BARS_MOST = 8
SEXES = {"F": "female", "M": "male", "O": "other", "": "not given"}
NOT_GIVEN = "not given"


def figures_of(found: Gathered) -> list[Figure]:
    """Those that count anything. Bars about persons follow the rule of `bins`."""
    sexes = {SEXES.get(key, key): n for key, n in found.by_sex.items()}
    scanners = {name or NOT_GIVEN: n for name, n in found.scanners.items()}
    present = {label.name: label.states[STATES[0]] for label in found.labels.values()}
    figures = [
        _figure("Lesion volume", "mL, logarithmic", found.volumes_ml.rows(), "histogram"),
        _figure("Longest diameter", "mm, of marks", found.diameters_mm.rows(), "histogram"),
        _figure("Time points", "cases", found.time_points.safe_rows(), "histogram"),
        _figure("Interval", "days between time points", found.days_between.safe_rows(), "histogram"),
        _figure("Age", "years at the first study, subjects", found.ages.safe_rows(), "histogram"),
        _figure("Sex", "subjects", safe_rows_of(sexes), "bars"),
        _figure("Country", "subjects", safe_rows_of(found.by_country), "bars"),
        _figure("Site", "subjects", safe_rows_of(found.by_site), "bars"),
        _figure("Modality", "image series", rows_of(found.modalities, BARS_MOST), "bars"),
        _figure("Slice thickness", "mm, image series", found.thicknesses_mm.rows(), "histogram"),
        _figure("Scanner", "image series", rows_of(scanners, BARS_MOST), "bars"),
        _figure("Labels", "cases that show them", rows_of(present, BARS_MOST), "bars"),
        _figure("Readers agree", "Dice between two readers", found.dice.rows(), "histogram"),
        _figure("Where marks came from", "marks", rows_of(found.origins), "bars"),
    ]
    return [figure for figure in figures if figure["rows"]]


def _figure(title: str, unit: str, rows: Rows, kind: str) -> Figure:
    return {
        "title": title,
        "unit": unit,
        "n": sum(n for _, n in rows),
        "kind": kind,
        "rows": [list(row) for row in rows],
    }
