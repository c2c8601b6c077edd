"""How a project reads: its design, and what the design asks of a case."""

from hashlib import sha256

from django.db.models import Q
from django.utils import timezone

from annotations.models import Case, Read, ReadingDesign
from annotations.reading.machine import HANDED_IN, OPEN
from atlas.models import Project


def design_of(project: Project) -> ReadingDesign:
    """The project's design; an unsaved one with the defaults where nobody has written any."""
    try:
        return project.design
    except ReadingDesign.DoesNotExist:
        return ReadingDesign(project=project)


def readers_wanted(case: Case, design: ReadingDesign) -> int:
    """How many people read this case: all of them for the share of cases that is read by several, else one.

    Which cases these are is drawn by their public ids: it never changes, and nobody can foresee it.
    """
    if design.readers_per_case == 1 or design.double_share >= 100:
        return design.readers_per_case
    drawn = int.from_bytes(sha256(case.public_id.encode()).digest()[:4]) % 100
    return design.readers_per_case if drawn < design.double_share else 1


def is_case_read(case: Case) -> bool:
    """Whether everybody whose read the case waits for is done with it, so that it may be decided.

    That is as many readers as are wanted, and nobody who is still at it; someone whose lease ran out is not
    waited for. Hidden references and training cases are never decided: their truth is known.
    """
    if case.purpose != Case.Purpose.ORDINARY:
        return False
    design = design_of(case.project)
    reads = Read.objects.filter(case=case, kind=Read.Kind.READ)
    done = [Read.State.ACCEPTED] if design.review else HANDED_IN
    still_at_it = Q(state__in=OPEN if not design.review else OPEN | {Read.State.SUBMITTED})
    waited_for = Q(lease_until=None) | Q(lease_until__gt=timezone.now()) | ~Q(state__in=OPEN)
    if reads.filter(still_at_it & waited_for).exists():
        return False
    return reads.filter(state__in=done).count() >= readers_wanted(case, design)
