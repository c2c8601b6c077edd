"""`manage.py import_dicom PATH… --dataset SLUG`: take files, folders and ZIP archives in, seal their series.

Ends with 0 when every DICOM file is in the archive (new or known), with 1 when one was refused. Files that
are not DICOM at all (a text, a .DS_Store) are named, and don't count as refused.
"""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from atlas.archive import importing
from atlas.archive.importing import ImportBroke
from atlas.archive.index import KNOWN, NOT_DICOM, REFUSED, STORED, Outcome
from atlas.archive.intake import IntakeClosed, KeyUnusable, OutOfSpace, StorageRefuses
from atlas.archive.uploads import import_taken
from atlas.models import Dataset

NAMES_SHOWN = 50  # of each kind; the dataset's page has them all


class Command(BaseCommand):
    help = "Take DICOM files, folders and ZIP archives into a dataset."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths", nargs="+", type=Path, metavar="PATH", help="a file, a folder or a ZIP archive"
        )
        parser.add_argument("--dataset", required=True, metavar="SLUG", help="short name of the dataset")
        parser.add_argument(
            "--processes", type=int, help="how many share the work (default: by size and cores)"
        )
        parser.add_argument(
            "--seal-later",
            action="store_true",
            help="end when all is stored, and leave describing the series to the node's workers",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        dataset = Dataset.objects.filter(slug=options["dataset"]).select_related("organisation").first()
        if dataset is None:
            known = ", ".join(Dataset.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no dataset “{options['dataset']}”. Known: {known}.")
        for path in options["paths"]:
            if not path.exists():
                raise CommandError(f"{path} does not exist.")
        files = _number_of_files(options["paths"])
        try:  # before any thread is started, as the bar's
            taken = iter(
                importing.take_in_paths(options["paths"], dataset=dataset, processes=options["processes"])
            )
        except (IntakeClosed, KeyUnusable) as error:
            raise CommandError(str(error)) from error
        console = Console(file=cast(TextIO, self.stdout), force_terminal=self.stdout.isatty())
        columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
        counts: Counter[str] = Counter()
        listed: dict[str, list[Outcome]] = {REFUSED: [], NOT_DICOM: []}
        with Progress(*columns, console=console) as progress:
            reading = progress.add_task("Reading", total=files)
            sealing = progress.add_task("Describing series", total=None, visible=False)

            def on_file(outcome: Outcome) -> None:
                counts[outcome.status] += 1
                listed.get(outcome.status, []).append(outcome)
                progress.advance(reading)

            def on_series(done: int, total: int) -> None:
                progress.update(sealing, completed=done, total=total, visible=True)

            try:
                import_taken(
                    dataset,
                    taken,
                    on_file=on_file,
                    on_series=on_series,
                    seal_now=not options["seal_later"],
                )
            except (IntakeClosed, KeyUnusable) as error:
                raise CommandError(str(error)) from error
            except (OutOfSpace, StorageRefuses, ImportBroke) as error:
                raise CommandError(
                    f"{error} What was stored until now stays; start the command again to go on."
                ) from error
        console.print(
            f"{counts[STORED]} stored, {counts[KNOWN]} known already, {counts[REFUSED]} refused, "
            f"{counts[NOT_DICOM]} not DICOM."
        )
        _list(console, "Refused:", listed[REFUSED])
        _list(console, "Not DICOM, left aside:", listed[NOT_DICOM])
        if counts[REFUSED]:
            raise CommandError(f"{counts[REFUSED]} of the files were refused; see above.")


def _number_of_files(paths: list[Path]) -> int:
    """Without looking into archives: good enough for a bar."""
    return sum(sum(1 for _ in path.rglob("*") if _.is_file()) if path.is_dir() else 1 for path in paths)


def _list(console: Console, title: str, outcomes: list[Outcome]) -> None:
    if not outcomes:
        return
    console.print(title)
    for outcome in outcomes[:NAMES_SHOWN]:
        console.print(f"  {escape(outcome.name)}: {escape(outcome.reason)}", soft_wrap=True)
    if len(outcomes) > NAMES_SHOWN:
        console.print(f"  … and {len(outcomes) - NAMES_SHOWN} more.")
