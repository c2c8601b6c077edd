"""The images as they are stored: the archive's pack of each series, a ZIP of its DICOM files, not copied.

cases/0314/dicom/CT_<series>.zip
"""

from collections.abc import Iterator

from django.utils import timezone

from annotations.cohort.formats.plan import Format, PlannedFile
from annotations.cohort.images import StoredSeries
from annotations.cohort.material import CaseMaterial, described
from annotations.exchange.source import ExchangeError
from atlas.archive import packs, sealing
from atlas.archive.tasks import RESTS_AFTER
from atlas.models import Instance, Series


def originals_path(case: CaseMaterial, stored: StoredSeries) -> str:
    return f"{case.folder}/dicom/{stored.name}.zip"


class Originals(Format):
    key, title = "originals", "Original DICOM images"
    holds = "the DICOM files of each series as they are stored, in one ZIP"

    def of_case(self, case: CaseMaterial) -> Iterator[PlannedFile]:
        for stored in case.stored.values():
            yield PlannedFile(
                originals_path(case, stored), object_key=_pack(stored), holds_marks=False, is_apart=True
            )


def _pack(stored: StoredSeries) -> str:
    """The object with all images of a series; one that has come to rest and isn't sealed is sealed first.

    Raises ExchangeError with what to do.
    """
    series = stored.series
    series.refresh_from_db()
    if _is_whole(series):
        return series.pack_key
    if series.state == Series.State.ARRIVING and series.changed_at > timezone.now() - RESTS_AFTER:
        raise ExchangeError(
            f"series {described(stored)} is still arriving, so its original images can't be taken over yet; "
            "write the release again in a minute"
        )
    sealing.seal(series.pk)
    series.refresh_from_db()
    if not _is_whole(series):
        raise ExchangeError(
            f"images of series {described(stored)} are lost or damaged in storage, so its originals can't be "
            "taken over; run manage.py verify_archive, restore what it names from a backup, and write the "
            "release again"
        )
    return series.pack_key


def _is_whole(series: Series) -> bool:
    images = list(Instance.objects.filter(series=series, hold=Instance.Hold.NONE))
    return series.state == Series.State.READY and bool(images) and packs.is_packed(images, series.pack_key)
