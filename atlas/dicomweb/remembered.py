"""Answers of the database that are remembered for seconds: who sees what, and where its bytes lie."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
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
            task.add_done_callback(lambda _: asked.pop(key, None))
        begun = time.monotonic()
        value = await asyncio.shield(task)
        self._keep(key, begun, value)
        return value

    def _keep(self, key: Key, begun: float, value: Value) -> None:
        self.drop(key)
        self._known[key] = (begun + self._seconds, value)
        self._weight += self._weigh(value)
        while self._weight > self._weight_max and len(self._known) > 1:
            self.drop(next(iter(self._known)))

    def drop(self, key: Key) -> None:
        entry = self._known.pop(key, None)
        if entry is not None:
            self._weight -= self._weigh(entry[1])

    def forget(self) -> None:
        self._known.clear()
        self._weight = 0


_all: WeakSet[Remembered] = WeakSet()


def forget_everything() -> None:
    """Ask anew for everything: a role was revoked, someone signed out, an image was taken back."""
    for one in _all:
        one.forget()
