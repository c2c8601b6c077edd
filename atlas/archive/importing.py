"""Takes files of this machine in with several processes, so that a large import keeps all cores busy.

Which process takes a file is decided by its name alone. So every process may walk the same folders for
itself, and a file that appears while they walk is still taken once.
"""

import multiprocessing
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import cast

from django.db import connections

from atlas.archive import intake, sources
from atlas.archive.received import Outcome
from atlas.archive.sources import Source
from atlas.models import Dataset

WORTH_BYTES = 48 * 1024 * 1024  # smaller imports are done before other processes would have begun
SENT_AT_ONCE = 32


class ImportBroke(Exception):
    """A process of the import ended with an error. The message is a sentence."""


def take_in_paths(paths: list[Path], *, dataset: Dataset, processes: int | None = None) -> Iterable[Outcome]:
    """Take in every file of these files, folders and ZIP archives; yields an outcome for each, in any order.

    `processes` None chooses by size and cores. Where several are used this must be called before any thread
    was started. Raises what `intake.take_in` does, and ImportBroke.
    """
    count = processes or (os.cpu_count() or 1) + 1  # one more: while some wait for the disk, others work
    is_small = processes is None and not _is_worth_it(paths)
    if count == 1 or is_small or not hasattr(os, "fork") or connections["default"].in_atomic_block:
        return intake.take_in(sources.in_paths(paths), dataset=dataset)
    intake.require_open(dataset)
    return _take_in_side_by_side(paths, dataset, count)


def _is_worth_it(paths: list[Path]) -> bool:
    size = 0
    for path in paths:
        for file in path.rglob("*") if path.is_dir() else [path]:
            with suppress(OSError):
                size += file.stat().st_size
            if size >= WORTH_BYTES:
                return True
    return False


def _take_in_side_by_side(paths: list[Path], dataset: Dataset, count: int) -> Iterator[Outcome]:
    """Begins at once; the outcomes come as they are asked for."""
    for connection in connections.all():  # neither connections nor the pool's threads survive a fork
        connection.close()
        cast("_Pooled", connection).close_pool()
    context = multiprocessing.get_context("fork")
    lines: list[Connection] = []
    processes: list[BaseProcess] = []
    for number in range(count):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=_run, args=(paths, dataset, number, count, theirs, [*lines, ours]), daemon=True
        )
        process.start()
        theirs.close()
        lines.append(ours)
        processes.append(process)
    return _outcomes(lines, processes)


def _outcomes(lines: list[Connection], processes: list[BaseProcess]) -> Iterator[Outcome]:
    try:
        yield from _said_by(lines)
    finally:
        for line in lines:
            line.close()
        for process in processes:
            process.join(5)
            if process.is_alive():
                process.terminate()
                process.join()


class _Pooled:
    def close_pool(self) -> None: ...


def _said_by(lines: list[Connection]) -> Iterator[Outcome]:
    open_lines: list[Connection] = list(lines)
    while open_lines:
        for line in wait(open_lines):
            line = cast(Connection, line)
            try:
                said = line.recv()
            except EOFError:
                raise ImportBroke(
                    "A process of the import was ended from outside (perhaps there was too little memory). "
                    "Start the import again: what is stored already is known."
                ) from None
            if said is None:
                open_lines.remove(line)
            elif isinstance(said, BaseException):
                raise said
            else:
                yield from said


def _run(
    paths: list[Path], dataset: Dataset, number: int, count: int, line: Connection, others: list[Connection]
) -> None:
    """In a process of its own: take in the files whose turn it is, and tell what became of them."""
    for other in others:
        other.close()
    intake.begin_anew()
    waiting: list[Outcome] = []
    try:
        own = _whose_turn_it_is(sources.in_paths(paths), number, count)
        for outcome in intake.take_in(own, dataset=dataset):
            waiting.append(outcome)
            if len(waiting) >= SENT_AT_ONCE:
                line.send(waiting)
                waiting = []
        line.send(waiting)
        line.send(None)
    except (intake.IntakeClosed, intake.OutOfSpace, intake.StorageRefuses, intake.KeyUnusable) as error:
        line.send(waiting)
        line.send(error)
    except BrokenPipeError:  # the command was stopped
        pass
    except Exception as error:
        line.send(ImportBroke(f"The import stopped: {type(error).__name__}. The log has more."))
        raise


def _whose_turn_it_is(found: Iterable[Source], number: int, count: int) -> Iterator[Source]:
    for source in found:
        if zlib.crc32(source.name.encode("utf-8", "surrogatepass")) % count == number:
            yield source
