"""A project shared across nodes: the lead names someone as the hub does, the hub writes to them."""

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied

from accounts import permissions
from accounts.models import ExternalIdentity, User
from accounts.services import identities
from accounts.services.identities import Vouched
from annotations.reading import projects
from network.federation import messages
from network.models import Message, Node
from network.sharing import people
from network.sharing import projects as shared
from tests.cast import person, signed_in
from tests.network.sharing.browser import Browser
from tests.network.sharing.conftest import HUB

MEMBERS = "/projects/lungs/members/"
SHARE = "/projects/lungs/share/"


def arrive(node: Node) -> str:
    """The message on its way, at the other side; returns what it was refused with."""
    message = Message.objects.get(confirmed_at=None)
    other = Node.objects.exclude(pk=node.pk).get()
    found = messages.accept(other, [{"id": message.public_id, "kind": message.kind, "body": message.body}])
    messages.confirm(message.node, found)
    return found[message.public_id]


def share(lead: User, identity: str, role: str = "reader"):
    return signed_in(lead).post(SHARE, {"identity": identity, "role": role}, follow=True)


def roles(user: User) -> list[str]:
    project = projects.Project.objects.get()
    return [role.key for role in permissions.roles_of(user, project)]


def test_a_reader_of_another_node_reads_after_signing_in_with_the_hub(
    lead, wire, ingrid, django_capture_on_commit_callbacks
):
    answer = share(lead, ingrid.public_id.upper())
    assert "The hub writes to them." in answer.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert arrive(Node.objects.get(part=Node.Part.HUB)) == ""
    [letter] = mail.outbox
    assert letter.to == [ingrid.email]
    assert "shares the project “Lungs” with you" in letter.body
    assert f"{HUB}/projects/lungs/" in letter.body
    browser = Browser()
    browser.sign_in(ingrid, next="/projects/lungs/")
    assert browser.node.get("/projects/lungs/").status_code == 200
    assert roles(ExternalIdentity.objects.get(issuer=HUB).user) == ["reader"]


def test_the_message_holds_no_name_and_no_address(lead, ingrid):
    share(lead, ingrid.public_id)
    body = Message.objects.get().body
    assert set(body) == {"subject", "project", "name", "role", "url"}
    assert "Ingrid" not in str(body)
    assert "@" not in str(body)


def test_members_show_where_someone_comes_from(lead, ingrid, member):
    people.receive(member, {"subject": ingrid.public_id, "person": "abc", "is_here": True})
    share(lead, ingrid.public_id)
    assert "The hub</span>" in signed_in(lead).get(MEMBERS).content.decode()
    vouched = Vouched(HUB, ingrid.public_id, "Ingrid", "Solberg", home=people.home_of(ingrid))
    identities.expect(vouched)
    page = signed_in(lead).get(MEMBERS).content.decode()
    assert "Nordhain University Hospital</span>" in page


def test_the_role_can_be_taken_back(lead, wire, ingrid):
    share(lead, ingrid.public_id)
    here = ExternalIdentity.objects.get(issuer=HUB).user
    said = {"person": here.public_id, "role": "reader"}
    signed_in(lead).post("/projects/lungs/members/remove/", said)
    browser = Browser()
    browser.sign_in(ingrid)
    assert browser.node.get("/projects/lungs/").status_code == 404


def test_an_identity_that_the_hub_does_not_know_gets_nothing(lead, member):
    share(lead, "0123456789ab")
    here = ExternalIdentity.objects.get(issuer=HUB).user
    assert roles(here) == ["reader"]
    assert arrive(Node.objects.get(part=Node.Part.HUB)) == "Nobody here has this identity."
    assert roles(here) == []


@pytest.mark.parametrize("identity", ["", "short", "ingrid@example.org", "x" * 50, "0123456789a'"])
def test_what_is_no_identity_is_refused(lead, identity):
    share(lead, identity)
    assert not ExternalIdentity.objects.exists()
    assert not Message.objects.exists()


def test_only_a_lead_shares(lead, ingrid):
    reviewer = person("amara")
    project = projects.Project.objects.get()
    projects.add_member(by=lead, project=project, user=reviewer, role="reviewer")
    assert share(reviewer, ingrid.public_id).status_code == 403
    assert share(person("stranger"), ingrid.public_id).status_code == 404
    hub = Node.objects.get(part=Node.Part.HUB)
    with pytest.raises(PermissionDenied):
        shared.invite(
            by=reviewer, project=project, hub=hub, identity=ingrid.public_id, role="reader", address=HUB
        )


def test_sharing_twice_writes_once(lead, ingrid):
    share(lead, ingrid.public_id)
    share(lead, ingrid.public_id)
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://evil.example/"},
        {"url": f"{HUB}.evil.example/"},
        {"url": f"{HUB}/\r\nBcc: all@example.org"},
        {"role": "administrator"},
        {"name": 7},
        {"subject": None},
        {"subject": "0123456789ab"},
    ],
    ids=str,
)
def test_a_node_can_have_no_other_letter_written(member, ingrid, changes):
    body = {
        "subject": ingrid.public_id,
        "project": "lungs",
        "name": "Lungs",
        "role": "reader",
        "url": f"{HUB}/projects/lungs/",
    }
    with pytest.raises(messages.Refused):
        shared.receive(member, body | changes)
    assert mail.outbox == []


def test_a_node_speaks_of_its_own_people_only(member, ingrid):
    """Its word is kept under its own address, and lets nobody in anywhere."""
    people.receive(member, {"subject": ingrid.public_id, "person": "abc", "is_here": True, "issuer": "x"})
    kept = ExternalIdentity.objects.get()
    assert (kept.subject, kept.user) == ("abc", ingrid)
    assert member.address not in kept.issuer, "nobody signs in by what a member says of itself"
    other = person("other")
    people.receive(member, {"subject": other.public_id, "person": "abc", "is_here": True})
    assert ExternalIdentity.objects.get().user == ingrid
    people.receive(member, {"subject": ingrid.public_id, "person": "abc", "is_here": False})
    assert not ExternalIdentity.objects.exists()


@pytest.mark.parametrize("body", [{}, {"subject": 1}, {"subject": "a", "person": "x" * 41}])
def test_what_says_nothing_of_a_person_is_refused(member, body):
    with pytest.raises(messages.Refused):
        people.receive(member, body)
