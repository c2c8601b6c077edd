"""Programs prove who they are by `Authorization: Bearer <token>`."""

from django.core.exceptions import PermissionDenied
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import scopes
from accounts.models import ApiToken, User
from accounts.services.tokens import NotConfirmed, token_of


def user_of_header(header: str, method: str) -> User | None:
    """Whose open token this `Authorization` header carries; None for another scheme or a closed token.

    For the roads beside Django, none of which is for releases. Raises PermissionDenied, with a sentence, for
    a token whose scope doesn't go with the method, or whose owner has to sign in again.
    """
    scheme, _, secret = header.partition(" ")
    token = token_of(secret.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        return None
    if reason := scopes.refusal(token, method):
        raise PermissionDenied(reason)
    return token.user


class BearerTokenAuthentication(BaseAuthentication):
    """DRF's: one query a request, and a write of the time of use at most once a minute."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            token = token_of(secret.strip())
        except NotConfirmed as error:
            raise exceptions.AuthenticationFailed(str(error)) from error
        if token is None:
            raise exceptions.AuthenticationFailed("This token is unknown, ended or revoked. Make a new one.")
        view = request.parser_context["view"]
        reason = scopes.refusal(
            token,
            str(request.method),
            release_methods=getattr(view, "release_token_methods", ()),
            project=view.kwargs.get("slug", ""),
        )
        if reason:
            raise exceptions.PermissionDenied(reason)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Atlas"'
