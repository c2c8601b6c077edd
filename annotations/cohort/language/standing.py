"""Which submissions a group of marks or labels asks of."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotations.models import Case, Read, ReferenceStandard, Submission
from atlas.models import Project


def submissions(project: Project, of: str) -> QuerySet[Submission]:
    """`of`: a key of `expression.OF`. "result" is what a release of the project would hold of a case."""
    found = Submission.objects.filter(read__case__project=project)
    references = ReferenceStandard.objects.filter(case__project=project).values("submission")
    match of:
        case "reference":
            return found.filter(pk__in=references)
        case "accepted":
            return _last(found).filter(read__state=Read.State.ACCEPTED)
        case "handed_in":
            return _last(found)
    accepted = _last(found).filter(
        read__state=Read.State.ACCEPTED,
        read__kind=Read.Kind.READ,
        read__case__reference=None,
        read__case__needs_adjudication=False,
        read__case__purpose=Case.Purpose.ORDINARY,
    )
    return found.filter(Q(pk__in=references) | Q(pk__in=accepted.values("pk")))


def _last(found: QuerySet[Submission]) -> QuerySet[Submission]:
    """The last round of each read that wasn't set aside."""
    later = Submission.objects.filter(read=OuterRef("read"), round__gt=OuterRef("round"))
    return found.filter(~Exists(later)).exclude(read__state=Read.State.SET_ASIDE)
