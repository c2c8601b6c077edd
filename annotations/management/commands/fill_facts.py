"""Puts into columns what submissions say that were handed in before there were columns."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotations.cohort import facts
from annotations.models import Submission


class Command(BaseCommand):
    help = "Works out the facts of submissions that have none, so that cohorts find them. Safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", metavar="SLUG", help="Only of this project")
        parser.add_argument("--again", action="store_true", help="Also of those that have them")

    def handle(self, *args: Any, **options: Any) -> None:
        waiting = Submission.objects.order_by("pk") if options["again"] else facts.all_without_facts()
        if options["project"]:
            waiting = waiting.filter(read__case__project__slug=options["project"])
        keys = list(waiting.values_list("pk", flat=True))
        failed: list[int] = []
        for done, key in enumerate(keys, start=1):
            try:
                facts.fill(key)
            except Exception as error:  # one that can't be worked out must not keep back the others
                failed.append(key)
                self.stderr.write(f"Submission {key}: {type(error).__name__}: {error}")
            if done % 500 == 0:
                self.stdout.write(f"{done} of {len(keys)}")
        if failed:
            raise CommandError(f"{len(failed)} of {len(keys)} submissions could not be worked out.")
        self.stdout.write(f"{len(keys)} worked out.")
