"""The hub's side: the nodes that may ask who someone is, and how they prove which node they are.

A node's client id is its public key. Nothing is registered by hand and no secret is handed over: at the
token's address a node signs with the key that it joined with (private_key_jwt, RFC 7523), and a node that is
suspended or has left is no client from that moment on.
"""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from oauth2_provider.models import Application

from network.federation import nodes
from network.models import Node, SeenNonce

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_BYTES_MAX = 4096
LIFETIME_MAX = timedelta(minutes=10)
LEEWAY_S = 60
ALGORITHM = "Ed25519"
_PUBLIC_KEY = re.compile(r"[0-9a-f]{64}")


def node_of(client_id: object) -> Node | None:
    """The node of this client id, if it takes part and can let people in at its address."""
    if not isinstance(client_id, str) or not _PUBLIC_KEY.fullmatch(client_id):
        return None
    node = nodes.members().filter(public_key=client_id).first()
    return node if node is not None and _is_safe(node.address) else None


def _is_safe(address: str) -> bool:
    """People go back over TLS; only a hub that itself is tried without it lets them go back without."""
    return address.startswith("https://") or (
        address.startswith("http://") and settings.NODE_ADDRESS.startswith("http://")
    )


def return_address(node_address: str) -> str:
    """Where a browser comes back to a node with the hub's answer."""
    return node_address.rstrip("/") + reverse("hub-back")


def application_of(client_id: object) -> Application | None:
    """The row that the provider wants for a client, as its node is today; None for whoever is no member."""
    node = node_of(client_id)
    if node is None:
        return None
    facts: dict[str, Any] = {
        "name": node.name,
        "client_type": Application.CLIENT_CONFIDENTIAL,
        "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
        "algorithm": Application.RS256_ALGORITHM,
        "redirect_uris": return_address(node.address),
        "skip_authorization": False,  # the provider's page says who asks, once a session
    }
    application = Application.objects.filter(client_id=client_id).first()
    if application is None:
        unused = {"client_secret": "", "hash_client_secret": False}
        application, _ = Application.objects.get_or_create(client_id=client_id, defaults=facts | unused)
    elif changed := [name for name, value in facts.items() if getattr(application, name) != value]:
        for name in changed:
            setattr(application, name, facts[name])
        application.save(update_fields=changed)
    return application


def node_that_signed(assertion: object) -> Node | None:
    """The member that made this assertion for this hub's token address: now, and for the first time."""
    if not isinstance(assertion, str) or len(assertion) > ASSERTION_BYTES_MAX:
        return None
    try:
        claimed = jws.extract_compact(assertion.encode()).payload
        node = node_of(_issuer(claimed))
        if node is None:
            return None
        token = jwt.decode(assertion, _key_of(node), algorithms=[ALGORITHM])
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": node.public_key},
            sub={"essential": True, "value": node.public_key},
            aud={"essential": True, "values": [token_address(), settings.NODE_ADDRESS]},
            exp={"essential": True},
            jti={"essential": True},
        ).validate(token.claims)
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
    ends = datetime.fromtimestamp(token.claims["exp"], tz=UTC)
    if ends > timezone.now() + LIFETIME_MAX or not isinstance(token.claims["jti"], str):
        return None
    nonce = hashlib.sha256(f"oidc {token.claims['jti']}".encode()).hexdigest()
    try:
        with transaction.atomic():
            kept_until = ends + timedelta(seconds=2 * LEEWAY_S)
            SeenNonce.objects.create(node=node, nonce=nonce, expires_at=kept_until)
    except IntegrityError:
        return None
    return node


def token_address() -> str:
    return settings.NODE_ADDRESS + reverse("oauth2_provider:token")


def _issuer(payload: bytes) -> object:
    """What an assertion says it is from, before its signature is checked with that one's key."""
    claims = json.loads(payload)
    return claims.get("iss") if isinstance(claims, dict) else None


def _key_of(node: Node) -> OKPKey:
    x = base64.urlsafe_b64encode(bytes.fromhex(node.public_key)).rstrip(b"=").decode()
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
