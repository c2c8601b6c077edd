"""What a DICOMweb request asks for: its root, its parameters, what it accepts, who sends it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from atlas.dicomweb.answers import Problem
from atlas.dicomweb.decisions import Credentials

PARAMETERS_MAX = 200
LOCAL_HOSTS = [".localhost", "127.0.0.1", "[::1]"]


@dataclass(frozen=True, slots=True)
class Root:
    """What a DICOMweb address counts from: `kind` "" (all that the caller may see), "projects" or
    "datasets"."""

    kind: str
    slug: str

    @property
    def path(self) -> str:
        return f"/dicomweb/{self.kind}/{self.slug}" if self.kind else "/dicomweb"


class Request:
    """A request, taken apart as far as it is needed: a frame's never looks at its parameters."""

    def __init__(self, scope: dict[str, Any], root: Root) -> None:
        self.scope, self.root = scope, root
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.is_head = scope["method"] == "HEAD"

    @cached_property
    def credentials(self) -> Credentials:
        return Credentials.of(self.headers)

    @cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """In the order they were sent. Raises Problem where there are too many, or they aren't UTF-8."""
        query = self.scope.get("query_string", b"").decode("latin-1")
        try:
            return parse_qsl(
                query,
                keep_blank_values=True,
                max_num_fields=PARAMETERS_MAX,
                errors="strict",
                strict_parsing=False,
            )
        except ValueError as error:
            raise Problem(400, "The parameters can't be read: too many, or not UTF-8.") from error

    @cached_property
    def accept(self) -> str:
        """The Accept header, or the parameter that stands for it (PS3.18 8.3.3.1)."""
        for name, value in self.parameters:
            if name == "accept":
                return value
        return self.headers.get(b"accept", b"").decode("latin-1")

    @cached_property
    def base_url(self) -> str:
        """Where this root is, as the caller wrote it: "https://node.example/dicomweb". Raises Problem."""
        return self.origin + self.root.path

    @property
    def origin(self) -> str:
        host = self.headers.get(b"host", b"").decode("latin-1")
        allowed = settings.ALLOWED_HOSTS or (LOCAL_HOSTS if settings.DEBUG else [])
        domain, _ = split_domain_port(host)
        if not domain or not validate_host(domain, allowed):
            raise Problem(400, "This node doesn't answer to that host name (ATLAS_HOSTS lists its names).")
        is_safe = self.scope.get("scheme") == "https"
        if settings.BEHIND_TLS and self.headers.get(b"x-forwarded-proto") == b"https":
            is_safe = True
        return f"{'https' if is_safe else 'http'}://{host}"

    @property
    def takes_gzip(self) -> bool:
        return b"gzip" in self.headers.get(b"accept-encoding", b"")
