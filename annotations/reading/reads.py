"""What a reader does with a read besides drawing: opening it, and handing it in."""

from uuid import UUID

from django.db import transaction
from django.db.models import Case as Choose
from django.db.models import QuerySet, When
from django.http import Http404
from django.utils import timezone

from accounts import audit
from accounts.models import User
from annotations.models import ParkedEdit, Read, ReadingDesign, Submission
from annotations.reading import following, leases, machine, policies
from annotations.reading.adjudication.ending import require_settled
from annotations.reading.answers import owed_by
from annotations.reading.broadcasts import announce_read
from annotations.reading.designs import design_of
from annotations.reading.order import in_reading_order
from atlas.api.errors import Conflict

audit.register("read.opened", "read.submitted", "read.marks_seen", "read.unaided_locked")

OWED_TOLD = 6
NEXT_ORDER = (Read.State.RETURNED, Read.State.IN_PROGRESS, Read.State.ASSIGNED)


@transaction.atomic
def open_read(*, user: User, read_id: str) -> Read:
    """The first opening starts the reading; later ones change nothing."""
    read = policies.own_read_or_404(user, read_id)
    leases.keep(user, read)
    if machine.may(read, "open") and machine.move(read, "open", opened_at=timezone.now()):
        audit.record(user, "read.opened", read)
        announce_read(read)
    return read


@transaction.atomic
def submit(*, user: User, read_id: str, number: int) -> Read:
    """Hand the read in as it stands after edit `number`, which must be its last.

    Handing the same in twice changes nothing. Raises Conflict where edits are missing here or there, where
    a required label or question has no answer, and in states without submission.
    """
    # The journal is written under the same lock, so nothing arrives between the checks and the submission.
    read = policies.own_read_or_404(user, read_id, lock=True)
    if _was_submitted_at(read, number):
        return read
    if not machine.may(read, "submit"):
        raise Conflict(f"This read is {read.get_state_display().lower()}: it can't be handed in now.")
    _check_complete(read, number)
    if read.kind == Read.Kind.ADJUDICATION:
        require_settled(read)
    submission = Submission.objects.create(read=read, round=read.round, edit_number=number, by=user)
    # What is handed in needs no lease, and what comes back has none.
    if not machine.move(read, "submit", opened_at=read.opened_at or timezone.now(), lease_until=None):
        raise Conflict("This read was changed at the same moment. Reload the page.")
    audit.record(user, "read.submitted", read, round=read.round, edit_number=number)
    following.followed(submission)
    announce_read(read)
    return read


@transaction.atomic
def lock_unaided(*, user: User, read_id: str, number: int) -> Read:
    """Fix what the reader found without help, as it stands after edit `number`: from now on they see the
    proposals that came with the images. What is fixed stays readable in the journal for ever; it may be
    corrected afterwards. Twice changes nothing.

    Raises Conflict as `submit`, and where the project shows proposals from the start, or never.
    """
    read = policies.own_read_or_404(user, read_id, lock=True)
    if read.unaided_edit_number is not None:
        return read
    shown = design_of(read.case.project).proposals
    if shown != ReadingDesign.Proposals.AFTER or read.kind != Read.Kind.READ:
        raise Conflict("This project has no unaided read to lock.")
    if not machine.may(read, "lock_unaided"):
        raise Conflict(f"This read is {read.get_state_display().lower()}: it can't be locked now.")
    _check_complete(read, number)
    machine.move(read, "lock_unaided", unaided_edit_number=number)
    audit.record(user, "read.unaided_locked", read, edit_number=number)
    announce_read(read)
    return read


def _check_complete(read: Read, number: int) -> None:
    """That all of the read's edits are known here and there, and nothing is owed. Raises Conflict."""
    if number < read.last_edit_number:
        raise Conflict(
            f"This page has seen {number} of {read.last_edit_number} changes. "
            "Reload it, look them over, then submit."
        )
    if number > read.last_edit_number:
        raise Conflict(
            f"Only {read.last_edit_number} of your {number} changes have arrived. Wait until all are saved."
        )
    missing = owed_by(read)
    if missing:
        told = "; ".join(missing[:OWED_TOLD]) + (
            f"; and {len(missing) - OWED_TOLD} more" if len(missing) > OWED_TOLD else ""
        )
        raise Conflict(f"These need an answer first, if only “absent”: {told}.")


@transaction.atomic
def settle_parked(*, user: User, read_id: str, edit_id: str) -> None:
    """The reader has dealt with a change that was kept aside. It stays where it is; twice changes nothing."""
    read = policies.own_read_or_404(user, read_id)
    try:
        identity = UUID(edit_id)
    except ValueError:
        raise Http404("Nothing like this was kept aside.") from None
    kept = ParkedEdit.objects.filter(read=read, by=user, edit_id=identity)
    if not kept.exists():
        raise Http404("Nothing like this was kept aside.")
    kept.filter(settled_at=None).update(settled_at=timezone.now())


def last_submitted_number(read: Read) -> int:
    """The last edit of the latest round that was handed in. Raises Submission.DoesNotExist."""
    return Submission.objects.filter(read=read).latest("round").edit_number


def next_read(user: User, *, after: Read | None = None) -> Read | None:
    """What to take next: own reads that came back, those under way, new ones by due date; then reviews.

    Whoever has just reviewed gets the next review first.
    """
    roads = [_own_to_read, policies.reads_to_review]
    if after is not None and after.reader_id != user.pk:
        roads.reverse()
    for road in roads:
        waiting = road(user) if after is None else road(user).exclude(pk=after.pk)
        found = waiting.first()
        if found:
            return found
    return None


def _own_to_read(user: User) -> QuerySet[Read]:
    ranks = (When(state=state, then=rank) for rank, state in enumerate(NEXT_ORDER))
    waiting = policies.own_reads(user).filter(state__in=NEXT_ORDER).annotate(rank=Choose(*ranks))
    return in_reading_order(waiting, "rank")


def _was_submitted_at(read: Read, number: int) -> bool:
    """Whether this is a submission sent twice, with no verdict of a person on it yet."""
    given = Submission.objects.filter(read=read, round=read.round, edit_number=number, review=None)
    return read.state in machine.HANDED_IN and given.exists()
