"""The hub as OpenID Connect provider: django-oauth-toolkit, kept to what nodes of the network need.

One grant (authorization code with PKCE), one way for clients to prove who they are, no refresh tokens, and
few claims: a public id, the name and its parts, an e-mail address, and the node that someone belongs to.
"""

from typing import Any

from oauth2_provider.models import Application
from oauth2_provider.oauth2_validators import OAuth2Validator

from network.sharing import clients, people


class Validator(OAuth2Validator):
    oidc_claim_scope = {**OAuth2Validator.oidc_claim_scope, "node": "profile"}

    def get_additional_claims(self) -> dict[str, Any]:
        return {
            "sub": lambda request: request.user.public_id,
            "name": lambda request: request.user.display_name,
            "given_name": lambda request: request.user.first_name,
            "family_name": lambda request: request.user.last_name,
            "email": lambda request: request.user.email,
            "node": lambda request: people.home_of(request.user),
        }

    def _load_application(self, client_id: str, request: Any) -> Application | None:
        request.client = clients.application_of(client_id)
        return request.client

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        return True

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        said = dict(request.decoded_body or [])
        if said.get("client_assertion_type") != clients.ASSERTION_TYPE:
            return False
        node = clients.node_that_signed(said.get("client_assertion"))
        if node is None or said.get("client_id", node.public_key) != node.public_key:
            return False
        request.client_id = node.public_key
        return self._load_application(node.public_key, request) is not None

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        return False  # no client goes without its signature

    def validate_code(
        self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kw: Any
    ) -> bool:
        """Not for someone whose account was closed in the meantime."""
        return super().validate_code(client_id, code, client, request, *args, **kw) and request.user.is_active

    def validate_bearer_token(self, token: str, scopes: list[str], request: Any) -> bool:
        is_good = super().validate_bearer_token(token, scopes, request)
        return bool(is_good and request.user is not None and request.user.is_active)

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> Any:
        token.pop("refresh_token", None)  # a node asks at sign-in, and never for someone who isn't there
        return super().save_bearer_token(token, request, *args, **kwargs)
