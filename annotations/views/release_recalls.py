"""Recalls on pages: notices for who holds copies, the list of a project, and recalling a case."""

from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.requests import SignedInRequest
from annotations.cohort import policies, recalls
from annotations.models import Case, Recall, RecallNotice, Release, ReleaseCase, ReleaseRead
from annotations.views.frame import carried_out, open_project
from atlas.models import Project

LATER_MOST = 5
"""Releases after a recall that are looked at for one that is otherwise the same."""


@dataclass(frozen=True)
class Notice:
    """A recalled case, for one person. `has_copies`: they downloaded it and haven't said it is deleted."""

    public_id: str
    number: int
    reason: str
    at: datetime
    project: Project
    has_copies: bool
    confirmed_at: datetime | None = None
    instead: Release | None = None
    """A later release that holds everything else of this one, and nothing more."""


@dataclass(frozen=True)
class Listed:
    """A recall in the list of a project. `by` is empty for an erasure."""

    number: int
    reason: str
    at: datetime
    by: str
    releases: list[int]
    told: int
    confirmed: int


def of_release(user: User, release: Release) -> list[Notice]:
    """The recalls that concern a release, those that wait for this person first."""
    found = list(recalls.recalls_of(release).select_related("project"))
    if not found:
        return []
    own = {one.recall_id: one for one in RecallNotice.objects.filter(user=user, recall__in=found)}
    instead = _otherwise_the_same(user, release)
    notices = [
        Notice(
            one.public_id,
            one.case_number,
            one.reason,
            one.at,
            one.project,
            has_copies=one.pk in own and own[one.pk].confirmed_at is None,
            confirmed_at=own[one.pk].confirmed_at if one.pk in own else None,
            instead=instead,
        )
        for one in found
    ]
    return sorted(notices, key=lambda notice: not notice.has_copies)


def open_in(user: User, project: Project | None = None) -> list[Notice]:
    """What waits for this person's confirmation, in one project or in all."""
    waiting = recalls.open_notices(user)
    if project is not None:
        waiting = waiting.filter(recall__project=project)
    return [
        Notice(
            one.recall.public_id,
            one.recall.case_number,
            one.recall.reason,
            one.recall.at,
            one.recall.project,
            has_copies=True,
        )
        for one in waiting
    ]


def _otherwise_the_same(user: User, release: Release) -> Release | None:
    """The first later release of exactly the submissions that this one still gives out."""
    later = policies.releases_of(user, release.project).filter(
        number__gt=release.number, state=Release.State.READY, content=release.content
    )
    candidates = list(later.order_by("number")[:LATER_MOST])
    if not candidates:
        return None
    holds: dict[int, set[int]] = {}
    rows = ReleaseRead.objects.filter(release_case__release__in=[release, *candidates])
    for pk, submission in rows.order_by().values_list("release_case__release", "submission"):
        holds.setdefault(pk, set()).add(submission)
    same = (one for one in candidates if holds.get(one.pk) == holds.get(release.pk))
    return next((one for one in same if not one.withdrawn_cases), None)


def recalls_in(project: Project) -> list[Listed]:
    """The recalls of a project, newest first. Two queries."""
    found = (
        Recall.objects.filter(project=project)
        .select_related("by")
        .annotate(
            told=Count("notices"), confirmed=Count("notices", filter=Q(notices__confirmed_at__isnull=False))
        )
    )
    held: dict[int, list[int]] = {}
    numbers = [one.case_number for one in found]
    cases = ReleaseCase.objects.filter(release__project=project, number__in=numbers)
    for case, release in cases.order_by("release__number").values_list("number", "release__number"):
        held.setdefault(case, []).append(release)
    return [
        Listed(
            one.case_number,
            one.reason,
            one.at,
            one.by.display_name if one.by else "",
            held.get(one.case_number, []),
            one.told,
            one.confirmed,
        )
        for one in found
    ]


# Recalling ------------------------------------------------------------------------------------------


class RecallForm(forms.Form):
    reason = forms.CharField(
        max_length=recalls.REASON_LENGTH_MAX,
        error_messages={
            "required": gettext_lazy("Say why the case is recalled: whoever holds a copy will read it.")
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def case_recall(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """What a recall would do, and why it is done; then it is asked once more."""
    opened = open_project(request, slug, "manage_project")
    case = get_object_or_404(Case.objects.select_related("project"), project=opened.project, number=number)
    back = reverse("project-case", args=[slug, number])
    form = RecallForm(request.POST if request.method == "POST" else None)
    is_sure_asked = False
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if request.POST.get("sure") != "yes":
            is_sure_asked = True
        elif carried_out(form, lambda: recalls.recall(by=request.user, case=case, reason=reason)):
            words = gettext("Case %(number)04d is recalled. Whoever downloaded it is told.")
            messages.success(request, words % {"number": number})
            return redirect("project-releases", slug)
    elif Recall.objects.filter(project=opened.project, case_number=number).exists():
        messages.info(request, gettext("Case %(number)04d is recalled already.") % {"number": number})
        return redirect("project-releases", slug)
    return render(
        request,
        "releases/recall.html",
        {
            "case": case,
            "form": form,
            "is_sure_asked": is_sure_asked,
            "back_url": back,
            "back_words": gettext("Case %(number)04d") % {"number": number},
            "consequences": recalls.consequences(case),
        },
        status=400 if form.errors else 200,
    )


@login_required
@require_POST
def recall_confirm(request: SignedInRequest, public_id: str) -> HttpResponse:
    """That this person's copies are deleted."""
    recall = get_object_or_404(Recall.objects.select_related("project"), public_id=public_id)
    recalls.confirm(by=request.user, recall=recall)
    words = gettext("Written down: your copies of case %(number)04d are deleted. Thank you.")
    messages.success(request, words % {"number": recall.case_number})
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = reverse("account")  # they may have left the project since
    return redirect(back)
