"""Whose a fact is: found as the images of the dataset are, with the days by which dates move."""

from collections.abc import Iterable
from dataclasses import dataclass

from atlas.archive.receiving import Door, door_of
from atlas.dicom.deidentify import Keys
from atlas.models import Dataset, Subject

PSEUDONYM_LENGTH_MAX = 64


@dataclass(frozen=True, slots=True)
class Known:
    """A subject of the dataset; `shift_days` None where the dataset keeps no dates."""

    subject_id: int
    shift_days: int | None


class People:
    """The subjects that have images in a dataset."""

    def __init__(self, dataset: Dataset) -> None:
        """Raises IntakeClosed, KeyUnusable as taking images in does."""
        self.door: Door = door_of(dataset)
        self._known: dict[str, int] = {}

    @property
    def are_named(self) -> bool:
        """Whether files name patients as the hospital does, and are made pseudonymous here."""
        return self.door.keys is not None

    @property
    def keep_dates(self) -> bool:
        return self.door.profile is None or "dates" in self.door.profile.options

    def pseudonym(self, patient_id: str, issuer: str) -> str:
        if self.door.keys is None:
            return patient_id[:PSEUDONYM_LENGTH_MAX]
        return self.door.keys.subject(patient_id, issuer)

    def find(self, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        """By (Patient ID, issuer) those who have images here. One query."""
        pseudonyms = {name: self.pseudonym(*name) for name in set(names)}
        dataset = self.door.dataset
        rows = Subject.objects.filter(
            organisation_id=dataset.organisation_id,
            pseudonym__in=set(pseudonyms.values()),
            studies__dataset=dataset,
        )
        subjects = dict(rows.values_list("pseudonym", "pk"))
        return {
            name: Known(subjects[pseudonym], self._shift(self.door.keys, *name))
            for name, pseudonym in pseudonyms.items()
            if pseudonym in subjects
        }

    def _shift(self, keys: Keys | None, patient_id: str, issuer: str) -> int | None:
        if not self.keep_dates:
            return None
        return keys.shift_days(patient_id, issuer) if keys is not None else 0
