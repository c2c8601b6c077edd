"""Taking a case to adjudicate, and naming somebody for it: forms on the page of a case and the worklist."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.requests import SignedInRequest
from annotations.reading.adjudication import access, assigning
from atlas.api.errors import Conflict


@login_required
@require_POST
def adjudicate(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """Whoever takes it themselves comes into the reading room; who names somebody goes back."""
    access.case_or_404(request.user, slug, number)
    named = request.POST.get("adjudicator") or None
    try:
        read = assigning.take(by=request.user, slug=slug, number=number, adjudicator_id=named)
    except Conflict as refusal:
        messages.error(request, str(refusal.detail))
        return _back(request, slug, number)
    if read.reader_id == request.user.pk:
        return redirect("read", read.public_id)
    messages.success(
        request,
        gettext("%(name)s adjudicates case %(number)04d.")
        % {"name": read.reader.display_name, "number": number},
    )
    return _back(request, slug, number)


@login_required
@require_POST
def hand_over(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """A lead gives an adjudication under way to somebody else."""
    case = access.case_or_404(request.user, slug, number)
    read = access.adjudications().filter(case=case).first()
    if read is None:
        raise PermissionDenied(gettext("Nobody adjudicates this case."))
    try:
        read = assigning.hand_over(
            by=request.user, read_id=read.public_id, adjudicator_id=request.POST.get("adjudicator", "")
        )
    except Conflict as refusal:
        messages.error(request, str(refusal.detail))
    else:
        name = read.reader.display_name
        messages.success(request, gettext("Handed over to %(name)s. All decisions stay.") % {"name": name})
    return _back(request, slug, number)


def _back(request: SignedInRequest, slug: str, number: int) -> HttpResponse:
    """To the page that the form was on, if it is one of ours; else to the case."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return redirect(wanted)
    return redirect("project-case", slug, number)
