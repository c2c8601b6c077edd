"""What follows when a read is handed in or accepted: by the project's design, and by a job."""

from functools import partial

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts import audit
from annotations.models import Case, Read, ReferenceStandard, Submission
from annotations.reading import machine
from annotations.reading.designs import design_of

audit.register("read.accepted_without_review")

COMPARE_CASE = "compare_case"  # the job in annotations.tasks


def followed(submission: Submission) -> None:
    """Within the transaction that hands a read in: accept it where nobody reviews, and have it compared."""
    read = submission.read
    is_adjudication = read.kind == Read.Kind.ADJUDICATION
    if is_adjudication or not design_of(read.case.project).review:
        machine.move(read, "accept")
        audit.record(None, "read.accepted_without_review", read, round=read.round)
    if is_adjudication:
        _becomes_the_reference(submission)
    compare_soon(read.case)


def _becomes_the_reference(submission: Submission) -> None:
    case = submission.read.case
    ReferenceStandard.objects.update_or_create(
        case=case, defaults={"submission": submission, "how": ReferenceStandard.How.ADJUDICATED}
    )
    Case.objects.filter(pk=case.pk).update(needs_adjudication=False)


def compare_soon(case: Case) -> None:
    """After the commit, have the case's submissions compared and the case decided, unless that waits."""
    transaction.on_commit(partial(_enqueue, case.pk), robust=True)


def _enqueue(case_id: int) -> None:
    name = f"compare-{case_id}"
    try:
        with transaction.atomic():
            app.configure_task(COMPARE_CASE, queueing_lock=name, lock=name).defer(case_id=case_id)
    except AlreadyEnqueued:
        pass
