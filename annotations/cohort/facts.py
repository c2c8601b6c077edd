"""What a submission says, kept in columns (MarkFact, LabelFact), so that cohorts are chosen without journals.

Submissions never change, so this is worked out once, by a job after each is handed in; until then a cohort's
page says that it is still to come. Twice gives the same rows.
"""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from annotations.cohort.language.compiled import closed_to
from annotations.cohort.language.known import code_of
from annotations.cohort.language.standing import submissions
from annotations.measures.agreement.lesions import Lesion
from annotations.models import LabelFact, MarkFact, Submission
from annotations.reading.handed_in import HandedIn
from annotations.reading.lesions import LONGEST, SHORTEST
from annotations.reading.measurements import Measurement, measure
from annotations.reading.proposals import changed_since_taken_over
from atlas.models import Project, Series

BATCH = 1000


def fill(submission_id: int) -> None:
    """Work out the facts of a submission (its primary key). Running it twice changes nothing."""
    submission = (
        Submission.objects.select_related("read__schema", "read__case").filter(pk=submission_id).first()
    )
    if submission is None:  # erased since
        return
    handed = HandedIn(submission)
    marks, labels = list(_marks(handed)), list(_labels(handed))
    with transaction.atomic():
        locked = Submission.objects.select_for_update().filter(pk=submission_id).first()
        if locked is None:
            return
        MarkFact.objects.filter(submission=locked).delete()
        LabelFact.objects.filter(submission=locked).delete()
        MarkFact.objects.bulk_create(marks, batch_size=BATCH)
        LabelFact.objects.bulk_create(labels, batch_size=BATCH)
        locked.facts_at = timezone.now()
        locked.save(update_fields=["facts_at"])


def _marks(handed: HandedIn) -> Iterator[MarkFact]:
    submission, state = handed.submission, handed.state
    codes = {label["key"]: code_of(label) for label in handed.schema.labels}
    numbers = {one.annotation: one for one in measure(submission.read, state)}
    changed = changed_since_taken_over(submission.read, state)
    wanted = {mark.value["series"] for mark in state.annotations}
    series = dict(Series.objects.filter(public_id__in=wanted).values_list("public_id", "pk"))
    for mark in state.annotations:
        label, measured = mark.value["label"], numbers[str(mark.annotation_id)]
        yield MarkFact(
            submission=submission,
            annotation=mark.annotation_id,
            series_id=series[mark.value["series"]],
            label=label,
            code=codes.get(label, ""),
            kind=mark.value["kind"],
            state=mark.value["state"],
            longest_mm=_first(measured, LONGEST),
            shortest_mm=_first(measured, SHORTEST),
            volume_ml=measured.numbers.get("volume_ml"),
            origin=_origin(mark.value, changed.get(mark.annotation_id)),
        )


def _first(measured: Measurement, names: tuple[str, ...]) -> float | None:
    return next((measured.numbers[name] for name in names if name in measured.numbers), None)


def _origin(value: dict[str, Any], changed: bool | None) -> str:
    """`changed`: None for a mark that wasn't taken over from what came with the images."""
    if changed is None:
        told = (value.get("origin") or {}).get("from")
        return "adjudication" if told == "adjudication" else "reader"
    return "proposal_changed" if changed else "proposal"


def _labels(handed: HandedIn) -> Iterator[LabelFact]:
    """Of every label of the schema, those without a mark or a word too: they weren't assessed."""
    for label in handed.schema.labels:
        lesions = handed.lesions(label["key"])
        yield LabelFact(
            submission=handed.submission,
            label=label["key"],
            code=code_of(label),
            state=handed.presence(label["key"]) or "not_assessed",
            count=len(lesions),
            longest_mm=max((one.longest_mm for one in lesions if one.longest_mm is not None), default=None),
            volume_ml=_volume_ml(lesions),
        )


def _volume_ml(lesions: list[Lesion]) -> float | None:
    """Of all together; None where there is none, or the images of one don't give it."""
    volumes = [one.volume_mm3 for one in lesions if one.voxels is not None]
    if not volumes or None in volumes:
        return None
    return sum(volume for volume in volumes if volume is not None) / 1000


def without_facts(project: Project, by: User) -> int:
    """How many submissions that a cohort could ask of are still being worked out, as far as `by` may know."""
    waiting = all_without_facts().filter(read__case__project=project)
    if not waiting.exists():  # nearly always, and cheap to know by its index
        return 0
    asked = Q(pk__in=submissions(project, "handed_in").values("pk"))
    asked |= Q(pk__in=submissions(project, "reference").values("pk"))
    return waiting.filter(asked).exclude(read__case__in=closed_to(project, by)).count()


def all_without_facts() -> QuerySet[Submission]:
    """Of all projects, the oldest first."""
    return Submission.objects.filter(facts_at=None).order_by("pk")
