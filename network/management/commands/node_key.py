"""`manage.py node_key`: the key that other nodes know this one by."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from atlas.archive.keys import KeyUnusable
from network.federation import joining, keys


class Command(BaseCommand):
    help = "Show the fingerprint of this node's key and where its file is, or change the key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--change", action="store_true", help="make a new key and bring it to the hub")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["change"]:
                joining.change_key(by=None)
            fingerprint = keys.fingerprint(keys.public_hex(keys.private_key()))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except KeyUnusable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Fingerprint: {fingerprint}\nKey file:    {keys.key_path()}")
        self.stdout.write(
            "Back up that folder, apart from the database. Whoever holds the file can speak for this node; "
            "without it the node is a stranger to its hub."
        )
