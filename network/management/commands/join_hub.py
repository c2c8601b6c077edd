"""`manage.py join_hub`: this node takes part in a hub."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from network.federation import joining


class Command(BaseCommand):
    help = "Join a hub with the invitation that its administrator gave you."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "invitation", nargs="?", help="the whole line; without it, it is read from standard input"
        )
        parser.add_argument(
            "--yes", action="store_true", help="don't ask whether the fingerprint is the hub's"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # From standard input, the secret stands in no list of processes and in no shell's history.
        invitation = options["invitation"] or sys.stdin.readline()
        try:
            offer = joining.look(by=None, invitation=invitation)
            self.stdout.write(f"Hub:         {offer.name}\nAddress:     {offer.address}")
            self.stdout.write(f"Fingerprint: {offer.fingerprint}")
            if not options["yes"]:
                self.stdout.write("Compare the fingerprint with the one on the hub's own page.")
                if input("Is it the same? [y/N] ").strip().lower() not in ("y", "yes"):
                    raise CommandError("Nothing was told to the hub.")
            hub = joining.join(by=None, offer=offer)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(
            f"This node takes part in {hub.name}. `manage.py serve` runs the agent; elsewhere start "
            "`manage.py agent`. Back up the folder of keys: `manage.py node_key` says which."
        )
