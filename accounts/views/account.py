"""One's own account: name, look, tokens."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import activate, get_language_from_request, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import AccountForm, TokenForm
from accounts.models import ApiToken
from accounts.requests import SignedInRequest
from accounts.services import people, tokens


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def account(request: SignedInRequest) -> HttpResponse:
    form = AccountForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        people.change_account(by=request.user, **form.cleaned_data)
        activate(request.user.language or get_language_from_request(request))  # said in the new one
        messages.success(request, gettext("Your account is changed."))
        return redirect("account")
    return _page(request, form=form)


@never_cache
@login_required
@require_POST
def make_token(request: SignedInRequest) -> HttpResponse:
    """Answers with the page itself: the secret is in it, once, and in no session or message store."""
    form = TokenForm(request.POST)
    secret = ""
    if form.is_valid():
        try:
            _, secret = tokens.make_token(by=request.user, **form.cleaned_data)
            form = TokenForm()
        except ValidationError as error:
            form.add_error(None, error)
    return _page(request, token_form=form, secret=secret)


@login_required
@require_POST
def revoke_token(request: SignedInRequest, public_id: str) -> HttpResponse:
    token = ApiToken.objects.filter(user=request.user, public_id=public_id).first()
    if token is None:
        raise Http404("You have no such token.")
    tokens.revoke_token(by=request.user, token=token)
    messages.success(request, gettext("The token is revoked. What used it is shut out now."))
    return redirect("account")


def _page(request: SignedInRequest, **context: object) -> HttpResponse:
    context = {
        "form": AccountForm(instance=request.user),
        "token_form": TokenForm(),
        "tokens": tokens.open_tokens(request.user),
        **context,
    }
    return render(request, "accounts/account.html", context)
