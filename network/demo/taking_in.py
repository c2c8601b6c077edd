"""Drawn images go the way of any others."""

from collections.abc import Iterable, Iterator
from functools import partial
from io import BytesIO

from django.core.management.base import CommandError

from atlas.archive.received import REFUSED, Outcome
from atlas.archive.sources import Source
from atlas.archive.uploads import import_paths
from atlas.models import Dataset
from network.demo.phantoms import DrawnSubject


def take_in(dataset: Dataset, subjects: Iterable[DrawnSubject]) -> None:
    """Import every image of these subjects. Raises CommandError for one that is refused."""
    import_paths(dataset, _files(subjects), on_file=_must_be_taken)


def _files(subjects: Iterable[DrawnSubject]) -> Iterator[Source]:
    for subject in subjects:
        for name, content in subject.files():
            yield Source(name, partial(BytesIO, content))


def _must_be_taken(outcome: Outcome) -> None:
    if outcome.status == REFUSED:
        raise CommandError(f"{outcome.name}: {outcome.reason}")
