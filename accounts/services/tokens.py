"""API tokens: shown once, kept as digests, ended by themselves."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts import audit, revocation
from accounts.digests import digest_of
from accounts.models import ApiToken, ExternalIdentity, User

audit.register("token.made", "token.revoked")

DAYS_BY_DEFAULT = 30
DAYS_AT_MOST = 365
USED_RESOLUTION = timedelta(minutes=1)  # so that a busy program doesn't write a row a request


class NotConfirmed(PermissionDenied):
    """This token rests on another node's word for its owner, and that is too old. The text is a sentence."""


@transaction.atomic
def make_token(
    *,
    by: User,
    name: str = "",
    days: int = DAYS_BY_DEFAULT,
    scope: str = ApiToken.Scope.ALL,
    project: str = "",
) -> tuple[ApiToken, str]:
    """A token of one's own, and its secret, which nobody can read again. Ends after 1 to 365 days.

    `project` is the slug of the only project whose releases it opens. Raises ValidationError.
    """
    if not 1 <= days <= DAYS_AT_MOST:
        raise ValidationError({"days": f"A token lives 1 to {DAYS_AT_MOST} days."})
    if scope not in ApiToken.Scope:
        raise ValidationError({"scope": f"A token is for one of these: {', '.join(ApiToken.Scope.values)}."})
    project = project.strip()
    if project and scope != ApiToken.Scope.RELEASES:
        raise ValidationError({"project": "Only a token for releases can be kept to one project."})
    if project:
        try:
            validate_slug(project)
        except ValidationError:
            raise ValidationError({"project": "Name it as the last part of its address does."}) from None
    secret = "atlas_" + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=by,
        name=" ".join(name.split())[:80],
        scope=scope,
        project=project[:60],
        digest=digest_of(secret),
        expires_at=timezone.now() + timedelta(days=days),
    )
    audit.record(by, "token.made", token, days=days, scope=str(scope))
    return token, secret


def open_tokens(user: User) -> QuerySet[ApiToken]:
    """The tokens of this person that still open something."""
    return ApiToken.objects.filter(user=user, revoked_at=None, expires_at__gt=timezone.now())


@transaction.atomic
def revoke_token(*, by: User, token: ApiToken) -> None:
    """End one's own token now. Revoking twice changes nothing."""
    if token.user_id != by.pk:
        raise ValidationError("This token belongs to someone else.")
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record(by, "token.revoked", token)
        revocation.announce()


@transaction.atomic
def revoke_all(person: User) -> int:
    """End every token of an account that has a new password: whoever had the old one may have made them.
    Returns how many there were."""
    ended = list(open_tokens(person).select_for_update())
    for token in ended:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        audit.record(person, "token.revoked", token)
    if ended:
        revocation.announce()
    return len(ended)


def token_of(secret: str) -> ApiToken | None:
    """The open token with this secret, of someone whose account is open; notes the time of use.

    Raises NotConfirmed for the token of an account that only another node vouches for, where its owner
    hasn't signed in for a while: perhaps they can't any more, and no other sign of that reaches this node.
    """
    now = timezone.now()
    vouched = ExternalIdentity.objects.filter(ExternalIdentity.LETS_IN, user=OuterRef("user"))
    confirmed = vouched.filter(confirmed_at__gt=now - settings.VOUCHED_FOR)
    token = (
        ApiToken.objects.filter(
            digest=digest_of(secret), revoked_at=None, expires_at__gt=now, user__is_active=True
        )
        .annotate(is_doubted=Exists(vouched) & ~Exists(confirmed))
        .select_related("user")
        .first()
    )
    if token is None:
        return None
    if token.is_doubted and not token.user.has_usable_password():
        raise NotConfirmed(
            "This account has no password here: its tokens work for "
            f"{settings.VOUCHED_FOR.days} days after each sign-in with the hub. Sign in on the page again; "
            "then this token goes on working."
        )
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_RESOLUTION)
    if token.last_used_at is None or token.last_used_at < now - USED_RESOLUTION:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token
