"""A cast: who runs the node, an organisation's manager (owner), its project creator (member), an outsider."""

import pytest
from django.core.cache import cache

from accounts import permissions
from accounts.models import User
from tests.cast import person


@pytest.fixture(autouse=True)
def no_tries_counted(db):
    """Throttles count in the shared cache, which is a table: each test begins at zero."""
    cache.clear()


@pytest.fixture
def administrator(db) -> User:
    user = person("ines", "Ines", "Duarte")
    permissions.grant(user=user, role="administrator", scope=None)
    return user


@pytest.fixture
def outsider(db) -> User:
    return person("otto", "Otto", "Fremd")
