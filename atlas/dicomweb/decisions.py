"""May this request have pixels of this series? Asked of the database once, then remembered for seconds.

A right that is taken away is told to all web processes (see `revocation`), which forget at once. Should that
message be lost, a decision lives DECISION_S at most.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from weakref import WeakSet

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.authentication import user_of_header
from accounts.models import User
from atlas import policies
from atlas.access import record_viewing
from atlas.dicomweb.answers import Problem

DECISION_S = 10.0
REMEMBERED_MAX = 20_000
STAYS_HERE = (
    "Your access is for viewing on this node: files, bulk data and frames of these images are not sent. "
    "Open them in the node's viewer, or ask its committee for download."
)

database_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="decisions")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request proves its sender with."""

    session_key: str
    authorization: str

    @classmethod
    def of(cls, headers: dict[bytes, bytes]) -> "Credentials":
        """From an ASGI scope's headers, by lower-case name."""
        try:
            cookie = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
        except CookieError:
            cookie = SimpleCookie()
        session = cookie.get(settings.SESSION_COOKIE_NAME)
        return cls(session.value if session else "", headers.get(b"authorization", b"").decode("latin-1"))


@dataclass(frozen=True, slots=True)
class Decision:
    """Who asks, and the series as it is now. `signed_in` False: nobody; `manifest_key` "": nothing to see;
    `stays_here`: it is for looking at in the node's viewer, and a program asked."""

    signed_in: bool
    generation: int = 0
    manifest_key: str = ""
    thumbnail_key: str = ""
    earlier: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Manifest and thumbnail of the generations before that are still kept."""
    stays_here: bool = False

    def objects_of(self, generation: int) -> tuple[str, str] | None:
        """Manifest and thumbnail ("" where there is none) of a generation that can still be read."""
        if generation == self.generation and self.manifest_key:
            return self.manifest_key, self.thumbnail_key
        return self.earlier.get(generation)


class Decisions:
    """Remembers decisions by credentials and series. Used by one event loop."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[Credentials, str], tuple[float, Decision]] = OrderedDict()
        self._asked: dict[tuple[Credentials, str], asyncio.Task[Decision]] = {}
        self._times_forgotten = 0
        _all.add(self)

    async def ask(self, credentials: Credentials, series_id: str, generation: int) -> Decision:
        """`series_id` is the public id. An unknown generation asks again: the series may be newer."""
        key = (credentials, series_id)
        known = self._known.get(key)
        if known and known[0] > self._clock() and known[1].generation >= generation:
            return known[1]
        task = self._asked.get(key)
        if task is None:  # a viewer asks for many frames at once; the database is asked once
            task = self._asked[key] = asyncio.ensure_future(_decide(credentials, series_id))
            task.add_done_callback(partial(self._answered, key))
        times_forgotten = self._times_forgotten
        decision = await asyncio.shield(task)
        if times_forgotten != self._times_forgotten:  # it may be from before what was to be forgotten
            return decision
        self._known[key] = (self._clock() + DECISION_S, decision)
        self._known.move_to_end(key)
        while len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)
        return decision

    def _answered(self, key: tuple[Credentials, str], task: asyncio.Task[Decision]) -> None:
        if self._asked.get(key) is task:
            del self._asked[key]

    def forget(self) -> None:
        """Ask anew for everything: a role was revoked, or someone signed out."""
        self._times_forgotten += 1
        self._known.clear()
        self._asked.clear()  # who asks now must not be told what was found before


_all: WeakSet[Decisions] = WeakSet()


def forget_everything() -> None:
    """Ask anew for everything, in all event loops of this process."""
    for one in list(_all):
        one.forget()


def _decide_now(credentials: Credentials, series_id: str) -> Decision:
    user = user_of(credentials)
    if user is None:
        return Decision(signed_in=False)
    series = policies.visible_series(user).filter(public_id=series_id).first()
    if series is None:
        return Decision(signed_in=True)
    if credentials.authorization and policies.only_looks_at(user, [series.study_id]):
        return Decision(signed_in=True, stays_here=True)
    record_viewing(user, series)
    earlier = {
        one.number: (one.manifest_key, one.thumbnail_key)
        for one in series.generations.filter(number__lt=series.generation)
    }
    return Decision(True, series.generation, series.manifest_key, series.thumbnail_key, earlier)


def user_of(credentials: Credentials) -> User | None:
    """Whose token or session this is; None where it is nobody's. Asks the database.

    Raises Problem for a token that doesn't open images. All that is asked with credentials is read.
    """
    if credentials.authorization:
        try:
            return user_of_header(credentials.authorization, "GET")
        except PermissionDenied as error:
            raise Problem(403, str(error)) from error
    if not credentials.session_key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(credentials.session_key)
    user = get_user(request)  # checks the session's age and that the password is still the same
    return user if isinstance(user, User) and user.is_active else None


_decide = database_sync_to_async(_decide_now, thread_sensitive=False, executor=database_threads)
