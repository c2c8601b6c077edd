"""The hub's roads: members get their messages, leave theirs, change their key; nobody else gets anything."""

import json
import time
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.models import AuditRecord
from network.federation import exchange, hub, keys, membership, messages, nodes, signing
from network.models import Listing, Message, Node, NodeInvitation, ReceivedMessage, SeenNonce
from tests.cast import person
from tests.network.federation.conftest import Peer, ask, joined


def secret_of(administrator, name: str = "Porto", country: str = "") -> str:
    invited = membership.invite(by=administrator, name=name, country=country)
    return invited.text.split("#")[1].split(".")[0]


# Joining ----------------------------------------------------------------------------------------


def test_a_hub_says_who_it_is_to_anyone(this_hub):
    answer = ask(signing.Request("GET", "http://localhost/federation/identity"), b"")
    assert answer.status == 200
    assert answer.said["public_key"] == this_hub.public_key
    assert "signature" not in answer.headers


def test_a_node_joins_under_the_name_that_it_was_invited_by(this_hub, administrator):
    peer = Peer()
    secret = secret_of(administrator, "IPO Porto", "pt")
    told = {"secret": secret, "address": "https://atlas.ipo.example", "software": "1.2", "country": "XX"}
    answer = peer.post("join", {**told, "name": "<script>"})
    assert answer.said["hub"]["public_key"] == this_hub.public_key
    node = Node.objects.get(public_key=peer.public_key)
    assert (node.name, node.slug, node.country) == ("IPO Porto", "ipo-porto", "PT")
    assert (node.address, node.software) == ("https://atlas.ipo.example", "1.2")
    assert list(nodes.members()) == [node]
    assert AuditRecord.objects.filter(verb="node.joined", object_id=node.pk).exists()


def test_an_invitation_serves_one_node_which_may_ask_twice(this_hub, administrator):
    peer, secret = Peer(), secret_of(administrator)
    assert peer.post("join", {"secret": secret}).status == 200
    assert peer.post("join", {"secret": secret}).status == 200  # the first answer may have been lost
    late = Peer().post("join", {"secret": secret})
    assert (late.status, "used already" in late.reason) == (403, True)
    assert Node.objects.count() == 1


@pytest.mark.parametrize("closed", ["withdrawn", "expired", "unknown"])
def test_a_closed_invitation_admits_nobody(this_hub, administrator, closed):
    secret = secret_of(administrator)
    invitation = NodeInvitation.objects.get()
    if closed == "withdrawn":
        membership.withdraw(by=administrator, invitation=invitation)
    elif closed == "expired":
        NodeInvitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        secret = "x" * 43
    assert Peer().post("join", {"secret": secret}).status == 403
    assert not Node.objects.exists()


def test_a_secret_is_kept_as_a_digest_only(this_hub, administrator):
    secret = secret_of(administrator)
    assert secret not in json.dumps(list(NodeInvitation.objects.values()), default=str)


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "ftp://x", "https://u:p@x/", 'https://x/"', 7, ""]
)
def test_an_address_that_people_should_not_follow_is_dropped(this_hub, administrator, address):
    peer = Peer()
    assert peer.post("join", {"secret": secret_of(administrator), "address": address}).status == 200
    assert Node.objects.get().address == ""


def test_names_alike_get_addresses_of_their_own(this_hub, administrator):
    first, second = joined(administrator), joined(administrator)
    assert (first.node.slug, second.node.slug) == ("porto", "porto-2")


def test_a_node_that_was_removed_comes_back_with_a_new_invitation_only(porto, administrator):
    membership.remove(by=administrator, node=porto.node)
    assert porto.post("fetch", {"confirmed": {}, "wait_s": 0}).status == 401
    assert porto.post("join", {"secret": secret_of(administrator, "Porto II")}).status == 200
    porto.node.refresh_from_db()
    assert (porto.node.state, porto.node.name, porto.node.slug) == ("active", "Porto II", "porto")
    assert porto.fetch() == []


# Messages ---------------------------------------------------------------------------------------


def test_a_member_gets_what_waits_for_it_in_order_until_it_confirms(porto, kinds):
    for number in (1, 2, 3):
        messages.send(porto.node, "told", {"number": number})
    found = porto.fetch()
    assert [each["body"]["number"] for each in found] == [1, 2, 3]
    assert porto.fetch() == found  # it may have died with them
    rest = porto.fetch(confirmed={found[0]["id"]: "", found[1]["id"]: "Not <b>now</b>.\n"})
    assert rest == found[2:]
    assert list(Message.objects.filter(confirmed_at=None)) == [Message.objects.last()]
    assert Message.objects.get(public_id=found[1]["id"]).refused == "Not <b>now</b>."


def test_what_answers_a_message_comes_with_the_word_that_it_is_there(porto, kinds):
    sent = messages.send(porto.node, "told", {"number": 1})
    order = []
    messages.register("said", lambda node, body: order.append("said"))
    messages.register("told", lambda node, body: None, confirmed=lambda message: order.append("confirmed"))
    said = [{"id": "m1", "kind": "said", "body": {}}]
    answer = porto.post("messages", {"messages": said, "confirmed": {sent.public_id: ""}})
    assert answer.said == {"done": {"m1": ""}}
    assert order == ["said", "confirmed"]  # a question that was answered isn't noted as only fetched
    assert porto.fetch() == []


@pytest.mark.parametrize("confirmed", [[], {"m": 1}, "all", {str(n): "" for n in range(201)}])
def test_what_is_confirmed_with_messages_is_checked_as_elsewhere(porto, kinds, confirmed):
    said = [{"id": "m1", "kind": "said", "body": {}}]
    assert porto.post("messages", {"messages": said, "confirmed": confirmed}).status == 400
    assert not kinds


def test_a_member_never_gets_or_confirms_what_is_anothers(porto, administrator, kinds):
    lisbon = joined(administrator, "Lisbon")
    message = messages.send(lisbon.node, "told", {"for": "Lisbon"})
    assert porto.fetch() == []
    assert porto.fetch(confirmed={message.public_id: ""}, node=lisbon.node.slug) == []
    message.refresh_from_db()
    assert message.confirmed_at is None
    assert [each["body"] for each in lisbon.fetch()] == [{"for": "Lisbon"}]


def test_a_member_speaks_in_its_own_name_only(porto, administrator, kinds):
    joined(administrator, "Lisbon")
    body = {"node": "lisbon", "text": "I am Lisbon."}
    porto.post("messages", {"messages": [{"id": "1", "kind": "said", "body": body, "node": "lisbon"}]})
    assert kinds == [("porto", body)]


def test_what_a_member_says_acts_once_however_often_it_comes(porto, kinds):
    incoming = [{"id": str(n), "kind": "said", "body": {"number": n}} for n in (1, 2)]
    assert porto.post("messages", {"messages": incoming}).said == {"done": {"1": "", "2": ""}}
    assert porto.post("messages", {"messages": incoming}).said == {"done": {"1": "", "2": ""}}
    assert [body["number"] for _, body in kinds] == [1, 2]


def test_a_member_cannot_say_what_only_a_hub_says(porto, kinds):
    said = porto.post("messages", {"messages": [{"id": "1", "kind": "told", "body": {}}]}).said
    assert "direction" in said["done"]["1"]
    assert kinds == []


@pytest.mark.parametrize(
    "wrong", [{}, {"messages": 1}, {"messages": [1]}, {"messages": [{}] * 101}, {"messages": [{"id": "1"}]}]
)
def test_a_body_of_another_shape_is_refused_with_a_sentence(porto, wrong):
    answer = porto.post("messages", wrong)
    assert (answer.status, answer.reason[-1]) == (400, ".")


@pytest.mark.parametrize(
    "wrong", [{"wait_s": "1"}, {"wait_s": True}, {"confirmed": []}, {"confirmed": {"1": 2}}]
)
def test_a_fetch_of_another_shape_is_refused(porto, wrong):
    assert porto.post("fetch", {"confirmed": {}, "wait_s": 0, **wrong}).status == 400


def test_a_fetch_tells_how_the_node_is(porto):
    told = {
        "software": "1.3",
        "jobs_waiting": 4,
        "messages_waiting": -1,
        "disk_free_bytes": "many",
        "troubles": ["No worker\0 runs.".replace("\0", "\x07"), 5, "x" * 900],
        "secret": "kept?",
    }
    before = timezone.now()
    porto.fetch(health=told)
    porto.node.refresh_from_db()
    assert porto.node.software == "1.3"
    assert porto.node.last_seen_at >= before
    assert nodes.is_online(porto.node)
    health = porto.node.health
    assert health["jobs_waiting"] == 4
    assert health["troubles"] == ["No worker  runs.", "x" * 200]
    assert abs(health["clock_ahead_s"]) <= 2
    assert set(health) == {"jobs_waiting", "troubles", "clock_ahead_s"}


def test_a_node_that_was_silent_for_a_minute_is_away(porto):
    porto.fetch()
    porto.node.refresh_from_db()
    porto.node.last_seen_at -= timedelta(seconds=61)
    assert not nodes.is_online(porto.node)


# Keys, suspension, leaving ----------------------------------------------------------------------


def test_a_node_changes_its_key_with_both_and_goes_by_the_new_one(porto):
    new = Peer()
    request, body, _ = porto.signed("key", {"public_key": new.public_key})
    signing.sign_with_new_key(request, body, new.key)
    assert ask(request, body).status == 200
    assert porto.post("fetch", {"confirmed": {}, "wait_s": 0}).status == 401
    assert new.fetch() == []
    # The answer got lost, and the node, which knows nothing of it, asks again.
    request, body, _ = porto.signed("key", {"public_key": new.public_key})
    signing.sign_with_new_key(request, body, new.key)
    assert ask(request, body).status == 200
    assert Node.objects.get().public_key == new.public_key


def test_nobody_brings_a_key_for_another_or_one_that_they_do_not_hold(porto, administrator):
    lisbon, stranger = joined(administrator, "Lisbon"), Peer()
    before = set(Node.objects.values_list("public_key", flat=True))

    def attempt(old: Peer, named: str, new: Peer) -> int:
        request, body, _ = old.signed("key", {"public_key": named})
        signing.sign_with_new_key(request, body, new.key)
        return ask(request, body).status

    assert attempt(stranger, stranger.public_key, Peer()) == 401
    assert attempt(porto, lisbon.public_key, stranger) == 400
    assert attempt(porto, lisbon.public_key, lisbon) == 403
    assert porto.post("key", {"public_key": stranger.public_key}).status == 401  # without the new signature
    assert set(Node.objects.values_list("public_key", flat=True)) == before


def test_a_suspended_node_is_refused_and_its_messages_wait(porto, administrator, kinds):
    Listing.objects.create(node=porto.node, slug="porto--lung", title="Lung", country="PT", is_listed=True)
    message = messages.send(porto.node, "told", {})
    membership.suspend(by=administrator, node=porto.node)
    answer = porto.post("fetch", {"confirmed": {message.public_id: ""}, "wait_s": 0})
    assert (answer.status, "suspended" in answer.reason) == (403, True)
    assert porto.post("messages", {"messages": [{"id": "1", "kind": "said", "body": {}}]}).status == 403
    assert kinds == []
    assert not Listing.objects.get().is_listed
    membership.resume(by=administrator, node=porto.node)
    assert len(porto.fetch()) == 1
    assert porto.post("fetch", {"confirmed": {}, "wait_s": 0}).said["catalogue_wanted"] is True


def test_a_node_that_leaves_is_listed_no_more(porto, kinds):
    Listing.objects.create(node=porto.node, slug="porto--lung", title="Lung", country="PT", is_listed=True)
    messages.send(porto.node, "told", {})
    assert porto.post("leave", {}).status == 200
    assert porto.post("fetch", {"confirmed": {}, "wait_s": 0}).status == 401
    assert not Listing.objects.get().is_listed
    assert not Message.objects.exists()
    assert not nodes.members().exists()


def test_states_change_by_an_administrator_only_and_only_where_it_makes_sense(porto, administrator, db):
    for deed in (membership.suspend, membership.resume, membership.remove):
        with pytest.raises(PermissionDenied):
            deed(by=person(f"p{deed.__name__}"), node=porto.node)
    with pytest.raises(ValidationError, match="Only a suspended"):
        membership.resume(by=administrator, node=porto.node)
    membership.remove(by=administrator, node=porto.node)
    with pytest.raises(ValidationError, match="left already"):
        membership.remove(by=administrator, node=porto.node)


# Attacks ----------------------------------------------------------------------------------------


SENT_ONCE = {
    "fetch": {"confirmed": {}, "wait_s": 0},
    "messages": {"messages": [{"id": "1", "kind": "said", "body": {}}]},
    "leave": {},
}


@pytest.mark.parametrize("road", SENT_ONCE)
def test_a_message_that_is_sent_again_is_refused(porto, kinds, road):
    request, body, _ = porto.signed(road, SENT_ONCE[road])
    assert ask(request, body).status == 200
    Node.objects.update(state=Node.State.ACTIVE)  # who left was perhaps let in again
    answer = ask(request, body)
    assert (answer.status, "before" in answer.reason) == (401, True)
    assert len(kinds) == (road == "messages")
    assert Node.objects.get().state == Node.State.ACTIVE


def test_a_nonce_is_kept_for_as_long_as_its_message_could_count(porto):
    porto.fetch()
    kept = SeenNonce.objects.get()
    assert kept.expires_at >= timezone.now() + signing.LIFE + signing.SKEW - timedelta(seconds=5)


def altered_body(request, body):
    return request, body.replace(b'"1"', b'"2"')


def altered_path(request, body):
    request.url = request.url.replace("messages", "leave")
    return request, body


def altered_query(request, body):
    request.url += "?wait=1"
    return request, body


def altered_method(request, body):
    request.method = "PUT"
    return request, body


def altered_type(request, body):
    request.headers["content-type"] = "text/plain"
    return request, body


def altered_digest(request, body):
    other = Peer().signed("messages", b"{}")[0].headers["content-digest"]
    request.headers["content-digest"] = other
    return request, b"{}"


def altered_host(request, body):
    request.headers["host"] = "127.0.0.1"
    return request, body


def without_signature(request, body):
    del request.headers["signature"]
    return request, body


def in_another_name(request, body):
    """A stranger's signature, said to be made with the member's key."""
    made, _, _ = Peer().signed("messages", body)
    request.headers["signature"] = made.headers["signature"]
    return request, body


@pytest.mark.parametrize(
    "attack",
    [
        altered_body,
        altered_path,
        altered_query,
        altered_method,
        altered_type,
        altered_digest,
        altered_host,
        without_signature,
        in_another_name,
    ],
)
def test_an_altered_message_has_no_effect(porto, kinds, attack):
    request, body, _ = porto.signed("messages", {"messages": [{"id": "1", "kind": "said", "body": {}}]})
    answer = ask(*attack(request, body))
    assert answer.status in (401, 405)
    assert answer.reason.endswith(".")
    assert kinds == []
    assert not ReceivedMessage.objects.exists()
    assert Node.objects.get().state == Node.State.ACTIVE


@pytest.mark.parametrize("road", ["fetch", "messages", "leave"])
def test_a_key_that_is_no_members_opens_no_road(this_hub, administrator, road):
    assert Peer().post(road, {}).status == 401


def test_the_hub_itself_is_no_member(this_hub):
    assert Peer(keys.private_key()).post("fetch", {"confirmed": {}, "wait_s": 0}).status == 401


@pytest.mark.parametrize("road", ["fetch", "messages", "leave", "key"])
def test_a_strangers_body_is_never_read(this_hub, road):
    request, body, _ = Peer().signed(road, b"{}")
    started = time.monotonic()
    assert ask(request, body, pieces=[], stalls=True).status == 401
    assert time.monotonic() - started < 5


def test_a_body_that_never_ends_is_given_up(porto, monkeypatch):
    monkeypatch.setattr(exchange, "BODY_S", 0.1)
    request, body, _ = porto.signed("fetch", b'{"confirmed": {}, "wait_s": 0}')
    answer = ask(request, body, pieces=[body[:5]], stalls=True)
    assert (answer.status, answer.headers["connection"]) == (408, "close")


def test_a_body_that_is_too_large_is_refused_before_all_of_it_came(porto, monkeypatch):
    monkeypatch.setattr(exchange, "BODY_BYTES_MAX", 1000)
    monkeypatch.setattr(hub.opened, "__defaults__", (1000,))
    request, body, _ = porto.signed("messages", b"{" + b" " * 2000 + b"}")
    assert ask(request, body, pieces=[body[:600], body[600:1200]], stalls=True).status == 413
    request, body, _ = porto.signed("messages", b"{" + b" " * 2000 + b"}")
    request.headers["content-length"] = str(len(body))
    assert ask(request, b"", pieces=[], stalls=True).status == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"a\\u0000": 1}',
        b"\xff{}",
        b'{"a": ' + b"[" * 41 + b"]" * 41 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_json_that_could_do_harm_is_refused(porto, body):
    answer = porto.post("fetch", body)
    assert (answer.status, answer.reason[-1]) == (400, ".")


def test_one_node_has_a_few_requests_under_way_no_more(porto, monkeypatch):
    monkeypatch.setitem(exchange._under_way, porto.node.pk, exchange.REQUESTS_MAX)
    assert porto.post("fetch", {"confirmed": {}, "wait_s": 0}).status == 429


def test_other_hosts_names_and_other_roads_are_no_doors(porto):
    request, body, _ = porto.signed("fetch", {"confirmed": {}, "wait_s": 0})
    request.headers["host"] = "evil.example"
    assert ask(request, body).status == 400
    assert porto.post("nodes", {}).status == 404
    assert ask(signing.Request("GET", "http://localhost/federation/fetch/"), b"").status == 405
