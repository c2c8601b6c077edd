"""Invitations: a letter whose secret gives one role on one thing, once, within 14 days."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import models, transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from accounts import audit, permissions
from accounts.digests import digest_of
from accounts.models import Invitation, User
from accounts.roles import BY_KEY, Role
from accounts.services import members, people

audit.register("invitation.sent", "invitation.withdrawn", "invitation.accepted")

LIFETIME = timedelta(days=14)


class InvitationClosed(Exception):
    """The secret is unknown, used, withdrawn or too old. The text says which, for its reader."""


@transaction.atomic
def invite(*, by: User, email: str, role: str, scope: models.Model | None, address: str) -> Invitation:
    """Write the letter and send it once the transaction holds.

    `address` is the absolute address of the page that takes the letter, with `{secret}` in the place of its
    secret: only the caller knows by which name the node is reached. Raises ValidationError, by field.
    """
    known = members.require_right_to_give(by, role, scope)
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError:
        raise ValidationError({"email": "This is not an e-mail address."}) from None
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        email=email,
        role=role,
        scope_type=permissions.scope_name(scope),
        scope_id=scope.pk if scope is not None else None,
        digest=digest_of(secret),
        invited_by=by,
        expires_at=timezone.now() + LIFETIME,
    )
    audit.record(by, "invitation.sent", scope, invitation=invitation.pk, role=role)
    words = {
        "role": known,
        "place": place_of(invitation),
        "by": by,
        "url": address.replace("{secret}", secret),
        "until": invitation.expires_at,
        "node_name": settings.NODE_NAME,
    }
    subject = f"Invitation to {words['place']} on Atlas"
    letter = render_to_string("accounts/letters/invitation.txt", words)
    transaction.on_commit(lambda: send_mail(subject, letter, None, [email]))
    return invitation


@transaction.atomic
def withdraw(*, by: User, invitation: Invitation) -> None:
    """Take an open letter back. Its link then says so."""
    scope = scope_of(invitation)
    members.require_right_to_give(by, invitation.role, scope)
    if not Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None).update(
        withdrawn_at=timezone.now()
    ):
        raise ValidationError("This invitation was accepted or withdrawn already.")
    audit.record(by, "invitation.withdrawn", scope, invitation=invitation.pk)


def open_invitations(scope: models.Model | None) -> QuerySet[Invitation]:
    """Letters to exactly this node, organisation, dataset or project that wait for an answer."""
    return Invitation.objects.filter(
        scope_type=permissions.scope_name(scope),
        scope_id=scope.pk if scope is not None else None,
        accepted_at=None,
        withdrawn_at=None,
        expires_at__gt=timezone.now(),
    ).order_by("email")


def find(secret: str) -> Invitation:
    """The open invitation of this secret. Raises InvitationClosed."""
    return _checked(Invitation.objects.filter(digest=digest_of(secret)))


def _checked(found: QuerySet[Invitation]) -> Invitation:
    invitation = found.first()
    if invitation is None:
        raise InvitationClosed("No invitation has this address. Copy the whole link from the letter.")
    if invitation.accepted_at:
        raise InvitationClosed(
            "This invitation was accepted already. Sign in with the account it was taken with."
        )
    if invitation.withdrawn_at:
        raise InvitationClosed("This invitation was taken back by those who sent it.")
    if not invitation.is_open:
        raise InvitationClosed("This invitation has ended. Ask for a new one.")
    if invitation.scope_type != "node" and scope_of(invitation) is None:
        raise InvitationClosed("What this invitation was for is no longer here.")
    return invitation


@transaction.atomic
def accept(*, secret: str, person: User) -> Invitation:
    """Give the role to an account that exists. Raises InvitationClosed; of two at once, one wins."""
    invitation = _checked(Invitation.objects.select_for_update().filter(digest=digest_of(secret)))
    scope = scope_of(invitation)
    permissions.grant(user=person, role=invitation.role, scope=scope)
    invitation.accepted_at, invitation.accepted_by = timezone.now(), person
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    audit.record(person, "invitation.accepted", scope, invitation=invitation.pk, role=invitation.role)
    audit.record(invitation.invited_by, "member.added", scope, person=person.pk, role=invitation.role)
    return invitation


@transaction.atomic
def accept_with_new_account(
    *, secret: str, username: str, password: str, first_name: str, last_name: str
) -> User:
    """Make the account and give it the role, or neither. Raises InvitationClosed or ValidationError."""
    invitation = _checked(Invitation.objects.select_for_update().filter(digest=digest_of(secret)))
    person = people.create_account(
        username=username,
        email=invitation.email,
        password=password,
        first_name=first_name,
        last_name=last_name,
    )
    accept(secret=secret, person=person)
    return person


def scope_of(invitation: Invitation) -> models.Model | None:
    """What the role is on; None for the node, or where it was deleted."""
    if invitation.scope_type == "node":
        return None
    model = permissions.scope_model(invitation.scope_type)
    return model._default_manager.filter(pk=invitation.scope_id).first()


def role_of(invitation: Invitation) -> Role:
    return BY_KEY[invitation.scope_type, invitation.role]


def place_of(invitation: Invitation) -> str:
    """The name of what the role is on, for a sentence."""
    scope = scope_of(invitation)
    return settings.NODE_NAME if scope is None else str(scope)
