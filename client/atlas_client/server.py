"""Speaks to a node: tries again where that may help, and says in a sentence where it doesn't."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx

from atlas_client.errors import (
    AtlasError,
    AuthError,
    ClosedError,
    NetworkError,
    UsageError,
    WithdrawnError,
)

TRY_AGAIN = (429, 500, 502, 503, 504)
PATIENCE_S = 120.0  # that a node may stay away, from the last byte it sent
WAIT_MAX_S = 15.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Busy(AtlasError):
    """409: not in the state for this. The release says which it is in."""


class Passing(NetworkError):
    """Something that may pass by itself."""

    def __init__(self, message: str, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.after_s = after_s


class Patience:
    """How long to wait before the next try, and when to give up. `renew` after each step forward."""

    def __init__(self, patience_s: float = PATIENCE_S, sleep: Callable[[float], None] = time.sleep) -> None:
        self._patience_s, self._sleep = patience_s, sleep
        self.renew()

    def renew(self) -> None:
        self._waited_s, self._tries = 0.0, 0

    def wait(self, error: Passing) -> None:
        """Raises the error where there is no more patience."""
        if self._waited_s >= self._patience_s:
            raise NetworkError(f"{error} Tried for {self._patience_s:.0f} s.") from error
        wait_s = max(error.after_s, min(0.25 * 2**self._tries, WAIT_MAX_S) * random.uniform(0.7, 1.3))  # noqa: S311
        self._tries += 1
        self._waited_s += wait_s
        self._sleep(wait_s)


def node_url(url: str, *, plain_http: bool = False) -> str:
    """The address of a node, with its scheme. Raises UsageError where a token would go there in the clear."""
    if "://" not in url:
        host = urlsplit(f"//{url}").hostname or ""
        url = f"{'http' if host in LOOPBACK else 'https'}://{url}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise UsageError(f"{url!r} is no address of a node. Write it as https://atlas.hospital.example.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not plain_http:
        raise UsageError(
            f"{url} would carry your password and the images unprotected. Use https, or --plain-http where "
            "you trust every machine between."
        )
    return url.rstrip("/")


class Server:
    """A node and, where signed in, a token. One object serves many threads.

    The token goes to this node only: addresses are made here, and redirects are not followed.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        patience_s: float = PATIENCE_S,
        sleep: Callable[[float], None] = time.sleep,
        connections: int = 10,
    ) -> None:
        self.url = url.rstrip("/")
        self._patience_s, self._sleep = patience_s, sleep
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1/",
            headers={"Accept-Encoding": "identity", "User-Agent": "atlas-client", **headers},
            timeout=httpx.Timeout(60, connect=10),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            follow_redirects=False,
        )

    def close(self) -> None:
        self._http.close()

    def patience(self) -> Patience:
        return Patience(self._patience_s, self._sleep)

    def get(self, path: str, **params: Any) -> Any:
        """JSON. Raises AtlasError."""
        return self._json("GET", path, params={key: value for key, value in params.items() if value})

    def post(self, path: str, content: dict[str, Any]) -> Any:
        return self._json("POST", path, json=content)

    def put(self, path: str, content: bytes) -> Any:
        """Sends bytes as they are; JSON comes back."""
        return self._json("PUT", path, content=content)

    def delete(self, path: str) -> None:
        """Once, and as far as it goes: it only tidies up."""
        with suppress(AtlasError), self.stream("DELETE", path):
            pass

    def _json(self, method: str, path: str, **how: Any) -> Any:
        patience = self.patience()
        while True:
            try:
                with self.stream(method, path, **how) as response:
                    response.read()
                    return response.json()
            except Passing as error:
                patience.wait(error)
            except ValueError as error:
                raise NetworkError(f"{self.url} doesn't answer as an Atlas node does.") from error

    @contextmanager
    def stream(self, method: str, path: str, **how: Any) -> Iterator[httpx.Response]:
        """One try. Raises Passing for what may pass, Busy, and other AtlasErrors for what won't."""
        try:
            with self._http.stream(method, path, **how) as response:
                if not response.is_success and response.status_code != 416:
                    response.read()
                    raise _problem(self.url, response)
                yield response
        except httpx.TransportError as error:
            name = type(error).__name__
            raise Passing(f"The connection to {self.url} broke ({name}: {error}).") from error
        except httpx.HTTPError as error:
            raise NetworkError(f"{self.url}: {error}") from error


def _problem(url: str, response: httpx.Response) -> AtlasError:
    reason = _reason(response)
    status = response.status_code
    if status in TRY_AGAIN:
        return Passing(f"{url} answers {status}. {reason}".strip(), _retry_after_s(response))
    if status == 401:
        return AuthError(f"{reason or 'Nobody is signed in.'} Run `atlas-client login {url}`.")
    if status == 409:
        return Busy(reason)
    if status == 410:
        return WithdrawnError(reason or "It was withdrawn.")
    if status in (403, 404):
        return ClosedError(reason or f"There is nothing at this address of {url}, or it is not for you.")
    if status == 400:
        return UsageError(reason or "The node didn't understand what was asked.")
    if response.is_redirect:
        return NetworkError(
            f"{url} sends elsewhere, and your token stays here. Log in at the address it names."
        )
    return NetworkError(f"{url} answers {status}. {reason}".strip())


def _reason(response: httpx.Response) -> str:
    try:
        content = response.json()
        fields = content.get("fields", {})
        told = [f"{name}: {' '.join(map(str, sentences))}" for name, sentences in fields.items()]
        return " ".join([str(content.get("reason", "")), *told]).strip()
    except (ValueError, AttributeError, TypeError):
        return ""


def _retry_after_s(response: httpx.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return min(float(value), 60.0) if value.isascii() and value.isdecimal() else 0.0
