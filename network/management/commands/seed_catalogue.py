"""`manage.py seed_catalogue`: drawn datasets for a demo node's catalogue, and everything published."""

from typing import Any

from django.core.management.base import BaseCommand

from network.demo import seed_catalogue


class Command(BaseCommand):
    help = "Fill this demo node's catalogue with drawn images (needs ATLAS_DEMO=1)."

    def handle(self, *args: Any, **options: Any) -> None:
        seed_catalogue(self.stdout.write)
        self.stdout.write("The catalogue is filled.")
