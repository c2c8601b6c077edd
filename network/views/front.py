"""The front page, and where a person lands after signing in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts import permissions
from atlas import policies
from network import catalogue
from network.templatetags.house import country


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What this node holds: numbers for anyone, pictures for those who may see them."""
    figures = catalogue.figures()
    pictures = catalogue.pictures(request.user, figures)
    by_organ = {
        dataset.get_organ_display(): pictures[dataset.pk]
        for dataset in reversed(figures.datasets)
        if dataset.pk in pictures
    }
    openable = set(policies.visible_datasets(request.user).values_list("pk", flat=True))
    cards = [
        {
            "dataset": dataset,
            "picture": pictures.get(dataset.pk),
            "modalities": figures.modalities.get(dataset.pk, []),
            "may_open": dataset.pk in openable,
            "per_subject": dataset.studies_count / dataset.subjects,  # type: ignore[attr-defined]
        }
        for dataset in figures.datasets
    ]
    held = figures.holdings
    context = {
        "held": held,
        "lines": [
            {
                "row": row,
                "cells": [row.by_modality.get(name, 0) for name in held.modalities],
                "picture": by_organ.get(row.organ),
            }
            for row in held.rows
        ],
        "has_pictures": bool(by_organ),
        "sides": _sides(held),
        "cards": cards,
    }
    return render(request, "network/front.html", context)


def _sides(held: catalogue.Holdings) -> list[dict[str, object]]:
    """The lists beside the chart, each with its longest line."""
    interval = held.median_interval_days
    followed = "subjects" if interval is None else f"subjects; median interval {interval:.0f} days"
    lists = [
        ("Organisation", "subjects", held.by_organisation[:8]),
        ("Country", "subjects", [(country(code), n) for code, n in held.by_country]),
        ("Time points", followed, held.by_time_points),
    ]
    return [
        {"title": title, "note": note, "lines": lines, "longest": max((n for _, n in lines), default=0)}
        for title, note, lines in lists
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
