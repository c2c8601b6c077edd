"""The figures of a project as pages and files show them: with people's names, in the reader's language."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language, gettext, gettext_lazy

from accounts.models import User
from annotations.reading.overview import Figures
from atlas.models import Project

READERS_IN_TABLE = 8
"""More don't fit beside the progress; the page of agreement draws them all."""

# Title, unit, decimals, and by what the number is multiplied for its unit.
SHOWN: dict[str, tuple[Any, str, int, float]] = {
    "dice": (gettext_lazy("Dice"), "", 2, 1),
    "surface_dice": (gettext_lazy("Surface Dice within 2 mm"), "", 2, 1),
    "hd95_mm": (gettext_lazy("HD95"), "mm", 1, 1),
    "volume_apart": (gettext_lazy("Volumes apart, of their mean"), "%", 0, 100),
    "volume_bland_altman": (gettext_lazy("Volumes, bias"), "mL", 1, 1),
    "volume_icc": (gettext_lazy("Volumes, ICC(2,1)"), "", 2, 1),
    "lesion_f1": (gettext_lazy("Lesions, F1"), "", 2, 1),
    "diameter_apart_mm": (gettext_lazy("Diameters apart"), "mm", 1, 1),
    "diameter_bland_altman": (gettext_lazy("Diameters, bias"), "mm", 1, 1),
    "diameter_icc": (gettext_lazy("Diameters, ICC(2,1)"), "", 2, 1),
    "presence_alpha": (gettext_lazy("Present or absent, Krippendorff’s alpha"), "", 2, 1),
    "presence_fleiss": (gettext_lazy("Present or absent, Fleiss’ kappa"), "", 2, 1),
    "presence_kappa": (gettext_lazy("Present or absent, Cohen’s kappa"), "", 2, 1),
    "answers_alpha": (gettext_lazy("Krippendorff’s alpha"), "", 2, 1),
    "answers_fleiss": (gettext_lazy("Fleiss’ kappa"), "", 2, 1),
    "answers_kappa": (gettext_lazy("Cohen’s kappa"), "", 2, 1),
    "answers_bland_altman": (gettext_lazy("Bias"), "", 2, 1),
    "answers_icc": (gettext_lazy("ICC(2,1)"), "", 2, 1),
}
MEDIANS = {"dice", "surface_dice", "hd95_mm", "volume_apart", "diameter_apart_mm"}


def short_names(people: Iterable[User]) -> dict[int, str]:
    """By primary key: the surname where it is the only one, else the whole name."""
    people = list(people)
    surnames = Counter(person.last_name for person in people)
    return {
        person.pk: person.last_name
        if person.last_name and surnames[person.last_name] == 1
        else person.display_name
        for person in people
    }


def keys_in(figures: Figures) -> set[int]:
    """The primary keys of everyone whom the figures name, members or not any more."""
    keys = {pair[side] for pair in figures["pairs"] for side in ("first", "second")}
    return keys | {int(one) for name in ("readers", "reference") for one in figures.get(name, ())}


def people_in(figures: Figures) -> dict[int, User]:
    people = User.objects.filter(pk__in=keys_in(figures))
    return {person.pk: person for person in people.order_by("last_name", "pk")}


# The matrix -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """Above the diagonal the median Dice of two readers, below it their median HD95."""

    value: str
    unit: str
    n: int
    heat: int | None
    is_low: bool
    title: str


def heat_of(dice: float | None, limit: float | None) -> int | None:
    """0 and 1 are under the limit, 4 is the highest agreement."""
    if dice is None:
        return None
    edge = 0.8 if limit is None else limit
    step = (1 - edge) / 4
    bounds = (edge - step, edge, edge + step, edge + 2 * step)
    return sum(dice >= bound for bound in bounds)


def matrix(
    figures: Figures, names: Mapping[int, str], limit: float | None, most: int = READERS_IN_TABLE
) -> dict[str, Any]:
    """Rows of cells for the readers that have most cases in common with others, by name."""
    cases: Counter[int] = Counter()
    by_pair = {}
    for pair in figures["pairs"]:
        by_pair[pair["first"], pair["second"]] = pair
        for side in ("first", "second"):
            cases[pair[side]] += pair["cases"]
    chosen = sorted((reader for reader, _ in cases.most_common(most)), key=lambda pk: names.get(pk, ""))
    rows = []
    for i, one in enumerate(chosen):
        cells: list[Cell | str | None] = []
        for j, other in enumerate(chosen):
            pair = by_pair.get((min(one, other), max(one, other)))
            cells.append("self" if i == j else _cell(pair, j > i, limit) if pair else None)
        rows.append((names.get(one, ""), cells))
    return {"names": [names.get(reader, "") for reader in chosen], "rows": rows, "of": len(cases)}


def _cell(pair: dict[str, Any], is_dice: bool, limit: float | None) -> Cell | None:
    value = pair["dice"] if is_dice else pair["hd95_mm"]
    if value is None:
        return None
    title = gettext("%(cases)s cases in common, in %(empty)s comparisons neither marked anything") % {
        "cases": pair["cases"],
        "empty": pair["both_empty"],
    }
    return Cell(
        value=f"{value:.2f}" if is_dice else f"{value:.1f}",
        unit="" if is_dice else "mm",
        n=pair["n"],
        heat=heat_of(pair["dice"], limit),
        is_low=is_dice and limit is not None and pair["dice"] is not None and pair["dice"] < limit,
        title=title,
    )


# Measures ---------------------------------------------------------------------------------------


def told(measure: Mapping[str, Any]) -> dict[str, Any]:
    """A measure as a row of a table: its title, number, interval, n, and what is to be said of it."""
    title, unit, decimals, factor = SHOWN[measure["key"]]
    notes = []
    if measure["key"] in MEDIANS:
        notes.append(gettext("median"))
    if measure.get("missing"):
        notes.append(gettext("missing in %(n)s, where one marked nothing") % {"n": measure["missing"]})
    low, high = measure.get("limits") or (None, None)
    if low is not None:
        notes.append(
            gettext("95 of 100 differences from %(low)s to %(high)s")
            % {"low": number(low, decimals, factor), "high": number(high, decimals, factor)}
        )
    if measure.get("readers"):
        notes.append(gettext("cases with %(n)s readers") % {"n": measure["readers"]})
    if measure.get("weights") == "quadratic":
        notes.append(gettext("quadratic weights"))
    if measure["n"] and measure["value"] is None:
        notes.append(gettext("not defined: nothing varies"))
    return {
        "key": measure["key"],
        "title": title,
        "value": number(measure["value"], decimals, factor),
        "unit": unit,
        "interval": interval(measure, decimals, factor),
        "is_defined": measure["value"] is not None,
        "n": measure["n"],
        "notes": ", ".join(notes),
    }


def number(value: float | None, decimals: int = 2, factor: float = 1) -> str:
    if value is None:
        return "–"
    written = f"{value * factor:.{decimals}f}"
    return written.replace("-", "\N{MINUS SIGN}") if float(written) else f"{0:.{decimals}f}"


def interval(measure: Mapping[str, Any], decimals: int = 2, factor: float = 1) -> str:
    if measure.get("low") is None or measure.get("high") is None:
        return ""
    return gettext("%(low)s to %(high)s") % {
        "low": number(measure["low"], decimals, factor),
        "high": number(measure["high"], decimals, factor),
    }


# What plots take --------------------------------------------------------------------------------


def progress_plot(figures: Figures) -> str:
    found = figures["progress"]
    words = {
        "label": gettext("Cases done week by week, with the plan and the forecast"),
        "plan": gettext("Plan"),
        "done": gettext("{n} done"),
        "at": gettext("{day}: {n} of {total} done"),
        "forecast": gettext("All done on {day} at this pace ({earliest} to {latest})"),
    }
    return json.dumps(found | {"words": words, "language": get_language()})


def drift_plot(figures: Figures, names: Mapping[int, str], limit: float | None) -> str:
    months = [
        month
        | {
            "readers": [
                {"name": names.get(int(reader), ""), "median": median, "n": n}
                for reader, (median, n) in month["readers"].items()
            ]
        }
        for month in figures["drift"]
    ]
    words = {
        "label": gettext("Median Dice month by month, of all readers and of each"),
        "at": gettext("{month}: median {median}, half of all from {q1} to {q3}, n {n}"),
        "reader": gettext("{name}, {month}: {median}, n {n}"),
        "limit": gettext("Limit"),
    }
    return json.dumps({"months": months, "limit": limit, "words": words, "language": get_language()})


def bland_altman_plot(label: Mapping[str, Any], project: Project) -> str | None:
    """None where no lesion was measured by two readers."""
    found = next(one for one in label["measures"] if one["key"] == "diameter_bland_altman")
    if not label["diameters"] or found["value"] is None:
        return None
    words = {
        "label": gettext("Longest diameters of two readers: their difference against their mean"),
        "mean": gettext("Mean of two readers, mm"),
        "difference": gettext("Difference, mm"),
        "at": gettext("Case {number}: mean {mean} mm, difference {difference} mm"),
    }
    address = reverse("project-case", args=[project.slug, 0]).replace("/0/", "/{number}/")
    return json.dumps(
        {
            "points": label["diameters"],
            "bias": found["value"],
            "limits": found["limits"],
            "cases": address,
            "words": words,
        }
    )


def matrix_plot(figures: Figures, names: Mapping[int, str], limit: float | None) -> str:
    readers = sorted(
        {pair[side] for pair in figures["pairs"] for side in ("first", "second")},
        key=lambda pk: names.get(pk, ""),
    )
    at = {reader: place for place, reader in enumerate(readers)}
    pairs = [
        [*sorted((at[pair["first"]], at[pair["second"]])), pair["dice"], pair["hd95_mm"], pair["n"]]
        for pair in figures["pairs"]
    ]
    words = {
        "label": gettext("Median Dice of every two readers"),
        "at": gettext("{first} and {second}: median Dice {dice}, n {n}"),
        "none": "",
    }
    return json.dumps(
        {"readers": [names.get(pk, "") for pk in readers], "pairs": pairs, "limit": limit, "words": words}
    )
