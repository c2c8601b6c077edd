"""Calls a hub: outbound HTTPS only, every request signed, every answer verified and bounded."""

import ipaddress
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils.translation import gettext_noop as _

from network.federation import keys, signing, strict_json

ANSWER_BYTES_MAX = 16 * 1024 * 1024
IDENTITY_BYTES_MAX = 16 * 1024
CONNECT_TIMEOUT_S = 10.0
JSON = "application/json"


class BadAddress(ValueError):
    """This isn't an address that a hub can have. The text is a sentence."""


class Unreachable(Exception):
    """The hub didn't answer. The text is a sentence."""


class HubRefused(Exception):
    """The hub answered, and said no. The text is its sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def origin_of(address: str) -> str:
    """ "https://hub.example.org:8443" without anything after it. Raises BadAddress.

    HTTPS is required, since what nodes tell each other is nobody else's business; signatures alone don't hide
    it. Plain HTTP is for this same computer: a demo, a test.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadAddress("This isn't an address, such as https://hub.example.org.") from error
    if not host or not host.isascii() or not all(letter.isalnum() or letter in ".-:" for letter in host):
        raise BadAddress("This isn't an address, such as https://hub.example.org.")
    if parts.username is not None or parts.path not in ("", "/") or parts.query:
        raise BadAddress("An address of a hub is its host alone, such as https://hub.example.org.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise BadAddress(_("A hub is called over HTTPS: its address begins with https://."))
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class HubIdentity:
    """What a hub says of itself, before anybody trusts it."""

    name: str
    country: str
    public_key: str


class HubClient:
    """Calls one hub. Use it as an asynchronous context; several calls may be under way at once."""

    def __init__(self, address: str) -> None:
        self.origin = origin_of(address)
        host = urlsplit(self.origin).hostname or ""
        self._http = httpx.AsyncClient(
            base_url=self.origin,
            follow_redirects=False,
            trust_env=not is_loopback(host),  # HTTPS_PROXY counts, but never for this same computer
            headers={"accept": JSON, "accept-encoding": "identity", "user-agent": "Atlas node"},
        )

    async def __aenter__(self) -> "HubClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def identity(self) -> HubIdentity:
        """Raises Unreachable, HubRefused, strict_json.Malformed."""
        status, _headers, body = await self._exchange(
            self._http.build_request("GET", "/federation/identity"), 15.0, IDENTITY_BYTES_MAX
        )
        if status != 200:
            raise HubRefused(status, _sentence_in(body))
        said = strict_json.parse(body, depth_max=4)
        name, country, public_key = said.get("name"), said.get("country"), said.get("public_key")
        try:
            keys.public_key(str(public_key))
        except ValueError as error:
            raise strict_json.Malformed(_("The address answers, but not as a hub does.")) from error
        return HubIdentity(str(name)[:200], str(country)[:2], str(public_key))

    async def call(
        self,
        road: str,
        body: dict[str, Any],
        *,
        key: Ed25519PrivateKey,
        hub_key: str,
        new_key: Ed25519PrivateKey | None = None,
        timeout_s: float = 30.0,
    ) -> dict[str, Any]:
        """POST to /federation/<road>/ and return what the hub answered.

        new_key: also signs, where a node brings a new one.
        Raises Unreachable; HubRefused; signing.Untrusted where the answer isn't the hub's, or isn't to this
        request; strict_json.Malformed.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        signed = signing.Request("POST", f"{self.origin}/federation/{road}/", {"content-type": JSON})
        nonce = signing.sign_request(signed, content, key)
        if new_key is not None:
            signing.sign_with_new_key(signed, content, new_key)
        request = self._http.build_request("POST", signed.url, content=content, headers=signed.headers)
        status, headers, answer = await self._exchange(request, timeout_s, ANSWER_BYTES_MAX)
        if "signature" in headers or status == 200:
            signing.verify_answer(
                signing.Answer(status, headers, signed), answer, public_key=hub_key, nonce=nonce
            )
        if status != 200:
            raise HubRefused(status, _sentence_in(answer))
        return strict_json.parse(answer)

    async def _exchange(
        self, request: httpx.Request, timeout_s: float, bytes_max: int
    ) -> tuple[int, dict[str, str], bytes]:
        request.extensions["timeout"] = {
            "connect": CONNECT_TIMEOUT_S,
            "read": timeout_s,
            "write": timeout_s,
            "pool": timeout_s,
        }
        body = bytearray()
        try:
            response = await self._http.send(request, stream=True)
            try:
                async for piece in response.aiter_raw():  # as it came: nothing is unpacked for a stranger
                    body += piece
                    if len(body) > bytes_max:
                        raise Unreachable(f"The hub's answer is larger than {bytes_max} bytes.")
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise Unreachable(_why(error)) from error
        return response.status_code, {n.lower(): v for n, v in response.headers.items()}, bytes(body)


def _why(error: Exception) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return _("No connection to the hub in time. Does a firewall allow this node to call out?")
    if isinstance(error, httpx.TimeoutException):
        return _("The hub took too long to answer.")
    if isinstance(error, httpx.ConnectError):
        if "CERTIFICATE" in str(error):
            return _("The hub's TLS certificate isn't valid for its address.")
        return _("The hub can't be reached: the connection was refused, or its name isn't known.")
    return _("The connection to the hub broke.")


def _sentence_in(body: bytes) -> str:
    """The reason that an answer gives, printable and not too long."""
    try:
        reason = str(strict_json.parse(body, depth_max=4).get("reason") or "")
    except strict_json.Malformed:
        reason = ""
    reason = "".join(letter if letter.isprintable() else " " for letter in reason)[:400]
    return reason or "The hub gave no reason."
