"""Opening an accepted read again: a lead says why, and its reader goes on in another round.

What was accepted stays as it was handed in, and so do releases that are frozen. The case has no reference
standard until its readers are done again.
"""

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit, permissions
from accounts.models import User
from annotations.models import Case, Read, ReferenceStandard
from annotations.reading import following, machine, policies, review
from annotations.reading.aside import has_seen_others
from annotations.reading.broadcasts import announce_read
from annotations.reading.designs import design_of
from annotations.reading.locks import locked
from atlas.api.errors import Conflict

audit.register("read.reopened")

REASON_LENGTH_MAX = 2000
How = ReferenceStandard.How


@transaction.atomic
def reopen(*, by: User, read_id: str, reason: str) -> Read:
    """The reader finds the reason among the comments on their read.

    Raises Http404 or PermissionDenied for who doesn't lead here, ValidationError without a reason, where the
    read isn't accepted, or its reader would no longer read blind, or the case has an adjudication.
    """
    read = _locked(by, read_id)
    _check(read, reason.strip())
    round = read.round
    said = review.note(user=by, read=read, text=reason)
    if not machine.move(read, "reopen", round=round + 1):
        raise Conflict("This read was changed at the same moment. Reload the page.")
    _takes_the_reference_away(read)
    audit.record(by, "read.reopened", read, round=round, comment=said.pk, reader=read.reader_id)
    following.compare_soon(read.case)
    announce_read(read)
    return read


def _locked(by: User, read_id: str) -> Read:
    found = policies.read_or_404(by, read_id)
    permissions.require(by, "manage_project", found.case.project)
    read = locked(Read.objects.filter(pk=found.pk)).get()
    # The read before its case, as handing in does. Nobody begins to adjudicate the case meanwhile.
    Case.objects.select_for_update(of=("self",)).get(pk=read.case_id)
    rights = policies.rights_on(by, read)
    if rights.capacity is not policies.Capacity.LEAD:
        raise ValidationError("Another lead decides about your own reads.")
    if "reopen" not in rights.actions:
        raise ValidationError(
            f"This read is {read.get_state_display().lower()}: only accepted ones are reopened."
        )
    return read


def _check(read: Read, reason: str) -> None:
    """Raises ValidationError."""
    name, is_read = read.reader.display_name, read.kind == Read.Kind.READ
    if not reason:
        raise ValidationError("Say why it is reopened: its reader is told.")
    if len(reason) > REASON_LENGTH_MAX:
        raise ValidationError(f"At most {REASON_LENGTH_MAX} characters.")
    if policies.PERMISSION_OF_KIND[read.kind] not in policies.permissions_in(read.reader, read.case.project):
        raise ValidationError(f"{name} is no reader of this project. Add them again on the members page.")
    if not is_read:
        return
    if read.case.purpose == Case.Purpose.TRAINING:
        raise ValidationError(f"{name} has seen the reference standard of this training case.")
    adjudicated = Read.objects.filter(case=read.case_id, kind=Read.Kind.ADJUDICATION)
    if adjudicated.exclude(state=Read.State.SET_ASIDE).exists():
        raise ValidationError(
            "An adjudication rests on this read. Reopen that one and set it aside, then this."
        )
    if design_of(read.case.project).blind and has_seen_others(read.reader, read):
        raise ValidationError(f"{name} has seen another's marks on this case, so they can't read it blind.")


def _takes_the_reference_away(read: Read) -> None:
    """What was decided rests on this read no more: the case is decided again when it is handed in."""
    reference = ReferenceStandard.objects.filter(case=read.case_id)
    if read.kind == Read.Kind.ADJUDICATION:
        reference.filter(submission__read=read).delete()
        Case.objects.filter(pk=read.case_id).update(needs_adjudication=True)
        return
    reference.filter(how=How.AGREED).delete()
    reference.filter(submission__read=read).delete()
    Case.objects.filter(pk=read.case_id).update(needs_adjudication=False, disagreements=[], compared_at=None)
