"""Setting a read aside: it no longer counts, and nothing of it is lost."""

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit, permissions
from accounts.models import AuditRecord, User
from annotations.models import Read, Review
from annotations.reading import following, machine, policies
from annotations.reading.adjudication.readers import require_same_reads
from annotations.reading.broadcasts import announce_read
from annotations.reading.designs import design_of
from annotations.reading.locks import locked
from atlas.models import Project

audit.register("read.set_aside", "read.taken_up")


@transaction.atomic
def set_aside(*, by: User, read_id: str) -> Read:
    """The case goes on without this read, whose journal is kept. Twice changes nothing.

    Raises Http404 or PermissionDenied for who doesn't lead here, ValidationError where the read is handed in.
    """
    read = _locked(by, read_id, "set_aside", Read.State.SET_ASIDE)
    if read.state != Read.State.SET_ASIDE:
        _put_aside(by, read)
    return read


@transaction.atomic
def take_up(*, by: User, read_id: str) -> Read:
    """Its reader goes on where they were. Twice changes nothing.

    Raises ValidationError where its reader has no role here any more, or has seen another's marks meanwhile
    and would no longer read blind, or where the case has another adjudication; Conflict where what one judges
    was replaced.
    """
    read = _locked(by, read_id, "take_up", Read.State.IN_PROGRESS)
    if read.state != Read.State.SET_ASIDE:
        return read
    name = read.reader.display_name
    if policies.PERMISSION_OF_KIND[read.kind] not in policies.permissions_in(read.reader, read.case.project):
        raise ValidationError(f"{name} is no reader of this project. Add them again on the members page.")
    is_adjudication = read.kind == Read.Kind.ADJUDICATION
    if is_adjudication and _has_another_adjudication(read):
        raise ValidationError("Someone else adjudicates this case now.")
    if is_adjudication:
        require_same_reads(read)
    if not is_adjudication and design_of(read.case.project).blind and has_seen_others(read.reader, read):
        raise ValidationError(f"{name} has seen another's marks on this case, so they can't read it blind.")
    machine.move(read, "take_up", lease_until=None)
    audit.record(by, "read.taken_up", read, reader=read.reader_id)
    announce_read(read)
    return read


def set_aside_reads_of(*, by: User, project: Project, user: User) -> int:
    """Someone lost the role that their open reads need: these are set aside. Within the caller's transaction.
    How many they were."""
    held = policies.permissions_in(user, project)
    kinds = [kind for kind, permission in policies.PERMISSION_OF_KIND.items() if permission not in held]
    reads = Read.objects.filter(case__project=project, reader=user, kind__in=kinds, state__in=machine.OPEN)
    open_reads = list(locked(reads).order_by("pk"))
    for read in open_reads:
        _put_aside(by, read)
    return len(open_reads)


def has_seen_others(user: User, read: Read) -> bool:
    """Whether this person has looked at, or judged, another's marks on the case of this read."""
    others = Read.objects.filter(case=read.case_id).exclude(pk=read.pk).exclude(reader=user)
    seen = AuditRecord.objects.filter(
        actor=user, verb="read.marks_seen", object_type="read", object_id__in=others.values("pk")
    )
    return seen.exists() or Review.objects.filter(submission__read__in=others, by=user).exists()


def _put_aside(by: User, read: Read) -> None:
    machine.move(read, "set_aside")
    audit.record(by, "read.set_aside", read, reader=read.reader_id)
    announce_read(read)
    following.compare_soon(read.case)


def _locked(by: User, read_id: str, action: str, done: str) -> Read:
    """The read under its lock, for someone who may do this with it, or finds it done."""
    read, rights = policies.read_and_rights_or_404(by, read_id)
    permissions.require(by, "manage_project", read.case.project)
    held = locked(Read.objects.filter(pk=read.pk)).get()
    rights = policies.rights_on(by, held)
    if rights.capacity is not policies.Capacity.LEAD:
        raise ValidationError("Another lead decides about your own reads.")
    if action not in rights.actions and held.state != done:
        raise ValidationError(f"This read is {held.get_state_display().lower()}: it stays as it is.")
    return held


def _has_another_adjudication(read: Read) -> bool:
    others = Read.objects.filter(case=read.case_id, kind=Read.Kind.ADJUDICATION)
    return others.exclude(pk=read.pk).exclude(state=Read.State.SET_ASIDE).exists()
