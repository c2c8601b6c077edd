from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from atlas.archive.keys import KeyUnusable
from atlas.models import Dataset
from network import listings


class Command(BaseCommand):
    help = "Counts datasets anew and publishes those that have changed in the catalogue."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dataset", nargs="*", help="short names; without any, all datasets")
        parser.add_argument("--note", default="", help="what has changed, in words, for the list of versions")

    def handle(self, *args: Any, dataset: list[str], note: str, **options: Any) -> None:
        try:
            if not dataset:
                published = listings.publish_changed()
            else:
                published = [made for slug in dataset if (made := listings.publish(_named(slug), note))]
        except KeyUnusable as error:
            raise CommandError(str(error)) from error
        for version in published:
            self.stdout.write(f"{version.listing.slug} {version.version}: {version.note}")
        if not published:
            self.stdout.write("Nothing has changed so far that another version could tell.")


def _named(slug: str) -> Dataset:
    found = Dataset.objects.select_related("organisation").filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no dataset {slug}. Its short name is the last part of its address.")
    return found
