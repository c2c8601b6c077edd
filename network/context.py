"""What every page knows of the node, and the places that its reader can go to."""

from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from accounts import permissions
from accounts.models import User
from annotations.reading import incidental
from network.access import policies as access
from network.federation import nodes
from network.models import Node
from network.questions import policies as questions
from network.sharing import clients


@dataclass(frozen=True)
class Place:
    """An entry of the top bar."""

    title: str
    url: str
    is_here: bool
    waiting: int = 0
    """How much in it waits for this person."""
    live: str = ""
    """The websocket that tells of news in it."""


def node(request: HttpRequest) -> dict[str, object]:
    return {
        "node_name": settings.NODE_NAME,
        "demo": settings.DEMO,
        "hub_door": nodes.hub,  # asked only by pages that let people in
        "who_asks": lambda: who_asks(request),
        "places": lambda: places(request),  # a callable: asked only by pages that have a top bar
    }


def who_asks(request: HttpRequest) -> Node | None:
    """The node on whose behalf someone is asked to sign in here."""
    wanted = urlsplit(request.GET.get("next", ""))
    if wanted.path != reverse("oauth2_provider:authorize"):
        return None
    return clients.node_of(parse_qs(wanted.query).get("client_id", [""])[0])


def places(request: HttpRequest) -> list[Place]:
    """The top bar of this person: a place stands there only if something in it is theirs. One query, and one
    more each for those who look after images and for those who decide what is answered."""
    user = getattr(request, "user", None)
    held = permissions.held_anywhere(user) if user is not None else set()

    def may(scope: str, *wanted: str) -> bool:
        return any((scope, permission) in held for permission in wanted)

    looks_after_images = may("organisation", "import_images") or may("dataset", "import_images")
    in_an_organisation = any(scope == "organisation" for scope, _ in held)

    shown = [
        ("Catalogue", "front", True),
        ("Hospitals", "catalogue-hospitals", user is None or not user.is_authenticated),
        ("Worklist", "worklist", may("project", "read_cases", "review_cases")),
        ("Projects", "projects", may("project", "view_project") or may("organisation", "create_project")),
        ("Datasets", "datasets", may("organisation", "view_images") or may("dataset", "view_images")),
        ("Organisations", "organisations", may("node", "administer_node") or in_an_organisation),
        ("Network", "network", may("node", "administer_node")),
    ]
    found = [_place(request, title, reverse(name)) for title, name, is_shown in shown if is_shown]
    if user is not None and user.is_authenticated:
        decides = may("organisation", *questions.DECIDING)
        waiting = questions.waiting_count(user) if decides else 0
        live = "/ws/questions/held/" if decides else ""
        found.append(_place(request, "Questions", reverse("questions"), waiting, live))
        found.append(_access(request, user, decides=may("organisation", "approve_access")))
    if looks_after_images and user is not None:
        url = reverse("incidental")
        waiting = incidental.unanswered_count(user)
        found.append(_place(request, "Incidental findings", url, waiting, live="/ws/incidental/"))
    return found


def _access(request: HttpRequest, user: User, *, decides: bool) -> Place:
    """Who sits on a committee is led to what waits for it; everyone else to what they asked for."""
    if not decides:
        return _place(request, "Access", reverse("access"))
    waiting = access.waiting_for_committee(user)
    place = _place(request, "Access", reverse("access-committee"), waiting)
    return replace(place, is_here=request.path.startswith(reverse("access")))


def _place(request: HttpRequest, title: str, url: str, waiting: int = 0, live: str = "") -> Place:
    is_here = request.path.startswith(url)
    if url == "/":
        is_here = request.path == url or request.path.startswith(reverse("catalogue"))
    return Place(gettext(title), url, is_here, waiting, live)
