"""Access, on the committee's side: what waits for it, one request with its decision."""

import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Value, When
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import SignedInRequest
from network.access import deciding, policies, shown, states
from network.access.deciding import Choice
from network.access.forms import ApprovalForm, TextForm
from network.access.states import State
from network.models import AccessPart

PARTS_A_PAGE = 25
USUALLY = datetime.timedelta(days=365)


@login_required
@require_safe
def committee(request: SignedInRequest) -> HttpResponse:
    """What this person's committees were asked: what waits for them comes first."""
    organisations = list(policies.committee_organisations(request.user))
    if not organisations:
        raise PermissionDenied("You sit on no access committee.")
    order = Case(
        *(When(state=state, then=Value(at)) for at, state in enumerate((State.SENT, State.QUESTION))),
        default=Value(9),
        output_field=IntegerField(),
    )
    parts = policies.committee_parts(request.user)
    parts = parts.select_related("request__by", "request__hub", "organisation")
    wanted = request.GET.get("state", "")
    if wanted in State.values:
        parts = parts.filter(state=wanted)
    ordered = (
        parts.prefetch_related("items__listing").annotate(rank=order).order_by("rank", "-changed_at", "-pk")
    )
    page = Paginator(ordered, PARTS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "organisations": organisations,
        "page": page,
        "rows": [(part, *shown.look_of(part)) for part in page],
        "states": [(state.value, shown.LOOKS[state][2]) for state in State if state != State.DRAFT],
        "wanted": wanted,
    }
    return render(request, "access/committee.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def part(request: SignedInRequest, public_id: str) -> HttpResponse:
    """One request, as far as it concerns this committee."""
    found = policies.committee_part_or_404(request.user, public_id)
    form = _approval_form(found)
    status = 200
    if request.method == "POST":
        form, problem = _decide(request, found)
        if problem is None:
            return redirect("access-part", public_id)
        status = 422
        messages.error(request, problem)
        found = policies.committee_part_or_404(request.user, public_id)
    told = shown.of_part(found)
    is_own = policies.is_own(request.user, found.request)
    is_open = found.request.withdrawn_at is None and not is_own
    context = {
        "part": found,
        "request_": found.request,
        "shown": told,
        "person": found.request.by,
        "address": found.request.email or found.request.by.email,
        "terms": shown.terms_of(found.request),
        "documents": found.request.documents.all(),
        "form": form,
        "question_form": TextForm(),
        "may_decide": is_open and found.state in states.UNDECIDED and found.agreed_at is None,
        "may_ask": is_open and found.state in states.OPEN,
        "may_withdraw": not is_own and found.state == State.GRANTED,
        "is_own": is_own,
        "before": _before(request, found),
    }
    return render(request, "access/part.html", context, status=status)


def _before(request: SignedInRequest, found: AccessPart) -> list[tuple]:
    """What the same person asked this committee earlier."""
    rows = policies.committee_parts(request.user).filter(request__by=found.request.by)
    rows = rows.exclude(pk=found.pk).select_related("request").order_by("-pk")[:5]
    return [(row, *shown.look_of(row)) for row in rows]


def _approval_form(found: AccessPart, posted=None) -> ApprovalForm:
    return ApprovalForm(
        posted,
        items=found.items.select_related("listing", "part"),
        until=timezone.localdate() + USUALLY,
        initial={"conditions": found.conditions, "agreement": deciding.suggested_agreement(found)},
    )


def _decide(request: SignedInRequest, found: AccessPart) -> tuple[ApprovalForm, str | None]:
    """Does what the POST asks. Returns the form to be shown again, and why nothing was done."""
    deed, text = request.POST.get("deed"), request.POST.get("text", "")
    seen = request.POST.get("seen", "")[:40]
    form = _approval_form(found)
    try:
        if deed == "ask":
            deciding.ask(by=request.user, part=found, text=text, seen=seen)
            messages.success(request, gettext("The researcher gets your question by letter."))
        elif deed == "approve":
            form = _approval_form(found, request.POST)
            if not form.is_valid():
                return form, gettext("Nothing was approved: see what is missing.")
            sent = form.cleaned_data
            deciding.approve(
                by=request.user, part=found, seen=seen, agreement=sent["agreement"],
                conditions=sent["conditions"],
                choices={pk: Choice(*choice) for pk, choice in form.choices().items()},
            )  # fmt: skip
            messages.success(request, gettext("Approved. Access opens when the agreement is accepted."))
        elif deed == "refuse":
            deciding.refuse(by=request.user, part=found, reason=text, seen=seen)
            messages.success(request, gettext("Refused. The researcher reads your reason."))
        elif deed == "withdraw":
            chosen = [int(pk) for pk in request.POST.getlist("item") if pk.isdigit() and len(pk) < 19]
            deciding.withdraw(by=request.user, part=found, reason=text, items=chosen)
            messages.success(request, gettext("Withdrawn. The data are closed from now on."))
        else:
            raise Http404("Nothing is done by this name.")
    except ValidationError as error:
        return form, " ".join(error.messages)
    return form, None
