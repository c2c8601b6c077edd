"""Where an image belongs: the subject, study and series of its UIDs, made once by whoever comes first."""

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from atlas.archive.received import Received
from atlas.dicom import values
from atlas.models import Dataset, Series, Study, Subject, Vault

PLACES_MAX = 20_000
VAULT_BELIEVED_S = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """A series that is in the index, and what it belongs to."""

    series_id: int
    modality: str
    study_uid: str
    subject_id: int
    pseudonym: str
    dataset_id: int
    is_in_vault: bool


_known: OrderedDict[tuple[int, str], Place] = OrderedDict()
"""(organisation, Series Instance UID) → its committed place: spares the statements that would find it. A
series that was erased meanwhile is noticed, because counting its new images finds no row."""


def forget_all() -> None:
    """After one of them turned out to be gone."""
    _known.clear()


def known(uid: str, dataset: Dataset) -> "Place | None":
    """The remembered place of a series to which nothing has to be added but images."""
    place = _known.get((dataset.organisation_id, uid))
    return None if place is None or (not place.is_in_vault and keeps_vault(dataset)) else place


def conflict(entry: Received, dataset: Dataset, place: Place) -> str:
    """Why it can't belong there, a sentence; "" where it can."""
    if place.pseudonym != entry.pseudonym:
        return "Its study is here already with another Patient ID. One of the two is wrong."
    if place.dataset_id != dataset.pk:
        return "Its study belongs to another dataset of this organisation already."
    if place.study_uid != entry.uids.study:
        return "Its series is here already as part of another study. One of the two is wrong."
    return ""


def find(received: Sequence[Received], dataset: Dataset, now: datetime, made: set[str]) -> dict[str, Place]:
    """Series Instance UID → its place, made where there was none; `made` gets the public ids of new rows."""
    found: dict[str, Place] = {}
    unknown: list[Received] = []
    for entry in received:
        place = known(entry.uids.series, dataset)
        if place is None:
            unknown.append(entry)
        else:
            found[entry.uids.series] = place
    if not unknown:
        return found
    subjects = _subjects(unknown, dataset, made)
    studies = _studies(unknown, dataset, subjects, made)
    names = _pseudonyms(studies.values(), subjects)
    is_in_vault = keeps_vault(dataset)
    for uid, series in _series(unknown, dataset, studies, now, made).items():
        study = next((one for one in studies.values() if one.pk == series.study_id), None)
        if study is None:  # the series is here already, in a study that none of these files names
            study = Study.objects.select_related("subject").get(pk=series.study_id)
            names[study.subject_id] = study.subject.pseudonym
        found[uid] = Place(
            series.pk,
            series.modality,
            study.study_instance_uid,
            study.subject_id,
            names[study.subject_id],
            study.dataset_id,
            is_in_vault,
        )
    return found


def _pseudonyms(studies: Iterable[Study], subjects: dict[str, Subject]) -> dict[int, str]:
    """Primary key of a subject → its pseudonym; a study that was here may belong to a subject none names."""
    names = {subject.pk: subject.pseudonym for subject in subjects.values()}
    others = {study.subject_id for study in studies} - set(names)
    if others:
        names |= dict(Subject.objects.filter(pk__in=others).values_list("pk", "pseudonym"))
    return names


def remember(dataset: Dataset, places: dict[str, Place], filled: set[int]) -> None:
    """Once they are committed: those of these places that got images (`filled`: keys of their series)."""
    for uid, place in places.items():
        if place.series_id in filled:
            _known[dataset.organisation_id, uid] = place
    while len(_known) > PLACES_MAX:
        _known.popitem(last=False)


def forget_empty(made: set[str]) -> None:
    """A refused file leaves no empty series, study or subject behind. `made` are the public ids of rows of
    this transaction: nobody else can see them yet, so nobody else can be about to use them."""
    Series.objects.filter(public_id__in=made, instances=None).delete()
    Study.objects.filter(public_id__in=made, series=None).delete()
    Subject.objects.filter(public_id__in=made, studies=None).delete()


def _subjects(received: Sequence[Received], dataset: Dataset, made: set[str]) -> dict[str, Subject]:
    rows: dict[str, Subject] = {}
    for entry in received:
        sex = values.text(entry.header.dataset, "PatientSex", length_max=16).upper()
        rows.setdefault(
            entry.pseudonym,
            Subject(
                organisation_id=dataset.organisation_id,
                pseudonym=entry.pseudonym,
                sex=sex if sex in ("M", "F", "O") else "",
            ),
        )
    made.update(row.public_id for row in rows.values())
    Subject.objects.bulk_create([rows[name] for name in sorted(rows)], ignore_conflicts=True)
    found = Subject.objects.filter(organisation_id=dataset.organisation_id, pseudonym__in=rows)
    return {subject.pseudonym: subject for subject in found}


def _studies(
    received: Sequence[Received], dataset: Dataset, subjects: dict[str, Subject], made: set[str]
) -> dict[str, Study]:
    rows: dict[str, Study] = {}
    for entry in received:
        header = entry.header.dataset
        rows.setdefault(
            entry.uids.study,
            Study(
                organisation_id=dataset.organisation_id,
                dataset=dataset,
                subject=subjects[entry.pseudonym],
                study_instance_uid=entry.uids.study,
                date=values.day(header, "StudyDate"),
                time=values.clock(header, "StudyTime"),
                description=values.text(header, "StudyDescription"),
                accession_number=values.text(header, "AccessionNumber", length_max=16),
                study_id=values.text(header, "StudyID", length_max=16),
                age_years=values.age_years(header),
            ),
        )
    made.update(row.public_id for row in rows.values())
    Study.objects.bulk_create([rows[uid] for uid in sorted(rows)], ignore_conflicts=True)
    found = Study.objects.filter(organisation_id=dataset.organisation_id, study_instance_uid__in=rows)
    return {study.study_instance_uid: study for study in found}


def _series(
    received: Sequence[Received], dataset: Dataset, studies: dict[str, Study], now: datetime, made: set[str]
) -> dict[str, Series]:
    rows: dict[str, Series] = {}
    for entry in received:
        header = entry.header.dataset
        rows.setdefault(
            entry.uids.series,
            Series(
                organisation_id=dataset.organisation_id,
                study=studies[entry.uids.study],
                series_instance_uid=entry.uids.series,
                modality=values.text(header, "Modality", length_max=16) or "OT",
                number=values.integer(header, "SeriesNumber"),
                description=values.text(header, "SeriesDescription"),
                body_part=values.text(header, "BodyPartExamined", length_max=16),
                frame_of_reference_uid=values.uid(header, "FrameOfReferenceUID"),
                changed_at=now,
            ),
        )
    made.update(row.public_id for row in rows.values())
    Series.objects.bulk_create([rows[uid] for uid in sorted(rows)], ignore_conflicts=True)
    found = Series.objects.filter(organisation_id=dataset.organisation_id, series_instance_uid__in=rows)
    return {series.series_instance_uid: series for series in found}


_vaults: dict[int, tuple[float, bool]] = {}
"""Organisation → (until when this is believed, whether it keeps a vault)."""


def keeps_vault(dataset: Dataset) -> bool:
    """Whether its organisation does, as of a few seconds ago."""
    known = _vaults.get(dataset.organisation_id)
    if known is None or known[0] < time.monotonic():
        found = Vault.objects.filter(organisation_id=dataset.organisation_id).exists()
        known = _vaults[dataset.organisation_id] = (time.monotonic() + VAULT_BELIEVED_S, found)
    return known[1]
