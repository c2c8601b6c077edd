"""Letters about requests: to whoever asked, to committees. They leave after the commit, and say no more than
that something happened and where to look; nothing depends on their arrival."""

from functools import partial

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts import permissions
from accounts.models import User
from network.access import policies
from network.models import AccessItem, AccessPart

SUBJECTS = {
    # to whoever asked
    "question": _("The access committee of %(organisation)s asks you something"),
    "approved": _("%(organisation)s approves your request: read its agreement"),
    "granted": _("Your access to data of %(organisation)s is open"),
    "refused": _("%(organisation)s refuses your request"),
    "undelivered": _("Something you sent did not reach %(organisation)s"),
    "gone": _("The node of %(organisation)s has left the network"),
    "ended_early": _("%(organisation)s withdrew access"),
    "warned": _("Your access to data of %(organisation)s ends soon"),
    "over": _("Your access to data of %(organisation)s has ended"),
    # to committees
    "request": _("A request for access waits for you"),
    "answer": _("The researcher answered"),
    "agreed": _("The agreement was accepted: access is open"),
    "withdrawn": _("A request was withdrawn by the researcher"),
}


def to_requester(part: AccessPart, kind: str, items: list[AccessItem] | None = None) -> None:
    """To whoever asked; someone from another node gets it there."""
    request = part.request
    if request.hub_id:
        return
    address = reverse("access-request", args=[request.public_id])
    _send([request.by], "ended_early" if kind == "withdrawn" else kind, part, address, items)


def to_committee(part: AccessPart, kind: str) -> None:
    """To everyone on it. Where nobody is, to the organisation's managers, who can name someone."""
    organisation = part.organisation
    if organisation is None:
        return
    members = permissions.holders_of("approve_access", organisation)
    people = [one for one in members if not policies.is_own(one, part.request)]
    address = reverse("access-part", args=[part.public_id])
    if not people:
        people = list(permissions.holders_of("manage_organisation", organisation))
        address = reverse("organisation-members", args=[organisation.slug])
        kind = "request_unread" if kind == "request" else kind
    _send(people, kind, part, address)


def _send(
    people: list[User], kind: str, part: AccessPart, address: str, items: list[AccessItem] | None = None
) -> None:
    titles = [item.listing.title for item in items or part.items.select_related("listing")]
    for person in people:
        if not person.email or not person.is_active:
            continue
        with translation.override(person.language or settings.LANGUAGE_CODE):
            told = {
                "kind": kind,
                "person": person,
                "part": part,
                "items": items or [],
                "organisation": part.organisation_name,
                "titles": titles,
                "url": settings.NODE_ADDRESS + address,
                "node_name": settings.NODE_NAME,
            }
            subject = gettext(SUBJECTS.get(kind, SUBJECTS["request"])) % told
            letter = render_to_string("access/letters/letter.txt", told)
        subject = " ".join(subject.split())
        transaction.on_commit(partial(send_mail, subject, letter, None, [person.email]), robust=True)
