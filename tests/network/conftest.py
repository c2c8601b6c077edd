"""Two organisations with what they hold, and who may see it."""

import pytest
from django.utils import translation

from accounts import permissions
from accounts.models import Organisation, User
from atlas.models import Dataset
from tests.cast import person, study_of


@pytest.fixture(autouse=True)
def nobodys_language() -> None:
    """A page that an earlier test asked for in Spanish leaves it to this thread."""
    translation.deactivate()


@pytest.fixture
def karlsund(db) -> Organisation:
    return Organisation.objects.create(name="Karlsund University Hospital", slug="karlsund", country="SE")


@pytest.fixture
def ribera(db) -> Organisation:
    return Organisation.objects.create(name="Hospital Ribera Alta", slug="ribera", country="ES")


@pytest.fixture
def owner(karlsund) -> User:
    user = person("nina", "Nina", "Berg")
    permissions.grant(user=user, role="manager", scope=karlsund)
    return user


@pytest.fixture
def lung(karlsund) -> Dataset:
    dataset = Dataset.objects.create(organisation=karlsund, name="Lung nodules", slug="lung", organ="lung")
    study_of(dataset, "L-1", "2024-01-01", "CT SEG")
    study_of(dataset, "L-1", "2024-04-10", "CT PT")
    study_of(dataset, "L-2", "2024-02-02", "CT")
    return dataset


@pytest.fixture
def breast(ribera) -> Dataset:
    dataset = Dataset.objects.create(organisation=ribera, name="Breast DCE-MR", slug="breast", organ="breast")
    study_of(dataset, "B-1", "2024-01-01", "MR XA")
    return dataset
