"""Predictions of a release: its leaderboard, and one prediction with what it scored label by label."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.requests import SignedInRequest
from annotations.cohort import policies
from annotations.cohort.predictions import handing_in, proposing, standings
from annotations.models import Prediction, Release
from annotations.views.frame import open_project, page_of, sentence, show

SHOWN_MOST = 20
CASES_A_PAGE = 50
NOTHING = "–"


@dataclass(frozen=True)
class Standing:
    """A line of the leaderboard; numbers as they are read."""

    prediction: Prediction
    place: int
    part: str
    dice: str
    f1: str


@dataclass(frozen=True)
class LabelScores:
    """What a prediction scored on one label."""

    name: str
    cases: int
    agree_absent: int
    numbers: list[str]


@dataclass(frozen=True)
class CaseScores:
    number: int
    label: str
    numbers: list[str]


def standings_of(user: User, release: Release) -> dict[str, Any]:
    """For the page of a release that is open to this person."""
    found = list(standings.leaderboard(user, release)[: SHOWN_MOST + 1])
    places: dict[str, int] = {}
    lines = []
    for one in found[:SHOWN_MOST]:
        places[one.part] = places.get(one.part, 0) + 1
        f1 = [label["f1"] for label in _labels(one).values() if label["f1"] is not None]
        mean_f1 = sum(f1) / len(f1) if f1 else None
        part = one.get_part_display()
        lines.append(Standing(one, places[one.part], part, _number(one.rank_by), _number(mean_f1)))
    return {
        "standings": lines,
        "standings_more": len(found) > SHOWN_MOST,
        "own_predictions": list(standings.own_unfinished(user, release)[:SHOWN_MOST]),
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def prediction(request: SignedInRequest, slug: str, number: int, public_id: str) -> HttpResponse:
    """One prediction. POST proposes it to readers, or removes it."""
    opened = open_project(request, slug, "download_releases")
    user = request.user
    if request.method == "POST":
        return _act(request, slug, number, handing_in.prediction_or_404(user, slug, number, public_id))
    found = standings.shown_or_404(user, slug, number, public_id)
    names = {str(each.label["key"]): str(each.label["name"]) for each in handing_in.labels_of(found.release)}
    manages = policies.manages(user, found.release)
    cases = page_of(request, standings.scored_cases(user, found), CASES_A_PAGE)
    is_own = found.by_id == user.pk
    return show(
        request,
        opened,
        "project-releases",
        "releases/prediction.html",
        release=found.release,
        prediction=found,
        part=found.get_part_display(),
        labels=[_label(names.get(key, key), scores) for key, scores in _labels(found).items()],
        tolerance_mm=(found.scores or {}).get("tolerance_mm"),
        cases=cases,
        rows=[
            CaseScores(case.release_case.number, names.get(key, key), _of_case(scores))
            for case in cases.object_list
            for key, scores in (case.scores or {}).items()
        ],
        sees_cases=(is_own or manages) and standings.sees_cases(user, found),
        may_propose=manages and found.state == Prediction.State.SCORED and found.proposed_at is None,
        may_remove=manages or (is_own and found.state == Prediction.State.OPEN),
    )


def _act(request: SignedInRequest, slug: str, number: int, found: Prediction) -> HttpResponse:
    name = found.name
    try:
        if request.POST.get("do") == "remove":
            handing_in.remove(by=request.user, prediction=found)
            messages.success(request, gettext("“{name}” is removed.").format(name=name))
            return redirect("project-release", slug, number)
        proposing.propose(by=request.user, prediction=found)
        messages.success(request, gettext("Proposed. Who opens these cases from now on sees it."))
    except ValidationError as refusal:
        messages.error(request, sentence(refusal))
    return redirect("project-prediction", slug, number, found.public_id)


def _labels(found: Prediction) -> dict[str, Any]:
    return dict((found.scores or {}).get("labels", {}))


def _label(name: str, scores: dict[str, Any]) -> LabelScores:
    return LabelScores(
        name,
        scores["cases"],
        scores["agree_absent"],
        [
            _with_interval(scores["dice"], "mean"),
            _with_interval(scores["surface_dice"], "mean"),
            _with_interval(scores["hd95_mm"], "median", 1),
            _number(scores["recall"]),
            _number(scores["precision"]),
            _number(scores["f1"]),
            _number(scores["extra_per_case"]),
        ],
    )


def _of_case(scores: dict[str, Any]) -> list[str]:
    return [
        _number(scores["dice"]),
        _number(scores["surface_dice"]),
        _number(scores["hd95_mm"], 1),
        str(scores["found"]),
        str(scores["missed"]),
        str(scores["extra"]),
    ]


def _with_interval(told: dict[str, Any], word: str, digits: int = 2) -> str:
    number = _number(told[word], digits)
    if told["interval"]:
        low, high = (f"{one:.{digits}f}" for one in told["interval"])
        return f"{number} ({low}–{high})"
    return number


def _number(value: float | None, digits: int = 2) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"
