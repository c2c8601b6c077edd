"""Hands a model's predictions in, and waits for their scores."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from atlas_client.errors import AtlasError, DiskError, NetworkError, UsageError
from atlas_client.remote import POLL_S, RemoteRelease

ENDINGS = (".nii.gz", ".nii", ".dcm")
SCORED_WITHIN_S = 6 * 3600.0

Told = Callable[[str], None]


def files_in(folder: Path) -> list[Path]:
    """The masks of a folder, by name; nothing below it. Raises UsageError where there are none."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder.")
    found = sorted(path for path in folder.iterdir() if path.is_file() and path.name.endswith(ENDINGS))
    if not found:
        raise UsageError(f"{folder} holds no prediction: no file that ends in {', '.join(ENDINGS)}.")
    return found


def hand_in(
    release: RemoteRelease,
    folder: Path,
    *,
    model: str,
    description: str = "",
    part: str = "test",
    told: Told = lambda sentence: None,
) -> dict[str, Any]:
    """Send every mask of a folder, and have them scored. Returns the prediction as the node tells it then.

    Files are called as the cases of the release's nnU-Net data sets. Where one is refused, nothing is handed
    in: the error says which, and why.
    """
    files = files_in(folder)
    server = release.server
    opened = server.post(
        f"{release.place}predictions/", {"name": model, "description": description, "part": part}
    )
    place = f"{release.place}predictions/{quote(str(opened['id']), safe='')}/"
    try:
        for number, file in enumerate(files, start=1):
            told(f"{number} of {len(files)}: {file.name}")
            server.put(f"{place}files/{quote(file.name, safe='')}", _read(file))
        return dict(server.post(f"{place}hand-in/", {})) | {"place": place}
    except AtlasError:
        server.delete(place)
        raise


def wait_for_scores(
    release: RemoteRelease,
    prediction: dict[str, Any],
    *,
    told: Told = lambda sentence: None,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """The prediction with its scores. Raises UsageError where the node refused it, NetworkError if it takes
    too long."""
    waited_s, last = 0.0, ""
    while waited_s < SCORED_WITHIN_S:
        now: dict[str, Any] = release.server.get(prediction["place"])
        if now["state"] == "scored":
            return now
        if now["state"] == "refused":
            raise UsageError(f"The prediction was refused. {now['problem']}")
        line = f"Scored: {now['cases_done']} of {now['cases_total']} cases."
        if line != last:
            told(line)
            last = line
        sleep(POLL_S)
        waited_s += POLL_S
    raise NetworkError("The prediction is still being scored. Its page will have the scores.")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DiskError(f"{file} can't be read: {error.strerror}.") from error
