"""What releases keep in storage: each object once, and nothing that is the archive's."""

from collections.abc import Iterator

from annotations.models import PredictionFile, ReleaseCase, ReleaseFile
from atlas.holdings import Holding


def release_files() -> Iterator[Holding]:
    files = ReleaseFile.objects.exclude(object_key="").filter(is_pinned=False).order_by("object_key", "pk")
    for file in files.distinct("object_key").iterator():
        yield Holding(file.object_key, file.size, file.sha256, f"file {file.pk} of release {file.release_id}")
    cases = ReleaseCase.objects.exclude(record_key="").order_by("pk")
    for case in cases.iterator():
        what = f"record of case {case.number} of release {case.release_id}"
        yield Holding(case.record_key, case.record_size, case.record_sha256, what)
    for predicted in PredictionFile.objects.order_by("pk").iterator():
        what = f"file {predicted.pk} of a prediction"
        yield Holding(predicted.object_key, predicted.size, predicted.sha256, what)
