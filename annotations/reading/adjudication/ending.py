"""When an adjudication may be handed in: nothing is open any more."""

from collections.abc import Sequence

from annotations.models import AdjudicatedLesion, Annotation, Read
from annotations.reading.adjudication.answers import answers_about_the_case, answers_of
from annotations.reading.adjudication.readers import readers_of
from annotations.reading.adjudication.rows import require_matched
from annotations.reading.designs import design_of
from atlas.api.errors import Conflict

TOLD_MAX = 6


def require_settled(adjudication: Read) -> None:
    """Raises Conflict, with what is left to decide. Five queries."""
    require_matched(adjudication)
    rows = list(AdjudicatedLesion.objects.filter(read=adjudication))
    lost = lost_results(adjudication, rows)
    open_ones = [row.number for row in rows if row.settled_at is None]
    gone = [row.number for row in rows if row.settled_at is not None and row.number in lost]
    left = []
    if open_ones:
        left.append(f"{_lesions(open_ones)} still open")
    if gone:
        left.append(f"{_lesions(gone)} without the marks of the result: settle again")
    if design_of(adjudication.case.project).category_differs:
        readers = readers_of(adjudication.case, adjudication=adjudication)
        answers = answers_about_the_case(readers, adjudication.schema, answers_of(adjudication))
        # A label with a mark in the result is present: nobody has to say so again.
        marked = set(
            Annotation.objects.filter(read=adjudication, value__state="present").values_list(
                "value__label", flat=True
            )
        )
        texts = [
            f"“{answer.text}”"
            for answer in answers
            if answer.differs and answer.chosen is None and answer.about not in marked
        ]
        if texts:
            left.append(f"readers answered {', '.join(texts[:TOLD_MAX])} differently: choose an answer")
    if left:
        raise Conflict(f"This adjudication isn't finished: {'; '.join(left)}.")


def lost_results(adjudication: Read, rows: Sequence[AdjudicatedLesion]) -> set[int]:
    """The numbers of settled lesions of whose result a mark was deleted since. One query."""
    wanted = {identity for row in rows for identity in row.result}
    present = Annotation.objects.filter(
        read=adjudication, annotation_id__in=wanted, value__isnull=False
    ).values_list("annotation_id", flat=True)
    there = {str(identity) for identity in present}
    return {row.number for row in rows if set(row.result) - there}


def _lesions(numbers: Sequence[int]) -> str:
    named = ", ".join(map(str, numbers[:TOLD_MAX])) + (" and more" if len(numbers) > TOLD_MAX else "")
    return f"lesion {named} is" if len(numbers) == 1 else f"lesions {named} are"
