"""`manage.py erase_subject ORGANISATION PSEUDONYM [--yes]`: remove a subject for good, and prove it.

Ends with 0 when nothing of the subject is found any more, with 1 when something is.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import ProtectedError

from accounts.models import Organisation
from atlas.archive.erasing import Erasure, erase
from atlas.archive.names import Names
from atlas.archive.proving import Proof, search
from atlas.archive.storage import StorageUnavailable
from atlas.models import Instance, Series, Subject

FOUND_SHOWN = 50


class Command(BaseCommand):
    help = "Erase a subject: images, packs, manifests, marks, its files in releases, vault entries."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organisation", help="short name of the organisation")
        parser.add_argument("pseudonym", help="the subject's Patient ID in this archive")
        parser.add_argument("--yes", action="store_true", help="don't ask")

    def handle(self, *args: Any, **options: Any) -> None:
        subject = self._subject(options["organisation"], options["pseudonym"])
        if not options["yes"]:
            self._ask(subject)
        names = Names.of(subject)
        try:
            erasure = erase(subject)
            self._say_erased(erasure)
            proof = search(names)
        except ProtectedError as error:
            raise CommandError(
                "Something of this subject arrived while it was being erased, so nothing was erased. Stop "
                "its sender, then try again."
            ) from error
        except StorageUnavailable as error:
            raise CommandError(f"{error} What was not deleted yet, the worker deletes.") from error
        self._say_proof(proof, names)
        if proof.found:
            sys.exit(1)

    def _subject(self, slug: str, pseudonym: str) -> Subject:
        organisation = Organisation.objects.filter(slug=slug).first()
        if organisation is None:
            known = ", ".join(Organisation.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no organisation “{slug}”. Known: {known}.")
        subject = Subject.objects.filter(organisation=organisation, pseudonym=pseudonym).first()
        if subject is None:
            raise CommandError(f"{organisation.name} has no subject of this pseudonym.")
        return subject

    def _ask(self, subject: Subject) -> None:
        images = Instance.objects.filter(series__study__subject=subject).count()
        series = Series.objects.filter(study__subject=subject).count()
        self.stdout.write(
            f"This erases {subject.studies.count():,} studies, {series:,} series and {images:,} images, with "
            "every mark and read on them, from all projects and releases. It can't be undone."
        )
        if input("Type the pseudonym again to go on: ").strip() != subject.pseudonym:
            raise CommandError("That is another one. Nothing was erased.")

    def _say_erased(self, erasure: Erasure) -> None:
        self.stdout.write("Erased:")
        for name, rows in erasure.counts.items():
            self.stdout.write(f"  {rows:>9,} {name}")
        self.stdout.write(f"  {erasure.objects:>9,} objects in storage")
        for note in erasure.notes:
            self.stdout.write(note)

    def _say_proof(self, proof: Proof, names: Names) -> None:
        self.stdout.write(
            f"Searched for the pseudonym and {len(names.uids):,} UIDs: {proof.columns:,} columns of "
            f"{proof.tables:,} tables, {proof.objects:,} objects ({proof.bytes / 1e9:,.2f} GB)."
        )
        for note in proof.notes:
            self.stdout.write(note)
        if proof.remains:
            self.stdout.write(f"Deleted {proof.remains:,} objects that a process had left behind.")
        for place in proof.found[:FOUND_SHOWN]:
            self.stdout.write(f"FOUND in {place}")
        if proof.found:
            self.stdout.write(f"Found in {len(proof.found):,} places: the subject is not gone from there.")
        else:
            self.stdout.write("Found nowhere.")
