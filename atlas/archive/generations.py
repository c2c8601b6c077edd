"""What a series was and is: the objects of its manifests, one generation after the other.

A generation's objects lie beside each other in storage under one random stem: `.json.gz` the manifest,
`.frames.gz` where each frame's bytes are (never sent to a browser), `.pixels` what had to be decoded,
`.webp` the thumbnail. A change makes the next generation. Addresses carry its number, so those of the one
before go on working for a day, unless bytes had to go for somebody's protection: then at once.
"""

import gzip
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import revocation
from atlas import pins
from atlas.archive.storage import ObjectMissing, storage
from atlas.models import Generation, Instance, Series

logger = logging.getLogger(__name__)

MANIFEST, FRAMES, PIXELS, THUMBNAIL = ".json.gz", ".frames.gz", ".pixels", ".webp"
KEPT_HOURS = 24
FINISHED_AFTER_MINUTES = 2


@dataclass(frozen=True, slots=True)
class FrameTable:
    """`frames[index]` is (number of the object, offset, length, offset, length, …) in bytes."""

    objects: list[str]
    frames: list[list[int]]

    def length(self, index: int) -> int:
        return sum(self.frames[index][2::2])


def objects_of(manifest_key: str) -> list[str]:
    """The objects of one generation; not every generation has all of them."""
    stem = manifest_key.removesuffix(MANIFEST)
    return [stem + suffix for suffix in (MANIFEST, FRAMES, PIXELS, THUMBNAIL)] if stem else []


def frame_table_key(manifest_key: str) -> str:
    return manifest_key.removesuffix(MANIFEST) + FRAMES


def read_frame_table(manifest_key: str) -> FrameTable:
    """Raises ObjectMissing."""
    content = _unpacked(frame_table_key(manifest_key))
    return FrameTable(content["objects"], content["frames"])


def read_manifest(manifest_key: str) -> dict:
    """Raises ObjectMissing."""
    return _unpacked(manifest_key)


def packed(content: dict) -> bytes:
    return gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0)


def _unpacked(key: str) -> dict:
    return json.loads(gzip.decompress(storage().read_range(key, 0, storage().size(key))))


def succeed(series: Series, changes: dict, superseded: Iterable[str]) -> None:
    """Part of the transaction that gives the series a new manifest (`changes` of its row): remembers it as
    its generation, and that the `superseded` objects go in a day."""
    Generation.objects.update_or_create(
        series=series,
        number=changes["generation"],
        defaults={"manifest_key": changes["manifest_key"], "thumbnail_key": changes["thumbnail_key"]},
    )
    keys: list = sorted(superseded)
    if keys:
        from atlas.archive.tasks import delete_superseded

        delete_superseded.configure(schedule_in={"hours": KEPT_HOURS}).defer(keys=keys, series_id=series.pk)


def retire(series: Series) -> None:
    """Part of the transaction that takes the series' manifest away: no address of it works any more, and its
    objects go in a day; `series` as it was before."""
    from atlas.archive.tasks import delete_superseded

    keys: list = sorted(all_objects_of(series))
    series.generations.all().delete()
    revocation.announce()
    delete_superseded.configure(schedule_in={"hours": KEPT_HOURS}).defer(keys=keys, series_id=series.pk)


def delete_superseded(keys: list[str], series_id: int | None) -> None:
    """Remove objects that a series is no longer made of, and its generations that needed them. A pack that an
    image still lies in (one kept back, that went into no other) stays, and one that is given out above."""
    Generation.objects.filter(series=series_id, manifest_key__in=keys).delete()
    for key in set(keys) - _named(series_id, keys) - pins.pinned_among(keys):
        storage().delete(key)


def forget_generations(series: Series, *, erased: Iterable[str] = ()) -> None:
    """Bytes of this series were blacked out or erased: nothing of what it was may be had any more.

    Call it once the rows of its images name their new bytes, or are gone; `erased` are the objects that held
    the old ones. When it returns, all manifests, thumbnails, decoded renditions and packs that the series had
    are gone from storage, and what apps above made of its pixels; addresses of its earlier generations answer
    410, and what it still has is sealed as the next generation. A process killed on the way leaves a job that
    does the rest.
    """
    from atlas.archive.tasks import finish_forgetting

    with transaction.atomic():
        given_up = pins.let_go(series)  # first, as those who pin lock what is above before the series
        present = Series.objects.select_for_update().get(pk=series.pk)
        above = (key for one in given_up for key in one.objects)
        keys: list = sorted({*erased, *all_objects_of(present), *above})
        present.generations.all().delete()
        Series.objects.filter(pk=present.pk).update(
            state=Series.State.ARRIVING,
            changed_at=timezone.now(),
            manifest_key="",
            thumbnail_key="",
            metadata_key="",
            pack_key="",
        )
        revocation.announce()
        finish_forgetting.configure(schedule_in={"minutes": FINISHED_AFTER_MINUTES}).defer(
            series_id=present.pk, keys=keys
        )
    finish(present.pk, keys)
    for one in given_up:
        one.afterwards()


def all_objects_of(series: Series) -> set[str]:
    """Every object that holds something of this series now or did in the last day. The images' own bytes are
    among them: whoever deletes leaves out what rows still name."""
    manifests = {series.manifest_key, *series.generations.values_list("manifest_key", flat=True)} - {""}
    keys = {key for manifest in manifests for key in objects_of(manifest)}
    for manifest in manifests:
        try:
            keys.update(read_frame_table(manifest).objects)
        except ObjectMissing:
            logger.warning("Series %s has lost the frame table of a manifest.", series.public_id)
    waiting = ProcrastinateJob.objects.filter(
        task_name="atlas.delete_superseded", status="todo", args__series_id=series.pk
    )
    for job in waiting:
        keys.update(job.args["keys"])
    return (keys | {series.metadata_key, series.pack_key}) - {""}


def finish(series_id: int, keys: list[str]) -> None:
    """Second half of `forget_generations`, which may run twice: delete what can go at once, seal anew, delete
    the pack that was needed until then."""
    from atlas.archive import packs, sealing

    for key in set(keys) - _named(series_id, keys):
        storage().delete(key)
    if not Instance.objects.filter(series=series_id).exists():
        return
    sealing.seal(series_id)
    for key in _named(series_id, keys):  # the series could not be described, so it has no new pack
        packs.unpack(series_id, key)
    for key in set(keys) - _named(series_id, keys):
        storage().delete(key)


def _named(series_id: int | None, keys: Iterable[str]) -> set[str]:
    """Those of the objects that images of the series lie in."""
    rows = Instance.objects.filter(series=series_id, object_key__in=keys)
    return set(rows.values_list("object_key", flat=True).distinct())
