"""The page of who has which role on something; the node, organisations and datasets share it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import permissions
from accounts.forms import InviteForm
from accounts.models import User
from accounts.requests import SignedInRequest
from accounts.roles import roles_on
from accounts.services import invitations, members


@login_required
@require_http_methods(["GET", "POST"])
def administrators(request: SignedInRequest) -> HttpResponse:
    """Who administers the node; only they see it."""
    permissions.require(request.user, "administer_node", None)
    return members_page(request, None, back=reverse("organisations"))


def members_page(request: SignedInRequest, scope: models.Model | None, *, back: str) -> HttpResponse:
    """Members and open letters of a scope; invites, withdraws and removes by POST.

    The caller has checked that the person may see it; what they may change is checked here.
    """
    roles = members.roles_to_give(request.user, scope)
    form = InviteForm(roles=roles)
    if request.method == "POST":
        if not roles:
            raise PermissionDenied("Your role does not allow this.")
        refused = _act(request, scope)
        if refused is None:
            return redirect(request.path)
        form = refused
    return render(
        request,
        "accounts/members.html",
        {
            "scope": scope,
            "scope_kind": permissions.scope_name(scope),
            "back": back,
            "members": permissions.members_of(scope),
            "letters": [
                (letter, invitations.role_of(letter)) for letter in invitations.open_invitations(scope)
            ],
            "form": form,
            "roles": roles,
            "all_roles": roles_on(permissions.scope_name(scope)),
        },
    )


def _act(request: SignedInRequest, scope: models.Model | None) -> InviteForm | None:
    """Does what the POST asks. Returns the form where it must be shown again."""
    deed = request.POST.get("deed")
    try:
        if deed == "invite":
            return _invite(request, scope)
        if deed == "withdraw":
            letter = (
                invitations.open_invitations(scope).filter(public_id=request.POST.get("letter", "")).first()
            )
            if letter is None:
                raise Http404("This invitation is no longer open.")
            invitations.withdraw(by=request.user, invitation=letter)
            messages.success(request, f"The invitation to {letter.email} is withdrawn.")
        elif deed == "remove":
            person = User.objects.filter(public_id=request.POST.get("person", "")).first()
            if person is None:
                raise Http404("There is no such member.")
            members.remove_member(
                by=request.user, person=person, role=request.POST.get("role", ""), scope=scope
            )
            messages.success(request, f"{person.display_name} no longer has this role.")
        else:
            raise Http404("Nothing is done by this name.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return None


def _invite(request: SignedInRequest, scope: models.Model | None) -> InviteForm | None:
    form = InviteForm(request.POST, roles=members.roles_to_give(request.user, scope))
    if not form.is_valid():
        return form
    address = request.build_absolute_uri(reverse("invitation", args=["SECRET"])).replace("SECRET", "{secret}")
    letter = invitations.invite(by=request.user, scope=scope, address=address, **form.cleaned_data)
    messages.success(request, f"A letter is on its way to {letter.email}.")
    return None
