"""Tokens: made, listed, used, ended. What is stored opens nothing."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, AuditRecord, User
from tests.cast import PASSWORD, signed_in

TOKENS = "/api/v1/tokens/"


def ask_for_token(client: Client | None = None, **facts):
    body = {"username": "nina", "password": PASSWORD, **facts}
    return (client or Client()).post(TOKENS, json.dumps(body), content_type="application/json")


def with_token(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def secret(owner) -> str:
    return ask_for_token().json()["token"]


def test_name_and_password_make_a_token_that_works(owner):
    answer = ask_for_token(name="training machine")
    assert answer.status_code == 201
    facts = answer.json()
    assert set(facts) == {"token", "id", "scope", "project", "expires_at"}
    assert (facts["scope"], facts["project"]) == ("all", "")
    listed = Client().get(TOKENS, headers=with_token(facts["token"])).json()
    assert [(line["id"], line["name"]) for line in listed] == [(facts["id"], "training machine")]
    assert "token" not in listed[0]
    assert AuditRecord.objects.filter(actor=owner, verb="token.made").count() == 1


def test_only_a_digest_is_kept(secret):
    assert secret not in json.dumps(list(ApiToken.objects.values()), default=str)


def test_a_wrong_password_makes_no_token(owner):
    answer = ask_for_token(password="wrong")
    assert answer.status_code == 403
    assert "No account has" in answer.json()["reason"]
    assert not ApiToken.objects.exists()


def test_missing_fields_are_named(owner):
    answer = Client().post(TOKENS, "{}", content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()["fields"]) == {"username", "password"}


def test_without_or_with_an_unknown_token_the_api_answers_401(owner):
    for headers in ({}, with_token("atlas_unknown"), with_token("")):
        answer = Client().get(TOKENS, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_ends_by_itself(secret):
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(TOKENS, headers=with_token(secret)).status_code == 401


def test_a_token_lives_as_long_as_was_asked_at_most_a_year(owner):
    ask_for_token(days=365)
    left = ApiToken.objects.get().expires_at - timezone.now()
    assert timedelta(days=364) < left <= timedelta(days=365)
    assert ask_for_token(days=366).status_code == 400
    assert ask_for_token(days=0).status_code == 400


def test_a_revoked_token_opens_nothing_at_once(secret, owner):
    public_id = ApiToken.objects.get().public_id
    assert Client().delete(f"{TOKENS}{public_id}/", headers=with_token(secret)).status_code == 204
    assert Client().get(TOKENS, headers=with_token(secret)).status_code == 401
    assert AuditRecord.objects.filter(actor=owner, verb="token.revoked").count() == 1


def test_nobody_revokes_the_token_of_another(secret, outsider):
    public_id = ApiToken.objects.get().public_id
    answer = signed_in(outsider).delete(f"{TOKENS}{public_id}/")
    assert answer.status_code == 404
    assert signed_in(outsider).post(f"/account/tokens/{public_id}/revoke/").status_code == 404
    assert Client().get(TOKENS, headers=with_token(secret)).status_code == 200


def test_a_closed_account_closes_its_tokens(secret, owner):
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert Client().get(TOKENS, headers=with_token(secret)).status_code == 401


def test_use_is_noted_at_most_once_a_minute(secret):
    client = Client()
    client.get(TOKENS, headers=with_token(secret))
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    client.get(TOKENS, headers=with_token(secret))
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    client.get(TOKENS, headers=with_token(secret))
    assert ApiToken.objects.get().last_used_at >= first


def test_tries_are_counted_together_with_the_page(owner):
    for _ in range(5):
        assert ask_for_token(password="wrong").status_code == 403
        assert Client().post("/sign-in/", {"username": "nina", "password": "wrong"}).status_code == 200
    answer = ask_for_token()
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert ask_for_token(Client(REMOTE_ADDR="10.1.2.3")).status_code == 201


def test_a_stale_session_does_not_stand_in_the_way(owner):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert ask_for_token(strict).status_code == 201


def test_the_account_page_shows_a_new_token_once(owner):
    browser = signed_in(owner)
    page = browser.post("/account/tokens/", {"name": "script", "days": 30, "scope": "read"}).content.decode()
    secret = page.split('<code class="secret">')[1].split("<")[0]
    assert Client().get(TOKENS, headers=with_token(secret)).status_code == 200
    again = browser.get("/account/").content.decode()
    assert "script" in again
    assert secret not in again


def test_the_account_page_revokes(owner, secret):
    signed_in(owner).post(f"/account/tokens/{ApiToken.objects.get().public_id}/revoke/")
    assert Client().get(TOKENS, headers=with_token(secret)).status_code == 401


def test_a_token_is_for_what_was_asked(owner):
    facts = ask_for_token(scope="releases", project="respond", days=3).json()
    assert (facts["scope"], facts["project"]) == ("releases", "respond")
    token = ApiToken.objects.get()
    assert (token.scope, token.project) == ("releases", "respond")
    assert AuditRecord.objects.get(verb="token.made").facts == {"days": 3, "scope": "releases"}


@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ({"scope": "admin"}, "scope", "not a valid choice"),
        ({"scope": "read", "project": "respond"}, "project", "Only a token for releases"),
        ({"project": "respond"}, "project", "Only a token for releases"),
        ({"scope": "releases", "project": "../respond"}, "project", "valid"),
    ],
)
def test_a_token_for_what_there_is_not_is_refused(owner, asked, field, sentence):
    answer = ask_for_token(**asked)
    assert answer.status_code == 400
    assert sentence in " ".join(answer.json()["fields"][field])
    assert not ApiToken.objects.exists()


def test_the_account_page_makes_a_token_for_the_releases_of_one_project(owner):
    asked = {"name": "script", "days": 7, "scope": "releases", "project": "respond"}
    page = signed_in(owner).post("/account/tokens/", asked).content.decode()
    assert "Releases of respond" in page
    token = ApiToken.objects.get()
    assert (token.scope, token.project) == ("releases", "respond")
    assert timedelta(days=6) < token.expires_at - timezone.now() <= timedelta(days=7)


def test_the_command_line_makes_a_token_that_works(owner):
    out = StringIO()
    call_command("make_token", "nina", scope="read", days=2, stdout=out, stderr=StringIO())
    token = ApiToken.objects.get()
    assert (token.scope, token.user) == ("read", owner)
    assert Client().get(TOKENS, headers=with_token(out.getvalue().strip())).status_code == 200


@pytest.mark.parametrize("asked", [{"days": 366}, {"project": "a b"}])
def test_the_command_line_says_what_it_does_not_make(owner, asked):
    with pytest.raises(CommandError, match=r"365 days|last part of its address"):
        call_command("make_token", "nina", **asked)
    with pytest.raises(CommandError, match="No open account"):
        call_command("make_token", "nobody")
    assert not ApiToken.objects.exists()


@pytest.mark.django_db
def test_json_that_is_nested_without_an_end_is_refused(client) -> None:
    answer = client.post("/api/v1/tokens/", "[" * 100_000, content_type="application/json")
    assert answer.status_code == 400
    assert "nested" in answer.json()["reason"]
