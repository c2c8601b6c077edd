"""What an adjudicator looks at: one reader's marks, and what a choice would make. Nothing is written."""

from typing import Any

from django.http import Http404

from annotations.models import AdjudicatedLesion, Read
from annotations.reading.adjudication.readers import ReaderOf, readers_of
from annotations.reading.adjudication.results import Result, checked_choice, result_of


def reader_or_404(adjudication: Read, reader_id: str) -> ReaderOf:
    """One of the adjudication's readers, by the public id of the read."""
    for reader in readers_of(adjudication.case, adjudication=adjudication):
        if reader.id == reader_id:
            return reader
    raise Http404("There is no such read in this adjudication.")


def preview(adjudication: Read, number: int, choice: dict[str, Any]) -> Result:
    """Raises Http404 for a lesion that isn't there, ValidationError for a choice that can't be made."""
    row = AdjudicatedLesion.objects.filter(read=adjudication, number=number).first()
    if row is None:
        raise Http404("There is no such lesion in this adjudication.")
    return result_of(adjudication, row, checked_choice(row, choice))
