"""Connections with the hub: their owner hears of them, a new password ends them, tokens rest on them."""

import re

import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from accounts.authentication import user_of_header
from accounts.models import ApiToken, ExternalIdentity, User
from accounts.services import identities
from accounts.services.identities import Vouched
from accounts.services.tokens import make_token
from network.federation import joining
from network.federation.joining import Offer
from network.models import Message, Node
from network.sharing import people
from tests.cast import person, signed_in
from tests.network.sharing.browser import Browser
from tests.network.sharing.conftest import HUB

TOKENS = "/api/v1/tokens/"


def expected(user: User, **facts) -> User:
    return identities.expect(Vouched(HUB, user.public_id, **facts))


@pytest.fixture
def own(member, ingrid) -> User:
    """Her account at the node, connected with her account at the hub."""
    own = person("isolberg")
    people.connect(own, Vouched(HUB, ingrid.public_id), Node.objects.get(part=Node.Part.HUB))
    return own


# Letters ------------------------------------------------------------------------------------------


def test_the_owner_hears_of_a_connection_and_of_its_end(member, ingrid, django_capture_on_commit_callbacks):
    own, hub = person("isolberg"), Node.objects.get(part=Node.Part.HUB)
    with django_capture_on_commit_callbacks(execute=True):
        people.connect(own, Vouched(HUB, ingrid.public_id), hub)
        people.connect(own, Vouched(HUB, ingrid.public_id), hub)
    [letter] = mail.outbox
    assert letter.to == [own.email]
    assert "“isolberg”" in letter.body
    assert f"\n  {HUB}\n" in letter.body
    assert f"{settings.NODE_ADDRESS}/password-reset/" in letter.body
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(own).post("/account/network/disconnect/")
    assert "can no longer be signed in to" in mail.outbox[1].body


def test_letters_are_in_their_readers_language(member, ingrid, django_capture_on_commit_callbacks):
    own = person("isolberg")
    User.objects.filter(pk=own.pk).update(language="es")
    own.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        identities.connect(user=own, vouched=Vouched(HUB, ingrid.public_id))
    assert "su cuenta “isolberg”" in mail.outbox[0].body


# A new password -----------------------------------------------------------------------------------


def reset(user: User, django_capture_on_commit_callbacks) -> str:
    """Set a new password by letter; returns the page after it."""
    browser = Client()
    browser.post("/password-reset/", {"email": user.email})
    path = re.search(r"http://testserver(/password-reset/\S+)", mail.outbox[-1].body)[1]
    form = browser.get(path, follow=True).redirect_chain[-1][0]
    new = "an entirely new secret 0815"
    with django_capture_on_commit_callbacks(execute=True):
        page = browser.post(form, {"new_password1": new, "new_password2": new}, follow=True)
    return page.content.decode()


def test_a_new_password_by_letter_ends_connections_and_says_so(
    own, wire, ingrid, django_capture_on_commit_callbacks
):
    page = reset(own, django_capture_on_commit_callbacks)
    assert "no longer connected with another node" in page
    assert not own.external_identities.exists()
    assert "can no longer be signed in to" in mail.outbox[-1].body
    last = Message.objects.order_by("pk").last()
    assert last.body == {"subject": ingrid.public_id, "person": own.public_id, "is_here": False}
    browser = Browser()
    assert browser.sign_in(ingrid)["Location"] == "/sign-in/network/who/"


def test_without_a_connection_a_new_password_says_nothing_of_one(member, django_capture_on_commit_callbacks):
    page = reset(person("isolberg"), django_capture_on_commit_callbacks)
    assert "Your new password is set." in page
    assert "connected" not in page


def test_the_word_of_a_member_about_its_own_people_stays(member, ingrid, django_capture_on_commit_callbacks):
    """It lets nobody in: a new password at the hub changes nothing about it."""
    people.receive(member, {"subject": ingrid.public_id, "person": "abc", "is_here": True})
    reset(ingrid, django_capture_on_commit_callbacks)
    assert people.home_of(ingrid) == member.name


def test_a_connection_with_a_hub_of_before_is_not_shown_as_this_ones(member):
    own = person("isolberg")
    ExternalIdentity.objects.create(user=own, issuer="https://old.example", subject="a")
    page = signed_in(own).get("/account/").content.decode()
    assert "Not connected." in page


def test_whoever_has_no_password_here_is_offered_no_change_of_it(member, ingrid):
    assert "/account/password/" in signed_in(ingrid).get("/account/").content.decode()
    assert "/account/password/" not in signed_in(expected(ingrid)).get("/account/").content.decode()


def test_choices_on_the_account_page_are_in_the_readers_language(member):
    page = signed_in(person("isolberg")).get("/account/", headers={"accept-language": "es"}).content.decode()
    assert "Como el ordenador" in page
    for english in ("As the computer", "Reading only", "Releases only"):
        assert english not in page


# Tokens -------------------------------------------------------------------------------------------


def ask(secret: str):
    return Client().get(TOKENS, headers={"Authorization": f"Bearer {secret}"})


def test_the_token_of_someone_whom_the_hub_vouches_for_works_for_a_while_after_each_sign_in(
    member, wire, ingrid
):
    here = expected(ingrid)
    _, secret = make_token(by=here)
    assert ask(secret).status_code == 401  # they were never here
    browser = Browser()
    browser.sign_in(ingrid)
    assert ask(secret).status_code == 200
    assert "Tokens work for 7 days after each sign-in." in browser.node.get("/account/").content.decode()
    ExternalIdentity.objects.update(confirmed_at=timezone.now() - settings.VOUCHED_FOR)
    answer = ask(secret)
    assert answer.status_code == 401
    assert "work for 7 days after each sign-in with the hub. Sign in" in answer.json()["reason"]
    with pytest.raises(PermissionDenied, match="Sign in"):
        user_of_header(f"Bearer {secret}", "GET")
    Browser().sign_in(ingrid)
    assert ask(secret).status_code == 200


def test_leaving_the_hub_ends_the_tokens_that_rest_on_it(member, wire, ingrid, monkeypatch):
    here = expected(ingrid)
    _, secret = make_token(by=here)
    Browser().sign_in(ingrid)
    assert ask(secret).status_code == 200

    def away(*args, **kwargs):
        raise ValidationError("The hub can't be reached.")

    monkeypatch.setattr(joining, "_call", away)
    joining.leave(by=None)
    assert ask(secret).status_code == 401


def test_the_tokens_of_an_account_with_a_password_rest_on_nobodys_word(own):
    _, secret = make_token(by=own)
    assert ask(secret).status_code == 200


def test_an_account_for_a_machine_needs_no_hub(member):
    machine = User.objects.create_user("machine")  # no password: an administrator makes its tokens
    _, secret = make_token(by=machine)
    assert ask(secret).status_code == 200


def test_asking_whether_a_token_holds_is_one_query(member, wire, ingrid, django_assert_num_queries):
    expected(ingrid)
    Browser().sign_in(ingrid)
    _, secret = make_token(by=ExternalIdentity.objects.get().user)
    user_of_header(f"Bearer {secret}", "GET")  # notes the time of use
    with django_assert_num_queries(1):
        user_of_header(f"Bearer {secret}", "GET")
    assert ApiToken.objects.get().last_used_at is not None


# The hub moves ------------------------------------------------------------------------------------


def test_the_same_hub_at_another_address_knows_its_people_again(member, ingrid):
    here = expected(ingrid)
    hub = Node.objects.get(part=Node.Part.HUB)
    Node.objects.filter(pk=hub.pk).update(state=Node.State.LEFT)
    joining._remember(None, Offer("https://moved.example", "s" * 43, hub.public_key, "The hub"), {})
    assert identities.expect(Vouched("https://moved.example", ingrid.public_id)) == here
    assert User.objects.filter(external_identities__isnull=False).count() == 1


def test_another_hub_does_not_take_over_the_people_of_the_one_before(member, ingrid):
    here = expected(ingrid)
    Node.objects.filter(part=Node.Part.HUB).update(state=Node.State.LEFT)
    joining._remember(None, Offer("https://other.example", "s" * 43, "ef" * 32, "Another hub"), {})
    assert identities.account_of("https://other.example", ingrid.public_id) is None
    assert identities.account_of(HUB, ingrid.public_id) == here
