"""What each kind of token opens, at every address of the node: the API, the roads beside it, websockets.

The tokens are the lead's, who may do most, so that what is refused is refused for the token's sake.
"""

from datetime import timedelta

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken
from accounts.services.tokens import make_token, revoke_token
from atlas.asgi import application
from tests.test_every_url import DICOMWEB, PIXELS, TABLE, WEBSOCKETS, rows
from tests.walking import BODIES, Walk, build

SAFE = ("GET", "HEAD", "OPTIONS")
API = [(method, path, expected["lead"]) for method, path, expected in rows(TABLE, 2) if "/api/v1/" in path]
ROADS = [(path, expected["lead"]) for path, expected in [*rows(PIXELS, 1), *rows(DICOMWEB, 1)]]
OPEN_TO_ALL = {("POST", "/api/v1/tokens/")}  # asks for name and password, whatever token comes along
RELEASES = "/api/v1/projects/respond/releases/"


def is_for_releases(method: str, path: str) -> bool:
    if path == "/api/v1/releases/" or path.startswith(RELEASES):
        is_own = path.endswith("/use/") or "/predictions/" in path
        return method in SAFE or (is_own and not path.endswith("/propose/"))
    return False


@pytest.fixture(scope="module")
def walk(django_db_setup, django_db_blocker):
    """Committed: the roads ask from threads of their own."""
    with django_db_blocker.unblock():
        walk = build()
        yield walk
        walk.close()
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(scope="module")
def secrets(walk: Walk) -> dict[str, str]:
    lead = walk.scene.people["lead"]
    made = {scope: make_token(by=lead, scope=scope)[1] for scope in ApiToken.Scope.values}
    made["elsewhere"] = make_token(by=lead, scope="releases", project="another")[1]
    made["here"] = make_token(by=lead, scope="releases", project="respond")[1]
    return made


def answer(walk: Walk, secret: str, method: str, path: str):
    """The status and the reason of a request with a token; what it changed is undone."""
    body = BODIES.get(path.rsplit("/", 2)[-2], b"{}")
    headers = {"Authorization": f"Bearer {secret}"}
    with transaction.atomic():
        told = Client().generic(
            method, path.format(**walk.names), body, content_type="application/json", headers=headers
        )
        transaction.set_rollback(True)
    reason = told.json()["reason"] if told.status_code == 403 else ""
    told.close()
    return told.status_code, reason


@pytest.mark.parametrize(("method", "path", "status"), API)
def test_a_token_for_everything_is_as_its_owner(walk, secrets, method: str, path: str, status: str) -> None:
    assert str(answer(walk, secrets["all"], method, path)[0]) == status


@pytest.mark.parametrize(("method", "path", "status"), API)
def test_a_token_that_reads_uses_safe_methods_only(walk, secrets, method, path, status: str) -> None:
    got, reason = answer(walk, secrets["read"], method, path)
    if method in SAFE or (method, path) in OPEN_TO_ALL:
        assert str(got) == status
    else:
        assert got == 403
        assert reason.startswith("This token only reads.")


@pytest.mark.parametrize(("method", "path", "status"), API)
def test_a_token_for_releases_opens_releases_only(walk, secrets, method, path, status: str) -> None:
    got, reason = answer(walk, secrets["releases"], method, path)
    if is_for_releases(method, path) or (method, path) in OPEN_TO_ALL:
        assert str(got) == status
    else:
        assert got == 403
        assert reason.startswith("This token is for releases only.")


@pytest.mark.parametrize(("method", "path"), [row[:2] for row in API if is_for_releases(*row[:2])])
def test_a_token_for_one_project_opens_no_other(walk, secrets, method: str, path: str) -> None:
    here, _ = answer(walk, secrets["here"], method, path)
    assert here == answer(walk, secrets["releases"], method, path)[0]
    got, reason = answer(walk, secrets["elsewhere"], method, path)
    if path == "/api/v1/releases/":
        assert got == 200  # an empty list: see the tests of the list
    else:
        assert got == 403
        assert reason.startswith("This token only opens the releases of another.")


async def _road(path: str, secret: str, method: str = "GET") -> int:
    statuses: list[int] = []

    async def send(message: dict) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {secret}".encode())]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}
    await application(scope, receive, send)
    return statuses[0]


@pytest.mark.parametrize(("path", "status"), ROADS)
def test_images_open_to_tokens_that_read_and_not_to_those_for_releases(
    walk: Walk, secrets, path: str, status: str
) -> None:
    for scope, expected in (("all", status), ("read", status), ("releases", "403")):
        got = walk.loop.run_until_complete(_road(path.format(**walk.names), secrets[scope]))
        assert str(got) == expected, scope


@pytest.mark.parametrize("scope", ["read", "releases"])
def test_only_a_token_for_everything_stores_images(walk: Walk, secrets, scope: str) -> None:
    path = "/dicomweb/datasets/chest-ct/studies"
    assert walk.loop.run_until_complete(_road(path, secrets[scope], "POST")) == 403


@pytest.mark.parametrize("scope", ApiToken.Scope.values)
@pytest.mark.parametrize("path", [row[0] for row in rows(WEBSOCKETS, 1)])
def test_no_token_opens_a_websocket(walk: Walk, secrets, path: str, scope: str) -> None:
    async def closed() -> int:
        headers = [
            (b"host", b"localhost"),
            (b"origin", b"http://localhost"),
            (b"authorization", f"Bearer {secrets[scope]}".encode()),
        ]
        place = {"type": "websocket", "path": path.format(**walk.names), "query_string": b""}
        connection = ApplicationCommunicator(application, {**place, "headers": headers, "subprotocols": []})
        await connection.send_input({"type": "websocket.connect"})
        told = await connection.receive_output(timeout=20)
        await connection.send_input({"type": "websocket.disconnect", "code": 1000})
        await connection.wait(timeout=20)
        return told.get("code", 0)

    assert walk.loop.run_until_complete(closed()) == 4404


@pytest.mark.parametrize("path", ["/home/", "/account/", "/projects/respond/releases/"])
def test_pages_take_no_token(walk: Walk, secrets, path: str) -> None:
    told = Client().get(path, headers={"Authorization": f"Bearer {secrets['all']}"})
    assert told.status_code == 302


@pytest.mark.parametrize("scope", ApiToken.Scope.values)
@pytest.mark.parametrize("end", ["revoked", "ended", "closed account"])
def test_a_token_that_ended_opens_nothing(walk: Walk, scope: str, end: str) -> None:
    lead = walk.scene.people["lead"]
    with transaction.atomic():
        token, secret = make_token(by=lead, scope=scope)
        if end == "revoked":
            revoke_token(by=lead, token=token)
        elif end == "ended":
            ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        else:
            type(lead).objects.filter(pk=lead.pk).update(is_active=False)
        told = Client().get(RELEASES, headers={"Authorization": f"Bearer {secret}"})
        transaction.set_rollback(True)
    assert told.status_code == 401
    assert told.json() == {"reason": "This token is unknown, ended or revoked. Make a new one."}
