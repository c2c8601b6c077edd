"""Who adjudicates a case: someone takes it, or a lead names someone, or hands it over with all that is
settled.

There is one adjudication of a case at a time, and never by someone who has read it.
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts import audit, permissions, revocation
from accounts.models import User
from annotations.models import Case, Read, ReferenceStandard
from annotations.reading import machine, policies
from annotations.reading.adjudication import access, rows
from annotations.reading.adjudication.readers import ReaderOf, readers_of, require_same_reads
from annotations.reading.broadcasts import announce_read
from annotations.reading.designs import is_case_read
from annotations.reading.locks import locked
from atlas.api.errors import Conflict

audit.register("adjudication.assigned", "adjudication.handed_over")

READERS_LEAST = 2  # one read alone has nothing to be compared with


@transaction.atomic
def take(*, by: User, slug: str, number: int, adjudicator_id: str | None = None) -> Read:
    """Begin the adjudication of a case: oneself, or (a lead) somebody else by public id.

    Taking what one has already changes nothing. Raises Http404 and PermissionDenied as `access.case_or_404`,
    PermissionDenied for readers of the case, Conflict where somebody else has it, or nothing is to be judged.
    """
    seen = access.case_or_404(by, slug, number)
    case = Case.objects.select_for_update(of=("self",)).select_related("project").get(pk=seen.pk)
    adjudicator = _adjudicator(by, case, adjudicator_id)
    present = access.adjudications().filter(case=case).select_related("reader", "case__project").first()
    if present is not None:
        if present.reader_id == adjudicator.pk:
            return present
        raise Conflict(_taken(present))
    readers = _readers(by, case)
    aside = _set_aside(case, adjudicator)
    if aside is not None:  # they go on where they were
        require_same_reads(aside)
        machine.move(aside, "take_up")
        audit.record(by, "read.taken_up", aside, reader=adjudicator.pk)
        announce_read(aside)
        return aside
    adjudication = Read.objects.create(
        case=case,
        reader=adjudicator,
        kind=Read.Kind.ADJUDICATION,
        schema=max((each.read.schema for each in readers), key=lambda schema: schema.version),
        assigned_by=by,
    )
    rows.find_soon(adjudication)
    audit.record(by, "adjudication.assigned", adjudication, case=case.pk, adjudicator=adjudicator.pk)
    announce_read(adjudication)
    return adjudication


@transaction.atomic
def hand_over(*, by: User, read_id: str, adjudicator_id: str) -> Read:
    """Give an adjudication under way to somebody else; what is settled stays, and who settled it.

    For leads who don't read the case. Raises Http404, PermissionDenied, and Conflict once it is handed in.
    """
    require_hand_over(by, read_id)
    found = locked(access.adjudications().filter(public_id=read_id)).get()
    if found.state not in Read.EDITABLE:
        raise Conflict("This adjudication is handed in: it can't be given to somebody else.")
    adjudicator = _candidate(found.case, adjudicator_id)
    if adjudicator.pk == found.reader_id:
        return found
    if _set_aside(found.case, adjudicator) is not None:
        raise Conflict(
            f"{adjudicator.display_name} had an adjudication of this case that was set aside. "
            "Set this one aside, then have them take the case up again."
        )
    before, found.reader = found.reader_id, adjudicator
    found.save(update_fields=["reader", "changed_at"])
    audit.record(
        by,
        "adjudication.handed_over",
        found,
        case=found.case_id,
        before=before,
        adjudicator=adjudicator.pk,
    )
    announce_read(found)
    revocation.announce()
    return found


def require_hand_over(by: User, read_id: str) -> None:
    """Whether this person may give an adjudication to somebody: a lead who isn't a reader of its case."""
    found = policies.read_or_404(by, read_id)
    if found.kind != Read.Kind.ADJUDICATION or found.state == Read.State.SET_ASIDE:
        raise Http404(access.NOT_ADJUDICATED_HERE)
    access.case_or_404(by, found.case.project.slug, found.case.number)
    permissions.require(by, "manage_project", found.case.project)


def candidates_for(user: User, case: Case) -> QuerySet[User]:
    """Whom this person could name: leads anybody who may, others nobody but themselves."""
    found = access.candidates(case)
    return found if permissions.allows(user, "manage_project", case.project) else found.filter(pk=user.pk)


def _adjudicator(by: User, case: Case, adjudicator_id: str | None) -> User:
    if adjudicator_id is None or adjudicator_id == by.public_id:
        if access.has_read(by, case):
            raise PermissionDenied(access.HAVE_READ)
        return by
    permissions.require(by, "manage_project", case.project)
    return _candidate(case, adjudicator_id)


def _candidate(case: Case, adjudicator_id: str) -> User:
    found = access.candidates(case).filter(public_id=adjudicator_id).first()
    if found is None:
        raise Conflict("Choose somebody who judges in this project and has not read this case.")
    return found


def _set_aside(case: Case, adjudicator: User) -> Read | None:
    aside = Read.objects.filter(
        case=case, reader=adjudicator, kind=Read.Kind.ADJUDICATION, state=Read.State.SET_ASIDE
    )
    return aside.select_related("case__project", "reader").first()


def _readers(by: User, case: Case) -> list[ReaderOf]:
    """Raises Conflict where there is nothing to judge (yet)."""
    settled = ReferenceStandard.objects.filter(case=case, how=ReferenceStandard.How.ADJUDICATED)
    readers = readers_of(case)
    if settled.exists():
        raise Conflict("This case is adjudicated: its reference standard stands.")
    if not is_case_read(case) or len(readers) < READERS_LEAST:
        raise Conflict("This case isn't read by all of its readers yet.")
    if not case.needs_adjudication and not permissions.allows(by, "manage_project", case.project):
        raise Conflict("The readers of this case agree by the project's rule.")
    return readers


def _taken(adjudication: Read) -> str:
    name = adjudication.reader.display_name
    if adjudication.state not in Read.EDITABLE:
        return f"{name} has adjudicated this case."
    return f"{name} adjudicates this case since {adjudication.assigned_at:%d %b %Y, %H:%M} UTC."
