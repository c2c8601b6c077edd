"""Answers of the database that are remembered for seconds: who sees what, and where its bytes lie."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from weakref import WeakKeyDictionary, WeakSet

from atlas.dicomweb.decisions import DECISION_S


class Remembered[Key: Hashable, Value]:
    """Asks once for many who want the same at once, and again after `seconds`. What raises is forgotten.

    `weigh` says how much of `weight_max` a value takes; the longest unused go first.
    """

    def __init__(
        self,
        ask: Callable[[Key], Awaitable[Value]],
        *,
        weight_max: int,
        seconds: float = DECISION_S,
        weigh: Callable[[Value], int] = lambda value: 1,
    ) -> None:
        self._ask, self._seconds, self._weigh, self._weight_max = ask, seconds, weigh, weight_max
        self._known: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._weight = 0
        self._times_forgotten = 0
        self._outdated: WeakSet[asyncio.Task[Value]] = WeakSet()
        self._asked: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Key, asyncio.Task[Value]]] = (
            WeakKeyDictionary()
        )
        _all.add(self)

    def known(self, key: Key) -> Value | None:
        """Without asking."""
        entry = self._known.get(key)
        return entry[1] if entry is not None and entry[0] > time.monotonic() else None

    async def get(self, key: Key) -> Value:
        entry = self._known.get(key)
        if entry is not None and entry[0] > time.monotonic():
            return entry[1]
        asked = self._asked.setdefault(asyncio.get_running_loop(), {})
        task = asked.get(key)
        if task is None:
            task = asked[key] = asyncio.ensure_future(self._ask(key))
            task.add_done_callback(partial(_answered, asked, key))
        begun, times_forgotten = time.monotonic(), self._times_forgotten
        value = await asyncio.shield(task)
        is_news = times_forgotten == self._times_forgotten and task not in self._outdated
        if is_news:  # otherwise it may be from before what was to be forgotten
            self._keep(key, begun, value)
        return value

    def _keep(self, key: Key, begun: float, value: Value) -> None:
        self._take_out(key)
        self._known[key] = (begun + self._seconds, value)
        self._weight += self._weigh(value)
        while self._weight > self._weight_max and len(self._known) > 1:
            self._take_out(next(iter(self._known)))

    def _take_out(self, key: Key) -> None:
        entry = self._known.pop(key, None)
        if entry is not None:
            self._weight -= self._weigh(entry[1])

    def drop(self, key: Key) -> None:
        """Ask anew for this key."""
        self._take_out(key)
        for asked in list(self._asked.values()):
            if key in asked:
                self._outdated.add(asked.pop(key))

    def forget(self) -> None:
        """Ask anew for everything."""
        self._times_forgotten += 1
        self._known.clear()
        self._weight = 0
        for asked in list(self._asked.values()):
            asked.clear()  # who asks now must not be told what was found before


def _answered[Key: Hashable, Value](
    asked: dict[Key, asyncio.Task[Value]], key: Key, task: asyncio.Task[Value]
) -> None:
    if asked.get(key) is task:
        del asked[key]


_all: WeakSet[Remembered] = WeakSet()


def forget_everything() -> None:
    """Ask anew for everything: a role was revoked, someone signed out, an image was taken back."""
    for one in list(_all):
        one.forget()
