"""How a case stands: whether readers disagree, who judges, what the reference standard is; for one person."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts import permissions
from accounts.models import User
from annotations.models import Case, Read, ReferenceStandard
from annotations.reading import policies
from annotations.reading.adjudication import access
from annotations.reading.adjudication.words import sentences
from annotations.reading.designs import is_case_read


@dataclass(frozen=True)
class Standing:
    """`is_read`: all readers are done. `may_take`: this person may begin it now, or go on with theirs."""

    needed: bool
    disagreements: Sequence[str]
    is_read: bool
    adjudication: Read | None
    reference: ReferenceStandard | None
    may_take: bool
    has_read: bool
    candidates: Sequence[User]

    @property
    def is_settled(self) -> bool:
        return self.reference is not None and self.reference.how == ReferenceStandard.How.ADJUDICATED


def standing_of(user: User, case: Case) -> Standing | None:
    """None for someone who still reads the case: it is not theirs to know. `case` has its project."""
    if policies.cases_being_read_by(user).filter(pk=case.pk).exists():
        return None
    adjudication = access.adjudications().filter(case=case).select_related("reader").first()
    reference = ReferenceStandard.objects.filter(case=case).select_related("submission__read__reader").first()
    leads = permissions.allows(user, "manage_project", case.project)
    has_read = access.has_read(user, case)
    is_read = is_case_read(case)
    is_theirs = adjudication is not None and adjudication.reader_id == user.pk
    free = adjudication is None and is_read and (case.needs_adjudication or leads)
    return Standing(
        needed=case.needs_adjudication,
        disagreements=sentences(case.disagreements),
        is_read=is_read,
        adjudication=adjudication,
        reference=reference,
        may_take=(free or is_theirs) and not has_read,
        has_read=has_read,
        candidates=list(access.candidates(case)) if leads else [],
    )
