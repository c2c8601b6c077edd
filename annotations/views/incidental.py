"""Findings outside a project's question, for those who look after the images."""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe
from rest_framework.exceptions import ValidationError

from accounts.requests import SignedInRequest
from annotations.models import IncidentalFinding
from annotations.reading import incidental
from atlas.api.errors import Conflict

PAGE_SIZE = 20
SHOWN = {"open": True, "answered": False}
BESIDE = ("study__subject", "study__dataset", "series", "read__case__project", "by", "seen_by", "answered_by")


@dataclass(frozen=True)
class Row:
    """One finding on the page, with the address of its picture."""

    found: IncidentalFinding
    pin: incidental.Pin | None

    @property
    def picture(self) -> str | None:
        found = self.found
        if self.pin is None or found.series is None:
            return None
        return (
            f"/dicomweb/studies/{found.study.study_instance_uid}/series/{found.series.series_instance_uid}"
            f"/instances/{found.sop_instance_uid}/frames/{found.frame_number or 1}/rendered"
        )


@login_required
@require_safe
def findings(request: SignedInRequest) -> HttpResponse:
    if not incidental.looks_after_images(request.user):
        raise PermissionDenied("Incidental findings go to those who look after the images of a dataset.")
    shown = request.GET.get("show", "open")
    shown = shown if shown in SHOWN else "open"
    mine = incidental.findings_for(request.user)
    rows = mine.filter(answered_at__isnull=SHOWN[shown]).select_related(*BESIDE)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "incidental/list.html",
        {
            "page": page,
            "rows": [Row(found, incidental.pin_of(found)) for found in page],
            "shown": shown,
            "waiting": mine.filter(answered_at=None).count(),
            "answered": mine.exclude(answered_at=None).count(),
            "query": "" if shown == "open" else f"show={shown}&",
        },
    )


@login_required
@require_POST
def seen(request: SignedInRequest, public_id: str) -> HttpResponse:
    incidental.note_seen(user=request.user, finding_id=public_id)
    return redirect("incidental")


@login_required
@require_POST
def answer(request: SignedInRequest, public_id: str) -> HttpResponse:
    try:
        incidental.answer(
            user=request.user, finding_id=public_id, text=request.POST.get("answer", "").replace("\0", "")
        )
    except ValidationError as refusal:
        messages.error(request, str(refusal.detail["answer"][0]))  # type: ignore[call-overload, index]
    except Conflict as refusal:
        messages.error(request, str(refusal.detail))
    else:
        messages.success(request, gettext("Answered. Whoever told you sees it beside the case."))
    return redirect("incidental")
