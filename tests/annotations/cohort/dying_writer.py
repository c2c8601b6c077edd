"""Writes a case of a release and is killed at one step."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = ("planned", "first file stored", "third file stored", "record stored", "rows kept", "done")


def dies(function: Callable[..., Any], survives: int) -> Callable[..., Any]:
    """The function, which ends the process after it was called once too often."""
    calls = 0

    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        result = function(*args, **kwargs)
        if calls > survives:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return dying


def write(database: str, objects: Path, release_id: int, case_id: int, step: str) -> None:
    """With `tests.dying`."""
    from django.conf import settings
    from django.db import connections

    connections["default"].settings_dict["NAME"] = database
    settings.OBJECTS_DIR = objects
    from annotations.cohort import filing, releases, writer
    from atlas.archive.storage import FileStorage

    module, name, survives = {
        "planned": (writer, "_begin_attempt", 0),
        "first file stored": (FileStorage, "put_durable", 0),
        "third file stored": (FileStorage, "put_durable", 2),
        "record stored": (writer, "record_bytes", 0),
        "rows kept": (filing, "keep", 0),
        "done": (releases, "case_written", 0),
    }[step]
    setattr(module, name, dies(getattr(module, name), survives))
    writer.write_case(release_id, case_id)
