"""Signing in at a node with the hub's word, from the link to the account."""

from accounts.services import identities
from accounts.services.identities import Vouched
from tests.network.sharing.browser import Browser
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
