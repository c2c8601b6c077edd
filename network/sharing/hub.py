"""A node's side: asks its hub who someone is, with authlib, and believes nothing that isn't the hub's.

state, nonce and PKCE's verifier lie in the browser's session; the answer's signature, issuer, audience and
nonce are checked; every address that the hub's metadata names must be the hub's own.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import DjangoOAuth2App, OAuth, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives import serialization
from django.http import HttpRequest, HttpResponse
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from accounts.services.identities import NotVouchedFor, Vouched
from network.federation import keys, nodes
from network.models import Node
from network.sharing import clients

logger = logging.getLogger(__name__)

TIMEOUT_S = 5
ASSERTION_S = 120
NAMED_ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")
NAME = "hub"


class HubAway(Exception):
    """The hub doesn't answer now, or not as a hub."""


class NotSignedIn(Exception):
    """The hub's answer opens nothing. The message is a sentence for who came back with it."""


@dataclass(frozen=True)
class Arrival:
    """Someone came back from the hub."""

    vouched: Vouched
    next: str


def go_there(request: HttpRequest, hub: Node, *, next: str) -> HttpResponse:
    """The redirect to the hub's sign-in. `next` is where this browser goes afterwards. Raises HubAway."""
    client = _client(hub)
    back = clients.return_address(nodes.this_node().address)
    found = client.create_authorization_url(back)
    client.save_authorize_data(request, redirect_uri=back, next=next, **found)
    answer = HttpResponse(status=302)
    answer["Location"] = found["url"]
    return answer


def came_back(request: HttpRequest, hub: Node) -> Arrival:
    """Who this is, by the hub's signed word. Raises HubAway and NotSignedIn."""
    client = _client(hub)
    state = request.GET.get("state", "")
    kept = client.framework.get_state_data(request.session, state) if state else None
    if not kept:
        raise NotSignedIn("This sign-in was begun in another browser, or too long ago. Begin it again.")
    if request.GET.get("iss", hub.address) != hub.address:  # RFC 9207: an answer of somebody else's
        raise NotSignedIn("This answer doesn't come from the hub that was asked.")
    try:
        token = client.authorize_access_token(
            request, claims_options={"iss": {"essential": True, "values": [hub.address]}}
        )
        if not token.get("userinfo"):
            raise NotSignedIn("The hub didn't say who you are. Try again.")
        vouched = Vouched.of_claims(hub.address, token["userinfo"])
    except requests.RequestException as error:
        raise HubAway(type(error).__name__) from error
    except OAuthError as error:
        if error.error == "access_denied":
            raise NotSignedIn("You chose not to tell this node who you are.") from error
        logger.warning("The hub refused a sign-in: %s", str(error.error)[:80])
        raise NotSignedIn("The hub refused this sign-in. Begin it again.") from error
    except (AuthlibBaseError, JoseError, NotVouchedFor, ValueError, TypeError, KeyError) as error:
        logger.warning("The hub's answer to a sign-in can't be used: %s", type(error).__name__)
        raise NotSignedIn("The hub's answer can't be trusted, so it opened nothing. Try again.") from error
    return Arrival(vouched, str(kept.get("next", "")))


def _client(hub: Node) -> DjangoOAuth2App:
    """Knows the hub's addresses, asked for anew: a sign-in finds out at once whether the hub is there."""
    ends = int(time.time()) + ASSERTION_S
    client = OAuth().register(
        NAME,
        client_id=nodes.this_node().public_key,
        client_secret=_signing_key(),
        server_metadata_url=f"{hub.address}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile email",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": PrivateKeyJWT.name,
            "default_timeout": TIMEOUT_S,
        },
        client_auth_methods=[PrivateKeyJWT(claims={"exp": ends}, alg=clients.ALGORITHM)],
    )
    try:
        metadata = client.load_server_metadata()
    except (requests.RequestException, ValueError, TypeError) as error:
        raise HubAway(type(error).__name__) from error
    if not isinstance(metadata, dict) or not _is_the_hubs(hub, metadata):
        logger.warning("What answers at the hub's address doesn't name itself as the hub.")
        raise HubAway("other addresses")
    metadata["id_token_signing_alg_values_supported"] = ["RS256"]
    return client


def _is_the_hubs(hub: Node, metadata: dict[str, Any]) -> bool:
    named = [metadata.get(name) for name in NAMED_ADDRESSES]
    return metadata.get("issuer") == hub.address and all(
        isinstance(address, str) and address.startswith(f"{hub.address}/") for address in named
    )


def _signing_key() -> OKPKey:
    pem = keys.private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return OKPKey.import_key(pem)
