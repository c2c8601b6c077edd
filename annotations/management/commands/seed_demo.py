"""`manage.py seed_demo`: demo accounts, cases, reads and a release. Running it again keeps what was drawn."""

from typing import Any

from django.core.management.base import BaseCommand

from annotations.demo import seed_demo


class Command(BaseCommand):
    help = "Fill this demo node with accounts and cases (needs ATLAS_DEMO=1)."

    def handle(self, *args: Any, **options: Any) -> None:
        project = seed_demo(self.stdout.write)
        self.stdout.write(f"The demo is ready: project “{project.name}”.")
