"""A hub and a node in one process and one database: this node is a member of itself.

What the node asks its hub over HTTP goes to Django's test client instead, so that all but the wire is real.
"""

from dataclasses import dataclass, field
from io import BytesIO
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings
from django.test import Client
from urllib3 import HTTPResponse

from accounts import permissions
from accounts.models import Organisation, User
from annotations.reading import projects
from network.federation import keys, nodes
from network.models import Node
from network.views import signing_in
from tests.cast import person

HUB = settings.NODE_ADDRESS


@dataclass
class Wire:
    """What went from the node's server to the hub's; `is_cut` makes the hub unreachable."""

    asked: list[requests.PreparedRequest] = field(default_factory=list)
    is_cut: bool = False
    answers: dict[str, bytes] = field(default_factory=dict)
    """Paths whose answer somebody else gives."""

    def send(self, adapter, request: requests.PreparedRequest, **kwargs) -> requests.Response:
        if self.is_cut:
            raise requests.ConnectionError("nobody there")
        self.asked.append(request)
        parts = urlsplit(request.url)
        if parts.path in self.answers:
            return _answer(adapter, request, 200, self.answers[parts.path])
        headers = {name: value for name, value in request.headers.items() if name == "Authorization"}
        told = Client().generic(
            request.method,
            parts.path,
            request.body or b"",
            content_type=request.headers.get("Content-Type", ""),
            headers=headers,
        )
        return _answer(adapter, request, told.status_code, told.content)


def _answer(adapter, request, status: int, body: bytes) -> requests.Response:
    raw = HTTPResponse(
        BytesIO(body), {"Content-Type": "application/json"}, status=status, preload_content=False
    )
    return adapter.build_response(request, raw)


@pytest.fixture
def wire(monkeypatch) -> Wire:
    wire = Wire()
    monkeypatch.setattr(
        requests.adapters.HTTPAdapter, "send", lambda adapter, asked, **kw: wire.send(adapter, asked, **kw)
    )
    return wire


@pytest.fixture
def hub(db) -> Node:
    """As the node knows it."""
    keys.private_key()  # made before it knows anybody
    return Node.objects.create(
        part=Node.Part.HUB, slug="the-hub", name="The hub", address=HUB, public_key="ab" * 32
    )


@pytest.fixture
def member(hub) -> Node:
    """The node, as the hub knows it."""
    return Node.objects.create(
        part=Node.Part.MEMBER,
        slug="nordhain",
        name="Nordhain University Hospital",
        address=HUB,
        public_key=keys.public_hex(keys.private_key()),
    )


@pytest.fixture(autouse=True)
def her_address_is_the_hubs(monkeypatch) -> None:
    """One table holds both nodes' accounts: of Ingrid's own, at the hub, this node knows nothing."""
    known = signing_in._has_address
    monkeypatch.setattr(
        signing_in, "_has_address", lambda email: email != "ingrid@example.org" and known(email)
    )


@pytest.fixture
def ingrid(db) -> User:
    """Has an account at the hub."""
    return person("ingrid", "Ingrid", "Solberg")


@pytest.fixture
def client_id(member) -> str:
    return nodes.this_node().public_key


@pytest.fixture
def lead(member) -> User:
    organisation = Organisation.objects.create(name="Nordhain", slug="nordhain-h", country="DE")
    lead = person("noor", "Noor", "Aydin")
    permissions.grant(user=lead, role="project_creator", scope=organisation)
    projects.create_project(by=lead, organisation=organisation, name="Lungs", description="")
    return lead
