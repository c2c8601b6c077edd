"""Whose request this is, and what its root shows them: asked of policies, remembered for seconds."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from channels.db import database_sync_to_async
from django.http import Http404

from accounts.models import User
from atlas import policies
from atlas.dicomweb.answers import Problem, sign_in_first
from atlas.dicomweb.decisions import Credentials, database_threads, user_of
from atlas.dicomweb.remembered import Remembered
from atlas.dicomweb.requests import Root

NUMBERS_MAX = 5_000_000  # in memory; a number takes about 40 bytes


@dataclass(frozen=True, slots=True)
class Scope:
    """Someone, and what they see below a root."""

    user: User
    sight: policies.Sight


def in_database[**P, R](ask: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """A function that asks the database, to be awaited: it runs in a thread of its own."""
    return database_sync_to_async(ask, thread_sensitive=False, executor=database_threads)


@in_database
def _resolve(key: tuple[Credentials, Root]) -> Scope:
    credentials, root = key
    user = user_of(credentials)
    if user is None:
        raise sign_in_first()
    try:
        if root.kind == "datasets":
            return Scope(user, policies.sight_of_dataset(user, root.slug))
        if root.kind == "projects":
            return Scope(user, policies.sight_of_project(user, root.slug))
    except Http404 as error:
        raise Problem(404, str(error)) from error
    return Scope(user, policies.sight_of(user))


_scopes: Remembered[tuple[Credentials, Root], Scope] = Remembered(
    _resolve,
    weight_max=NUMBERS_MAX,
    weigh=lambda scope: 1 + len(scope.sight.datasets) + len(scope.sight.studies),
)


async def scope_of(credentials: Credentials, root: Root) -> Scope:
    """Raises Problem: 401 for nobody, 404 below a root that isn't for them."""
    return await _scopes.get((credentials, root))
