"""Accounts that another node vouches for: who signs in there, and which account here that is.

Nobody is found by their e-mail address: another node's word for an address opens no account that exists here.
An account made here gets connected once its owner has typed its password, in `connect`.
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts import audit
from accounts.models import ExternalIdentity, User

audit.register("identity.connected", "identity.disconnected", "identity.account_made")

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


@transaction.atomic
def connect(*, user: User, vouched: Vouched) -> None:
    """From now on this person of another node is this account. The caller has seen proof of both.

    Raises ValidationError where either belongs to another already.
    """
    User.objects.select_for_update().get(pk=user.pk)
    owner = account_of(vouched.issuer, vouched.subject)
    if owner is not None and owner != user:
        raise ValidationError("This person has another account here already. Ask the node's administrator.")
    if user.external_identities.filter(issuer=vouched.issuer).exclude(subject=vouched.subject).exists():
        raise ValidationError(
            "Your account is connected with another person there. Disconnect that one first."
        )
    _, is_new = ExternalIdentity.objects.get_or_create(
        issuer=vouched.issuer, subject=vouched.subject, defaults={"user": user}
    )
    if is_new:
        audit.record(user, "identity.connected", user)


@transaction.atomic
def disconnect(*, by: User, issuer: str) -> None:
    """End one's own connection. Raises ValidationError for an account that has no other way in."""
    if not by.has_usable_password():
        raise ValidationError(
            "Your account has no password here: without the connection you couldn't sign in."
        )
    if by.external_identities.filter(issuer=issuer).delete()[0]:
        audit.record(by, "identity.disconnected", by)


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
