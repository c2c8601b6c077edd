"""Which packs of the archive are pinned by files of releases, and which have just come loose."""

from collections.abc import Collection, Iterable

from procrastinate.contrib.django.models import ProcrastinateJob

from annotations.exchange.source import ExchangeError
from annotations.models import ReleaseFile
from atlas.models import Instance, Series


def pinned_among(keys: Collection[str]) -> set[str]:
    rows = ReleaseFile.objects.filter(object_key__in=keys, is_pinned=True)
    return set(rows.values_list("object_key", flat=True))


def loosened(keys: Iterable[str]) -> set[str]:
    """Of packs that files of a release have just given up, those that nobody names any more. One that
    browsers may still read, as its series had it a day ago, is left to the job that waits for it."""
    left = set(keys)
    left -= pinned_among(left)
    left -= set(Series.objects.filter(pack_key__in=left).values_list("pack_key", flat=True))
    left -= set(Instance.objects.filter(object_key__in=left).values_list("object_key", flat=True))
    waiting = ProcrastinateJob.objects.filter(task_name="atlas.delete_superseded", status="todo")
    return {key for key in left if not waiting.filter(args__keys__contains=[key]).exists()}


def require_standing(files: Iterable[ReleaseFile]) -> None:
    """Hold the series of pinned packs until the caller's transaction ends; from then on their rows keep them.

    Raises ExchangeError where a series has another pack by now.
    """
    wanted = {file.object_key for file in files if file.is_pinned}
    held = Series.objects.select_for_update(no_key=True).filter(pack_key__in=wanted).order_by("pk")
    if wanted - set(held.values_list("pack_key", flat=True)):
        raise ExchangeError(
            "images of it changed in the archive while their originals were taken over; write it again"
        )
