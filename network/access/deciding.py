"""What a committee does with its part: ask, approve, refuse, withdraw what was granted."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from accounts import audit, permissions
from accounts.models import User
from network.access import crossing, grants, letters, states
from network.access.asking import checked_text
from network.access.cart import modes_of
from network.access.policies import INCLUDES, is_own
from network.access.states import State
from network.models import AccessItem, AccessMessage, AccessPart
from network.models.access import Mode

audit.register("access.asked", "access.approved", "access.refused", "access.ended_early")

YEARS_MAX = 10
AGREEMENT = """\
1. The data are used for the purpose of this request only, by those named in it.
2. Nobody tries to find out who a subject is, alone or by linking the data with others.
3. The data are not passed on, and not copied beyond what the granted mode allows.
4. When access ends, all copies are deleted.
5. Publications name the datasets and the organisation that gave them.
6. Whatever looks like a breach of confidentiality is reported to the organisation without delay."""
"""What is suggested where a committee has not approved anything yet."""


@dataclass(frozen=True)
class Choice:
    """What is granted of one dataset: a mode, or "" for nothing, and the last day."""

    mode: str
    ends_on: datetime.date | None = None


def suggested_agreement(part: AccessPart) -> str:
    """What the committee wrote last."""
    before = AccessPart.objects.filter(organisation=part.organisation).exclude(agreement="")
    last = before.order_by("-decided_at").values_list("agreement", flat=True).first()
    return part.agreement or last or AGREEMENT


@transaction.atomic
def ask(*, by: User, part: AccessPart, text: str, seen: str | None = None) -> AccessMessage:
    """Raises ValidationError; Http404 and PermissionDenied as `permissions.require`."""
    _require_member(by, part)
    text = checked_text(text, gettext("Write what you want to know."))
    now = states.locked(part, states.OPEN, seen=seen)
    message = AccessMessage.objects.create(part=now, by=by, is_of_committee=True, text=text)
    message.uid = message.public_id
    message.save(update_fields=["uid"])
    now.state = State.QUESTION
    now.save(update_fields=["state", "changed_at"])
    audit.record(by, "access.asked", now, message=message.pk)
    letters.to_requester(now, "question")
    crossing.send_asked(now, message)
    return message


@transaction.atomic
def approve(
    *,
    by: User,
    part: AccessPart,
    choices: dict[int, Choice],
    agreement: str,
    conditions: str = "",
    seen: str | None = None,
) -> AccessPart:
    """Approve datasets, by the primary keys of their items; those that aren't named are not granted. Until
    the researcher has agreed it may be approved anew: then the new terms have to be agreed to. Raises
    ValidationError."""
    _require_member(by, part)
    agreement = checked_text(agreement, gettext("Write what the researcher has to agree to."))
    conditions = checked_text(conditions, "") if conditions.strip() else ""
    now = states.locked(part, states.UNDECIDED, seen=seen)
    if now.agreed_at:
        raise ValidationError(gettext("The researcher has agreed meanwhile."))
    last: datetime.date | None = None
    for item in now.items.select_related("listing").select_for_update(of=("self",)):
        choice = choices.get(item.pk, Choice(""))
        item.granted_mode, item.ends_on = choice.mode, choice.ends_on if choice.mode else None
        if choice.mode:
            _check(choice, item)
            last = max(filter(None, (last, choice.ends_on)))
        item.save(update_fields=["granted_mode", "ends_on"])
    if last is None:
        raise ValidationError(
            gettext("Nothing is approved. Choose a mode for a dataset, or refuse with a reason.")
        )
    now.conditions, now.agreement, now.ends_on = conditions, agreement, last
    now.state, now.decided_by, now.decided_at, now.reason = State.APPROVED, by, timezone.now(), ""
    now.save()
    audit.record(by, "access.approved", now, sha256=states.terms_sha256(now))
    letters.to_requester(now, "approved")
    crossing.send_state(now)
    return now


def _check(choice: Choice, item: AccessItem) -> None:
    told = {"title": item.listing.title, "years": YEARS_MAX}
    if choice.mode not in Mode.values or item.mode not in INCLUDES[Mode(choice.mode)]:
        raise ValidationError(gettext("“%(title)s”: no more is granted than was asked for.") % told)
    if choice.mode not in modes_of(item.listing):
        raise ValidationError(gettext("“%(title)s” gives counts only, as the catalogue says.") % told)
    today = timezone.localdate()
    if choice.ends_on is None or choice.ends_on <= today:
        raise ValidationError(gettext("“%(title)s”: the last day of its access lies in the future.") % told)
    if choice.ends_on > today + datetime.timedelta(days=366 * YEARS_MAX):
        raise ValidationError(gettext("“%(title)s”: access is granted for at most %(years)d years.") % told)


@transaction.atomic
def refuse(*, by: User, part: AccessPart, reason: str, seen: str | None = None) -> AccessPart:
    """Raises ValidationError."""
    _require_member(by, part)
    reason = checked_text(reason, gettext("Say why: the researcher reads it."))
    now = states.locked(part, states.UNDECIDED, seen=seen)
    if now.agreed_at:
        raise ValidationError(gettext("The researcher has agreed meanwhile. Withdraw the access instead."))
    now.items.update(granted_mode="", ends_on=None)
    now.state, now.decided_by, now.decided_at, now.reason = State.REFUSED, by, timezone.now(), reason
    now.save()
    audit.record(by, "access.refused", now)
    letters.to_requester(now, "refused")
    crossing.send_state(now)
    return now


@transaction.atomic
def withdraw(*, by: User, part: AccessPart, reason: str, items: Collection[int] | None = None) -> AccessPart:
    """End access before its time, at once: of some datasets (primary keys of items), or of all. Raises
    ValidationError."""
    _require_member(by, part)
    reason = checked_text(reason, gettext("Say why: the researcher reads it."))
    now = states.locked(part, (State.GRANTED,))
    if not grants.close(now, by=by, reason=reason, items=items):
        raise ValidationError(gettext("This access has ended already."))
    now.reason, now.decided_by, now.decided_at = reason, by, timezone.now()
    if not grants.holds(now):
        now.state = State.WITHDRAWN
    now.save()
    audit.record(by, "access.ended_early", now)
    letters.to_requester(now, "withdrawn")
    crossing.send_state(now)
    return now


def _require_member(by: User, part: AccessPart) -> None:
    permissions.require(by, "approve_access", part.organisation)
    if is_own(by, part.request):
        raise PermissionDenied("Someone else on the committee decides about your own request.")
