"""Sign-in, sign-out, password reset: what opens, what doesn't, and how often one may try."""

import re

import pytest
from django.contrib.auth.management.commands import changepassword
from django.core import mail
from django.core.management import call_command
from django.test import Client

from accounts.models import AuditRecord, User
from accounts.services import tokens
from tests.cast import PASSWORD, signed_in


def try_to_sign_in(browser: Client, username: str = "nina", password: str = PASSWORD, **more):
    return browser.post("/sign-in/", {"username": username, "password": password, **more})


def test_signing_in_leads_home_and_is_recorded(owner):
    answer = try_to_sign_in(Client())
    assert answer.headers["Location"] == "/home/"
    assert AuditRecord.objects.filter(actor=owner, verb="account.signed_in").count() == 1


def test_signing_in_leads_to_the_page_that_was_asked_for_but_not_away_from_the_node(owner):
    assert try_to_sign_in(Client(), next="/account/").headers["Location"] == "/account/"
    assert try_to_sign_in(Client(), next="https://elsewhere.example/").headers["Location"] == "/home/"


def test_a_wrong_password_is_refused_and_recorded(owner):
    answer = try_to_sign_in(Client(), password="wrong")
    assert answer.status_code == 200
    assert "No account has this user name and password" in answer.content.decode()
    record = AuditRecord.objects.get(verb="account.refused")
    assert (record.actor, record.object_id) == (None, owner.pk)


def test_a_closed_account_stays_out(owner):
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert "No account has" in try_to_sign_in(Client()).content.decode()


def test_the_eleventh_try_in_a_minute_waits_even_with_the_right_password(owner, outsider):
    for _ in range(10):
        assert try_to_sign_in(Client(), password="wrong").status_code == 200
    answer = try_to_sign_in(Client())
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert "Too many tries" in answer.content.decode()
    # Another account from there, and this account from elsewhere, are free.
    assert try_to_sign_in(Client(), username="otto").status_code == 302
    assert try_to_sign_in(Client(REMOTE_ADDR="10.1.2.3")).status_code == 302


def test_signing_out_takes_a_post(owner):
    browser = signed_in(owner)
    assert browser.get("/sign-out/").status_code == 405
    assert browser.get("/account/").status_code == 200
    assert browser.post("/sign-out/").headers["Location"] == "/"
    assert browser.get("/account/").headers["Location"] == "/sign-in/?next=/account/"
    assert AuditRecord.objects.filter(actor=owner, verb="account.signed_out").count() == 1


@pytest.fixture
def reset_path(owner) -> str:
    answer = Client().post("/password-reset/", {"email": owner.email})
    assert answer.headers["Location"] == "/password-reset/sent/"
    return re.search(r"http://testserver(/password-reset/\S+)", mail.outbox[0].body)[1]


def test_a_password_is_reset_by_letter_once(owner, reset_path):
    browser = Client()
    page = browser.get(reset_path, follow=True)
    form_path = page.redirect_chain[-1][0]
    new = "an entirely new secret 0815"
    answer = browser.post(form_path, {"new_password1": new, "new_password2": new})
    assert answer.headers["Location"] == "/sign-in/"
    assert try_to_sign_in(Client(), password=new).status_code == 302
    assert try_to_sign_in(Client()).status_code == 200
    assert "used, or is too old" in Client().get(reset_path, follow=True).content.decode()
    assert AuditRecord.objects.filter(actor=owner, verb="password.changed").count() == 1


def open_with(secret: str) -> int:
    return Client().get("/api/v1/tokens/", headers={"authorization": f"Bearer {secret}"}).status_code


@pytest.fixture
def secret(owner) -> str:
    """Of a token that whoever knows the password may have made."""
    _, secret = tokens.make_token(by=owner, name="night run")
    assert open_with(secret) == 200
    return secret


@pytest.fixture
def elsewhere(owner) -> Client:
    """Another browser, signed in."""
    return signed_in(owner)


def test_a_new_password_by_letter_ends_sessions_and_tokens(owner, secret, elsewhere, reset_path):
    browser = Client()
    form_path = browser.get(reset_path, follow=True).redirect_chain[-1][0]
    new = "an entirely new secret 0815"
    page = browser.post(form_path, {"new_password1": new, "new_password2": new}, follow=True)
    assert "All your tokens have ended" in page.content.decode()
    assert open_with(secret) == 401
    assert elsewhere.get("/account/").headers["Location"].startswith("/sign-in/")
    assert AuditRecord.objects.filter(actor=owner, verb="token.revoked").count() == 1


def test_a_new_password_of_someone_without_tokens_speaks_of_none(owner, reset_path):
    browser = Client()
    form_path = browser.get(reset_path, follow=True).redirect_chain[-1][0]
    new = "an entirely new secret 0815"
    page = browser.post(form_path, {"new_password1": new, "new_password2": new}, follow=True)
    assert "Your new password is set." in page.content.decode()
    assert "All your tokens" not in page.content.decode()


def test_a_password_set_on_the_command_line_ends_them_too(owner, secret, monkeypatch, capsys):
    monkeypatch.setattr(changepassword.getpass, "getpass", lambda **how: "an entirely new secret 0815")
    call_command("changepassword", "nina")
    assert "Ended: 1 tokens" in capsys.readouterr().out
    assert open_with(secret) == 401
    assert try_to_sign_in(Client(), password="an entirely new secret 0815").status_code == 302


def test_who_changes_their_own_password_keeps_their_tokens_and_reads_so(owner, secret):
    browser = signed_in(owner)
    assert "Tokens for programs go on working" in browser.get("/account/password/").content.decode()
    new = "an entirely new secret 0815"
    words = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert browser.post("/account/password/", words).status_code == 302
    assert open_with(secret) == 200


def test_a_weak_new_password_is_refused(owner, reset_path):
    browser = Client()
    form_path = browser.get(reset_path, follow=True).redirect_chain[-1][0]
    answer = browser.post(form_path, {"new_password1": "password", "new_password2": "password"})
    assert "too common" in answer.content.decode()
    assert try_to_sign_in(Client()).status_code == 302


def test_an_unknown_address_gets_the_same_answer_and_no_letter(db):
    answer = Client().post("/password-reset/", {"email": "nobody@example.org"})
    assert answer.headers["Location"] == "/password-reset/sent/"
    assert mail.outbox == []


def test_a_changed_password_signs_other_browsers_out(owner):
    here, elsewhere = Client(), Client()
    try_to_sign_in(here)
    try_to_sign_in(elsewhere)
    new = "an entirely new secret 0815"
    here.post("/account/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
