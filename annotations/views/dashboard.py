"""What the overview of a project shows its lead: counts that are always current, and the kept figures."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext

from annotations.models import LabelSchema
from annotations.reading import overview
from annotations.reading.designs import design_of
from annotations.reading.overview import Figures, MemberProgress, Sight
from annotations.views import figures as shown
from atlas.models import Project

WORST_SHOWN = 5
ROWS_SHOWN = 12
"""Of members and of readers; their own pages have all."""
CALM = 10
"""Days: a forecast that is nearer to the due date than this is on time."""


@dataclass(frozen=True)
class Worst:
    """A case on which two readers agree least, and where one click leads."""

    number: int
    label: str
    readers: list[str]
    dice: str
    hd95: str
    volume: str
    is_low: bool
    adjudicate: str | None
    case: str


def for_lead(sight: Sight, schema: LabelSchema | None) -> dict[str, Any]:
    """The context of the page. The number of queries doesn't grow with cases, reads or members."""
    project = sight.project
    steps = overview.funnel(sight)
    members = overview.members_seen(sight)
    kept = overview.figures_for(sight, in_detail=False)
    if kept.figures is not None:
        overview.add_pace(members, kept.figures["pace"])
    paced = [member for member in members if any(member.weeks) or member.active_s]
    context: dict[str, Any] = {
        "steps": steps,
        "cases_total": sum(step.here for step in steps),
        "members": most_telling(members)[:ROWS_SHOWN],
        "members_total": len(members),
        "readers": sorted(paced, key=lambda member: -sum(member.weeks))[:ROWS_SHOWN],
        "readers_total": len(paced),
        "most_a_week": max((max(member.weeks) for member in members), default=0),
        "pace": overview.pace_of(members),
        "decisions": overview.decisions(sight, steps, members, schema),
        "reads_too": len(sight.closed),
        "is_current": kept.is_current,
        "figures": kept.figures,
    }
    if kept.figures is not None:
        context |= _of_figures(kept.figures, project, members, schema)
    return context


def most_telling(members: list[MemberProgress]) -> list[MemberProgress]:
    """As they are listed; of many, those that need a look first: idle ones, then those with most open."""
    if len(members) <= ROWS_SHOWN:
        return members
    return sorted(members, key=lambda member: (not member.is_idle, -member.overdue, -member.open))


def _of_figures(
    figures: Figures, project: Project, members: list[MemberProgress], schema: LabelSchema | None
) -> dict[str, Any]:
    limit = design_of(project).dice_below
    people = {one.person.pk: one.person for one in members}
    if not shown.keys_in(figures) <= people.keys():  # somebody has left
        people |= shown.people_in(figures)
    names = shown.short_names(people.values())
    return {
        "limit": limit,
        "matrix": shown.matrix(figures, names, limit) if figures["pairs"] else None,
        "alpha": _alpha(figures),
        "progress_plot": shown.progress_plot(figures) if figures["progress"]["weeks"] else None,
        "forecast": forecast_sentence(figures),
        "weeks_done": _weeks(figures),
        "worst": worst(figures, project, names, limit, schema)[:WORST_SHOWN],
        "agreement_of": {
            int(reader): (shown.number(found["value"]), shown.interval(found), found["n"])
            for reader, found in figures["readers"].items()
        },
        "labels": label_rows(figures, schema),
    }


def _alpha(figures: Figures) -> dict[str, Any] | None:
    found = figures["alpha"]
    if found["value"] is None:
        return None
    return {"value": shown.number(found["value"]), "interval": shown.interval(found), "n": found["n"]}


def forecast_sentence(figures: Figures) -> str:
    """When all will be done, and how late; in days, with the interval that holds eight of ten."""
    found = figures["progress"]
    if found["done"] >= found["total"] > 0:
        return gettext("All cases are done.")
    told = found.get("forecast")
    if told is None:
        return gettext("Too little was done in the last weeks to say when.")
    days = {name: _day(told[name]) for name in ("day", "earliest", "latest")}
    late = found.get("late")
    if late is None:
        return gettext("At this pace done on %(day)s (%(earliest)s to %(latest)s)") % days
    if abs(late[0]) < CALM:
        return gettext("At this pace done on %(day)s, on time (%(earliest)s to %(latest)s)") % days
    if late[0] > 0:
        values = {"day": days["day"], "late": late[0], "low": late[1], "high": late[2]}
        return gettext("At this pace done on %(day)s, %(late)s days late (%(low)s to %(high)s)") % values
    return gettext("At this pace done on %(day)s, %(early)s days early") % {
        "day": days["day"],
        "early": -late[0],
    }


def _day(written: str) -> str:
    return date_format(datetime.date.fromisoformat(written), "j M Y")


def _weeks(figures: Figures) -> list[tuple[Any, int]]:
    """The progress as a table: the day, and how many were done by it; the latest first."""
    weeks = figures["progress"]["weeks"]
    return [(datetime.date.fromisoformat(week["day"]), week["done"]) for week in reversed(weeks)]


def worst(
    figures: Figures,
    project: Project,
    names: dict[int, str],
    limit: float | None,
    schema: LabelSchema | None,
) -> list[Worst]:
    labels = {label["key"]: label["name"] for label in schema.labels} if schema else {}
    return [
        Worst(
            number=one["number"],
            label=labels.get(one["label"], one["label"]),
            readers=[names.get(reader, "") for reader in one["readers"]],
            dice=shown.number(one["dice"]),
            hd95="–" if one["hd95_mm"] is None else f"{one['hd95_mm']:.1f} mm",
            volume=_volume(one["volume_apart_mm3"]),
            is_low=limit is not None and one["dice"] < limit,
            adjudicate=_adjudicate(project, one["number"]) if one["needs_adjudication"] else None,
            case=reverse("project-case", args=[project.slug, one["number"]]),
        )
        for one in figures["worst"]
    ]


def _volume(apart_mm3: float | None) -> str:
    if apart_mm3 is None:
        return "–"
    sign = "+" if apart_mm3 >= 50 else ""  # under 0.05 mL nothing is left of it
    return f"{sign}{shown.number(apart_mm3 / 1000, 1)} mL"


def _adjudicate(project: Project, number: int) -> str | None:
    try:
        return reverse("adjudicate", args=[project.slug, number])
    except NoReverseMatch:
        return None


def label_rows(figures: Figures, schema: LabelSchema | None) -> list[dict[str, Any]]:
    """The labels of marks that were handed in, most used first; those that nobody used come last."""
    known = {label["key"]: label for label in schema.labels} if schema else {}
    counted = {row["label"]: row for row in figures["distribution"]}
    keys = [*counted, *(key for key in known if key not in counted)]
    most = max((row["marks"] for row in counted.values()), default=0)
    found = []
    for key in keys:
        row = counted.get(key, {"marks": 0, "cases": 0})
        label = known.get(key, {})
        found.append(
            {
                "name": label.get("name", key),
                "color": label.get("color"),
                "marks": row["marks"],
                "cases": row["cases"],
                "share": round(100 * row["marks"] / most, 1) if most else 0,
            }
        )
    return found
