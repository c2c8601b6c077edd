"""Deciding, lesion by lesion. What is chosen is written into the adjudication's own journal as one gesture.

A decision names the version of the lesion that was looked at. Who comes second is told, and loses nothing:
what they would have written is not written, and what they drew stays.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from accounts import audit
from accounts.models import User
from annotations.models import AdjudicatedLesion, Annotation, Read
from annotations.reading.adjudication import access
from annotations.reading.adjudication.answers import answers_about_the_case, answers_of
from annotations.reading.adjudication.edits import Edits
from annotations.reading.adjudication.readers import readers_of
from annotations.reading.adjudication.results import DRAWN, READ, checked_choice, result_of
from annotations.reading.adjudication.rows import require_matched
from annotations.reading.adjudication.rule import differ
from annotations.reading.answers import NOTHING_THERE
from annotations.reading.broadcasts import tell_read
from annotations.reading.journal.answers import is_answer
from annotations.reading.journal.values import STATES
from atlas.api.errors import Conflict

audit.register("adjudication.settled", "adjudication.opened")

REASON_LENGTH_MAX = 4000
STALE = "This lesion was settled or opened elsewhere meanwhile. Look at it again, then decide."

type Json = dict[str, Any]


@transaction.atomic
def settle(
    *,
    user: User,
    read_id: str,
    number: int,
    version: int,
    choice: Json,
    reason: str = "",
    answers: Mapping[str, Any] | None = None,
    annotations: Sequence[str] = (),
    label: str = "",
    state: str = "",
    tab: str = "",
) -> AdjudicatedLesion:
    """Write what was chosen for a lesion, in the place of what was chosen before.

    `answers` by question; where readers answered alike, or with one reader's marks, theirs are taken over.
    `annotations`: the marks of this adjudication that were drawn for it. Raises Conflict where the lesion
    changed since `version` or the adjudication is handed in, ValidationError by field for all that is wrong.
    """
    adjudication = access.own_or_404(user, read_id, lock=True)
    row = _row(adjudication, number, version)
    chosen = checked_choice(row, choice)
    _check_reason(row, reason)
    if state and state not in STATES:
        raise ValidationError({"state": [f"One of {', '.join(STATES)}."]})
    if label and label not in {one["key"] for one in adjudication.schema.labels}:
        raise ValidationError({"label": ["This adjudication's labels have no such label."]})
    result = result_of(adjudication, row, chosen, label=label, state=state)
    drawn = _drawn(adjudication, row, annotations) if chosen["take"] == DRAWN else []
    edits = Edits(adjudication)
    edits.delete([UUID(one) for one in row.result if UUID(one) not in drawn])
    made = drawn + [edits.add(value, planes) for value, planes in result.marks]
    states = [value["state"] for value, _ in result.marks] or ["present"]
    if made and not all(each in NOTHING_THERE for each in states):
        # Of several marks the segment carries the answers: it comes first, as the readers made it.
        about = _carrier(made, result.marks) if not drawn else made[0]
        for key, value in _answers(adjudication, row, chosen, answers or {}, label or row.label).items():
            edits.answer(key, about, value)
    last = edits.send(user, tab)
    row.choice, row.reason, row.settled_at = chosen, reason.strip(), timezone.now()
    row.result = [str(one) for one in made]
    row.numbers = row.numbers | {"settled_number": last, "result": _numbers(result.numbers)}
    _keep(row)
    audit.record(user, "adjudication.settled", adjudication, lesion=number, take=chosen["take"])
    tell_read(adjudication, {"type": "adjudication"})
    return row


@transaction.atomic
def reopen(*, user: User, read_id: str, number: int, version: int, tab: str = "") -> AdjudicatedLesion:
    """Take a decision back. Marks that were taken or merged go; what was drawn by hand stays, for no
    lesion."""
    adjudication = access.own_or_404(user, read_id, lock=True)
    row = _row(adjudication, number, version)
    if row.settled_at is None:
        return row
    edits = Edits(adjudication)
    if row.choice and row.choice["take"] != DRAWN:
        edits.delete([UUID(one) for one in row.result])
    edits.send(user, tab)
    row.choice, row.settled_at, row.result = None, None, []
    row.numbers = {
        key: value for key, value in row.numbers.items() if key not in ("settled_number", "result")
    }
    _keep(row)
    audit.record(user, "adjudication.opened", adjudication, lesion=number)
    tell_read(adjudication, {"type": "adjudication"})
    return row


@transaction.atomic
def settle_agreed(*, user: User, read_id: str, tab: str = "") -> int:
    """Settle as suggested all open lesions that readers don't disagree about, and take over what all who
    answered about the case answered alike. Returns how many lesions were settled."""
    adjudication = access.own_or_404(user, read_id, lock=True)
    _check_editable(adjudication)
    require_matched(adjudication)
    open_rows = AdjudicatedLesion.objects.filter(read=adjudication, settled_at=None, disagreements=[])
    settled = 0
    for row in open_rows.order_by("number"):
        suggested = row.numbers.get("suggested")
        if suggested:
            settle(
                user=user,
                read_id=read_id,
                number=row.number,
                version=row.version,
                choice=suggested,
                tab=tab,
            )
            settled += 1
    _take_over_answers(user, adjudication, tab)
    return settled


def _take_over_answers(user: User, adjudication: Read, tab: str) -> None:
    readers = readers_of(adjudication.case, adjudication=adjudication)
    edits = Edits(adjudication)
    for answer in answers_about_the_case(readers, adjudication.schema, answers_of(adjudication)):
        given = [value for value in answer.said.values() if value is not None]
        if answer.chosen is None and given and not answer.differs:
            edits.answer_about(answer.answer, of=answer.of, about=answer.about, value=given[0])
    edits.send(user, tab)


# What is asked of a decision ----------------------------------------------------------------------


def _row(adjudication: Read, number: int, version: int) -> AdjudicatedLesion:
    """Under the lock of the adjudication. Raises Http404, and Conflict where it can't be decided now."""
    row = AdjudicatedLesion.objects.filter(read=adjudication, number=number).first()
    if row is None:
        require_matched(adjudication)
        raise Http404("There is no such lesion in this adjudication.")
    _check_editable(adjudication)
    if row.version != version:
        raise Conflict(STALE)
    return row


def _check_editable(adjudication: Read) -> None:
    if adjudication.state not in Read.EDITABLE:
        raise Conflict("This adjudication is handed in: nothing can be changed any more.")


def _check_reason(row: AdjudicatedLesion, reason: str) -> None:
    if len(reason) > REASON_LENGTH_MAX:
        raise ValidationError({"reason": [f"At most {REASON_LENGTH_MAX} characters."]})
    if row.disagreements and not reason.strip():
        raise ValidationError({"reason": ["The readers disagree here: say why this is the result."]})


def _drawn(adjudication: Read, row: AdjudicatedLesion, annotations: Sequence[str]) -> list[UUID]:
    """The marks that were drawn for a lesion. Raises ValidationError."""
    try:
        wanted = [UUID(str(one)) for one in annotations]
    except ValueError:
        raise ValidationError({"annotations": ["Marks are named by their UUIDs."]}) from None
    there = Annotation.objects.filter(read=adjudication, annotation_id__in=wanted, value__isnull=False)
    marks = {one.annotation_id for one in there if not is_answer(one.value)}
    if not wanted or set(wanted) - marks:
        raise ValidationError({"annotations": ["Draw the lesion first, and wait until it is saved."]})
    others = AdjudicatedLesion.objects.filter(read=adjudication).exclude(pk=row.pk)
    taken = {UUID(one) for result in others.values_list("result", flat=True) for one in result}
    if taken & set(wanted):
        raise ValidationError({"annotations": ["This mark is the result of another lesion."]})
    return wanted


def _answers(
    adjudication: Read, row: AdjudicatedLesion, choice: Json, given: Mapping[str, Any], label: str
) -> dict[str, Any]:
    """By question: what was given, else what the reader who was taken said, else what all said.

    Raises ValidationError where readers differ and nobody chose.
    """
    found: dict[str, Any] = {}
    missing = []
    asked = {
        question["key"]: question
        for question in adjudication.schema.questions
        if question["of"] == "annotation" and (not question["only"] or label in question["only"])
    }
    unknown = sorted(set(given) - set(asked))
    if unknown:
        raise ValidationError({"answers": [f"Nothing asks {unknown[0][:60]!r} about this lesion."]})
    for key, question in asked.items():
        said = row.numbers.get("answers", {}).get(key, {})
        values = [value for value in said.values() if value is not None]
        of_taken = said.get(choice["read"]) if choice["take"] == READ else None
        if given.get(key) is not None:
            found[key] = given[key]
        elif of_taken is not None:
            found[key] = of_taken
        elif differ(said):
            missing.append(question["text"])
        elif values:
            found[key] = values[0]
    if missing:
        named = ", ".join(f"“{text}”" for text in missing)
        raise ValidationError({"answers": [f"The readers answered differently: choose for {named}."]})
    return found


def _carrier(made: Sequence[UUID], marks: Sequence[tuple[Json, Any]]) -> UUID:
    segments = [one for one, (value, _) in zip(made, marks, strict=True) if value["kind"] == "segment"]
    return (segments or list(made))[0]


def _numbers(numbers: Json) -> Json:
    return {name: numbers.get(name) for name in ("volume_mm3", "longest_mm", "short_mm")}


def _keep(row: AdjudicatedLesion) -> None:
    row.version += 1
    row.save(
        update_fields=["choice", "reason", "result", "settled_at", "numbers", "version"],
    )
