"""How far the reads of a case agree, computed by a job: every two submissions, label by label.

Submissions never change, so what was compared once stays, but for whether the project's rule calls it a
disagreement. Rows of rounds that a later one replaced go. In memory are, beside the runs as they are stored,
the masks of one label of one pair.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

from django.db import transaction
from django.utils import timezone

from annotations.models import Case, Comparison, Read, ReferenceStandard, Submission
from annotations.reading.adjudication.deciding import decide
from annotations.reading.broadcasts import announce_cases
from annotations.reading.comparison_rows import disagrees, rows_of_pair
from annotations.reading.designs import design_of, is_case_read
from annotations.reading.handed_in import HandedIn

ATTEMPTS = 3


def compare_case(case_id: int) -> None:
    """Compare the submissions of a case (its primary key), then have the case decided. Twice changes nothing.

    Submissions that arrive meanwhile are compared, too.
    """
    case = Case.objects.select_related("project").filter(pk=case_id).first()
    if case is None:  # erased since
        return
    for _ in range(ATTEMPTS):
        pairs = pairs_of(case)
        rows = list(_rows(case, pairs))
        if _written(case, pairs, rows):
            break
    decide(case)


def pairs_of(case: Case) -> list[tuple[Submission, Submission]]:
    """Which submissions are compared: the latest of every two reads, and of each read with the
    reference standard. The lower primary key comes first. Two queries."""
    latest = {
        submission.read_id: submission
        for submission in Submission.objects.filter(read__case=case, read__kind=Read.Kind.READ)
        .exclude(read__state=Read.State.SET_ASIDE)
        .select_related("read__schema")
        .order_by("round")
    }
    submissions = sorted(latest.values(), key=lambda one: one.pk)
    pairs = list(combinations(submissions, 2))
    reference = ReferenceStandard.objects.filter(case=case).select_related("submission__read__schema").first()
    if reference is not None and reference.submission not in submissions:
        pairs += [_in_order(one, reference.submission) for one in submissions]
    return pairs


def _in_order(one: Submission, other: Submission) -> tuple[Submission, Submission]:
    return (one, other) if one.pk < other.pk else (other, one)


# Computing --------------------------------------------------------------------------------------


def _rows(case: Case, pairs: Sequence[tuple[Submission, Submission]]) -> Iterator[Comparison]:
    """Of the pairs that have none yet."""
    compared = set(Comparison.objects.filter(case=case).values_list("first", "second").distinct())
    handed: dict[int, HandedIn] = {}
    for one, other in pairs:
        if (one.pk, other.pk) in compared:
            continue
        first, second = (handed.setdefault(each.pk, HandedIn(each)) for each in (one, other))
        yield from rows_of_pair(case, first, second)


# Writing ----------------------------------------------------------------------------------------


@transaction.atomic
def _written(case: Case, pairs: Sequence[tuple[Submission, Submission]], rows: Sequence[Comparison]) -> bool:
    """False where other submissions count by now: then nothing is written."""
    Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    current = {(one.pk, other.pk) for one, other in pairs}
    if {(one.pk, other.pk) for one, other in pairs_of(case)} != current:
        return False
    there = Comparison.objects.filter(case=case)
    outdated = [
        row for row, *pair in there.values_list("pk", "first", "second") if tuple(pair) not in current
    ]
    there.filter(pk__in=outdated).delete()
    Comparison.objects.bulk_create(rows, ignore_conflicts=True)
    judged = _judged_anew(case)
    if is_case_read(case) and (rows or case.compared_at is None):
        Case.objects.filter(pk=case.pk).update(compared_at=timezone.now())
    if rows or outdated or judged:
        announce_cases(case.project, [case.number])
    return True


def _judged_anew(case: Case) -> bool:
    """By the rule as it is now, which may have changed since: whether any comparison is seen otherwise."""
    design = design_of(case.project)
    changed = []
    for row in Comparison.objects.filter(case=case):
        before, row.disagrees = row.disagrees, disagrees(row, design)
        if row.disagrees != before:
            changed.append(row)
    Comparison.objects.bulk_update(changed, ["disagrees"])
    return bool(changed)
