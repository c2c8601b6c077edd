"""Published datasets."""

import pytest

from accounts.models import Organisation
from atlas.models import Dataset
from tests.network.listings.own import grow


@pytest.fixture(autouse=True)
def nothing_counted_yet() -> None:
    """Nothing here is kept by the pages of the catalogue."""


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path) -> None:
    settings.OBJECTS_DIR = tmp_path / "objects"
    settings.KEYS_DIR = tmp_path / "keys"


@pytest.fixture
def organisation(db) -> Organisation:
    return Organisation.objects.create(name="Karlsund University Hospital", slug="karlsund", country="SE")


@pytest.fixture
def dataset(organisation: Organisation) -> Dataset:
    found = Dataset.objects.create(
        organisation=organisation, name="Lung nodules", slug="lung", organ="lung", description="Follow-up CT."
    )
    grow(found, 30)
    return found
