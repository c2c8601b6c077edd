"""Published datasets."""

import pytest


@pytest.fixture(autouse=True)
def nothing_counted_yet() -> None:
    """Nothing here is kept by the pages of the catalogue."""


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path) -> None:
    settings.OBJECTS_DIR = tmp_path / "objects"
    settings.KEYS_DIR = tmp_path / "keys"
