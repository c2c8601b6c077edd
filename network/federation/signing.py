"""HTTP messages between nodes are signed (RFC 9421, Ed25519) over a digest of their body (RFC 9530).

A request covers its method, host, path, query, type and body; it says when it was made, until when it counts,
and carries a nonce that the hub takes once. The answer is signed by the hub and covers the signature of the
request, nonce and all: an answer to another request, or to nobody's, is none.

The library builds and checks the signatures. What is in here is policy: what has to be covered, how far
clocks may be apart, and what is said to people when something isn't right.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    VerifyResult,
)
from http_message_signatures.algorithms import ED25519

from network.federation import keys

LIFE = timedelta(seconds=60)
"""How long a signed message counts."""

LIFE_MAX = timedelta(seconds=300)
SKEW = timedelta(seconds=120)
"""How far the clocks of two nodes may be apart."""

TAG = "atlas-federation"
NEW_KEY_TAG = "atlas-federation-new-key"
LABEL = "atlas"
NEW_KEY_LABEL = "atlas-new-key"
REQUEST_COVERS = ("@method", "@authority", "@path", "@query", "content-type", "content-digest")
ANSWER_COVERS = (
    "@status",
    "content-type",
    "content-digest",
    '"@method";req',
    '"@path";req',
    '"signature-input";req',
    '"signature";req',
)
HEADER_LENGTH_MAX = 4096
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")


class Untrusted(Exception):
    """A message that wasn't signed as it has to be. The text is a sentence for the other side."""


@dataclass
class Request:
    """A request as it is signed. Names of headers are in lower case."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Answer:
    status_code: int
    headers: dict[str, str]
    request: Request


@dataclass(frozen=True)
class Signed:
    """What is known of a message once its signature was right. Its body is checked by `require_body`."""

    key: str
    """The public key of the signer, 64 hexadecimal characters."""
    nonce: str
    created: datetime
    expires: datetime
    _result: VerifyResult


class _Keys(HTTPSignatureKeyResolver):
    def __init__(
        self,
        private: Ed25519PrivateKey | None = None,
        known: Callable[[str], bool] | None = None,
    ) -> None:
        self._private, self._known = private, known

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        if self._private is None:
            raise KeyError(key_id)
        return self._private

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey | None:
        try:
            key = keys.public_key(key_id)
        except ValueError:
            return None
        return key if self._known is None or self._known(key_id) else None


class _Verifier(HTTPMessageVerifier):
    max_clock_skew = SKEW

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        parameters = sig_input.params
        if "created" not in parameters or "expires" not in parameters:
            raise InvalidSignature("The signature has to say when it was made and until when it counts.")
        created = self._parse_integer_timestamp(parameters["created"], field_name="created")
        expires = self._parse_integer_timestamp(parameters["expires"], field_name="expires")
        if not timedelta() < expires - created <= LIFE_MAX:
            raise InvalidSignature(
                f"A signed message counts for at most {LIFE_MAX.seconds} seconds; this one claims more."
            )
        now = datetime.now(UTC)
        if created > now + SKEW:
            raise InvalidSignature(_about_clocks("in the future", created, now))
        if expires < now - SKEW:
            raise InvalidSignature(_about_clocks("too old", created, now))


def _about_clocks(what: str, created: datetime, now: datetime) -> str:
    apart = abs((created - now).total_seconds())
    return (
        f"The message is {what}: it was made at {created:%Y-%m-%d %H:%M:%S} UTC by the sender's clock, and "
        f"here it is {now:%H:%M:%S} UTC, {apart:.0f} seconds apart. At most {SKEW.seconds} seconds are "
        "accepted: set both clocks by NTP."
    )


# Requests ---------------------------------------------------------------------------------------


def sign_request(request: Request, body: bytes, key: Ed25519PrivateKey) -> str:
    """Add the headers of a signature to the request; returns its nonce."""
    nonce = _nonce()
    _sign(request, body, key, REQUEST_COVERS, nonce=nonce)
    return nonce


def sign_with_new_key(request: Request, body: bytes, key: Ed25519PrivateKey) -> None:
    """Add a second signature: whoever brings a new key proves that they hold it."""
    _sign(
        request,
        body,
        key,
        REQUEST_COVERS,
        nonce=_nonce(),
        label=NEW_KEY_LABEL,
        tag=NEW_KEY_TAG,
        is_second=True,
    )


def claimed_key(request: Request) -> str:
    """The key that a request says it is signed with, before anything is proved. Empty where it names none."""
    found = re.search(r'(?:^|;)keyid="([0-9a-f]{64})"', request.headers.get("signature-input", "")[:1024])
    return found[1] if found else ""


def verify_request(
    request: Request, *, is_known: Callable[[str], bool] | None = None, tag: str = TAG
) -> Signed:
    """The signature over the head of a request. Raises Untrusted.

    is_known: whether messages signed with this public key are listened to; None: whoever signed it.
    """
    result = _verify(request, REQUEST_COVERS, is_known=is_known, tag=tag)
    nonce = result.nonce or ""
    if not _NONCE.fullmatch(nonce):
        raise Untrusted("The signature needs a nonce of 16 to 64 letters, digits, - or _.")
    return Signed(
        key=str(result.parameters["keyid"]),
        nonce=nonce,
        created=datetime.fromtimestamp(int(result.parameters["created"]), UTC),
        expires=datetime.fromtimestamp(int(result.parameters["expires"]), UTC),
        _result=result,
    )


def require_body(message: Request, signed: Signed, body: bytes) -> None:
    """Pass where the body is the one that was signed. Raises Untrusted."""
    _require_digest(message, signed._result, body)


# Answers ----------------------------------------------------------------------------------------


def sign_answer(answer: Answer, body: bytes, key: Ed25519PrivateKey, *, nonce: str) -> None:
    """Add the headers of a signature to the answer. `answer.request` has those of the request's."""
    _sign(answer, body, key, ANSWER_COVERS, nonce=nonce)


def verify_answer(answer: Answer, body: bytes, *, public_key: str, nonce: str) -> None:
    """Pass where this is the answer of the holder of `public_key` to the request with this nonce. Raises
    Untrusted."""
    result = _verify(answer, ANSWER_COVERS, is_known=lambda key: key == public_key, tag=TAG)
    if result.nonce != nonce:
        raise Untrusted("The answer belongs to another request.")
    _require_digest(answer, result, body)


# Both -------------------------------------------------------------------------------------------


def _in_lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _nonce() -> str:
    return secrets.token_urlsafe(24)


def _sign(
    message: Request | Answer,
    body: bytes,
    key: Ed25519PrivateKey,
    covers: tuple[str, ...],
    *,
    nonce: str,
    label: str = LABEL,
    tag: str = TAG,
    is_second: bool = False,
) -> None:
    now = datetime.now(UTC)
    HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_Keys(private=key)).sign(
        message,
        key_id=keys.public_hex(key),
        created=now,
        expires=now + LIFE,
        nonce=nonce,
        label=label,
        tag=tag,
        covered_component_ids=covers,
        body=body,
        use_existing_digest=is_second,
        append_if_signature_exists=is_second,
    )
    message.headers = _in_lower_case(message.headers)


def _verify(
    message: Request | Answer,
    covers: tuple[str, ...],
    *,
    is_known: Callable[[str], bool] | None,
    tag: str,
) -> VerifyResult:
    _require_short(message.headers)
    verifier = _Verifier(signature_algorithm=ED25519, key_resolver=_Keys(known=is_known))
    try:
        results = verifier.verify(message, max_age=None, expect_tag=tag, require_components=covers)
    except InvalidSignature as error:
        raise Untrusted(_in_words(error)) from error
    except Exception as error:  # whatever the library makes of hostile headers
        raise Untrusted("The signature can't be read.") from error
    if len(results) != 1:
        raise Untrusted("The message carries several signatures with the same tag.")
    return results[0]


def _require_digest(message: Request | Answer, result: VerifyResult, body: bytes) -> None:
    verifier = HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=_Keys())
    try:
        verifier.verify_body(message, [result], body)
    except InvalidSignature as error:
        raise Untrusted("The body isn't the one that was signed: its Content-Digest differs.") from error


def _require_short(headers: Mapping[str, str]) -> None:
    for name in ("signature", "signature-input", "content-digest"):
        if len(headers.get(name, "")) > HEADER_LENGTH_MAX:
            raise Untrusted(f"The header {name} is too long.")


def _in_words(error: InvalidSignature) -> str:
    text = str(error)
    if text.endswith(".") and text.isprintable():  # one of the sentences above
        return text
    if "resolve verification key" in text:
        return "The key isn't known here."
    if "to be present" in text or "No signatures" in text:
        return "The message isn't signed."
    return "The signature doesn't match the message: it was altered on the way, or signed with another key."
