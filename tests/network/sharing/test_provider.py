"""What the hub refuses: clients that aren't members, borrowed and forged proofs, codes used wrongly."""

import base64
import json
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey
from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken

from accounts.models import User
from accounts.services import identities
from accounts.services.identities import NotVouchedFor, Vouched
from network.models import Node
from network.sharing import clients
from network.sharing import hub as hubs
from tests.network.sharing.browser import Browser, onward
from tests.network.sharing.conftest import HUB

TOKEN = f"{HUB}/oidc/token/"
ID_TOKEN_KEYS = "/oidc/keys.json"


def assertion(client_id: str, *, key=None, header=None, **changes) -> str:
    now = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": TOKEN,
        "iat": now,
        "exp": now + 60,
        "jti": f"{time.time_ns()}",
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    with_key = key or hubs._signing_key()
    return jwt.encode(header or {"alg": "Ed25519"}, claims, with_key, algorithms=["Ed25519", "HS256"])


def test_a_member_proves_itself_once_with_each_assertion(member, client_id):
    good = assertion(client_id)
    assert clients.node_that_signed(good) == member
    assert clients.node_that_signed(good) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example/oidc/token/"},
        {"sub": "ab" * 32},
        {"exp": 1},
        {"exp": int(time.time()) + 86_400},
        {"exp": None},
        {"jti": None},
        {"iss": "ab" * 32},  # the hub's own key: no member
        {"iss": ["x"]},
    ],
    ids=["audience", "subject", "ended", "tomorrow", "endless", "no id", "issuer", "no text"],
)
def test_an_assertion_for_something_else_proves_nothing(member, client_id, changes):
    assert clients.node_that_signed(assertion(client_id, **changes)) is None


def test_a_foreign_key_proves_nothing(member, client_id):
    foreign = OKPKey.generate_key("Ed25519")
    assert clients.node_that_signed(assertion(client_id, key=foreign)) is None
    secret = OctKey.import_key(bytes.fromhex(client_id))  # the public key taken for a shared secret
    assert clients.node_that_signed(assertion(client_id, key=secret, header={"alg": "HS256"})) is None


@pytest.mark.parametrize("text", ["", "a.b.c", "." * 3000, "e30.e30.", "x" * 5000, None, 7])
def test_what_is_no_assertion_proves_nothing(member, text):
    assert clients.node_that_signed(text) is None


@pytest.mark.parametrize("state", [Node.State.SUSPENDED, Node.State.LEFT])
def test_a_node_that_is_out_is_no_client(member, client_id, state):
    good = assertion(client_id)
    Node.objects.filter(pk=member.pk).update(state=state)
    assert clients.application_of(client_id) is None
    assert clients.node_that_signed(good) is None


def test_a_hub_reached_by_https_sends_nobody_anywhere_else(member, client_id, settings):
    settings.NODE_ADDRESS = "https://hub.example"
    assert clients.node_of(client_id) is None
    Node.objects.filter(pk=member.pk).update(address="https://node.example")
    assert clients.application_of(client_id).redirect_uris == "https://node.example/sign-in/network/back/"


# The road of a browser ----------------------------------------------------------------------------


def changed(url: str, **values) -> str:
    parts = urlsplit(url)
    query = {name: found[0] for name, found in parse_qs(parts.query).items()} | values
    query = {name: value for name, value in query.items() if value is not None}
    return f"{parts.path}?{urlencode(query)}"


@pytest.fixture
def browser(member, wire, ingrid) -> Browser:
    identities.expect(Vouched(HUB, ingrid.public_id))
    browser = Browser()
    browser.hub.force_login(ingrid)
    session = browser.hub.session
    session["asked_by"] = [clients.nodes.this_node().public_key]
    session.save()
    return browser


@pytest.mark.parametrize(
    "values",
    [
        {"client_id": "cd" * 32},
        {"client_id": "ab" * 32},
        {"client_id": "x"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": f"{HUB}/sign-in/network/back/../../evil"},
    ],
    ids=str,
)
def test_nobody_is_sent_to_another_address(browser, values):
    answer = browser.hub.get(changed(browser.begin(), **values))
    assert answer.status_code == 400
    assert "Refresh" not in answer
    assert "evil" not in answer.content.decode()


@pytest.mark.parametrize(
    "values",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"response_type": "token"},
        {"response_type": "id_token token"},
        {"scope": "openid everything"},
    ],
    ids=str,
)
def test_weaker_questions_get_no_code(browser, values):
    answer = browser.hub.get(changed(browser.begin(), **values))
    assert answer.status_code == 400 or "code=" not in answer["Refresh"]
    assert not Grant.objects.exists()


def code_of(browser: Browser) -> tuple[str, str]:
    """A code, and the verifier that goes with it."""
    url = onward(browser.hub.get(browser.begin()))
    query = parse_qs(urlsplit(url).query)
    kept = browser.node.session[f"_state_hub_{query['state'][0]}"]["data"]
    return query["code"][0], kept["code_verifier"]


def exchange(code: str, verifier: str, signed: str, **more) -> tuple[int, dict]:
    said = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": clients.return_address(HUB),
        "client_assertion_type": clients.ASSERTION_TYPE,
        "client_assertion": signed,
    } | more
    answer = Client().post("/oidc/token/", said)
    return answer.status_code, answer.json()


def test_a_code_is_worth_one_exchange_and_no_refresh(browser, client_id):
    code, verifier = code_of(browser)
    status, told = exchange(code, verifier, assertion(client_id))
    assert status == 200
    assert "refresh_token" not in told
    assert not RefreshToken.objects.exists()
    assert told["access_token"] != AccessToken.objects.get().token  # kept as a digest
    assert exchange(code, verifier, assertion(client_id))[0] == 400


@pytest.mark.parametrize("wrong", ["verifier", "assertion", "no assertion", "address", "another's"])
def test_a_stolen_code_is_worth_nothing(browser, client_id, member, wrong):
    code, verifier = code_of(browser)
    signed, more = assertion(client_id), {}
    if wrong == "verifier":
        verifier = "b" * 64
    elif wrong == "assertion":
        signed = assertion(client_id, key=OKPKey.generate_key("Ed25519"))
    elif wrong == "no assertion":
        signed, more = "", {"client_assertion_type": "", "client_id": client_id, "client_secret": ""}
    elif wrong == "address":
        more = {"redirect_uri": "https://evil.example/"}
    else:  # another member, with its own good signature
        key = OKPKey.generate_key("Ed25519")
        x = key.as_dict(private=False)["x"]
        public = base64.urlsafe_b64decode(x + "==").hex()
        Node.objects.create(part=Node.Part.MEMBER, slug="other", name="Other", address=HUB, public_key=public)
        signed = assertion(public, key=key)
    status, told = exchange(code, verifier, signed, **more)
    assert status in {400, 401}
    assert "access_token" not in told


def test_a_code_is_worth_nothing_once_the_account_is_closed(browser, client_id, ingrid):
    code, verifier = code_of(browser)
    User.objects.filter(pk=ingrid.pk).update(is_active=False)
    assert exchange(code, verifier, assertion(client_id))[0] == 400


def test_the_claims_are_a_public_id_a_name_and_an_address(browser, client_id, ingrid):
    code, verifier = code_of(browser)
    _, told = exchange(code, verifier, assertion(client_id))
    keys = Client().get(ID_TOKEN_KEYS).json()["keys"]
    claims = jwt.decode(told["id_token"], RSAKey.import_key(keys[0]), algorithms=["RS256"]).claims
    assert claims["iss"] == HUB
    assert claims["sub"] == ingrid.public_id
    assert (claims["name"], claims["email"]) == ("Ingrid Solberg", "ingrid@example.org")
    personal = set(claims) - {"iss", "aud", "sub", "exp", "iat", "nonce", "at_hash", "auth_time", "jti"}
    assert personal == {"name", "given_name", "family_name", "email", "node"}
    answer = Client().get("/oidc/userinfo/", headers={"Authorization": f"Bearer {told['access_token']}"})
    assert answer.json()["sub"] == ingrid.public_id


def test_a_token_for_a_sign_in_opens_nothing_else(browser, client_id):
    code, verifier = code_of(browser)
    _, told = exchange(code, verifier, assertion(client_id))
    for token in (told["access_token"], told["id_token"]):
        headers = {"Authorization": f"Bearer {token}"}
        assert Client().get("/api/v1/datasets/", headers=headers).status_code == 401


# What the node refuses ----------------------------------------------------------------------------


def test_an_answer_to_another_browser_signs_nobody_in(browser):
    page = browser.hub.get(browser.begin())
    victim = Client()
    answer = victim.get(onward(page))
    assert answer.status_code == 400
    assert "_auth_user_id" not in victim.session


def test_an_answer_is_good_once(browser):
    page = browser.hub.get(browser.begin())
    assert browser.go_on(page).status_code == 302
    browser.node.post("/sign-out/")
    assert browser.go_on(page).status_code == 400


def test_an_answer_in_another_issuers_name_is_refused(browser):
    url = changed(onward(browser.hub.get(browser.begin())), iss="https://evil.example")
    assert browser.node.get(url).status_code == 400


def forged(browser: Browser, wire, ingrid, client_id, key: RSAKey, header=None, **changes):
    """The hub's answer with an ID token of somebody else's making."""
    page = browser.hub.get(browser.begin())
    state = parse_qs(urlsplit(onward(page)).query)["state"][0]
    now = int(time.time())
    claims = {
        "iss": HUB,
        "aud": client_id,
        "sub": ingrid.public_id,
        "iat": now,
        "exp": now + 60,
        "nonce": browser.node.session[f"_state_hub_{state}"]["data"]["nonce"],
    } | changes
    token = jwt.encode(header or {"alg": "RS256"}, claims, key, algorithms=["RS256", "HS256"])
    told = {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": token}
    wire.answers["/oidc/token/"] = json.dumps(told).encode()
    return browser.go_on(page)


def hub_key() -> RSAKey:
    return RSAKey.import_key(str(settings.OAUTH2_PROVIDER["OIDC_RSA_PRIVATE_KEY"]))


def test_the_same_forgery_with_the_hubs_key_would_sign_in(browser, wire, ingrid, client_id):
    """So the refusals below are for what they name."""
    assert forged(browser, wire, ingrid, client_id, hub_key()).status_code == 302


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "ab" * 32},
        {"nonce": "another"},
        {"exp": 1},
        {"sub": ""},
        {"sub": ["x"]},
    ],
    ids=str,
)
def test_a_token_for_something_else_signs_nobody_in(browser, wire, ingrid, client_id, changes):
    answer = forged(browser, wire, ingrid, client_id, hub_key(), **changes)
    assert answer.status_code == 400
    assert "_auth_user_id" not in browser.node.session


def test_a_token_of_another_key_signs_nobody_in(browser, wire, ingrid, client_id):
    assert forged(browser, wire, ingrid, client_id, RSAKey.generate_key(2048)).status_code == 400
    secret = OctKey.import_key(client_id)
    answer = forged(browser, wire, ingrid, client_id, secret, {"alg": "HS256"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "https://evil.example/token"},
        {"authorization_endpoint": "https://evil.example/"},
        {"jwks_uri": 7},
    ],
    ids=str,
)
def test_metadata_that_leads_elsewhere_is_not_the_hubs(browser, wire, metadata):
    good = Client().get("/.well-known/openid-configuration").json()
    wire.answers["/.well-known/openid-configuration"] = json.dumps(good | metadata).encode()
    assert browser.node.get("/sign-in/network/").status_code == 503


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"7", b'{"issuer": {}}'])
def test_what_is_no_metadata_is_a_hub_that_is_away(browser, wire, body):
    wire.answers["/.well-known/openid-configuration"] = body
    assert browser.node.get("/sign-in/network/").status_code == 503


def test_names_from_elsewhere_become_one_line_of_text():
    vouched = Vouched.of_claims(HUB, {"sub": "a", "name": "Eve\u202e\n<b>\x00 Adams", "email": "not one"})
    assert (vouched.given_name, vouched.family_name, vouched.email) == ("Eve", "<b> Adams", "")
    for sub in (None, 7, "", "x" * 256, "é"):
        with pytest.raises(NotVouchedFor):
            Vouched.of_claims(HUB, {"sub": sub})


def test_a_client_follows_its_node(member, client_id):
    first = clients.application_of(client_id)
    Node.objects.filter(pk=member.pk).update(address="http://moved.example", name="Moved")
    second = clients.application_of(client_id)
    assert second.pk == first.pk
    assert second.redirect_uris == "http://moved.example/sign-in/network/back/"
    assert Application.objects.count() == 1
