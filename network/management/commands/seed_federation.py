"""`manage.py seed_federation NODE`: people, images and catalogue of one node of `demo_federation`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from atlas.management.commands.serve import prepare_database, stop_database
from network.demo.federation import seed
from network.demo.nodes import NODES


class Command(BaseCommand):
    help = "Prepare one node of the demo's network (needs ATLAS_DEMO=1 and a home of its own)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("node", choices=[node.key for node in NODES])

    def handle(self, *args: Any, **options: Any) -> None:
        node = next(node for node in NODES if node.key == options["node"])
        try:
            prepare_database()
            seed(node, lambda line: self.stdout.write(line))
        except BaseException:
            stop_database()  # nobody else would
            raise
