"""How an adjudicated result came about, for those who use it: from which reads, by what choice, why."""

from collections.abc import Callable
from typing import Any

from annotations.models import AdjudicatedLesion, Read
from annotations.reading.adjudication.readers import readers_of
from annotations.reading.adjudication.words import sentences


def decisions_of(adjudication: Read, identify: Callable[[str], str]) -> dict[str, Any]:
    """The readers by letter, as the sentences name them, and what was decided of each lesion. `identify`
    makes an identifier of a public id."""
    readers = readers_of(adjudication.case, adjudication=adjudication)
    letters = {reader.id: reader.letter for reader in readers}
    return {
        "readers": {reader.letter: identify(reader.read.reader.public_id) for reader in readers},
        "lesions": [
            {
                "number": row.number,
                "label": row.label,
                "marked_by": [letters[one["read"]] for one in row.members if one["annotations"]],
                "disagreements": sentences(row.disagreements),
                "choice": _by_letter(row.choice or {}, letters),
                "reason": row.reason,
                "annotations": row.result,
            }
            for row in AdjudicatedLesion.objects.filter(read=adjudication)
        ],
    }


def _by_letter(choice: dict[str, Any], letters: dict[str, str]) -> dict[str, Any]:
    others = {key: value for key, value in choice.items() if key != "read"}
    return others | ({"reader": letters.get(choice["read"], "")} if "read" in choice else {})
