"""The network's page: an administrator invites, joins after comparing, suspends, resumes, removes, leaves."""

import pytest

from network.federation import membership, messages, nodes
from network.models import Message, Node, NodeInvitation
from tests.cast import person, signed_in
from tests.network.federation.conftest import joined

PAGE = "/network/"


@pytest.fixture
def page(administrator):
    return signed_in(administrator)


def test_strangers_and_members_of_the_node_do_not_see_it(client, db):
    assert client.get(PAGE).status_code == 302
    assert signed_in(person("rui")).get(PAGE).status_code == 403


def test_the_secret_of_an_invitation_is_shown_once(page, this_hub):
    answer = page.post(f"{PAGE}invite/", {"name": "IPO  Porto", "country": "PT"})
    text = answer.context["invited"].text
    assert text in answer.content.decode()
    assert text.endswith(this_hub.public_key)
    again = page.get(PAGE).content.decode()
    assert text not in again
    assert "IPO Porto" in again
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "x" * 201}, {"name": "Porto", "country": "XX"}])
def test_an_invitation_needs_a_name(page, this_hub, wrong):
    assert page.post(f"{PAGE}invite/", wrong).context["invited"] is None
    assert not NodeInvitation.objects.exists()


def test_an_invitation_is_withdrawn(page, this_hub, administrator):
    invited = membership.invite(by=administrator, name="Porto", country="")
    page.post(f"{PAGE}invitations/{invited.invitation.public_id}/withdraw/")
    assert not membership.open_invitations().exists()


@pytest.mark.parametrize(
    "text",
    ["", "hello", "http://hub.example/#short.key", "http://hub.example.org/#" + "s" * 43 + "." + "0" * 64],
)
def test_what_is_no_invitation_or_leads_over_http_is_refused(page, this_hub, text):
    answer = page.post(f"{PAGE}join/", {"invitation": text})
    assert answer.status_code == 200
    assert answer.context["join_form"].errors
    assert not Node.objects.exists()


def test_what_is_wrong_is_said_in_the_readers_language(page, this_hub):
    spanish = {"accept-language": "es"}
    said = page.post(f"{PAGE}join/", {"invitation": "hello"}, headers=spanish).content.decode()
    assert "Esto no es una invitación completa." in said
    away = f"http://127.0.0.1:9/#{'s' * 43}.{'0' * 64}"
    said = page.post(f"{PAGE}join/", {"invitation": away}, headers=spanish).content.decode()
    assert "No se llega al nodo central" in said


def test_the_states_of_nodes_are_told_in_words(page, porto, administrator, kinds):
    messages.send(porto.node, "told", {"secret": "of somebody"})
    porto.fetch(health={"troubles": ["<b>No worker runs</b>."]})
    said = page.get(f"{PAGE}nodes/{porto.node.public_id}/").content.decode()
    assert "Online" in said
    assert "&lt;b&gt;No worker runs&lt;/b&gt;." in said
    assert "of somebody" not in said
    url = f"{PAGE}nodes/{porto.node.public_id}/"
    for deed, state in (("suspend", "suspended"), ("resume", "active"), ("remove", "left")):
        assert page.post(url, {"deed": deed}, follow=True).status_code == 200
        porto.node.refresh_from_db()
        assert porto.node.state == state
    assert page.post(url, {"deed": "explode"}).status_code == 404
    assert "Has left" in page.get(PAGE).content.decode()


def test_the_page_asks_the_database_as_often_for_many_nodes_as_for_one(
    page, porto, administrator, django_assert_max_num_queries
):
    with django_assert_max_num_queries(20) as one:
        page.get(PAGE)
    for n in range(5):
        joined(administrator, f"Node {n}")
    with django_assert_max_num_queries(len(one)):
        page.get(PAGE)


def test_leaving_without_a_hub_says_so(page, this_hub):
    said = page.post(f"{PAGE}leave/", follow=True).content.decode()
    assert "no hub" in said
    assert not Message.objects.exists()
    assert nodes.hub() is None
