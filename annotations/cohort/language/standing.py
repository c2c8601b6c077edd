"""Which submissions a group of marks or labels asks of."""

from django.db.models import Exists, F, OuterRef, Q, QuerySet

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
            return found.filter(_ACCEPTED)
        case "handed_in":
            later = Submission.objects.filter(read=OuterRef("read"), round__gt=OuterRef("round"))
            return found.filter(~Exists(later)).exclude(read__state=Read.State.SET_ASIDE)
    accepted = found.filter(
        _ACCEPTED,
        read__kind=Read.Kind.READ,
        read__case__needs_adjudication=False,
        read__case__purpose=Case.Purpose.ORDINARY,
    ).exclude(read__case__in=ReferenceStandard.objects.filter(case__project=project).values("case"))
    # A union, where an OR would have every submission looked at.
    either = references.order_by().union(accepted.order_by().values("pk"), all=True)
    return Submission.objects.filter(pk__in=either)


_ACCEPTED = Q(read__state=Read.State.ACCEPTED, round=F("read__round"))
"""The round that was accepted is the read's last: a return begins the next."""
