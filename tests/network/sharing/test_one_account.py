"""One person, one account: what was given to an account made for someone goes to the one they have."""

import pytest
from django.core.exceptions import ValidationError

from accounts import permissions
from accounts.models import AuditRecord, ExternalIdentity, Preference, User
from accounts.services import identities
from accounts.services.identities import Vouched
from annotations.reading import projects
from network.models import AccessRequest, Message, Node
from network.sharing import people
from tests.cast import PASSWORD, person, signed_in
from tests.network.sharing.browser import Browser
from tests.network.sharing.conftest import HUB

WHO = "/sign-in/network/who/"
PROJECT = "/projects/lungs/"


@pytest.fixture
def own(member) -> User:
    """Ingrid's account at the node, of which the hub knows nothing."""
    return person("isolberg")


@pytest.fixture
def her_address_is_known(monkeypatch) -> None:
    monkeypatch.setattr("network.views.signing_in._has_address", lambda email: True)


def share(lead: User, identity: str) -> User:
    """With whom; the account that has the role."""
    signed_in(lead).post(f"{PROJECT}share/", {"identity": identity, "role": "reader"})
    return identities.account_of(HUB, identity.strip().lower())


def roles(user: User) -> list[str]:
    return [role.key for role in permissions.roles_of(user, projects.Project.objects.get())]


def is_signed_in_as(browser: Browser) -> User:
    return browser.node.get("/account/").context["user"]


def test_whoever_is_connected_here_gets_no_second_account(lead, own, ingrid):
    people.connect(own, Vouched(HUB, ingrid.public_id), Node.objects.get(part=Node.Part.HUB))
    before = User.objects.count()
    assert share(lead, ingrid.public_id) == own
    assert roles(own) == ["reader"]
    assert User.objects.count() == before


def test_whoever_came_through_the_hub_before_gets_no_second_account(lead, wire, ingrid):
    here = identities.expect(Vouched(HUB, ingrid.public_id))
    Browser().sign_in(ingrid)
    before = User.objects.count()
    assert share(lead, f" {ingrid.public_id.upper()} ") == here
    assert User.objects.count() == before


def test_an_account_made_for_someone_becomes_part_of_the_one_they_have(
    lead, own, wire, ingrid, her_address_is_known
):
    made = share(lead, ingrid.public_id)
    hub = Node.objects.get(part=Node.Part.HUB)
    asked = AccessRequest.objects.create(by=made, hub=hub, uid="r1")
    browser = Browser()
    assert browser.sign_in(ingrid, next=PROJECT)["Location"] == WHO
    assert "is it yours?" in browser.node.get(WHO).content.decode()
    answer = browser.node.post(WHO, {"username": own.username, "password": PASSWORD})
    assert answer["Location"] == PROJECT
    assert browser.node.get(PROJECT).status_code == 200
    assert is_signed_in_as(browser) == own
    asked.refresh_from_db()
    assert asked.by == own
    made.refresh_from_db()
    assert (made.is_active, roles(made), made.external_identities.count()) == (False, [], 0)
    assert roles(own) == ["reader"]
    trail = AuditRecord.objects.get(verb="identity.accounts_joined")
    assert (trail.actor, trail.facts) == (own, {"person": made.pk})
    assert Message.objects.filter(kind="person", body__is_here=True).count() == 1
    again = Browser()
    again.sign_in(ingrid)
    assert is_signed_in_as(again) == own


def test_whoever_has_no_account_here_goes_on_with_the_one_made_for_them(
    lead, own, wire, ingrid, her_address_is_known
):
    made = share(lead, ingrid.public_id)
    browser = Browser()
    browser.sign_in(ingrid, next=PROJECT)
    assert browser.node.post(WHO, {"go_on": "1"})["Location"] == PROJECT
    assert is_signed_in_as(browser) == made
    assert roles(own) == []
    again = Browser()
    assert again.sign_in(ingrid, next=PROJECT)["Location"] == PROJECT  # asked once


def test_nobody_whom_this_node_does_not_expect_goes_on_without_an_account(member, wire, ingrid):
    before = User.objects.count()
    browser = Browser()
    browser.sign_in(ingrid)
    assert browser.node.post(WHO, {"go_on": "1"}).status_code == 200
    assert User.objects.count() == before
    assert browser.node.get("/account/").status_code == 302


def test_a_wrong_password_joins_nothing(lead, own, wire, ingrid, her_address_is_known):
    made = share(lead, ingrid.public_id)
    browser = Browser()
    browser.sign_in(ingrid)
    page = browser.node.post(WHO, {"username": own.username, "password": "wrong"})
    assert "No account has this user name and password" in page.content.decode()
    assert roles(own) == []
    assert identities.account_of(HUB, ingrid.public_id) == made


def test_in_a_browser_with_ones_own_account_the_two_are_joined(lead, own, wire, ingrid):
    share(lead, ingrid.public_id)
    browser = Browser()
    browser.node.force_login(own)
    assert browser.sign_in(ingrid, next=PROJECT)["Location"] == WHO
    browser.node.post(WHO, {"username": own.username, "password": PASSWORD})
    assert roles(own) == ["reader"]


def test_an_account_that_was_used_is_joined_with_no_other(lead, own, wire, ingrid):
    made = share(lead, ingrid.public_id)
    Browser().sign_in(ingrid)
    with pytest.raises(ValidationError, match="another account here"):
        identities.connect(user=own, vouched=Vouched(HUB, ingrid.public_id))
    assert identities.account_of(HUB, ingrid.public_id) == made


def test_what_both_have_and_only_one_may_have_is_told_and_nothing_changes(lead, own, ingrid):
    made = share(lead, ingrid.public_id)
    for account in (own, made):
        Preference.objects.create(user=account)
    with pytest.raises(ValidationError, match="same task"):
        identities.connect(user=own, vouched=Vouched(HUB, ingrid.public_id))
    assert roles(made) == ["reader"]
    assert roles(own) == []
    assert ExternalIdentity.objects.get(issuer=HUB).user == made
    made.refresh_from_db()
    assert made.is_active


def test_a_closed_account_gets_no_role(lead, ingrid):
    here = identities.expect(Vouched(HUB, ingrid.public_id))
    User.objects.filter(pk=here.pk).update(is_active=False)
    share(lead, ingrid.public_id)
    assert roles(here) == []
    assert not Message.objects.exists()
