"""Two datasets of one hospital: one de-identified at the door, one before; a person with images in each."""

import datetime

import pytest

from accounts import permissions
from atlas.archive.keys import organisation_key
from atlas.clinical import importing, tasks
from atlas.dicom.deidentify import Keys
from atlas.models import ClinicalImport, Dataset, Study, Subject
from tests.cast import study_of

PATIENT = "4711-PAT"
VISIT = datetime.date(2021, 3, 1)


@pytest.fixture
def keys(organisation) -> Keys:
    return Keys(organisation_key(organisation))


@pytest.fixture
def named(organisation, manager, keys) -> Dataset:
    """Its files name patients as the hospital does."""
    dataset = Dataset.objects.create(
        organisation=organisation,
        name="Lung",
        slug="lung",
        deidentification="at_the_door",
        deidentification_options=["dates"],
    )
    permissions.grant(user=manager, role="data_manager", scope=dataset)
    study_of(dataset, keys.subject(PATIENT), str(VISIT + datetime.timedelta(days=keys.shift_days(PATIENT))))
    return dataset


@pytest.fixture
def pseudonymous(dataset) -> Study:
    """A study of SUBJ-001 in a dataset whose files are pseudonymous already."""
    return study_of(dataset, "SUBJ-001", "2021-03-01")


@pytest.fixture
def sent(manager):
    """Send a file, map it, and have it read; its row afterwards."""

    def sent(dataset: Dataset, content: str | bytes, how: dict | None = None, **more) -> ClinicalImport:
        raw = content.encode() if isinstance(content, str) else content
        one = importing.begin(by=manager, dataset=dataset, name="facts.csv", content=raw)
        one = importing.start(by=manager, one=one, how={**one.mapping, **(how or {}), **more})
        tasks.read_file(one.pk)
        one.refresh_from_db()
        return one

    return sent


def told(subject: Subject) -> list[tuple]:
    rows = subject.clinical_facts.order_by("kind", "name", "code")
    return [(fact.kind, fact.name, fact.code, fact.starts_on and str(fact.starts_on)) for fact in rows]
