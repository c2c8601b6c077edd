"""The hub's pages of signing in at other nodes: who asks, and on to them.

No answer here is a redirect to another node: browsers check the targets of a form, redirects included,
against `form-action 'self'`, and a person may come here right from the sign-in form. A page that moves on by
itself does it.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from oauth2_provider.exceptions import OAuthToolkitError
from oauth2_provider.views import AuthorizationView
from oauth2_provider.views.mixins import OAuthLibMixin

from network.sharing import clients

SHOWN = "asked_by"
"""In the session: the nodes of which this browser was shown that they ask who it is."""


@method_decorator(never_cache, name="dispatch")
class Authorize(AuthorizationView):
    """Tells a member of the network who is signed in here. Says who asks first, once a session and node."""

    template_name = "sharing/asks.html"
    http_method_names = ["get", "post"]

    def handle_no_permission(self) -> HttpResponseBase:
        client_id = self.request.GET.get("client_id", "")
        if clients.node_of(client_id) is not None:
            self._was_shown(client_id)  # the sign-in page says who asks
        return super().handle_no_permission()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            scopes, credentials = self.validate_authorization_request(request)
        except OAuthToolkitError as error:
            return self.error_response(error, application=None)
        if "login" in request.GET.get("prompt", "").split():
            return self.handle_prompt_login()
        client_id = credentials["client_id"]
        if client_id in request.session.get(SHOWN, []):
            try:
                url, *_ = self.create_authorization_response(
                    request=request, scopes=" ".join(scopes), credentials=credentials, allow=True
                )
            except OAuthToolkitError as error:
                return self.error_response(error, application=None)
            return self.redirect(url, None)
        self.oauth2_data = {**credentials, "scopes": scopes}
        node = clients.node_of(client_id)
        return self.render_to_response(self.get_context_data(form=self.get_form(), node=node))

    def form_valid(self, form: Any) -> HttpResponseBase:
        if clients.application_of(form.cleaned_data["client_id"]) is None:
            return self._closed(400)
        if form.cleaned_data.get("allow"):
            self._was_shown(form.cleaned_data["client_id"])
        return super().form_valid(form)

    def form_invalid(self, form: Any) -> HttpResponseBase:
        return self._closed(400)

    def error_response(self, error: OAuthToolkitError, application: Any, **kwargs: Any) -> HttpResponseBase:
        """Back to the node with the error where the node is sure, else a page."""
        redirect, told = OAuthLibMixin.error_response(self, error, **kwargs)
        if redirect:
            return self.redirect(told["url"], application)
        return self._closed(told["error"].status_code)

    def redirect(self, redirect_to: str, application: Any) -> HttpResponseBase:
        url = super().redirect(redirect_to, application)["Location"]
        answer = render(self.request, "sharing/onward.html", {"url": url})
        answer["Refresh"] = f"0; url={url}"
        answer["Referrer-Policy"] = "no-referrer"
        return answer

    def _was_shown(self, client_id: str) -> None:
        shown = self.request.session.get(SHOWN, [])
        if client_id not in shown:
            self.request.session[SHOWN] = [*shown, client_id]

    def _closed(self, status: int) -> HttpResponse:
        return render(self.request, "sharing/not_a_node.html", status=status)


@require_safe
def sign_out_here(request: HttpRequest) -> HttpResponse:
    """Where a node sends those who leave it: whether to leave the hub, too."""
    return render(request, "sharing/sign_out_here.html")
