"""Accounts that another node vouches for: who signs in there, and which account here that is.

Nobody is found by their e-mail address: another node's word for an address opens no account that exists here.
An account made here gets connected once its owner has typed its password, in `connect`.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts import audit, merging, revocation
from accounts.models import ExternalIdentity, User

audit.register(
    "identity.connected", "identity.disconnected", "identity.account_made", "identity.accounts_joined"
)

type OnEnd = Callable[[ExternalIdentity], None]

_on_end: dict[str, OnEnd] = {}

SUBJECT_MAX = 255
NAME_MAX = 150
EMAIL_MAX = 254
HOME_MAX = 200


class NotVouchedFor(Exception):
    """What another node says of a person can't be used. The message is a sentence."""


@dataclass(frozen=True)
class Vouched:
    """What an identity provider says of a person. `subject` is its own name for them, and never changes."""

    issuer: str
    subject: str
    given_name: str = ""
    family_name: str = ""
    email: str = ""
    home: str = ""
    """The node that this person belongs to."""

    @classmethod
    def of_claims(cls, issuer: str, claims: Mapping[str, Any]) -> "Vouched":
        """From OpenID Connect's claims, whose signature was checked. Raises NotVouchedFor."""
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MAX or not subject.isascii():
            raise NotVouchedFor("The answer doesn't say who you are.")
        given, family = _words(claims.get("given_name")), _words(claims.get("family_name"))
        if not given and not family:
            given, _, family = _words(claims.get("name")).partition(" ")
        return cls(
            issuer,
            subject,
            given[:NAME_MAX],
            family[:NAME_MAX],
            _address(claims.get("email")),
            _words(claims.get("node"))[:HOME_MAX],
        )


def account_of(issuer: str, subject: str) -> User | None:
    """The account here of this person of another node."""
    found = ExternalIdentity.objects.filter(issuer=issuer, subject=subject).select_related("user").first()
    return found.user if found else None


@transaction.atomic
def expect(vouched: Vouched) -> User:
    """The account of this person, made where there is none: it has no password and no role.

    Only their own node's word opens it. An address that another account here has stays with that one.
    """
    person = account_of(vouched.issuer, vouched.subject)
    if person is not None:
        _refresh(person, vouched)
        return person
    try:
        with transaction.atomic():
            person = User(username=_free_user_name(vouched))
            person.set_unusable_password()
            _fill(person, vouched)
            person.save()
            ExternalIdentity.objects.create(
                user=person, issuer=vouched.issuer, subject=vouched.subject, home=vouched.home
            )
    except IntegrityError:  # two at once: the other one made it
        person = account_of(vouched.issuer, vouched.subject)
        if person is None:
            raise
        return person
    audit.record(None, "identity.account_made", person)
    return person


def was_made_for_them(person: User) -> bool:
    """Whether this account was made for someone of another node who has never come: it did nothing yet."""
    return person.is_active and person.last_login is None and not person.has_usable_password()


@transaction.atomic
def connect(*, user: User, vouched: Vouched) -> None:
    """From now on this person of another node is this account. The caller has seen proof of both.

    What was meanwhile given to an account that was made for them goes to this one. Their owner gets a letter.
    Raises ValidationError where either belongs to another already.
    """
    User.objects.select_for_update().get(pk=user.pk)
    if connections(user).filter(issuer=vouched.issuer).exclude(subject=vouched.subject).exists():
        raise ValidationError(
            _("Your account is connected with another person there. Disconnect that one first.")
        )
    identity, is_new = ExternalIdentity.objects.get_or_create(
        issuer=vouched.issuer, subject=vouched.subject, defaults={"user": user, "home": vouched.home}
    )
    if not is_new:
        if identity.user_id == user.pk:
            return
        owner = User.objects.select_for_update().get(pk=identity.user_id)
        if not was_made_for_them(owner):
            raise ValidationError(
                _("This person has another account here already. Ask the node's administrator.")
            )
        _join(owner, user)
    audit.record(user, "identity.connected", user)
    _write(user, "connected", [vouched.issuer])


def _join(unused: User, own: User) -> None:
    """All that was given to an account that nobody ever used, its identity included, is this one's."""
    try:
        merging.hand_over(unused, own)
    except IntegrityError as error:
        raise ValidationError(
            _("Your account and one that was made for you have the same task. Ask the node's administrator.")
        ) from error
    unused.is_active, unused.email = False, ""
    unused.save(update_fields=["is_active", "email"])
    audit.record(own, "identity.accounts_joined", own, person=unused.pk)
    revocation.announce()


@transaction.atomic
def disconnect(*, by: User, issuer: str) -> None:
    """End one's own connection. Raises ValidationError for an account that has no other way in."""
    if not by.has_usable_password():
        raise ValidationError(
            _("Your account has no password here: without the connection you couldn't sign in.")
        )
    _end(by, connections(by).filter(issuer=issuer))


@transaction.atomic
def end_all(person: User) -> int:
    """End every connection of an account that has a new password: whoever had the old one may have made
    them. Returns how many there were."""
    return _end(person, connections(person))


def _end(person: User, those: QuerySet[ExternalIdentity]) -> int:
    ended = list(those)
    for identity in ended:
        for listener in _on_end.values():
            listener(identity)
    those.delete()
    if ended:
        audit.record(person, "identity.disconnected", person)
        revocation.announce()
        _write(person, "disconnected", [identity.issuer for identity in ended])
    return len(ended)


def on_end(name: str, listener: OnEnd) -> None:
    """Ask to be called before a connection ends, in the same transaction. Naming one twice replaces it."""
    _on_end[name] = listener


def connections(person: User) -> QuerySet[ExternalIdentity]:
    """By which this person can sign in."""
    return person.external_identities.filter(ExternalIdentity.LETS_IN)


def confirm(person: User, issuer: str) -> None:
    """This person has just signed in with that node's word."""
    person.external_identities.filter(issuer=issuer).update(confirmed_at=timezone.now())


def doubt(issuer: str) -> None:
    """Nobody can sign in with that node's word any more: what rests on an earlier sign-in ends now."""
    if ExternalIdentity.objects.filter(issuer=issuer).update(confirmed_at=None):
        revocation.announce()


def move(before: str, now: str) -> None:
    """The same node is found at another address: its people keep their accounts."""
    moved = ExternalIdentity.objects.filter(issuer=before)
    known = ExternalIdentity.objects.filter(issuer=now).values("subject")
    moved.exclude(subject__in=known).update(issuer=now)


def _write(person: User, kind: str, issuers: list[str]) -> None:
    """A letter to the account's owner, who may not be who did it. It leaves after the commit."""
    if not person.email:
        return
    with translation.override(person.language or settings.LANGUAGE_CODE):
        subject = (
            gettext("Your account can be signed in to with another node")
            if kind == "connected"
            else gettext("Your account is no longer connected with another node")
        )
        told = {"kind": kind, "person": person, "issuers": issuers, "node_name": settings.NODE_NAME}
        letter = render_to_string(
            "accounts/letters/connection.txt", told | {"node_address": settings.NODE_ADDRESS}
        )
    transaction.on_commit(partial(send_mail, subject, letter, None, [person.email]), robust=True)


def _refresh(person: User, vouched: Vouched) -> None:
    """An account without a password of its own follows what the other node says of its person."""
    if vouched.home:
        identity = person.external_identities.filter(issuer=vouched.issuer)
        identity.exclude(home=vouched.home).update(home=vouched.home)
    if person.has_usable_password():
        return
    before = (person.first_name, person.last_name, person.email)
    _fill(person, vouched)
    if (person.first_name, person.last_name, person.email) != before:
        person.save(update_fields=["first_name", "last_name", "email"])


def _fill(person: User, vouched: Vouched) -> None:
    if vouched.given_name or vouched.family_name:
        person.first_name, person.last_name = vouched.given_name, vouched.family_name
    if vouched.email and not (
        User.objects.filter(email__iexact=vouched.email).exclude(pk=person.pk).exists()
    ):
        person.email = vouched.email


def _free_user_name(vouched: Vouched) -> str:
    """Made from the name, and unlike any other."""
    words = slugify(f"{vouched.given_name} {vouched.family_name}")[:60] or "person"
    digest = hashlib.sha256(f"{vouched.issuer}\n{vouched.subject}".encode()).hexdigest()
    return next(
        name
        for name in (f"{words}-{digest[:length]}" for length in (6, 12, 64))
        if not User.objects.filter(username=name).exists()
    )


def _words(value: object) -> str:
    """One line of text, without control and formatting signs."""
    if not isinstance(value, str):
        return ""
    kept = "".join(
        " " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign
        for sign in value[:1000]
        if unicodedata.category(sign) not in {"Cf", "Cs", "Co"}
    )
    return " ".join(kept.split())[: 2 * NAME_MAX]


def _address(value: object) -> str:
    if not isinstance(value, str) or len(value) > EMAIL_MAX:
        return ""
    try:
        validate_email(value)
    except ValidationError:
        return ""
    return value
