"""`manage.py make_vault_key FILE`: a key pair for a vault. Run it away from the node."""

import getpass
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.core.management.base import BaseCommand, CommandError

from atlas.archive.vault_seal import private_key_pem, write_public_key


class Command(BaseCommand):
    help = "Make a key pair for a vault: the private key goes to a file, the public one is printed."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="where the private key goes")
        parser.add_argument(
            "--passphrase", action="store_true", help="ask for one and encrypt the file with it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        passphrase = _chosen() if options["passphrase"] else b""
        key, file = X25519PrivateKey.generate(), options["file"]
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise CommandError(
                f"{file} is there already. Name another file; keys are never replaced."
            ) from error
        except OSError as error:
            raise CommandError(f"{file} can't be written: {error.strerror}.") from error
        with os.fdopen(handle, "wb") as out:
            out.write(private_key_pem(key, passphrase))
            out.flush()
            os.fsync(out.fileno())
        self.stderr.write(f"The private key is in {file}. Keep two copies of it, and none on the node.")
        self.stderr.write("The public key, to paste on the organisation's vault page:")
        self.stdout.write(write_public_key(key.public_key()))


def _chosen() -> bytes:
    passphrase = getpass.getpass("Passphrase: ")
    if not passphrase or passphrase != getpass.getpass("Again: "):
        raise CommandError("The passphrases differ, or are empty.")
    return passphrase.encode()
