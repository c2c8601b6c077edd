"""The page that an invitation's letter links to."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms import NewPersonForm
from accounts.models import Invitation, User
from accounts.requests import SignedInRequest
from accounts.services import invitations
from accounts.throttles import AddressThrottle, seconds_to_wait


@never_cache
@sensitive_post_parameters("password", "password_again")
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Takes the letter: with the account that is signed in, or with a new one."""
    wait_seconds = seconds_to_wait(request, AddressThrottle)
    if wait_seconds is not None:
        reason = f"Too many tries from your address. Wait {wait_seconds} seconds, then load this page again."
        return _closed(request, reason, 429)
    try:
        letter = invitations.find(secret)
        if request.user.is_authenticated:
            return _with_own_account(cast(SignedInRequest, request), letter, secret)
        return _with_new_account(request, letter, secret)
    except invitations.InvitationClosed as closed:
        return _closed(request, str(closed), 404)


def _with_own_account(request: SignedInRequest, letter: Invitation, secret: str) -> HttpResponse:
    if request.method == "POST":
        invitations.accept(secret=secret, person=request.user)
        return _welcome(request, letter)
    return _page(request, letter)


def _with_new_account(request: HttpRequest, letter: Invitation, secret: str) -> HttpResponse:
    if User.objects.filter(email__iexact=letter.email).exists():
        return _page(request, letter, has_account=True)
    form = NewPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        facts = {name: value for name, value in form.cleaned_data.items() if name != "password_again"}
        try:
            person = invitations.accept_with_new_account(secret=secret, **facts)
        except ValidationError as error:
            for field, sentences in error.message_dict.items():
                form.add_error(field if field in form.fields else None, sentences)
        else:
            login(request, person, backend="django.contrib.auth.backends.ModelBackend")
            return _welcome(request, letter)
    return _page(request, letter, form=form)


def _welcome(request: HttpRequest, letter: Invitation) -> HttpResponse:
    role, place = invitations.role_of(letter), invitations.place_of(letter)
    messages.success(request, f"You are now {role.title.lower()} of {place}.")
    return redirect("home")


def _page(request: HttpRequest, letter: Invitation, **context: object) -> HttpResponse:
    context |= {
        "letter": letter,
        "role": invitations.role_of(letter),
        "place": invitations.place_of(letter),
    }
    return render(request, "accounts/invitation.html", context)


def _closed(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    return render(request, "accounts/invitation_closed.html", {"reason": reason}, status=status)
