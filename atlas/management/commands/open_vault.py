"""`manage.py open_vault KEYFILE EXPORT`: what pseudonyms were called at their source, as CSV.

Run it away from the node: it needs the export and the private key, and no database."""

import base64
import binascii
import csv
import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.core.management.base import BaseCommand, CommandError

from atlas.archive.vault_seal import CannotOpen, read_private_key, unseal
from atlas.spreadsheets import harmless

COLUMNS = ["kind", "pseudonym", "patient_id", "issuer", "uid"]


class Command(BaseCommand):
    help = (
        "Open a vault's export with its private key and print what each pseudonym was called at its source."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("keyfile", type=Path, metavar="KEYFILE", help="private key, from make_vault_key")
        parser.add_argument("export", type=Path, metavar="EXPORT", help="file that the vault's page exported")
        parser.add_argument("--pseudonym", metavar="NAME", help="only this one")

    def handle(self, *args: Any, **options: Any) -> None:
        key = _private_key(options["keyfile"])
        writer = csv.writer(self.stdout, lineterminator="\n")
        writer.writerow(COLUMNS)
        failed = 0
        try:
            with options["export"].open(newline="", encoding="ascii") as file:
                for number, line in enumerate(csv.DictReader(file), start=2):
                    if options["pseudonym"] and line.get("pseudonym") != options["pseudonym"]:
                        continue
                    try:
                        writer.writerow(_opened(line, key))
                    except CannotOpen as error:
                        failed += 1
                        self.stderr.write(f"Line {number}: {error}")
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise CommandError(f"{options['export']} can't be read as a vault's export: {error}.") from error
        if failed:
            raise CommandError(f"{failed} entries could not be opened with this key.")


def _private_key(file: Path) -> X25519PrivateKey:
    try:
        try:
            return read_private_key(file)
        except TypeError:  # it is encrypted
            return read_private_key(file, getpass.getpass("Passphrase: ").encode())
    except CannotOpen as error:
        raise CommandError(str(error)) from error


def _opened(line: dict[str, str], key: X25519PrivateKey) -> list[str]:
    kind, pseudonym = line.get("kind") or "", line.get("pseudonym") or ""
    try:
        sealed = base64.b64decode(line.get("sealed") or "", validate=True)
    except binascii.Error as error:
        raise CannotOpen("The entry is cut off.") from error
    content = unseal(sealed, f"{kind}:{pseudonym}", key)
    return [kind, pseudonym, *(harmless(content.get(name, "")) for name in COLUMNS[2:])]
