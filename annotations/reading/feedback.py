"""What the reader of a training case learns once they have handed it in: how far they are from the truth."""

from dataclasses import dataclass

from django.db.models import Q
from django.http import Http404

from accounts.models import User
from annotations.models import Case, Comparison, Read, ReferenceStandard, Submission
from annotations.reading import journal, policies

NOTHING = "There is nothing to compare this read with."


@dataclass(frozen=True)
class Feedback:
    """`comparisons` with the reference, one a label; the job has made them once `is_ready`. `reference`: the
    marks of the truth."""

    read: Read
    submission: Submission
    comparisons: list[Comparison]
    reference: journal.State
    is_ready: bool


def feedback_or_404(user: User, read_id: str) -> Feedback:
    """For the reader of a training case that was handed in. For anything else, hidden references before all,
    Http404 in the words of a read that doesn't exist."""
    read, rights = policies.read_and_rights_or_404(user, read_id)
    submission = Submission.objects.filter(read=read).order_by("-round").first()
    truth = ReferenceStandard.objects.select_related("submission__read__schema").filter(case=read.case_id)
    reference = truth.first()
    if (
        rights.capacity is not policies.Capacity.READER
        or read.kind != Read.Kind.READ
        or read.case.purpose != Case.Purpose.TRAINING
        or submission is None
        or reference is None
        or reference.submission.read_id == read.pk
    ):
        raise Http404(NOTHING)
    pair = (submission, reference.submission)
    compared = Comparison.objects.filter(Q(first=pair[0], second=pair[1]) | Q(first=pair[1], second=pair[0]))
    return Feedback(
        read=read,
        submission=submission,
        comparisons=list(compared.exclude(label="").order_by("label")),
        reference=journal.state_at(reference.submission.read, reference.submission.edit_number),
        is_ready=compared.exists(),
    )
