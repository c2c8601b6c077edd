from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from atlas.models import Dataset
from network import listings, sample
from network.models import Listing


class Command(BaseCommand):
    help = (
        "Loads the real metadata of a public archive of cancer images as datasets of thirty organisations in "
        "fifteen countries, and publishes them. There are no images behind it: for trying out the catalogue."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--organisation",
            default="",
            help=f"load one organisation's share only: sample-01 to sample-{sample.ORGANISATIONS}",
        )

    def handle(self, *args: Any, organisation: str, **options: Any) -> None:
        if organisation and organisation not in sample.slugs():
            raise CommandError(
                f"There is no organisation {organisation} in the sample: name one of sample-01 to "
                f"sample-{sample.ORGANISATIONS}, or none for all."
            )
        try:
            datasets = sample.spread(only=organisation)
        except sample.SampleMissing as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{datasets} datasets are loaded. Now they are counted.")
        every = Dataset.objects.filter(organisation__slug__in=sample.slugs()).select_related("organisation")
        published = [version for each in every if (version := listings.publish(each))]
        Listing.objects.filter(dataset__in=every).update(is_listed=True, answers=Listing.Answers.ITSELF)
        self.stdout.write(f"{len(published)} versions are published.")
