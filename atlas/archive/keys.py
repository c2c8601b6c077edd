"""The secret of each organisation from which its pseudonyms, UIDs and date shifts are made.

It lies in a file of its own below KEYS_DIR, never in the database: whoever holds a copy of the database alone
can't tell who a pseudonym is. Losing the file means that later images of the same person get another
pseudonym, so a lost one is never replaced silently.
"""

import os
import secrets
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from accounts.models import Organisation
from atlas.models import Dataset, Study

SECRET_BYTES = 32


class KeyUnusable(Exception):
    """An organisation's key is lost, or can't be read. The message is a sentence for the administrator."""


def organisation_key(organisation: Organisation) -> bytes:
    """The secret of this organisation, 32 bytes, made when it is first asked for. Raises KeyUnusable."""
    path = Path(settings.KEYS_DIR) / f"{organisation.public_id}.key"
    try:
        return _remembered(path)
    except FileNotFoundError:
        if Study.objects.filter(
            organisation=organisation, dataset__deidentification=Dataset.Deidentification.AT_THE_DOOR
        ).exists():
            raise KeyUnusable(
                f"The key file {path} is missing, but images were de-identified with it. Restore it from the "
                "backup. Without it the same person would get a second pseudonym."
            ) from None
        make_secret(path)
        return _remembered(path)


def read_secret(path: Path) -> bytes:
    """The 32 bytes in a key file. Raises FileNotFoundError, and KeyUnusable for one that is damaged."""
    try:
        secret = bytes.fromhex(path.read_text("ascii"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise KeyUnusable(
            f"The key file {path} can't be read ({type(error).__name__}). Restore it from the backup."
        ) from error
    if len(secret) != SECRET_BYTES:
        raise KeyUnusable(f"The key file {path} holds no key of {SECRET_BYTES} bytes. Restore it.")
    return secret


_remembered = lru_cache(maxsize=256)(read_secret)


def make_secret(path: Path) -> None:
    """Write a new key durably under its name, unless another process was first: then that one stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(SECRET_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(partial, path)  # a whole key or none: nobody can read one that is half written
    finally:
        partial.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
