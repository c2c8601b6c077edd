"""Most tests here need no database."""

import pytest


@pytest.fixture(autouse=True)
def nothing_counted_yet() -> None:
    """Nothing here is kept by the pages of the catalogue."""
