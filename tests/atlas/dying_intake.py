"""Takes a folder in and is killed at one step of it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = ("received", "written", "synced", "named", "stored", "rows", "counted", "committed", "acknowledged")
BATCH = 10
SURVIVES = 13  # times that a step is passed, where it is passed once a file


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dies(function: Callable[..., Any], *, before: bool, survives: int) -> Callable[..., Any]:
    """The function, which ends the process when it is called once too often."""
    calls = 0

    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if before and calls > survives:
            die()
        result = function(*args, **kwargs)
        if calls > survives:
            die()
        return result

    return dying


def take_in(database: str, objects: Path, folder: Path, slug: str, step: str, log: Path) -> None:
    """With `tests.dying`. The log gets the name of each file as it is acknowledged."""
    from django.conf import settings
    from django.db import connections

    connections["default"].settings_dict["NAME"] = database
    settings.OBJECTS_DIR = objects
    from atlas.archive import committing, index, intake, sources, storage
    from atlas.models import Dataset

    intake.BATCH_FILES = BATCH
    each: dict[str, tuple[Any, str, bool, int]] = {
        "received": (intake, "receive", False, SURVIVES),
        "written": (storage.os, "fsync", True, 3 * SURVIVES),
        "synced": (storage.os, "fsync", False, 3 * SURVIVES),
        "named": (storage, "_sync_folder", True, 3 * SURVIVES),
        "stored": (storage, "_sync_folder", False, 3 * SURVIVES),
        "rows": (committing, "index", True, 1),
        "counted": (index, "_insert_instances", False, 1),
        "committed": (committing, "index", False, 1),
    }
    if step in each:
        module, name, before, survives = each[step]
        setattr(module, name, dies(getattr(module, name), before=before, survives=survives))
    dataset = Dataset.objects.get(slug=slug)
    with log.open("w") as acknowledged:
        for outcome in intake.take_in(sources.in_paths([folder]), dataset=dataset):
            print(outcome.name, outcome.status, file=acknowledged, flush=True)
            if step == "acknowledged":
                die()
