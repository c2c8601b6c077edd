"""People of a hub who have an account and nothing else."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, IDToken

from accounts import permissions
from accounts.models import User
from network.sharing.tasks import forget_sign_ins
from tests.cast import PASSWORD, person, signed_in
from tests.network.sharing.test_provider import assertion, browser, code_of, exchange  # noqa: F401 a fixture


@pytest.fixture
def administrator(db) -> User:
    administrator = person("ada", "Ada", "Lindqvist")
    permissions.grant(user=administrator, role="administrator", scope=None)
    return administrator


def test_an_administrator_invites_someone_who_administers_nothing(
    administrator, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        said = {"deed": "invite", "email": "mei@example.org", "role": "member"}
        signed_in(administrator).post("/administrators/", said)
    link = re.search(r"http\S+/invitations/\S+", mail.outbox[0].body)[0]
    newcomer = Client()
    told = {
        "first_name": "Mei-Ling",
        "last_name": "Chen",
        "username": "mei",
        "password": PASSWORD,
        "password_again": PASSWORD,
    }
    assert newcomer.post(link.replace("http://testserver", ""), told).status_code == 302
    mei = User.objects.get(username="mei")
    assert not permissions.allows(mei, "administer_node", None)
    assert newcomer.get("/administrators/").status_code == 403
    assert newcomer.get("/organisations/new/").status_code == 403


def test_the_form_offers_the_weaker_role_first(administrator):
    page = signed_in(administrator).get("/administrators/").content.decode()
    assert '<option value="member" selected>' in page


def test_tokens_that_ended_are_forgotten(browser, client_id):  # noqa: F811
    code, verifier = code_of(browser)
    exchange(code, verifier, assertion(client_id))
    forget_sign_ins(0)
    assert AccessToken.objects.exists()
    yesterday = timezone.now() - timedelta(days=1)
    AccessToken.objects.update(expires=yesterday)
    IDToken.objects.update(expires=yesterday)
    forget_sign_ins(0)
    assert not AccessToken.objects.exists()
    assert not IDToken.objects.exists()
