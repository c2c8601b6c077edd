"""Signing in at a node with the hub's word, from the link to the account."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import permissions
from accounts.models import ExternalIdentity, Organisation, User
from accounts.services import identities, invitations
from accounts.services.identities import Vouched
from network.models import Message, Node
from network.sharing import people
from tests.cast import PASSWORD, person, signed_in
from tests.network.sharing.browser import Browser, onward
from tests.network.sharing.conftest import HUB


def expected(user, **facts):
    """The account at the node of someone from the hub, made by a grant or an invitation."""
    return identities.expect(Vouched(HUB, user.public_id, **facts))


def signed_in_as(browser: Browser):
    answer = browser.node.get("/account/")
    return answer.context["user"] if answer.status_code == 200 else None


def test_who_is_expected_signs_in_with_the_hub(member, wire, ingrid):
    here = expected(ingrid)
    browser = Browser()
    answer = browser.sign_in(ingrid, next="/datasets/")
    assert (answer.status_code, answer["Location"]) == (302, "/datasets/")
    assert signed_in_as(browser) == here
    here.refresh_from_db()
    assert here.display_name == "Ingrid Solberg"
    assert not here.has_usable_password()
    assert browser.node.session.get_expiry_age() <= 12 * 3600


def test_the_sign_in_page_offers_the_hub_and_a_node_without_one_does_not(member, client):
    assert "Sign in with The hub" in client.get("/sign-in/").content.decode()
    Node.objects.filter(part=Node.Part.HUB).update(state=Node.State.LEFT)
    assert "Sign in with" not in client.get("/sign-in/").content.decode()
    assert client.get("/sign-in/network/").status_code == 404


def test_the_hub_says_who_asks_on_its_sign_in_page(member, wire, ingrid):
    browser = Browser()
    asked = browser.hub.get(browser.begin(), follow=True)
    assert "<b>Nordhain University Hospital</b> asks who you are" in asked.content.decode()


def test_someone_signed_in_at_the_hub_is_shown_once_who_asks(member, wire, ingrid):
    expected(ingrid)
    browser = Browser()
    browser.hub.force_login(ingrid)
    url = browser.begin()
    asked = browser.hub.get(url)
    assert "Refresh" not in asked
    assert "<b>Nordhain University Hospital</b> asks who you are" in asked.content.decode()
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', asked.content.decode()))
    told = browser.hub.post(url, fields | {"allow": "True"})
    assert browser.go_on(told).status_code == 302
    browser.node.post("/sign-out/")
    assert "Refresh" in browser.hub.get(browser.begin())  # the second time it goes on by itself


def test_who_refuses_is_told_so_at_the_node(member, wire, ingrid):
    browser = Browser()
    browser.hub.force_login(ingrid)
    url = browser.begin()
    asked = browser.hub.get(url).content.decode()
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', asked))
    fields.pop("allow")
    answer = browser.go_on(browser.hub.post(url, fields))
    assert answer.status_code == 400
    assert "You chose not to tell this node who you are." in answer.content.decode()


def test_no_answer_of_the_hub_redirects_to_another_site(member, wire, ingrid):
    """Browsers hold the redirects of a form, here that of the sign-in page, to `form-action 'self'`."""
    browser = Browser()
    page = browser.sign_in_at_hub(browser.begin(), ingrid)
    assert page.status_code == 200
    assert "form-action 'self'" in page["Content-Security-Policy"]
    assert page["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page["Cache-Control"]


# Whom this node doesn't expect --------------------------------------------------------------------


def test_nobody_gets_an_account_without_being_expected(member, wire, ingrid):
    before = User.objects.count()
    answer = Browser().sign_in(ingrid)
    assert answer["Location"] == "/sign-in/network/who/"
    assert User.objects.count() == before


def test_an_address_that_someone_here_has_opens_nothing(member, wire, ingrid):
    """The hub's word for an e-mail address is no proof that an account of this node is theirs."""
    victim = person("victim")
    User.objects.filter(pk=ingrid.pk).update(email="someone@else.example")
    User.objects.filter(pk=victim.pk).update(email=ingrid.email)
    browser = Browser()
    browser.sign_in(ingrid)
    assert signed_in_as(browser) is None
    assert not ExternalIdentity.objects.exists()
    account = identities.expect(Vouched(HUB, "another", "Ingrid", "Solberg", ingrid.email))
    assert account != victim
    assert account.email == ""


def test_the_password_of_an_account_here_connects_it(member, wire, ingrid):
    own = person("isolberg")
    browser = Browser()
    browser.sign_in(ingrid, next="/datasets/")
    page = browser.node.get("/sign-in/network/who/")
    assert "<b>Ingrid Solberg</b>" in page.content.decode()
    wrong = browser.node.post("/sign-in/network/who/", {"username": "isolberg", "password": "wrong"})
    assert "No account has this user name and password" in wrong.content.decode()
    assert not ExternalIdentity.objects.exists()
    right = browser.node.post("/sign-in/network/who/", {"username": "isolberg", "password": PASSWORD})
    assert right["Location"] == "/datasets/"
    assert signed_in_as(browser) == own
    again = Browser()
    again.sign_in(ingrid)
    assert signed_in_as(again) == own


def test_a_session_alone_connects_nothing(member, wire, ingrid):
    """Someone else's browser, left open, isn't enough to get into their account from then on."""
    own, other = person("isolberg"), person("other")
    browser = Browser()
    browser.node.force_login(own)
    assert browser.sign_in(ingrid, next="/account/")["Location"] == "/sign-in/network/who/"
    assert not ExternalIdentity.objects.exists()
    browser.node.post("/sign-in/network/who/", {"username": other.username, "password": PASSWORD})
    assert not ExternalIdentity.objects.exists()  # nor the password of another account
    browser.node.post("/sign-in/network/who/", {"username": own.username, "password": PASSWORD})
    assert ExternalIdentity.objects.get(issuer=HUB).user == own


def test_nobody_connects_what_somebody_else_has(member, wire, ingrid):
    first, second = person("first"), person("second")
    vouched = Vouched(HUB, ingrid.public_id)
    identities.connect(user=first, vouched=vouched)
    with pytest.raises(identities.ValidationError):
        identities.connect(user=second, vouched=vouched)
    with pytest.raises(identities.ValidationError):
        identities.connect(user=first, vouched=Vouched(HUB, "another"))


def test_what_the_hub_said_is_kept_for_a_quarter_of_an_hour(member, wire, ingrid):
    browser = Browser()
    browser.sign_in(ingrid)
    session = browser.node.session
    session["came_from_hub"]["at"] -= 15 * 60 + 1
    session.save()
    assert browser.node.get("/sign-in/network/who/")["Location"] == "/sign-in/"


def test_another_account_in_this_browser_stays(member, wire, ingrid):
    expected(ingrid)
    Browser().sign_in(ingrid)
    browser = Browser()
    browser.node.force_login(person("isolberg"))
    answer = browser.sign_in(ingrid)
    assert answer.status_code == 409
    assert signed_in_as(browser).username == "isolberg"


def test_a_closed_account_stays_closed(member, wire, ingrid):
    here = expected(ingrid)
    User.objects.filter(pk=here.pk).update(is_active=False)
    browser = Browser()
    assert browser.sign_in(ingrid).status_code == 403
    assert signed_in_as(browser) is None


def test_an_account_without_password_keeps_its_connection(member, ingrid):
    here = expected(ingrid)
    signed_in(here).post("/account/network/disconnect/")
    assert here.external_identities.exists()


def test_a_connection_ends_where_a_password_is_left(member, wire, ingrid):
    own = person("isolberg")
    people.connect(own, Vouched(HUB, ingrid.public_id), Node.objects.get(part=Node.Part.HUB))
    signed_in(own).post("/account/network/disconnect/")
    assert not own.external_identities.exists()
    assert [body["is_here"] for body in Message.objects.order_by("pk").values_list("body", flat=True)] == [
        True,
        False,
    ]


# Leaving, and a hub that isn't there --------------------------------------------------------------


def test_after_sign_out_the_hub_is_a_click_away(member, wire, ingrid):
    expected(ingrid)
    browser = Browser()
    browser.sign_in(ingrid)
    assert 'name="next" value="/sign-out/network/"' in browser.node.get("/account/").content.decode()
    left = browser.node.post("/sign-out/", {"next": "/sign-out/network/"}, follow=True)
    assert f'href="{HUB}/oidc/sign-out/"' in left.content.decode()
    assert 'action="/sign-out/"' in browser.hub.get("/oidc/sign-out/").content.decode()


def test_a_hub_that_is_away_is_told_and_passwords_go_on(member, wire, ingrid):
    wire.is_cut = True
    answer = Client().get("/sign-in/network/")
    assert answer.status_code == 503
    assert "The hub doesn&#x27;t answer now." in answer.content.decode()
    browser = Client()
    assert browser.post("/sign-in/", {"username": "ingrid", "password": PASSWORD}).status_code == 302


def test_a_hub_that_goes_away_on_the_way_back_signs_nobody_in(member, wire, ingrid):
    expected(ingrid)
    browser = Browser()
    page = browser.sign_in_at_hub(browser.begin(), ingrid)
    wire.is_cut = True
    assert browser.go_on(page).status_code == 503
    assert signed_in_as(browser) is None
    wire.is_cut = False
    assert browser.node.get(onward(page)).status_code == 302  # it is back within the code's minute


# Invited by letter --------------------------------------------------------------------------------


@pytest.fixture
def letter(member) -> str:
    """The address in a letter that offers a role here."""
    organisation = Organisation.objects.create(name="Nordhain", slug="nordhain-h", country="DE")
    manager = person("manager")
    permissions.grant(user=manager, role="manager", scope=organisation)
    invitations.invite(
        by=manager,
        email="ingrid@example.org",
        role="project_creator",
        scope=organisation,
        address="/invitations/{secret}/",
    )
    invitation = invitations.Invitation.objects.get()
    secret = "a" * 43
    invitation.digest = invitations.digest_of(secret)
    invitation.save()
    return f"/invitations/{secret}/"


def at_hub_only(user: User) -> None:
    """In these tests one table holds both nodes' accounts: the node shall not know this address."""
    User.objects.filter(pk=user.pk).update(email="ingrid@hub.example")


def test_a_letter_is_answered_with_the_hub(member, wire, ingrid, letter):
    browser = Browser()
    assert "Sign in with The hub" in browser.node.get(letter).content.decode()
    answer = browser.sign_in(ingrid, next=letter)
    assert answer["Location"] == letter
    browser.node.post(letter)
    here = ExternalIdentity.objects.get(issuer=HUB).user
    assert permissions.roles_of(here, Organisation.objects.get())[0].key == "project_creator"
    assert here != ingrid


def test_a_letter_makes_no_second_account_of_an_address(member, wire, ingrid, letter, monkeypatch):
    monkeypatch.setattr("network.views.signing_in._has_address", lambda email: True)
    answer = Browser().sign_in(ingrid, next=letter)
    assert answer["Location"] == "/sign-in/network/who/"


def test_a_letter_that_ended_makes_no_account(member, wire, ingrid, letter):
    at_hub_only(ingrid)
    invitations.Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Browser().sign_in(ingrid, next=letter)["Location"] == "/sign-in/network/who/"


def test_no_address_beyond_this_node_follows_a_sign_in(member, wire, ingrid):
    expected(ingrid)
    assert Browser().sign_in(ingrid, next="https://evil.example/")["Location"] == "/home/"


def test_no_letter_was_sent_by_any_of_this(member, wire, ingrid):
    expected(ingrid)
    Browser().sign_in(ingrid)
    assert mail.outbox == []
