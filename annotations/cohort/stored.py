"""What releases keep in storage."""

from collections.abc import Iterator

from annotations.models import ReleaseFile
from atlas.holdings import Holding


def release_files() -> Iterator[Holding]:
    for file in ReleaseFile.objects.order_by().iterator():
        yield Holding(file.object_key, file.size, file.sha256, f"file {file.pk} of release {file.release_id}")
