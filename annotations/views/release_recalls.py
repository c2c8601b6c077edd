"""Recalls on pages: notices for who holds copies, the list of a project, and recalling a case."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

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

from accounts import permissions
from accounts.models import User
from accounts.requests import SignedInRequest
from annotations.cohort import policies, recalls
from annotations.models import Case, Recall, RecallNotice, Release, ReleaseCase, ReleaseRead
from annotations.reading.policies import cases_being_read_by
from annotations.views.frame import carried_out, open_project
from atlas.models import Project, Study

LATER_MOST = 5
"""Releases after a recall that are looked at for one that is otherwise the same."""


@dataclass(frozen=True)
class Notice:
    """A recalled case, for one person. `has_copies`: they downloaded it, should delete it, and haven't said
    that they did."""

    public_id: str
    number: int
    reason: str
    at: datetime
    project: Project
    has_copies: bool
    confirmed_at: datetime | None = None
    lifted_at: datetime | None = None
    lifted_because: str = ""
    instead: Release | None = None
    """A later release that holds everything else of this one, and nothing more."""


@dataclass(frozen=True)
class Listed:
    """A recall in the list of a project. `by` is empty for an erasure and for images that were kept back."""

    number: int
    reason: str
    at: datetime
    by: str
    releases: list[int]
    told: int
    confirmed: int
    may_be_lifted: bool
    lifted_at: datetime | None
    lifted_because: str
    lifted_by: str


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
            has_copies=one.pk in own and own[one.pk].confirmed_at is None and one.lifted_at is None,
            confirmed_at=own[one.pk].confirmed_at if one.pk in own else None,
            lifted_at=one.lifted_at,
            lifted_because=one.lifted_because,
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
    """The recalls of a project, newest first, lifted ones among them. Two queries."""
    found = (
        Recall.every.filter(project=project)
        .select_related("by", "lifted_by")
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
            may_be_lifted=one.lifted_at is None and one.case_id is not None,
            lifted_at=one.lifted_at,
            lifted_because=one.lifted_because,
            lifted_by=one.lifted_by.display_name if one.lifted_by else "",
        )
        for one in found
    ]


# Releases that hold a study ---------------------------------------------------------------------------


@dataclass
class Held:
    """A case with a study, and the releases that give it out. `recall`: the one that stands, if any."""

    case: Case
    releases: list[int]
    recall: Recall | None
    may_recall: bool


@dataclass(frozen=True)
class Holders:
    """`elsewhere`: how many projects that aren't open to this person give the study out, too."""

    cases: list[Held]
    elsewhere: int


def holders_of(study: Study, user: User) -> Holders:
    """Which releases give out cases with a study, and which of these were recalled. Cases that this person
    still reads blind are left out: that they are released tells how far others are."""
    cases = Case.objects.filter(studies=study).exclude(pk__in=cases_being_read_by(user).values("pk"))
    known = policies.releases_for(user)
    held: dict[int, list[ReleaseCase]] = {}
    rows = ReleaseCase.objects.filter(case__in=cases, withdrawn_at=None)
    rows = rows.exclude(release__state=Release.State.CANCELLED).select_related("release")
    for row in rows.order_by("release__number"):
        held.setdefault(cast(int, row.case_id), []).append(row)
    recalled = {one.case_id: one for one in Recall.objects.filter(case__in=cases)}
    projects = set(known.order_by().values_list("project", flat=True))
    wanted = cases.filter(pk__in={*held, *recalled}).select_related("project").order_by("project", "number")
    shown = [
        Held(
            case,
            [row.release.number for row in held.get(case.pk, ())],
            recalled.get(case.pk),
            permissions.allows(user, "manage_project", case.project),
        )
        for case in wanted
        if case.project_id in projects
    ]
    others = {row.release.project_id for rows in held.values() for row in rows} - projects
    return Holders(shown, len(others))


# Recalling, and lifting it ----------------------------------------------------------------------------


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
        return redirect("case-recall-lift", slug, number)
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


class LiftForm(forms.Form):
    reason = forms.CharField(
        max_length=recalls.REASON_LENGTH_MAX,
        error_messages={
            "required": gettext_lazy("Say why the recall is lifted: whoever was told of it will read it.")
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def case_recall_lift(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """What lifting a recall would do, and why it is done."""
    opened = open_project(request, slug, "manage_project")
    case = get_object_or_404(Case.objects.select_related("project"), project=opened.project, number=number)
    found = Recall.objects.filter(project=opened.project, case_number=number).select_related("by").first()
    form = LiftForm(request.POST if request.method == "POST" else None)
    if found is None:
        messages.info(request, gettext("Case %(number)04d is not recalled.") % {"number": number})
        return redirect("project-case", slug, number)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if carried_out(form, lambda: recalls.lift(by=request.user, case=case, reason=reason)):
            words = gettext("The recall of case %(number)04d is lifted. The next release may hold it.")
            messages.success(request, words % {"number": number})
            return redirect("project-releases", slug)
    return render(
        request,
        "releases/recall_lift.html",
        {
            "case": case,
            "recall": found,
            "form": form,
            "told": found.notices.count(),
            "releases": recalls.releases_with(opened.project.pk, number).values_list("number", flat=True),
            "back_url": reverse("project-case", args=[slug, number]),
            "back_words": gettext("Case %(number)04d") % {"number": number},
        },
        status=400 if form.errors else 200,
    )


@login_required
@require_POST
def recall_confirm(request: SignedInRequest, public_id: str) -> HttpResponse:
    """That this person's copies are deleted."""
    recall = get_object_or_404(Recall.every.select_related("project"), public_id=public_id)
    recalls.confirm(by=request.user, recall=recall)
    words = gettext("Written down: your copies of case %(number)04d are deleted. Thank you.")
    messages.success(request, words % {"number": recall.case_number})
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = reverse("account")  # they may have left the project since
    return redirect(back)
