"""The worklist: what waits for a reader or reviewer, and what they see of a case before they open it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.requests import SignedInRequest
from accounts.services.preferences import preferences_of
from annotations.models import Case, Comment, Read, Review
from annotations.reading import casebook, policies, reads, worklists
from annotations.reading.adjudication import assigning
from annotations.reading.adjudication.access import NO_CASE, cases_to_adjudicate
from annotations.reading.adjudication.words import sentences
from annotations.reading.assignment import queue
from annotations.reading.projects import project_or_404
from annotations.reading.review import last_review
from annotations.views.frame import sentence
from atlas.api.errors import Conflict
from atlas.built import program
from atlas.models import Series, Study


@dataclass(frozen=True)
class TimePoint:
    """A study in the side panel: its series with images, and one of them to show."""

    study: Study
    series: list[Series]
    days_from_first: int | None

    @property
    def picture(self) -> Series | None:
        """The series with the most images that has a thumbnail."""
        pictured = [series for series in self.series if series.thumbnail_key]
        return max(pictured, key=lambda series: series.frame_count, default=None)

    @property
    def modalities(self) -> str:
        return ", ".join(dict.fromkeys(series.modality for series in self.series))


@dataclass(frozen=True)
class Chosen:
    """What the side panel says of the chosen read, or of a case that waits for an adjudicator."""

    row: casebook.CaseRow
    time_points: list[TimePoint]
    review: Review | None
    comments: list[Comment]
    may_judge: bool
    disagreements: Sequence[str] = ()

    @property
    def is_open(self) -> bool:
        return self.row.read is not None and self.row.read.state in Read.EDITABLE


class WorkForm(forms.Form):
    """What the address narrows the list to; what makes no sense is said, never ignored."""

    text = forms.CharField(required=False, max_length=64)
    group = forms.ChoiceField(
        required=False, choices=[("", ""), *((key, title) for key, (title, _) in worklists.TITLES.items())]
    )
    modality = forms.CharField(required=False, max_length=16)


@login_required
@ensure_csrf_cookie
@require_safe
def worklist(request: SignedInRequest) -> HttpResponse:
    user, slug = request.user, request.GET.get("project", "")
    project = project_or_404(user, slug) if slug else None
    form = WorkForm(request.GET)
    refused = [] if form.is_valid() else [f"{name}: {errors[0]}" for name, errors in form.errors.items()]
    groups = [] if refused else worklists.worklist(user, project, worklists.WorkFilter(**form.cleaned_data))
    choices = worklists.projects_worked_in(user)
    first = next((row for group in groups for row in group.rows), None)
    modalities = {*worklists.modalities_shown(groups), request.GET.get("modality", "")[:16]} - {""}
    return render(
        request,
        "worklist/worklist.html",
        {
            "groups": groups,
            "waiting": _waiting(groups),
            "project": project,
            "choices": choices,
            "several": len(choices) > 1 and project is None,
            "refused": refused,
            "narrow": form,
            "group_choices": [(key, title) for key, (title, _) in worklists.TITLES.items()],
            "modalities": sorted(modalities),
            "is_narrowed": project is not None or any(request.GET.get(name) for name in form.fields),
            "queues": worklists.queues_with_a_case(user, project),
            "may_read_or_review": worklists.may_read_or_review(user),
            "chosen": _chosen_row(user, first) if first else None,
            # A row opens in this page: see static/viewer/src/door.ts.
            "door": program("src/door.ts"),
            "style": program("src/ui/room.css"),
            "preferences": preferences_of(user),
        },
    )


def _waiting(groups: list[worklists.WorkGroup]) -> str:
    """2 returned, 1 in progress, 84 next."""
    return ", ".join(f"{intcomma(group.total)} {gettext(group.word)}" for group in groups if group.waits)


@login_required
@require_POST
def take(request: SignedInRequest) -> HttpResponse:
    """The next case of a queue, in the reading room."""
    project = project_or_404(request.user, request.POST.get("project", ""))
    try:
        read = queue.take_next(user=request.user, project=project)
    except ValidationError as refusal:
        messages.warning(request, sentence(refusal))
        return redirect("worklist")
    return redirect("read", read.public_id)


@login_required
@require_POST
def give_back(request: SignedInRequest, public_id: str) -> HttpResponse:
    """Someone else may have a case that was taken from a queue."""
    policies.read_or_404(request.user, public_id)
    try:
        queue.give_back(user=request.user, read_id=public_id)
    except ValidationError as refusal:
        messages.error(request, sentence(refusal))
    else:
        messages.success(request, gettext("Given back. What you drew, if anything, is kept."))
    return redirect("worklist")


@login_required
@require_POST
def adjudicate(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """Begin to adjudicate a case, or go on with it, in the reading room."""
    try:
        read = assigning.take(by=request.user, slug=slug, number=number)
    except Conflict as refusal:
        messages.warning(request, str(refusal.detail))
        return redirect("worklist")
    return redirect("read", read.public_id)


@login_required
@require_safe
def panel(request: SignedInRequest, public_id: str) -> HttpResponse:
    """The side panel of one read, which the page's script puts in place."""
    read = policies.read_or_404(request.user, public_id)
    return render(request, "worklist/panel.html", {"chosen": _chosen(request.user, read)})


@login_required
@require_safe
def case_panel(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """The side panel of a case that waits for an adjudicator: there is no read of this person yet."""
    waiting = cases_to_adjudicate(request.user).filter(project__slug=slug, number=number).first()
    if waiting is None:
        raise Http404(NO_CASE)
    return render(request, "worklist/panel.html", {"chosen": _chosen_case(waiting)})


@login_required
@require_safe
def next_read(request: SignedInRequest) -> HttpResponse:
    """Opens what waits next; `after` names the read that the reader comes from."""
    after = policies.reads_for(request.user).filter(public_id=request.GET.get("after", "")).first()
    found = reads.next_read(request.user, after=after)
    return redirect("read", found.public_id) if found else redirect("worklist")


def _chosen_row(user: User, row: casebook.CaseRow) -> Chosen:
    return _chosen(user, row.read) if row.read else _chosen_case(row.case)


def _chosen_case(case: Case) -> Chosen:
    found = (
        Case.objects.select_related("project", "subject")
        .prefetch_related(casebook.with_images())
        .get(pk=case.pk)
    )
    row = casebook.CaseRow(found, casebook.studies_of(found))
    return Chosen(
        row=row,
        time_points=_time_points(row),
        review=None,
        comments=[],
        may_judge=False,
        disagreements=sentences(found.disagreements),
    )


def _chosen(user: User, read: Read) -> Chosen:
    found = (
        Read.objects.select_related("case__project", "case__subject", "reader")
        .prefetch_related(casebook.with_images("case__"))
        .get(pk=read.pk)
    )
    row = worklists.work_row(found)
    comments = list(policies.comments_for(user, found))
    return Chosen(
        row=row,
        time_points=_time_points(row),
        review=last_review(found) if found.state == Read.State.RETURNED else None,
        comments=[comment for comment in comments if comment.round == comments[-1].round],
        may_judge=policies.rights_on(user, found).may_judge,
    )


def _time_points(row: casebook.CaseRow) -> list[TimePoint]:
    """The latest first. Raises Http404 where there is none."""
    if not row.studies:
        raise Http404("This case has no studies.")
    series: dict[int, list[Series]] = {study.pk: [] for study in row.studies}
    for one in Series.objects.filter(study__in=series, frame_count__gt=0).order_by("number", "id"):
        if one.modality not in casebook.NOT_SHOWN:
            series[one.study_id].append(one)
    first = next((study.date for study in row.studies if study.date), None)
    time_points = [
        TimePoint(study, series[study.pk], (study.date - first).days if study.date and first else None)
        for study in row.studies
    ]
    return time_points[::-1]
