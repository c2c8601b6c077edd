"""Group commit: what many senders have stored at the same moment shares one transaction.

A transaction costs a wait for the disk. While one is under way others arrive; the next takes all of them.
"""

import logging
import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue

from django.db import DatabaseError, InterfaceError, connection

from atlas.archive.index import index
from atlas.archive.received import Outcome, Stored
from atlas.models import Dataset

logger = logging.getLogger(__name__)

GROUP_MAX = 256  # instances in one transaction
IDLE_S = 1.0  # then the thread ends and gives its connection back

type _Waiting = tuple[Dataset, Sequence[Stored], Future[list[Outcome]]]


class Committer:
    """Writes rows for stored objects in a thread of its own, which lives while there is work."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """As if nothing had been submitted: in a new process, where the thread of its parent is not."""
        self._queue: SimpleQueue[_Waiting] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, stored: Sequence[Stored], dataset: Dataset) -> Future[list[Outcome]]:
        """The outcomes, in the order of `stored`, when their rows are durable."""
        future: Future[list[Outcome]] = Future()
        with self._lock:
            self._queue.put((dataset, stored, future))
            if self._thread is None:
                self._begin()
        return future

    def _run(self) -> None:
        """One connection while there is work; where it broke, `_commit` tries again on another."""
        group: list[_Waiting] = []
        try:
            while group := self._next_group():
                _commit(group)
        except BaseException as error:
            for _, _, future in group:
                if not future.done():
                    future.set_exception(error)
            raise
        finally:
            self._end()
            connection.close()

    def _end(self) -> None:
        """Of a thread that an error ended: what still waits gets another one."""
        with self._lock:
            if self._thread is not threading.current_thread():
                return
            self._thread = None
            if not self._queue.empty():
                self._begin()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def _next_group(self) -> list[_Waiting]:
        """All that waits, up to GROUP_MAX; empty when this thread ends."""
        group: list[_Waiting] = []
        size = 0
        try:
            group.append(self._queue.get(timeout=IDLE_S))
            size = len(group[0][1])
            while size < GROUP_MAX:
                group.append(self._queue.get_nowait())
                size += len(group[-1][1])
        except Empty:
            if not group:
                with self._lock:  # nobody can be between putting something in and looking for the thread
                    if self._queue.empty():
                        self._thread = None
                        return []
                return self._next_group()
        return group


def _commit(group: list[_Waiting]) -> None:
    """One transaction for each dataset. Where it fails, each sender's own is tried alone, once."""
    datasets: dict[int, list[_Waiting]] = {}
    for waiting in group:
        datasets.setdefault(waiting[0].pk, []).append(waiting)
    for together in datasets.values():
        dataset = together[0][0]
        try:
            outcomes = iter(index([one for _, stored, _ in together for one in stored], dataset))
        except Exception as error:
            if len(together) == 1 and not isinstance(error, DatabaseError | InterfaceError):
                together[0][2].set_exception(error)
                continue
            logger.warning("A group of %s senders could not be indexed; each is tried alone", len(together))
            connection.close()
            for waiting in together:
                _commit_alone(waiting)
            continue
        for _, stored, future in together:
            future.set_result([next(outcomes) for _ in stored])


def _commit_alone(waiting: _Waiting) -> None:
    dataset, stored, future = waiting
    try:
        future.set_result(index(stored, dataset))
    except Exception as error:
        connection.close()
        future.set_exception(error)


committer = Committer()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=committer.begin_anew)
