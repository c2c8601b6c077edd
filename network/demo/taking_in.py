"""Drawn images, and what is known beside them, go the way of any others."""

from collections.abc import Iterable, Iterator
from functools import partial
from io import BytesIO

from django.core.management.base import CommandError

from accounts.models import User
from atlas.archive.received import REFUSED, Outcome
from atlas.archive.sources import Source
from atlas.archive.uploads import import_paths
from atlas.clinical import importing, tasks
from atlas.models import ClinicalImport, Dataset
from network.demo.clinical import table
from network.demo.phantoms import DrawnSubject


def take_in(dataset: Dataset, subjects: Iterable[DrawnSubject]) -> None:
    """Import every image of these subjects. Raises CommandError for one that is refused."""
    import_paths(dataset, _files(subjects), on_file=_must_be_taken)


def take_facts_in(dataset: Dataset, subjects: Iterable[DrawnSubject], *, by: User) -> None:
    """As a data manager sends a table of clinical facts, with the columns as they are guessed; once. Raises
    CommandError for a row that is refused."""
    if ClinicalImport.objects.filter(dataset=dataset).exists():
        return
    one = importing.begin(by=by, dataset=dataset, name="clinical.csv", content=table(subjects))
    one = importing.start(by=by, one=one, how=one.mapping)
    tasks.read_file(one.pk)  # here and now, so that the first counts know them; the job finds it done
    one.refresh_from_db()
    if one.state != ClinicalImport.State.DONE or one.rows_refused:
        raise CommandError(f"Clinical facts of {dataset.name} were refused: {one.findings[:3]}")


def _files(subjects: Iterable[DrawnSubject]) -> Iterator[Source]:
    for subject in subjects:
        for name, content in subject.files():
            yield Source(name, partial(BytesIO, content))


def _must_be_taken(outcome: Outcome) -> None:
    if outcome.status == REFUSED:
        raise CommandError(f"{outcome.name}: {outcome.reason}")
