"""Handing a read over: another person goes on with what was drawn, and the journal keeps who drew what."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit, permissions, revocation
from accounts.models import User
from annotations.models import Read
from annotations.reading import machine, policies
from annotations.reading.assignment.giving import write_reads
from annotations.reading.assignment.rules import YOU_READ_IT, possible_readers, standing_of
from annotations.reading.broadcasts import announce_read, announce_worklists
from annotations.reading.locks import locked
from atlas.models import Project

audit.register("read.handed_over", "read.marks_seen")


@transaction.atomic
def hand_over(*, by: User, project: Project, read_id: str, to: User) -> Read:
    """The read becomes this person's, with all its marks; another's round goes on where it was.

    The one who had it keeps an empty read that is set aside: they neither read nor adjudicate the case any
    more. Handing over to its reader changes nothing. Raises ValidationError where the read is handed in, the
    case is the lead's own to read, or the person can't read the case.
    """
    permissions.require(by, "manage_project", project)
    Project.objects.select_for_update().get(pk=project.pk)
    wanted = Read.objects.filter(public_id=read_id, case__project=project, kind=Read.Kind.READ)
    read = locked(wanted).first()
    if read is None:
        raise ValidationError("This read was taken back meanwhile.")
    if policies.cases_being_read_by(by).filter(pk=read.case_id).exists():
        raise ValidationError(YOU_READ_IT)
    if read.reader_id == to.pk:
        return read
    why = why_not(project, read, to)
    if why:
        raise ValidationError(why)
    return move(by, project, read, to)


def why_not(project: Project, read: Read, to: User, *, is_return: bool = False) -> str:
    """Why this person can't go on with the read; empty where they can. `is_return`: they had it before, and
    the empty read that they kept for it goes."""
    if read.state not in machine.OPEN:
        return f"This read is {read.get_state_display().lower()}: it stays with its reader."
    if not possible_readers(project).filter(pk=to.pk).exists():
        return f"{to.display_name} is not a reader of this project."
    if is_return and _kept_for(read, to).exists():
        return ""
    standing = standing_of(project, [read.case])
    if standing.is_there(read.case, to):
        return f"{to.display_name} has a read on this case already."
    if standing.is_barred(read.case, to):
        return f"{to.display_name} has judged this case, or has seen another reader's marks on it."
    return ""


def move(by: User, project: Project, read: Read, to: User) -> Read:
    """Within the caller's transaction, the read locked and `why_not` empty."""
    before = read.reader
    _kept_for(read, to).delete()
    touched = bool(read.last_edit_number or read.opened_at)
    Read.objects.filter(pk=read.pk).update(
        reader=to, lease_until=None, assigned_by=by, changed_at=timezone.now()
    )
    read.reader, read.lease_until = to, None
    if touched:  # whoever drew in it, or looked, is never asked about this case again
        left = write_reads(by, project, read.schema, [(read.case, before)], None)[0]
        Read.objects.filter(pk=left.pk).update(state=Read.State.SET_ASIDE)
        audit.record(before, "read.marks_seen", read)
    audit.record(by, "read.handed_over", read, before=before.pk, to=to.pk, edit_number=read.last_edit_number)
    announce_read(read)
    announce_worklists(project, {before.pk, to.pk})
    revocation.announce()
    return read


def _kept_for(read: Read, person: User) -> QuerySet[Read]:
    """The empty read that someone kept when they handed this one over."""
    kept = Read.objects.filter(case=read.case_id, reader=person, kind=Read.Kind.READ)
    return kept.filter(state=Read.State.SET_ASIDE, last_edit_number=0, opened_at=None)
