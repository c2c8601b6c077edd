"""Accounts: made by an invitation, or on the node's command line for its first administrator."""

from dataclasses import dataclass

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import ValidationError
from django.db import transaction
from django.dispatch import receiver

from accounts import audit, permissions, revocation
from accounts.models import User
from accounts.services import identities, tokens

audit.register(
    "account.created", "account.changed", "account.signed_in", "account.signed_out", "account.refused",
    "password.changed",
)  # fmt: skip


@transaction.atomic
def create_account(
    *, username: str, email: str, password: str, first_name: str = "", last_name: str = ""
) -> User:
    """A new account without any role. Raises ValidationError, by field."""
    person = User(username=username, email=email.strip(), first_name=first_name, last_name=last_name)
    problems: dict[str, list[str]] = {}
    try:
        person.full_clean(exclude=["password"])
    except ValidationError as error:
        problems = error.message_dict
        if "__all__" in problems:  # the constraint on addresses has no field of its own
            problems["email"] = problems.pop("__all__")
    try:
        validate_password(password, person)
    except ValidationError as error:
        problems["password"] = error.messages
    if problems:
        raise ValidationError(problems)
    person.set_password(password)
    person.save()
    audit.record(person, "account.created", person)
    return person


@transaction.atomic
def create_administrator(*, username: str, email: str, password: str) -> User:
    """The node's first people come from its command line: an account with the administrator's role."""
    person = create_account(username=username, email=email, password=password)
    permissions.grant(user=person, role="administrator", scope=None)
    audit.record(None, "member.added", None, person=person.pk, role="administrator")
    return person


@transaction.atomic
def change_account(*, by: User, first_name: str, last_name: str, theme: str, language: str = "") -> None:
    """A person's own name and look, and their language; an empty one is what their browser asks for."""
    by.first_name, by.last_name, by.theme = first_name.strip(), last_name.strip(), theme
    by.language = language
    by.clean_fields(exclude=["password"])
    by.save(update_fields=["first_name", "last_name", "theme", "language"])
    audit.record(by, "account.changed", by)


@dataclass(frozen=True)
class Ended:
    """How many of each ended with the old password."""

    connections: int
    tokens: int


@transaction.atomic
def password_was_reset(person: User) -> Ended:
    """Whoever had the old password is out: the sessions end with it; tokens, and connections with other
    nodes, that they may have made end here. For a password that was lost or is in wrong hands: who changes
    their own and knows the old one keeps them."""
    ended = Ended(connections=identities.end_all(person), tokens=tokens.revoke_all(person))
    audit.record(person, "password.changed", person)
    revocation.announce()
    return ended


@receiver(user_logged_in, dispatch_uid="accounts.audit_sign_in")
def _signed_in(user: User, **kwargs: object) -> None:
    audit.record(user, "account.signed_in", user)


@receiver(user_logged_out, dispatch_uid="accounts.audit_sign_out")
def _signed_out(user: User | None, **kwargs: object) -> None:
    if user is not None:
        audit.record(user, "account.signed_out", user)
        revocation.announce()


@receiver(user_login_failed, dispatch_uid="accounts.audit_refusal")
def _refused(credentials: dict[str, str], **kwargs: object) -> None:
    """Against which account someone tried; a name that nobody has is not written down."""
    known = User.objects.filter(username=credentials.get("username", "")).first()
    audit.record(None, "account.refused", known)
