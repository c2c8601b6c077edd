"""What follows when a read is handed in or accepted: by the project's design, and by a job."""

from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts import audit
from annotations.models import Case, Read, ReferenceStandard, Submission
from annotations.reading import machine
from annotations.reading.designs import design_of

audit.register("read.accepted_without_review")

COMPARE_CASE, FILL_FACTS = "compare_case", "fill_facts"  # the jobs in annotations.tasks


def followed(submission: Submission) -> None:
    """Within the transaction that hands a read in: accept it where nobody reviews, have it compared, and
    have what it says put into columns."""
    read = submission.read
    is_adjudication = read.kind == Read.Kind.ADJUDICATION
    is_training = read.case.purpose == Case.Purpose.TRAINING
    if is_adjudication or is_training or not design_of(read.case.project).review:
        machine.move(read, "accept")
        audit.record(None, "read.accepted_without_review", read, round=read.round)
    if is_adjudication:
        _becomes_the_reference(submission)
    compare_soon(read.case)
    transaction.on_commit(partial(_fill_facts, submission.pk), robust=True)


def _becomes_the_reference(submission: Submission) -> None:
    case = submission.read.case
    ReferenceStandard.objects.update_or_create(
        case=case, defaults={"submission": submission, "how": ReferenceStandard.How.ADJUDICATED}
    )
    Case.objects.filter(pk=case.pk).update(needs_adjudication=False)


def follow_design(project_id: int) -> None:
    """The rules have changed: whatever was handed in for an open question is looked at again. Idempotent."""
    decided = ReferenceStandard.objects.filter(case=OuterRef("pk"), how=ReferenceStandard.How.ADJUDICATED)
    handed_in = Submission.objects.filter(read__case=OuterRef("pk"))
    cases = Case.objects.filter(Exists(handed_in), ~Exists(decided), project=project_id)
    for case_id in cases.order_by("number").values_list("pk", flat=True).iterator():
        _enqueue(case_id)


def compare_soon(case: Case) -> None:
    """After the commit, have the case's submissions compared and the case decided, unless that waits."""
    transaction.on_commit(partial(_enqueue, case.pk), robust=True)


def _fill_facts(submission_id: int) -> None:
    app.configure_task(FILL_FACTS, lock=f"facts-{submission_id}").defer(submission_id=submission_id)


def _enqueue(case_id: int) -> None:
    name = f"compare-{case_id}"
    try:
        with transaction.atomic():
            app.configure_task(COMPARE_CASE, queueing_lock=name, lock=name).defer(case_id=case_id)
    except AlreadyEnqueued:
        pass
