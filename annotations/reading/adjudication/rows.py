"""The lesions of an adjudication: made when it begins, from what the readers handed in."""

from collections.abc import Mapping
from typing import Any

from annotations.models import AdjudicatedLesion, Read
from annotations.reading.adjudication.answers import answers_about_the_case
from annotations.reading.adjudication.looking import Seen, look_at
from annotations.reading.adjudication.readers import ReaderOf, readers_of
from annotations.reading.designs import design_of
from annotations.reading.journal.answers import STATE


def make(adjudication: Read) -> list[AdjudicatedLesion]:
    """Within the transaction that begins the adjudication. Numbered from 1, disagreements first."""
    case = adjudication.case
    readers = readers_of(case, adjudication=adjudication)
    look = look_at(case, readers, design_of(case.project))
    stated = {
        answer.about: answer.said
        for answer in answers_about_the_case(readers, adjudication.schema, {})
        if answer.answer == STATE
    }
    return AdjudicatedLesion.objects.bulk_create(
        [
            AdjudicatedLesion(
                read=adjudication,
                number=number,
                label=seen.found.label,
                members=[_member(seen, reader, stated.get(seen.found.label, {})) for reader in readers],
                disagreements=seen.disagreements,
                numbers=seen.numbers | {"suggested": _suggested(seen)},
            )
            for number, seen in enumerate(look.lesions, start=1)
        ]
    )


def _suggested(seen: Seen) -> dict[str, Any] | None:
    """Where readers disagree none of them is preferred unseen."""
    suggested = seen.numbers["suggested"]
    is_one_of_several = suggested is not None and suggested["take"] == "read"
    return None if seen.disagreements and is_one_of_several else suggested


def _member(seen: Seen, reader: ReaderOf, stated: Mapping[str, Any]) -> dict[str, Any]:
    marked = seen.found.members.get(reader.id)
    if marked is None:
        said = stated.get(reader.id)
        # "Present" is what their other marks of this label say, not this lesion.
        return {"read": reader.id, "annotations": [], "label": None, "state": None} | {
            "said": None if said == "present" else said
        }
    return {
        "read": reader.id,
        "annotations": list(marked.lesion.annotations),
        "label": marked.label,
        "state": marked.lesion.category,
        "said": None,
    }
