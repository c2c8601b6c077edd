"""A node's pages of signing in with its hub: there, back again, and who someone is here."""

import time
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import SignInForm
from accounts.models import User
from accounts.requests import SignedInRequest
from accounts.services import identities, invitations
from accounts.services.identities import Vouched
from accounts.throttles import AddressThrottle, SignInThrottle, seconds_to_wait
from network.federation import nodes
from network.models import Node
from network.sharing import hub as hubs
from network.sharing import people

BACKEND = "django.contrib.auth.backends.ModelBackend"
PENDING = "came_from_hub"
"""In the session: whom the hub vouched for, while it is asked which account here is theirs."""

PENDING_S = 15 * 60
SESSION_S = 12 * 3600
"""A session begun through the hub ends after half a day: who left the hub doesn't stay on its nodes."""

VOUCHED_BY = "vouched_by"


class ProofForm(forms.Form):
    """An account here, proved by its password."""

    username = forms.CharField(
        label=_("User name here"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label=_("Password here"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


@never_cache
@require_safe
def to_the_hub(request: HttpRequest) -> HttpResponse:
    """A link, not a form: browsers hold redirects of forms to `form-action 'self'`."""
    hub = _hub_or_404()
    if wait_seconds := seconds_to_wait(request, AddressThrottle):
        return _not_signed_in(request, hub, _too_many(wait_seconds), 429)
    try:
        return hubs.go_there(request, hub, next=_safe_next(request, request.GET.get("next", "")))
    except hubs.HubAway:
        return _away(request, hub)


@never_cache
@require_safe
def from_the_hub(request: HttpRequest) -> HttpResponse:
    hub = _hub_or_404()
    if wait_seconds := seconds_to_wait(request, AddressThrottle):
        return _not_signed_in(request, hub, _too_many(wait_seconds), 429)
    try:
        arrival = hubs.came_back(request, hub)
    except hubs.HubAway:
        return _away(request, hub)
    except hubs.NotSignedIn as refusal:
        return _not_signed_in(request, hub, gettext(str(refusal)), 400)
    onward = _safe_next(request, arrival.next)
    person = identities.account_of(arrival.vouched.issuer, arrival.vouched.subject)
    is_new_here = person is not None and identities.was_made_for_them(person)
    if request.user.is_authenticated and request.user != person:
        if person is not None and not is_new_here:
            reason = gettext("You are signed in with another account here. Sign out, then try again.")
            return _not_signed_in(request, hub, reason, 409)
        return _ask_who(request, arrival.vouched, onward)
    if person is None and not _is_invited(arrival):
        return _ask_who(request, arrival.vouched, onward)
    if is_new_here and _has_address(arrival.vouched.email):  # it may be theirs: asked, never assumed
        return _ask_who(request, arrival.vouched, onward, may_go_on=True)
    return _sign_in(request, hub, identities.expect(arrival.vouched), onward)


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def who_here(request: HttpRequest) -> HttpResponse:
    """The hub knows them, this node doesn't yet: which account here is theirs? Its password proves it."""
    hub = _hub_or_404()
    pending = request.session.get(PENDING)
    if not pending or pending["at"] < time.time() - PENDING_S or pending["vouched"]["issuer"] != hub.address:
        return redirect("sign-in")
    vouched = Vouched(**pending["vouched"])
    own = request.user if request.user.is_authenticated else None
    proof = request.POST if request.method == "POST" and "go_on" not in request.POST else None
    form = ProofForm(proof, initial={"username": own.username if own else ""})
    may_go_on = own is None and pending.get("may_go_on", False)
    context: dict[str, Any] = {"hub": hub, "vouched": vouched, "form": form, "may_go_on": may_go_on}
    if request.method == "POST" and may_go_on and "go_on" in request.POST:
        del request.session[PENDING]
        return _sign_in(request, hub, identities.expect(vouched), pending["next"])
    if request.method == "POST":
        if wait_seconds := seconds_to_wait(request, SignInThrottle, AddressThrottle):
            return render(request, "sharing/who.html", context | {"wait_seconds": wait_seconds}, status=429)
        if form.is_valid():
            person = authenticate(request, **form.cleaned_data)
            if person is None or (own is not None and person != own):
                form.add_error(None, SignInForm.error_messages["invalid_login"])
            else:
                try:
                    people.connect(person, vouched, hub)
                except ValidationError as refusal:
                    form.add_error(None, [gettext(said) for said in refusal.messages])
                else:
                    del request.session[PENDING]
                    messages.success(
                        request, gettext("From now on you can sign in here with %(hub)s.") % {"hub": hub.name}
                    )
                    return _sign_in(request, hub, person, pending["next"])
    return render(request, "sharing/who.html", context)


@never_cache
@require_safe
def signed_out(request: HttpRequest) -> HttpResponse:
    """After sign-out, for those who came through the hub: there they still are signed in."""
    return render(request, "sharing/signed_out.html", {"hub": _hub_or_404()})


@login_required
@require_POST
def disconnect(request: SignedInRequest) -> HttpResponse:
    hub = _hub_or_404()
    try:
        identities.disconnect(by=request.user, issuer=hub.address)
    except ValidationError as refusal:
        messages.error(request, " ".join(gettext(sentence) for sentence in refusal.messages))
    else:
        messages.success(request, gettext("Your account is no longer connected."))
    return redirect("account")


def _sign_in(request: HttpRequest, hub: Node, person: User, onward: str) -> HttpResponse:
    if not person.is_active:
        return _not_signed_in(request, hub, str(SignInForm.error_messages["inactive"]), 403)
    identities.confirm(person, hub.address)
    login(request, person, backend=BACKEND)
    request.session[VOUCHED_BY] = hub.address
    request.session.set_expiry(timedelta(seconds=SESSION_S))  # kept as a moment: it doesn't slide
    return redirect(onward)


def _ask_who(request: HttpRequest, vouched: Vouched, onward: str, *, may_go_on: bool = False) -> HttpResponse:
    """may_go_on: they have an account here already, which was made for them and which they may take."""
    kept = {"vouched": vars(vouched), "at": int(time.time()), "next": onward, "may_go_on": may_go_on}
    request.session[PENDING] = kept
    return redirect("hub-who")


def _is_invited(arrival: hubs.Arrival) -> bool:
    """Whether they hold an open letter: then an account is made for them, unless their address has one."""
    try:
        match = resolve(arrival.next.partition("?")[0])
        if match.url_name != "invitation":
            return False
        invitations.find(match.kwargs["secret"])
    except (Resolver404, invitations.InvitationClosed):
        return False
    return not _has_address(arrival.vouched.email)


def _has_address(email: str) -> bool:
    """Whether some account here with a password has this address. A reason to ask, no proof of anything."""
    person = User.objects.filter(email__iexact=email).first() if email else None
    return person is not None and person.has_usable_password()


def _safe_next(request: HttpRequest, wanted: str) -> str:
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return resolve_url("home")


def _hub_or_404() -> Node:
    hub = nodes.hub()
    if hub is None:
        raise Http404("This node has joined no hub.")
    return hub


def _too_many(wait_seconds: int) -> str:
    words = gettext("Too many tries from your address. Wait %(seconds)s seconds, then try again.")
    return words % {"seconds": wait_seconds}


def _away(request: HttpRequest, hub: Node) -> HttpResponse:
    words = gettext(
        "%(hub)s doesn't answer now. Who has a password here can sign in with it. "
        "Everyone else: try again later."
    )
    return _not_signed_in(request, hub, words % {"hub": hub.name}, 503)


def _not_signed_in(request: HttpRequest, hub: Node, reason: str, status: int) -> HttpResponse:
    context = {"hub": hub, "reason": reason, "sign_in": reverse("sign-in")}
    return render(request, "sharing/not_signed_in.html", context, status=status)
