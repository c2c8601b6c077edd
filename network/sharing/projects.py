"""Sharing a project with someone of another node: a lead names them as the hub does, and the hub writes.

The node needn't know their name or address for that; both arrive when they first sign in. Whoever is invited
by e-mail gets the same letter as anyone, and may answer it with the hub.
"""

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext

from accounts import audit, permissions
from accounts.models import User
from accounts.roles import BY_KEY
from accounts.services import identities, members
from accounts.services.identities import Vouched
from annotations.reading import projects
from atlas.models import Project
from network.federation import messages
from network.models import Message, Node

audit.register("project.shared", "project.not_shared")

KIND = "invitation"
_IDENTITY = re.compile(r"[0-9a-z]{12}")
_LINE_MAX = 200


@transaction.atomic
def invite(*, by: User, project: Project, hub: Node, identity: str, role: str, address: str) -> str:
    """Give the role to this person of the hub, who gets a letter from there with the link `address`.

    Returns a sentence for who asked. Raises ValidationError, Http404 and PermissionDenied.
    """
    known = members.require_right_to_give(by, role, project)
    subject = identity.strip().lower()
    if not _IDENTITY.fullmatch(subject):
        raise ValidationError(
            {"identity": gettext("An identity is 12 letters and digits, from their account page there.")}
        )
    person = identities.expect(Vouched(hub.address, subject))
    if not person.is_active:
        raise ValidationError(gettext("Their account on this node is closed. Ask its administrator."))
    said = {"person": person.display_name, "hub": hub.name, "role": gettext(known.title).lower()}
    if not projects.add_member(by=by, project=project, user=person, role=role):
        return gettext("%(person)s is already %(role)s in this project.") % said
    body = {
        "subject": subject,
        "project": project.slug,
        "name": project.name,
        "role": role,
        "url": address,
    }
    messages.send(hub, KIND, body)
    audit.record(by, "project.shared", project, person=person.pk, role=role)
    return gettext("%(hub)s writes to them. They are %(role)s as soon as they sign in with it.") % said


def confirmed(message: Message) -> None:
    """The hub has the invitation. If it knows nobody of this identity, the role is taken back."""
    if not message.refused:
        return
    person = identities.account_of(message.node.address, message.body["subject"])
    project = Project.objects.filter(slug=message.body["project"]).first()
    if person is None or project is None or person.last_login is not None:
        return
    permissions.revoke(user=person, role=message.body["role"], scope=project)
    audit.record(None, "project.not_shared", project, person=person.pk)


def receive(node: Node, body: dict[str, Any]) -> None:
    """At the hub: writes to one of its people that a node shares a project with them."""
    subject, url = body.get("subject"), body.get("url")
    role = BY_KEY.get(("project", str(body.get("role"))))
    name = body.get("name")
    if role is None or not isinstance(name, str) or not isinstance(subject, str):
        raise messages.Refused("An invitation needs a subject, a role and the project's name.")
    if (
        not isinstance(url, str)
        or len(url) > 500
        or not url.startswith(f"{node.address}/")
        or not url.isprintable()
    ):
        raise messages.Refused("An invitation leads to the node that sends it.")
    person = User.objects.filter(public_id=subject[:40], is_active=True).first()
    if person is None or not person.email:
        raise messages.Refused("Nobody here has this identity.")
    words = {
        "person": person,
        "node": node,
        "project": "".join(sign for sign in name[:_LINE_MAX] if sign.isprintable()),
        "role": role,
        "url": url,
        "node_name": settings.NODE_NAME,
    }
    letter = render_to_string("sharing/letters/project.txt", words)
    title = f"{node.name} shares a project with you on Atlas"
    email = person.email
    transaction.on_commit(lambda: send_mail(title, letter, None, [email]))
