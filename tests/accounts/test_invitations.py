"""From the letter to the role: once, within 14 days, for a new account or one that exists."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import permissions
from accounts.models import AuditRecord, Invitation, User
from tests.cast import PASSWORD, signed_in

MEMBERS = "/organisations/karlsund/members/"
ADA = {
    "first_name": "Ada",
    "last_name": "Okafor",
    "username": "ada",
    "password": PASSWORD,
    "password_again": PASSWORD,
}


@pytest.fixture
def letter_sent(owner, django_capture_on_commit_callbacks):
    """The owner invites someone; returns the path that the letter links to."""

    def send(email: str = "ada@example.org", role: str = "manager") -> str:
        with django_capture_on_commit_callbacks(execute=True):
            answer = signed_in(owner).post(MEMBERS, {"deed": "invite", "email": email, "role": role})
        assert answer.status_code == 302, answer.content.decode()
        letter = mail.outbox[-1]
        assert letter.to == [email]
        return re.search(r"http://testserver(/invitations/\S+)", letter.body)[1]

    return send


def verbs() -> list[str]:
    return list(AuditRecord.objects.order_by("id").values_list("verb", flat=True))


def test_the_letter_names_inviter_place_and_role(letter_sent):
    letter_sent()
    letter = mail.outbox[0]
    assert "Nina Berg invites you to Karlsund University Hospital" in letter.body
    assert "Your role: Manager." in letter.body


def test_a_new_person_takes_the_role_and_is_signed_in(letter_sent, organisation):
    path = letter_sent()
    browser = Client()
    page = browser.get(path)
    assert page.status_code == 200
    assert "Manager of Karlsund University Hospital" in page.content.decode()
    assert browser.post(path, ADA).headers["Location"] == "/home/"
    ada = User.objects.get(username="ada")
    assert ada.email == "ada@example.org"
    assert permissions.allows(ada, "manage_organisation", organisation)
    assert browser.get("/account/").status_code == 200
    assert {"invitation.sent", "account.created", "invitation.accepted", "member.added"} <= set(verbs())


def test_the_secret_is_not_stored(letter_sent):
    secret = letter_sent().strip("/").split("/")[1]
    assert secret not in str(list(Invitation.objects.values()))


def test_a_letter_works_once(letter_sent):
    path = letter_sent()
    Client().post(path, ADA)
    again = Client().post(path, {**ADA, "username": "eve"})
    assert again.status_code == 404
    assert "accepted already" in again.content.decode()
    assert not User.objects.filter(username="eve").exists()


def test_a_letter_ends_after_14_days(letter_sent):
    path = letter_sent()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = Client().get(path)
    assert answer.status_code == 404
    assert "has ended" in answer.content.decode()
    assert Client().post(path, ADA).status_code == 404
    assert not User.objects.filter(username="ada").exists()


def test_a_letter_lives_14_days(letter_sent):
    letter_sent()
    life = Invitation.objects.get().expires_at - Invitation.objects.get().created_at
    assert timedelta(days=14) - timedelta(minutes=1) < life <= timedelta(days=14, minutes=1)


def test_a_withdrawn_letter_gives_nothing(letter_sent, owner):
    path = letter_sent()
    letter = Invitation.objects.get()
    signed_in(owner).post(MEMBERS, {"deed": "withdraw", "letter": letter.public_id})
    assert "taken back" in Client().post(path, ADA).content.decode()
    assert not User.objects.filter(username="ada").exists()
    assert "invitation.withdrawn" in verbs()


def test_an_account_that_exists_accepts_with_it(letter_sent, outsider, organisation):
    path = letter_sent(email=outsider.email)
    stranger = Client().get(path).content.decode()
    assert "You have an account" in stranger
    assert 'name="password"' not in stranger
    browser = signed_in(outsider)
    assert "You are signed in as" in browser.get(path).content.decode()
    browser.post(path)
    assert permissions.allows(outsider, "manage_organisation", organisation)
    assert Invitation.objects.get().accepted_by == outsider


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"password_again": "another one 4711"}, "The two passwords differ"),
        ({"password": "12345678", "password_again": "12345678"}, "entirely numeric"),
        ({"username": "nina"}, "already exists"),
        ({"username": "ada okafor"}, "valid username"),
        ({"last_name": ""}, "This field is required"),
    ],
)
def test_what_can_not_be_used_is_said_and_the_letter_stays_open(letter_sent, organisation, change, sentence):
    path = letter_sent()
    browser = Client()
    answer = browser.post(path, {**ADA, **change})
    assert sentence in answer.content.decode()
    assert not User.objects.filter(email="ada@example.org").exists()
    assert Invitation.objects.get().is_open
    assert browser.post(path, ADA).status_code == 302


def test_a_wrong_address_and_a_wrong_role_are_refused(owner):
    browser = signed_in(owner)
    assert (
        "valid email"
        in browser.post(MEMBERS, {"deed": "invite", "email": "x", "role": "manager"}).content.decode()
    )
    answer = browser.post(MEMBERS, {"deed": "invite", "email": "x@y.org", "role": "administrator"})
    assert "not one of the available choices" in answer.content.decode()
    assert not Invitation.objects.exists()


def test_nobody_invites_without_the_right(member, outsider, administrator, organisation):
    invite = {"deed": "invite", "email": "x@y.org", "role": "project_creator"}
    assert signed_in(outsider).post(MEMBERS, invite).status_code == 404
    assert signed_in(member).post(MEMBERS, invite).status_code == 403
    # The node's administrator invites managers, and only those.
    assert "not one of the available" in signed_in(administrator).post(MEMBERS, invite).content.decode()
    assert not Invitation.objects.exists()
    assert signed_in(administrator).post(MEMBERS, {**invite, "role": "manager"}).status_code == 302


def test_an_administrator_invites_another(administrator, owner, django_capture_on_commit_callbacks):
    invite = {"deed": "invite", "email": "x@y.org", "role": "administrator"}
    assert signed_in(owner).post("/administrators/", invite).status_code == 403
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(administrator).post("/administrators/", invite)
    path = re.search(r"http://testserver(\S+)", mail.outbox[-1].body)[1]
    Client().post(path, {**ADA, "username": "xenia"})
    assert permissions.allows(User.objects.get(username="xenia"), "administer_node", None)
