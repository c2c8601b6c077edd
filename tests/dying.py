"""Runs work that is killed in the middle, in a process of its own.

Each is forked from one process that has imported Django, the writer and intake: to import them takes seconds.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.dying_imports"])


def killed(work: Callable[..., None], *arguments: object, timeout_s: float = 120) -> None:
    """`work` is a function of a module, with arguments that can be pickled. Fails unless it was killed."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    process = FORKS.Process(target=work, args=arguments)
    process.start()
    process.join(timeout_s)
    try:
        assert process.exitcode == -signal.SIGKILL, f"It ended with {process.exitcode}."
    finally:
        process.kill()
        process.join()
        process.close()
