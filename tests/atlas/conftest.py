"""A hospital with a dataset that takes images, its data manager, and a stranger."""

import io
import zipfile
from collections.abc import Callable

import pytest

from accounts import permissions
from accounts.models import User
from atlas.archive import intake, sealing
from atlas.archive.index import Outcome
from atlas.models import Dataset, Series
from tests.atlas.held import nothing_found
from tests.atlas.slices import series
from tests.cast import person


@pytest.fixture
def dataset(organisation) -> Dataset:
    return Dataset.objects.create(
        organisation=organisation, name="Chest CT", slug="chest-ct", deidentification="already_done"
    )


@pytest.fixture
def undeclared(organisation) -> Dataset:
    return Dataset.objects.create(organisation=organisation, name="New", slug="new")


@pytest.fixture
def manager(dataset) -> User:
    user = person("ines", "Ines", "Carvalho")
    permissions.grant(user=user, role="data_manager", scope=dataset)
    return user


@pytest.fixture
def stranger(db) -> User:
    return person("otto", "Otto", "Fremd")


@pytest.fixture
def take(dataset) -> Callable[..., list[Outcome]]:
    """Take files in, by content; the names are 0.dcm, 1.dcm, … Their pixels count as searched already."""

    def take(files: list[bytes], into: Dataset = dataset, *, is_searched: bool = True) -> list[Outcome]:
        sources = [intake.from_bytes(f"{at}.dcm", content) for at, content in enumerate(files)]
        outcomes = list(intake.take_in(sources, dataset=into))
        if is_searched:
            nothing_found()
        return outcomes

    return take


@pytest.fixture
def chest(take) -> Series:
    """A sealed series of five slices, 2.5 mm apart."""
    outcomes = take(series([(0, 0, z) for z in (5, 0, 10, 2.5, 7.5)]))
    sealed = sealing.seal(outcomes[0].series_id)
    assert sealed is not None
    return sealed


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
