"""Erases a subject: rows, images, packs, manifests, thumbnails of every generation, what apps above keep.

Rows go in one transaction, which also leaves jobs that delete the objects; the objects go right after it. So
a process killed on the way leaves either everything or a job that does the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import batched

from django.db import transaction

from accounts import audit, revocation
from atlas.archive.generations import all_objects_of
from atlas.archive.names import Names
from atlas.archive.storage import storage
from atlas.erasers import erase_above
from atlas.models import Instance, Series, Subject, UploadFile, UploadFinding

audit.register("subject.erased")

ERASED_NAME = "(erased)"
KEYS_A_JOB = 2000


@dataclass
class Erasure:
    """What went: rows by what they are, and objects. `notes` are sentences about what is beyond reach."""

    counts: dict[str, int] = field(default_factory=dict)
    objects: int = 0
    notes: list[str] = field(default_factory=list)

    def count(self, name: str, rows: int) -> None:
        if rows:
            self.counts[name] = self.counts.get(name, 0) + rows


def erase(subject: Subject) -> Erasure:
    """Erase a subject for good. When it returns, rows and objects are gone. Raises ProtectedError where
    images of the subject arrived meanwhile: nothing is erased then."""
    from atlas.archive.tasks import delete_superseded

    names, erasure = Names.of(subject), Erasure()
    keys: set[str] = set()
    afterwards: list[Callable[[], None]] = []
    with transaction.atomic():
        subject = Subject.objects.select_for_update().select_related("organisation").get(pk=subject.pk)
        audit.record(None, "subject.erased", subject, organisation=subject.organisation_id)
        for part in erase_above(subject):
            for name, rows in part.counts.items():
                erasure.count(name, rows)
            erasure.notes += part.notes
            keys.update(part.objects)
            afterwards.append(part.afterwards)
        keys |= _erase_images(subject, erasure)
        erasure.count("names of sent files", _forget_file_names(names))
        erasure.count("vault entries", subject.vault_entries.count())
        subject.delete()
        for some in batched(sorted(keys), KEYS_A_JOB):
            delete_superseded.defer(keys=list(some))
        revocation.announce()
    for key in keys:
        storage().delete(key)
    erasure.objects = len(keys)
    for finish in afterwards:
        finish()
    return erasure


def _erase_images(subject: Subject, erasure: Erasure) -> set[str]:
    """Returns every object that holds something of them, now or in an earlier generation."""
    series = list(Series.objects.select_for_update().filter(study__subject=subject))
    images = Instance.objects.filter(series__in=series)
    keys = set(images.values_list("object_key", flat=True).distinct())
    for one in series:
        keys |= all_objects_of(one)
    erasure.count("images", images.count())
    erasure.count("series", len(series))
    erasure.count("studies", subject.studies.count())
    images.delete()
    Series.objects.filter(pk__in=[one.pk for one in series]).delete()
    subject.studies.all().delete()
    return keys


def _forget_file_names(names: Names) -> int:
    """Of sent files that bear the subject's name. Which of the others were its, nobody knows."""
    count = 0
    findings = UploadFinding.objects.filter(upload__dataset__organisation=names.organisation_id)
    for finding in findings.iterator():
        if names.are_in(finding.file_name) or names.are_in(finding.reason):
            finding.file_name, finding.reason = ERASED_NAME, ERASED_NAME
            finding.save(update_fields=["file_name", "reason"])
            count += 1
    for file in UploadFile.objects.filter(upload__dataset__organisation=names.organisation_id).iterator():
        if names.are_in(file.name):
            file.name = f"{ERASED_NAME} {file.pk}"  # one name and fingerprint once in an upload
            file.save(update_fields=["name"])
            count += 1
    return count
