"""The front page, and where a person lands after signing in."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts import permissions
from network.catalogue import body, cards, search
from network.catalogue.holdings import LABELS, Holdings, holdings, organisation_names
from network.catalogue.menus import menus_of
from network.catalogue.query import SORTS, Query
from network.catalogue.shown import LABELLED, Block, Line
from network.catalogue.wording import value_words
from network.facets import TIME_POINTS
from network.templatetags.house import heat

CARDS = 12
MENUS = ("organ", "condition", "modality", "country", "time_points", "label", "access")
COUNTRIES_MOST = 8
ROWS_ALWAYS = 12
"""Of the body chart: every organ stands there, also one that nobody has images of yet; "several" only if it
has some."""


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What the atlas holds: numbers for anyone, pictures where the organisation shows them."""
    held = holdings()
    found = search.find(Query())
    rows = [row for row in held.rows.values() if row.datasets or row.organ != "several"]
    names = organisation_names()
    menus = menus_of(Query(), found.facets, names)
    context = {
        "held": held,
        "least": settings.DISCLOSURE_MINIMUM,
        "lines": [
            {
                "row": row,
                "words": value_words("organ", row.organ),
                "address": _chosen("organ", row.organ),
                "cells": [row.by_modality.get(name) for name in held.columns],
            }
            for row in rows
        ],
        "body": {
            "height": body.HEAD_PX + body.ROW_PX * max(len(rows), ROWS_ALWAYS) + 12,
            "lines": body.lines_of(rows),
            "heat": {row.organ: heat(row.subjects.told, held.most_in_a_row) for row in rows},
        },
        "sides": _sides(held, found),
        "menus": [menu for menu in menus if menu.key in MENUS],
        "cards": cards.cards_of(request.user, search.in_order(found.ids[:CARDS])),
        "sorts": _sorts(),
    }
    return render(request, "network/front.html", context)


def _sorts() -> list[tuple[str, str]]:
    here = reverse("catalogue")
    return [
        (here + Query(sort=key).address(), gettext(words))
        for key, words in SORTS.items()
        if key != "relevance"
    ]


def _chosen(facet: str, value: str) -> str:
    return reverse("catalogue") + Query(chosen={facet: (value,)}).address()


def _sides(held: Holdings, found: search.Found) -> list[dict[str, object]]:
    """The lists beside the chart."""
    countries = sorted(held.by_country.items(), key=lambda one: (-one[1].told, one[0]))
    times = {one.value: one.told for one in found.facets["time_points"]}
    interval = held.median_interval_days
    followed = gettext("subjects")
    if interval is not None:
        followed = gettext("subjects; median interval %(days)d days") % {"days": round(interval)}
    blocks = [
        (
            gettext("subjects"),
            Block(
                "country",
                gettext("Country"),
                [
                    Line(value_words("country", code), told.number, _chosen("country", code))
                    for code, told in countries[:COUNTRIES_MOST]
                ],
                max(0, len(countries) - COUNTRIES_MOST),
            ),
        ),
        (
            followed,
            Block(
                "time_points",
                gettext("Time points"),
                [
                    Line(value_words("time_points", one), times[one], _chosen("time_points", one))
                    for one in TIME_POINTS
                    if one in times
                ],
            ),
        ),
        (
            gettext("subjects"),
            Block(
                "labels",
                gettext("Labels"),
                [
                    Line(gettext(LABELLED[key]), held.labels[key].number)
                    for key in LABELS
                    if key in held.labels and held.labels[key].told
                ],
            ),
        ),
    ]
    return [
        {"block": block, "note": note, "is_wide": block.key == "labels"}
        for note, block in blocks
        if block.lines
    ]


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the place where this person's work waits."""
    held = permissions.held_anywhere(request.user)
    for permission, name in (
        (("project", "manage_project"), "projects"),
        (("project", "read_cases"), "worklist"),
        (("project", "review_cases"), "worklist"),
        (("project", "view_project"), "projects"),
        (("organisation", "manage_organisation"), "organisations"),
        (("dataset", "import_images"), "datasets"),
        (("node", "administer_node"), "organisations"),
        (("organisation", "create_project"), "projects"),
    ):
        if permission in held:
            return redirect(name)
    return redirect("front")
