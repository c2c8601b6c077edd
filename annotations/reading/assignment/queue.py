"""The queue: readers take the next case themselves, and keep it for a while (`leases`).

What is offered, and in which order, depends on nothing that others have done to the cases one may read: by
priority, then by number, or in an order of one's own. Training cases come first, and anyone may take them.
"""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case as Choose
from django.db.models import (
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import MD5, Coalesce, Concat
from django.utils import timezone

from accounts import audit, permissions, revocation
from accounts.models import User
from annotations.models import Case, Read, ReadingDesign, ReferenceStandard
from annotations.reading import leases
from annotations.reading.assignment.giving import schema_of, write_reads
from annotations.reading.assignment.rules import barred_from
from annotations.reading.broadcasts import announce_cases
from annotations.reading.designs import design_of
from annotations.reading.machine import OPEN
from annotations.reading.projects import untouched_reads
from atlas.models import Project

audit.register("read.taken", "read.given_back")

NOTHING = "There is no case to take now."


class DrawnShare(Func):
    """From 0 to 99: the number that `designs.readers_wanted` draws for a case's public id."""

    template = (
        "MOD(('x' || substr(encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex'), 1, 8))"
        "::bit(32)::bigint, 100)"
    )
    output_field = IntegerField()


def queues_for(user: User) -> QuerySet[Project]:
    """The projects whose readers take cases themselves, where this person is one."""
    return permissions.objects_for(user, "read_cases", Project).filter(design__self_service=True)


def offered_to(user: User, project: Project) -> QuerySet[Case]:
    """The cases that this person may take, in no order."""
    design = design_of(project)
    filling = Read.objects.filter(leases.filling(), case=OuterRef("pk")).order_by().values("case")
    settled = ReferenceStandard.objects.filter(
        case=OuterRef("pk"), how=ReferenceStandard.How.ADJUDICATED, case__purpose=Case.Purpose.ORDINARY
    )
    return (
        Case.objects.filter(project=project)
        .annotate(
            filled=Coalesce(Subquery(filling.annotate(n=Count("pk")).values("n")), 0),
            drawn=DrawnShare(F("public_id")),
        )
        .filter(Q(filled__lt=_wanted(design)) | Q(purpose=Case.Purpose.TRAINING))
        .filter(~Exists(Read.objects.filter(case=OuterRef("pk"), reader=user)), ~Exists(settled))
        .exclude(barred_from(user, project))
    )


def has_one_for(user: User, project: Project) -> bool:
    """Whether there is a case to take. How many there are would tell how far others have come."""
    return _waiting(user, project).exists() or offered_to(user, project).exists()


@transaction.atomic
def take_next(*, user: User, project: Project) -> Read:
    """The next case becomes this person's, for as long as the design says. A case that they took and have not
    opened yet is that case: twice takes one.

    Raises PermissionDenied or Http404 for who reads nothing here, ValidationError where there is nothing to
    take.
    """
    permissions.require(user, "read_cases", project)
    Project.objects.select_for_update().get(pk=project.pk)  # two readers never take the last place of a case
    design = design_of(project)
    if not design.self_service:
        raise ValidationError("In this project the lead hands cases out.")
    until = timezone.now() + timedelta(hours=design.lease_hours)
    waiting = _waiting(user, project).order_by("lease_until").first()
    if waiting is not None:
        Read.objects.filter(pk=waiting.pk).update(lease_until=until)
        waiting.lease_until = until
        return waiting
    case = in_order(offered_to(user, project), user, design).first()
    if case is None:
        raise ValidationError(NOTHING)
    read = write_reads(user, project, schema_of(project), [(case, user)], None, until)[0]
    audit.record(user, "read.taken", read, case=case.pk)
    return read


@transaction.atomic
def give_back(*, user: User, read_id: str) -> None:
    """Someone else may read this case. What was drawn is kept, and may be gone on with; a read that was never
    opened goes. Raises ValidationError for a read that wasn't taken from the queue, or is handed in."""
    read = (
        Read.objects.select_for_update(of=("self",))
        .select_related("case__project")
        .filter(public_id=read_id, reader=user)
        .first()
    )
    if read is None:
        return  # given back before
    if read.lease_until is None or read.state not in OPEN:
        raise ValidationError("Only a case that you took from the queue can be given back.")
    audit.record(user, "read.given_back", read, case=read.case_id)
    announce_cases(read.case.project, [read.case.number])
    if untouched_reads().filter(pk=read.pk).exists():
        read.delete()
        revocation.announce()
    elif not leases.has_run_out(read):
        Read.objects.filter(pk=read.pk).update(lease_until=timezone.now())


def in_order(cases: QuerySet[Case], user: User, design: ReadingDesign) -> QuerySet[Case]:
    training = Choose(When(purpose=Case.Purpose.TRAINING, then=0), default=1)
    if design.order == ReadingDesign.Order.FIXED:
        return cases.order_by(training, "-priority", "number")
    own = MD5(Concat(F("public_id"), Value(user.public_id), output_field=TextField()))
    return cases.order_by(training, "-priority", own)


def _waiting(user: User, project: Project) -> QuerySet[Read]:
    """Taken, and not opened yet."""
    return untouched_reads().filter(reader=user, case__project=project, lease_until__isnull=False)


def _wanted(design: ReadingDesign) -> Value | Choose:
    """`designs.readers_wanted`, in the database."""
    if design.readers_per_case == 1 or design.double_share >= 100:
        return Value(design.readers_per_case)
    drawn = Q(drawn__lt=design.double_share)
    return Choose(When(drawn, then=Value(design.readers_per_case)), default=Value(1))
