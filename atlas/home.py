"""Where a node keeps its state: the one folder that ATLAS_HOME names."""

import os
import secrets
from contextlib import suppress
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


def signing_key(keys: Path) -> str:
    """The RSA key, as PEM, with which this node signs who signed in to it: made when first asked for.

    Nodes fetch its public half again when it changes, so a lost one costs nothing but a new one.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    path = keys / "identity.pem"
    if not path.exists():
        pem = rsa.generate_private_key(public_exponent=65537, key_size=3072).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(partial, path)  # a whole key or none, and the first process's stays
        partial.unlink()
    return path.read_text("ascii")
