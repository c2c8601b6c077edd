"""How far the readers of a project agree: the page with all measures, and its numbers as files. For leads."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.requests import SignedInRequest
from annotations.models import Case, LabelSchema
from annotations.reading import overview
from annotations.reading.designs import design_of
from annotations.reading.overview import Figures
from annotations.reading.overview.comparisons import comparisons_of
from annotations.reading.schemas import current_schema
from annotations.views import dashboard
from annotations.views import figures as shown
from annotations.views.frame import open_project, show
from atlas.built import program
from atlas.models import Project
from atlas.spreadsheets import csv_lines

audit.register("agreement.exported")

COLUMNS = (
    "case",
    "purpose",
    "label",
    "first",
    "second",
    "second_is",
    "dice",
    "surface_dice",
    "hd95_mm",
    "first_volume_mm3",
    "second_volume_mm3",
    "matched",
    "unmatched",
    "both_empty",
    "not_compared",
)
PAIRS_SHOWN = 60
PURPOSES = (Case.Purpose.HIDDEN_REFERENCE, Case.Purpose.TRAINING, Case.Purpose.ORDINARY)


@login_required
@require_safe
def page(request: SignedInRequest, slug: str) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    sight = overview.sight_of(request.user, opened.project, opened.held)
    kept = overview.figures_for(sight)
    context: dict[str, Any] = {
        "figures": kept.figures,
        "is_current": kept.is_current,
        "reads_too": len(sight.closed),
        "plots": program("src/plots/main.ts"),
    }
    if kept.figures is not None:
        context |= _of_figures(kept.figures, opened.project)
    return show(request, opened, "project-agreement", "projects/agreement.html", **context)


def _of_figures(figures: Figures, project: Project) -> dict[str, Any]:
    limit, schema = design_of(project).dice_below, current_schema(project)
    people = shown.people_in(figures)
    names = shown.short_names(people.values())
    readers = {pair[side] for pair in figures["pairs"] for side in ("first", "second")}
    is_large = len(readers) > shown.READERS_IN_TABLE
    return {
        "limit": limit,
        "matrix": None if is_large else shown.matrix(figures, names, limit),
        "matrix_plot": shown.matrix_plot(figures, names, limit) if is_large else None,
        "pair_rows": pair_rows(figures, names)[:PAIRS_SHOWN],
        "labels": label_panels(figures, project, schema),
        "questions": question_rows(figures),
        "drift_plot": shown.drift_plot(figures, names, limit) if figures["drift"] else None,
        "drift": [
            (one["month"], one["n"], *(shown.number(one[key]) for key in ("median", "q1", "q3")))
            for one in reversed(figures["drift"])
        ],
        "reference": reference_rows(figures, names),
        "worst": dashboard.worst(figures, project, names, limit, schema),
    }


def pair_rows(figures: Figures, names: dict[int, str]) -> list[dict[str, Any]]:
    """The matrix as a table, those who agree least first."""
    return [
        {
            "names": f"{names.get(pair['first'], '')}, {names.get(pair['second'], '')}",
            "cases": pair["cases"],
            "n": pair["n"],
            "both_empty": pair["both_empty"],
            "dice": shown.number(pair["dice"]),
            "hd95": shown.number(pair["hd95_mm"], 1),
        }
        for pair in sorted(
            figures["pairs"], key=lambda pair: (pair["dice"] is None, pair["dice"] or 0.0, pair["first"])
        )
    ]


def label_panels(figures: Figures, project: Project, schema: LabelSchema | None) -> list[dict[str, Any]]:
    known = {label["key"]: label for label in schema.labels} if schema else {}
    order = list(known)
    found = []
    for key, label in sorted(
        figures["labels"].items(), key=lambda one: order.index(one[0]) if one[0] in order else len(order)
    ):
        found.append(
            {
                "name": known.get(key, {}).get("name", key),
                "color": known.get(key, {}).get("color"),
                "cases": label["cases"],
                "comparisons": label["comparisons"],
                "both_empty": label["both_empty"],
                "not_compared": label["not_compared"],
                "measures": [shown.told(one) for one in label["measures"]],
                "plot": shown.bland_altman_plot(label, project),
            }
        )
    return found


def question_rows(figures: Figures) -> list[tuple[str, str, list[dict[str, Any]]]]:
    levels = {
        "nominal": gettext("categories"),
        "ordinal": gettext("categories in order"),
        "interval": gettext("numbers"),
    }
    return [
        (one["name"], levels.get(one["level"], ""), [shown.told(measure) for measure in one["measures"]])
        for one in figures["questions"]
    ]


def reference_rows(figures: Figures, names: dict[int, str]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Each reader against the reference standard: on hidden references, in training, on adjudicated cases."""
    titles = {
        Case.Purpose.HIDDEN_REFERENCE: gettext("Hidden references"),
        Case.Purpose.TRAINING: gettext("Training"),
        Case.Purpose.ORDINARY: gettext("Adjudicated cases"),
    }
    found = []
    for purpose in PURPOSES:
        rows = [
            _reference_row(names.get(int(reader), ""), by_purpose[purpose])
            for reader, by_purpose in figures["reference"].items()
            if purpose in by_purpose
        ]
        if rows:
            found.append((titles[purpose], sorted(rows, key=lambda row: row["name"])))
    return found


def _reference_row(name: str, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "cases": found["cases"],
        "dice": shown.number(found["dice"]["value"]),
        "interval": shown.interval(found["dice"]),
        "hd95": shown.number(found["hd95_mm"]["value"], 1),
        "f1": shown.number(found["f1"]),
        "false_positives": shown.number(found["false_positives"]),
        "missed": shown.number(found["missed"]),
    }


# Files ------------------------------------------------------------------------------------------


@login_required
@require_safe
def comparisons_csv(request: SignedInRequest, slug: str) -> HttpResponse | StreamingHttpResponse:
    """Every comparison that counts, one a line."""
    opened = open_project(request, slug, "manage_project")
    sight = overview.sight_of(request.user, opened.project, opened.held)
    audit.record(request.user, "agreement.exported", opened.project)
    answer = StreamingHttpResponse(
        csv_lines(_rows(opened.project, sight.closed)), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="{slug}-agreement.csv"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _rows(project: Project, closed: tuple[int, ...]) -> Iterator[tuple[object, ...]]:
    rows = [row for row in comparisons_of(project, closed) if row.label]
    people = shown.User.objects.in_bulk({side.reader for row in rows for side in row.sides})
    names = {pk: person.display_name for pk, person in people.items()}
    yield COLUMNS
    for row in rows:
        first, second = row.sides if row.reference != 0 else row.sides[::-1]
        yield (
            row.number,
            row.purpose,
            row.label,
            names.get(first.reader, ""),
            names.get(second.reader, ""),
            "reader" if row.reference is None else "reference standard",
            row.dice,
            row.surface_dice,
            row.hd95_mm,
            first.volume_mm3,
            second.volume_mm3,
            row.matched,
            row.unmatched,
            int(row.both_empty),
            row.numbers.get("not_compared", ""),
        )


@login_required
@require_safe
def figures_json(request: SignedInRequest, slug: str) -> HttpResponse:
    """The figures of both pages as they are kept, unrounded, with people's names. 202 while they are worked
    out for the first time."""
    opened = open_project(request, slug, "manage_project")
    sight = overview.sight_of(request.user, opened.project, opened.held)
    kept = overview.figures_for(sight)
    if kept.figures is None:
        return JsonResponse({"detail": gettext("Being worked out. Ask again in a moment.")}, status=202)
    audit.record(request.user, "agreement.exported", opened.project)
    answer = JsonResponse(with_names(kept.figures), json_dumps_params={"sort_keys": True})
    answer["Content-Disposition"] = f'attachment; filename="{slug}-figures.json"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def with_names(figures: Figures) -> dict[str, Any]:
    """Names in place of primary keys, which leave the server nowhere."""
    people = shown.people_in(figures)
    names = {pk: person.display_name for pk, person in people.items()}

    def by_name(found: dict[str, Any]) -> dict[str, Any]:
        return {names.get(int(reader), ""): one for reader, one in found.items()}

    return figures | {
        "pairs": [
            pair | {side: names.get(pair[side], "") for side in ("first", "second")}
            for pair in figures["pairs"]
        ],
        "readers": by_name(figures["readers"]),
        "reference": by_name(figures["reference"]),
        "pace": by_name(figures["pace"]),
        "drift": [month | {"readers": by_name(month["readers"])} for month in figures["drift"]],
        "worst": [
            {key: value for key, value in one.items() if key != "submissions"}
            | {"readers": [names.get(reader, "") for reader in one["readers"]]}
            for one in figures["worst"]
        ],
    }
