"""Acts on the chosen cases: to begin one, to stop it, and to take it back."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.requests import SignedInRequest
from annotations.models import BulkAction
from annotations.reading import assignment, casebook, policies
from annotations.reading.assignment import bulk, handing, judges
from annotations.views.act_form import ActForm, told
from annotations.views.cases import address_of, case_filter, show_cases
from annotations.views.frame import OpenProject, carried_out, open_project, sentence


@login_required
@require_POST
def act_on_cases(request: SignedInRequest, slug: str) -> HttpResponse:
    """On the cases that are ticked, or on all that match what the list is narrowed to."""
    opened = open_project(request, slug, "manage_project")
    form = ActForm(
        request.POST,
        readers=list(assignment.possible_readers(opened.project)),
        adjudicators=judges.possible_adjudicators(opened.project),
    )
    if form.is_valid():
        action = carried_out(
            form,
            lambda: bulk.begin(
                by=request.user,
                project=opened.project,
                kind=form.cleaned_data["act"] or "assign",
                numbers=_numbers(request, opened),
                params=form.params(),
            ),
        )
        if action is not None:
            _say(request, action)
            return redirect(address_of(request, slug))
    return show_cases(request, opened, form, status=400)


@login_required
@require_POST
def act_change(request: SignedInRequest, slug: str, action_id: int) -> HttpResponse:
    """Stop an act, or take back what it did."""
    opened = open_project(request, slug, "manage_project")
    which: dict[str, Any] = {"by": request.user, "project": opened.project, "action_id": action_id}
    try:
        if request.POST.get("do") == "stop":
            bulk.stop(**which)
            messages.success(request, gettext("Stopped. What was done can be taken back."))
        else:
            _say(request, bulk.take_back(**which))
    except ValidationError as refusal:
        messages.error(request, sentence(refusal))
    return redirect(address_of(request, slug))


def _numbers(request: SignedInRequest, opened: OpenProject) -> list[int]:
    """Raises ValidationError where another number of cases match than the page said."""
    matching = request.POST.get("matching", "")
    if not matching:
        asked = request.POST.getlist("case")
        return [int(number) for number in asked if number.isdecimal() and len(number) < 10]
    narrow = case_filter(request, opened, QueryDict(request.POST.get("query", "")))
    if narrow is None:
        raise ValidationError(gettext("What the list is narrowed to makes no sense any more. Choose again."))
    found = casebook.cases_of(request.user, opened.project, narrow)
    numbers = list(found.values_list("number", flat=True))
    if str(len(numbers)) != matching:
        raise ValidationError(
            gettext("%(now)s cases match now; the page said %(then)s. Look again, then choose.")
            % {"now": f"{len(numbers):,}", "then": matching[:9]}
        )
    return numbers


def _say(request: SignedInRequest, action: BulkAction) -> None:
    if action.state == BulkAction.State.RUNNING:
        messages.success(request, gettext("It has begun, and goes on by itself. Its progress stands below."))
    elif action.state == BulkAction.State.FAILED:
        messages.error(request, action.problem)
    else:
        (messages.warning if action.left_out else messages.success)(request, told(action))


@login_required
@require_POST
def hand_over(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """One read of a case goes to another reader, with its marks."""
    opened = open_project(request, slug, "manage_project")
    known = policies.reads_for(request.user).filter(case__project=opened.project, case__number=number)
    read = get_object_or_404(known, public_id=request.POST.get("read", ""))
    to = get_object_or_404(assignment.possible_readers(opened.project), public_id=request.POST.get("to", ""))
    try:
        handing.hand_over(by=request.user, project=opened.project, read_id=read.public_id, to=to)
        said = gettext("%(name)s goes on with this read.") % {"name": to.display_name}
        messages.success(request, said)
    except ValidationError as refusal:
        messages.error(request, sentence(refusal))
    return redirect("project-case", slug, number)
