"""A cast: who runs the node, an organisation's manager (owner), its project creator (member), an outsider."""

import pytest
from django.core.cache import cache

from accounts import permissions
from accounts.models import Organisation, User
from tests.cast import person


@pytest.fixture(autouse=True)
def no_tries_counted(db):
    """Throttles count in the shared cache, which is a table: each test begins at zero."""
    cache.clear()


@pytest.fixture
def organisation(db) -> Organisation:
    return Organisation.objects.create(name="Karlsund University Hospital", slug="karlsund", country="SE")


@pytest.fixture
def administrator(db) -> User:
    user = person("ines", "Ines", "Duarte")
    permissions.grant(user=user, role="administrator", scope=None)
    return user


@pytest.fixture
def owner(organisation) -> User:
    user = person("nina", "Nina", "Berg")
    permissions.grant(user=user, role="manager", scope=organisation)
    return user


@pytest.fixture
def member(organisation) -> User:
    user = person("rui", "Rui", "Silva")
    permissions.grant(user=user, role="project_creator", scope=organisation)
    return user


@pytest.fixture
def outsider(db) -> User:
    return person("otto", "Otto", "Fremd")
