"""Names of files as a node sends them, made safe before anything is written: a node may be hostile."""

import re
from collections.abc import Iterable
from pathlib import Path

from atlas_client.errors import IntegrityError

OWN_FOLDER = ".atlas-client"
"""In the folder of a release: what is known of it, and files that are not whole yet."""

LENGTH_MAX, NAME_LENGTH_MAX = 1000, 240
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def checked(path: object) -> str:
    """The path, if it is a relative one that means the same file on every system, below the folder.

    Raises IntegrityError for all others: absolute ones, "..", drive letters, backslashes, devices of Windows.
    """
    if not isinstance(path, str) or not path or len(path) > LENGTH_MAX:
        raise IntegrityError(
            f"The node names a file {str(path)[:80]!r}, which is no name for a file of a release."
        )
    for name in path.split("/"):
        if (
            name in ("", ".", "..")
            or len(name) > NAME_LENGTH_MAX
            or _FORBIDDEN.search(name)
            or _DEVICES.fullmatch(name)
            or name != name.strip()
            or name.endswith(".")
        ):
            raise IntegrityError(
                f"The node names a file {path[:200]!r}, which could lie outside the folder or can't be "
                "written everywhere. Nothing was written. Tell the administrator of the node."
            )
    if path.split("/")[0].casefold() == OWN_FOLDER:
        raise IntegrityError(f"The node names a file {path[:200]!r}, where the client keeps its own.")
    return path


def require_apart(paths: Iterable[str]) -> None:
    """Raises IntegrityError where two paths would be one file on some system, or a file another's folder."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        folded = path.casefold()
        if folded in files:
            raise IntegrityError(f"The node names {files[folded]!r} and {path!r}: one file on many systems.")
        files[folded] = path
        parts = folded.split("/")
        for depth in range(1, len(parts)):
            folders["/".join(parts[:depth])] = path
    for folder, path in folders.items():
        if folder in files:
            raise IntegrityError(f"The node names {files[folder]!r} as a file, and {path!r} in it.")


def placed(root: Path, path: str) -> Path:
    """Where a checked path lies below `root`. Raises IntegrityError where a link would lead out of it."""
    at = root
    for name in checked(path).split("/"):
        at = at / name
        if at.is_symlink():
            raise IntegrityError(
                f"{at} is a link, so writing there could change another file. Remove the link."
            )
    return at


def placed_own(root: Path, name: str) -> Path:
    """A file that the client keeps for itself. Raises IntegrityError where a link stands in its place."""
    at = root / OWN_FOLDER
    for part in ("", *name.split("/")):
        at = at / part if part else at
        if at.is_symlink():
            raise IntegrityError(
                f"{at} is a link, so writing there could change another file. Remove the link."
            )
    return at
