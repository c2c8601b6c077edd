"""One case, for those who watch over its reading: time points, how it opens, reads and their times. A lead
says here what it is for, and sets reads aside."""

from itertools import pairwise

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.requests import SignedInRequest
from annotations.cohort import recalls
from annotations.models import Case, Read
from annotations.reading import aside, assignment, casebook, hanging, policies, purposes, reopening, times
from annotations.reading.adjudication.standing import standing_of
from annotations.reading.shown import shown_series
from annotations.views.frame import OpenProject, open_project, sentence, show
from atlas.api.errors import Conflict
from atlas.models import Study


@login_required
@require_safe
def case_page(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    opened = open_project(request, slug, "review_cases")
    found = Case.objects.filter(project=opened.project).select_related("subject", "project")
    case = get_object_or_404(found.prefetch_related(casebook.with_images()), number=number)
    row = casebook.case_rows(request.user, [case], opened.project)[0]
    spent = times.times_for(request.user, case)
    return show(
        request,
        opened,
        "project-cases",
        "projects/case.html",
        case=case,
        row=row,
        time_points=_time_points(case),
        others=_who_could_read(opened, row) if opened.may_manage else (),
        open_states=Read.EDITABLE,
        reads=[(read, spent.get(read.pk)) for read in row.reads],
        opens=hanging.preview_of(case, hanging.tried_in(opened.project)),
        standing=standing_of(request.user, case),
        recall=recalls.last_of(opened.project.pk, number),
        purposes=Case.Purpose.choices if _may_set_purpose(request, opened, case) else (),
    )


@login_required
@require_POST
def case_purpose(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    opened = open_project(request, slug, "manage_project")
    case = get_object_or_404(Case, project=opened.project, number=number)
    try:
        left_out = purposes.set_purpose(
            by=request.user, project=opened.project, cases=[case], purpose=request.POST.get("purpose", "")
        )
        refused = " ".join(why for _, why in left_out)
    except ValidationError as refusal:
        refused = sentence(refusal)
    if refused:
        messages.error(request, refused)
    else:
        messages.success(request, gettext("Saved. Its readers are not told."))
    return redirect("project-case", slug, number)


@login_required
@require_POST
def read_aside(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """Set a read aside, or take it up again."""
    opened = open_project(request, slug, "manage_project")
    read_id = request.POST.get("read", "")
    known = policies.reads_for(request.user).filter(case__project=opened.project, case__number=number)
    read = get_object_or_404(known, public_id=read_id)
    takes_up = request.POST.get("act") == "take_up"
    try:
        (aside.take_up if takes_up else aside.set_aside)(by=request.user, read_id=read.public_id)
        said = gettext("They go on where they were.") if takes_up else gettext("Set aside. Nothing is lost.")
        messages.success(request, said)
    except (ValidationError, Conflict) as refusal:
        messages.error(request, sentence(refusal))
    return redirect("project-case", slug, number)


@login_required
@require_POST
def read_reopen(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """An accepted read goes back to its reader."""
    opened = open_project(request, slug, "manage_project")
    known = policies.reads_for(request.user).filter(case__project=opened.project, case__number=number)
    read = get_object_or_404(known, public_id=request.POST.get("read", ""))
    try:
        reopening.reopen(by=request.user, read_id=read.public_id, reason=request.POST.get("reason", ""))
    except (ValidationError, Conflict) as refusal:
        messages.error(request, sentence(refusal))
    else:
        said = gettext("Reopened: %(name)s goes on with it, and finds your reason among the comments.")
        messages.success(request, said % {"name": read.reader.display_name})
    return redirect("project-case", slug, number)


def _who_could_read(opened: OpenProject, row: casebook.CaseRow) -> list[User]:
    """Readers without a read on the case; whether they would be blind is asked when it is handed over."""
    there = [read.reader_id for read in row.reads]
    return list(assignment.possible_readers(opened.project).exclude(pk__in=there))


def _may_set_purpose(request: SignedInRequest, opened: OpenProject, case: Case) -> bool:
    """Leads, but for cases that they read: what a hidden reference is they don't know either."""
    reading = policies.cases_being_read_by(request.user).filter(pk=case.pk)
    return opened.may_manage and not reading.exists()


def _time_points(case: Case) -> list[tuple[Study, int | None]]:
    """Studies in the case's order with the series that can be shown, and the days since the one before."""
    series = Prefetch("series", queryset=shown_series(), to_attr="shown_series")
    ordered = Study.objects.filter(case_studies__case=case).order_by("case_studies__position")
    studies = list(ordered.prefetch_related(series))
    days: list[int | None] = [
        (after.date - before.date).days if before.date and after.date else None
        for before, after in pairwise(studies)
    ]
    return list(zip(studies, [None, *days], strict=True)) if studies else []
