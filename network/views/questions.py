"""Asking across hospitals, what came of it, and deciding what is answered here."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import SignedInRequest
from annotations.cohort.language import CohortError, from_params, from_text, parse, written
from atlas.api.errors import Conflict
from atlas.spreadsheets import csv_lines
from network.facts import counting
from network.models import HeldPart
from network.questions import asking, holding, policies
from network.questions.asked import who_is_asked
from network.questions.result import as_table, few, result_of

HISTORY = 20
HELD_AT_ONCE = 10


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def asking_page(request: SignedInRequest) -> HttpResponse:
    """What ?cohort=… names stands in the form; of what isn't understood, the page says why."""
    text, problem, status = "everything", None, 200
    try:
        if request.method == "POST":
            text = request.POST.get("cohort", "").replace("\0", "")
            question = asking.ask(by=request.user, expression=from_text(text))
            return redirect("question", question.public_id)
        asked = from_params(request.GET)
        text = written(asked) if asked is not None else text
    except CohortError as error:
        text = text if request.method == "POST" else str(request.GET.get("cohort", ""))
        problem, status = error, 400
    except asking.TooMany as error:
        messages.error(request, gettext(error.words) % error.told)
        status = 429
    own = policies.questions_for(request.user)
    page = Paginator(policies.with_progress(own), HISTORY).get_page(request.GET.get("page"))
    words = {
        "text": text,
        "problem": problem,
        "page": page,
        "asked": who_is_asked(),
        "minimum": settings.DISCLOSURE_MINIMUM,
        "decides": policies.organisations_deciding(request.user).exists(),
        "waiting": policies.waiting_count(request.user),
    }
    return render(request, "questions/ask.html", words, status=status)


@login_required
@require_safe
def result_page(request: SignedInRequest, public_id: str) -> HttpResponse:
    question = policies.question_or_404(request.user, public_id)
    words = {
        "result": result_of(question),
        "few": few(),
        "minimum": settings.DISCLOSURE_MINIMUM,
        "question": question,
        "text": written(parse(question.expression)),
        "api": reverse("api-question", args=[question.public_id]),
    }
    return render(request, "questions/result.html", words)


@login_required
@require_safe
def table(request: SignedInRequest, public_id: str) -> StreamingHttpResponse:
    question = policies.question_or_404(request.user, public_id)
    lines = csv_lines(as_table(result_of(question)))
    name = f"question-{question.public_id}.csv"
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@login_required
@require_POST
def withdraw(request: SignedInRequest, public_id: str) -> HttpResponse:
    question = policies.question_or_404(request.user, public_id)
    asking.withdraw(by=request.user, question=question)
    messages.success(request, gettext("Withdrawn. Nodes that haven't answered are told."))
    return redirect("question", question.public_id)


# What this node is asked ----------------------------------------------------------------------------


@dataclass(frozen=True)
class HeldRow:
    """`would_leave`: what a yes tells; of decided ones what was told."""

    part: HeldPart
    would_leave: list[counting.Answered]


@login_required
@require_safe
def held_page(request: SignedInRequest) -> HttpResponse:
    """What waits for the organisations of this person, and what they decided before."""
    if not policies.organisations_deciding(request.user).exists():
        raise PermissionDenied(
            "Questions are decided by an organisation's managers and its access committee."
        )
    mine = policies.held_parts_for(request.user).select_related("held__hub", "organisation", "decided_by")
    waiting = policies.undecided(mine)
    shown = "decided" if request.GET.get("show") == "decided" else "waiting"
    rows = waiting if shown == "waiting" else mine.exclude(pk__in=waiting.values("pk"))
    page = Paginator(rows, HELD_AT_ONCE).get_page(request.GET.get("page"))
    words = {
        "page": page,
        "few": few(),
        "rows": [HeldRow(part, holding.would_leave(part) if shown == "waiting" else []) for part in page],
        "shown": shown,
        "waiting": waiting.count(),
        "decided": mine.count() - waiting.count(),
        "query": "" if shown == "waiting" else "show=decided&",
    }
    return render(request, "questions/held.html", words)


@login_required
@require_POST
def decide(request: SignedInRequest, public_id: str) -> HttpResponse:
    part = policies.held_part_or_404(request.user, public_id)
    said = request.POST.get("decision")
    if said not in ("yes", "no"):
        return HttpResponse(gettext("Say yes or no."), status=400, content_type="text/plain; charset=utf-8")
    try:
        holding.decide(by=request.user, part=part, yes=said == "yes")
    except Conflict as refusal:
        messages.error(request, gettext(str(refusal.detail)))
    else:
        done = gettext("The counts are on their way.") if said == "yes" else gettext("Nothing is told.")
        messages.success(request, done)
    return redirect("questions-held")
