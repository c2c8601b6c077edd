"""Programs prove who they are by `Authorization: Bearer <token>`."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.services.tokens import token_of


def user_of_header(header: str) -> User | None:
    """Whose open token this `Authorization` header carries; None for another scheme or a closed token."""
    scheme, _, secret = header.partition(" ")
    token = token_of(secret.strip()) if scheme.lower() == "bearer" else None
    return token.user if token else None


class BearerTokenAuthentication(BaseAuthentication):
    """DRF's: one query a request, and a write of the time of use at most once a minute."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token_of(secret.strip())
        if token is None:
            raise AuthenticationFailed("This token is unknown, ended or revoked. Make a new one.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Atlas"'
