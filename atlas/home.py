"""Where a node keeps its state: the one folder that ATLAS_HOME names."""

import os
import secrets
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def atlas_home() -> Path:
    """The folder with the node's state: $ATLAS_HOME, or `.atlas/` beside manage.py."""
    home = Path(os.environ.get("ATLAS_HOME") or CHECKOUT / ".atlas").expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True)
    return home


def secret_key(home: Path) -> str:
    """The signing key of this node: made once, readable by its owner only."""
    path = home / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(50)
        file.write(key)
    return key
