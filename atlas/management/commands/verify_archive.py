"""`manage.py verify_archive [--repair] [--organisation SLUG]`: read all that is stored, say what is wrong.

Ends with 0 when every image is there and as it came, with 1 when one is lost or has changed, or when
something could not be repaired. Orphans alone (objects of work that was cut off) are no loss.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Organisation
from atlas.archive.storage import StorageUnavailable
from atlas.archive.verify import Problem, Report, verify

ORPHANS_SHOWN = 20
WORDS = {"lost": "LOST", "changed": "CHANGED", "unreadable": "UNREADABLE"}


class Command(BaseCommand):
    help = "Check every stored image against its digest; list what is lost, changed, or named by nobody."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="delete orphans older than an hour, make manifests anew, mark series with lost images",
        )
        parser.add_argument(
            "--organisation", metavar="SLUG", help="check its images alone, and look for no orphans"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = None
        if options["organisation"]:
            organisation = Organisation.objects.filter(slug=options["organisation"]).first()
            if organisation is None:
                known = ", ".join(Organisation.objects.values_list("slug", flat=True)) or "none yet"
                raise CommandError(f"There is no organisation “{options['organisation']}”. Known: {known}.")
        try:
            report = verify(organisation=organisation, repair=options["repair"], tell=self._tell)
        except StorageUnavailable as error:
            raise CommandError(str(error)) from error
        self._sum_up(report, repaired=options["repair"])
        if len(report.problems) > report.mended:
            sys.exit(1)

    def _tell(self, problem: Problem) -> None:
        self.stdout.write(f"{WORDS[problem.kind]:<11}{problem.where}")

    def _sum_up(self, report: Report, *, repaired: bool) -> None:
        for key in report.orphans[:ORPHANS_SHOWN]:
            self.stdout.write(f"{'ORPHAN':<11}{key}")
        if len(report.orphans) > ORPHANS_SHOWN:
            self.stdout.write(f"{'':<11}and {len(report.orphans) - ORPHANS_SHOWN:,} more orphans")
        self.stdout.write(
            f"Read {report.images:,} images of {report.series:,} series and {report.others:,} other files, "
            f"{report.bytes / 1e9:,.2f} GB."
        )
        kinds = [problem.kind for problem in report.problems]
        if kinds:
            counted = ", ".join(f"{kinds.count(kind):,} {kind}" for kind in WORDS if kind in kinds)
            self.stdout.write(f"Not in order: {counted}.")
        else:
            self.stdout.write("All of them are as they were stored.")
        if report.orphans:
            what = "were deleted" if repaired else "can be deleted with --repair"
            size = f"{report.orphan_bytes / 1e9:,.2f} GB"
            self.stdout.write(f"{len(report.orphans):,} objects that nobody names ({size}) {what}.")
        if report.mended:
            self.stdout.write(f"{report.mended:,} series were described anew.")
