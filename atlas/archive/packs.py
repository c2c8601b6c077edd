"""Packs: the images of a series at rest in one ZIP, in display order, each stored as it is.

One object a series instead of hundreds; a run of slices is one range of it, and the download of a series is
the pack itself. The rows of its images say where in the pack each lies; the ZIP's own directory is for
people.
"""

import hashlib
import logging
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction

from atlas.archive.storage import COPY_BYTES, ObjectMissing, new_key, open_instance, storage
from atlas.archive.zip_layout import Entry, ZipLayout
from atlas.models import Instance

logger = logging.getLogger(__name__)

PACK = ".zip"
FIRST_DAY = datetime(1980, 1, 1, tzinfo=UTC)
"""The format's: a pack says nothing about when its images were taken or came."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack in storage that no row names yet: `offsets` in bytes, beside `instances`. `key` "" where there
    was nothing to put in."""

    key: str
    instances: list[Instance]
    offsets: list[int]

    def places(self) -> dict[int, tuple[str, int]]:
        """Primary key of an instance -> (object, offset)."""
        return {one.pk: (self.key, at) for one, at in zip(self.instances, self.offsets, strict=True)}


class Changed(Exception):
    """The bytes of an image were not those that it was checked for a moment ago."""


def is_packed(instances: Sequence[Instance], pack_key: str) -> bool:
    return bool(pack_key) and all(one.object_key == pack_key for one in instances)


def write_pack(instances: Sequence[Instance]) -> Pack:
    """Put these images into a new pack, in this order, and make it durable. Images whose bytes are lost or
    aren't those that were stored stay where they are. Raises what `put_durable` raises, and Changed."""
    whole: list[Instance] = []
    entries: list[Entry] = []  # their keys are places in `whole`
    digits = max(4, len(str(len(instances))))
    for one in instances:
        crc32 = _checked(one)
        if crc32 is not None:
            name = f"{len(whole) + 1:0{digits}}-{one.sop_instance_uid}.dcm"
            entries.append(Entry(name, str(len(whole)), one.size, crc32))
            whole.append(one)
    if not whole:
        return Pack("", [], [])
    layout, key = ZipLayout(entries, at=FIRST_DAY), new_key(PACK)
    storage().put_durable(key, _content(layout, whole, entries))
    return Pack(key, whole, _offsets(layout))


def _offsets(layout: ZipLayout) -> list[int]:
    """Where each file begins, in bytes."""
    offsets, at = [], 0
    for piece in layout.pieces(0, layout.size - 1):
        if piece.key:
            offsets.append(at)
        at += len(piece.data) + piece.length
    return offsets


def _checked(instance: Instance) -> int | None:
    """The CRC-32 of an image that is here and whole."""
    digest, crc32, size = hashlib.sha256(), 0, 0
    try:
        for chunk in _chunks(instance):
            digest.update(chunk)
            crc32 = zlib.crc32(chunk, crc32)
            size += len(chunk)
    except (ObjectMissing, EOFError):
        logger.error("Instance %s is lost and is left out of its pack.", instance.pk)
        return None
    if size != instance.size or digest.hexdigest() != instance.stored_sha256:
        logger.error("Instance %s has changed in storage and is left out of its pack.", instance.pk)
        return None
    return crc32


def _content(layout: ZipLayout, instances: Sequence[Instance], entries: Sequence[Entry]) -> Iterator[bytes]:
    for piece in layout.pieces(0, layout.size - 1):
        if not piece.key:
            yield piece.data
            continue
        one, entry = instances[int(piece.key)], entries[int(piece.key)]
        crc32 = size = 0
        for chunk in _chunks(one):
            crc32 = zlib.crc32(chunk, crc32)
            size += len(chunk)
            yield chunk
        if (size, crc32) != (entry.size, entry.crc32):
            raise Changed(f"Instance {one.pk} changed while its pack was written.")


def _chunks(instance: Instance) -> Iterator[bytes]:
    with open_instance(instance) as file:
        while chunk := file.read(COPY_BYTES):
            yield chunk


def move_into(pack: Pack) -> bool:
    """Part of the transaction that names the pack: rows say that their images lie in it. False, and then the
    caller rolls back, where one of them has meanwhile moved or gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE atlas_instance AS row SET object_key = %s, object_offset = place.start
            FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[]) AS place (id, key, was, start)
            WHERE row.id = place.id AND row.object_key = place.key AND row.object_offset = place.was
            """,
            [
                pack.key,
                [one.pk for one in pack.instances],
                [one.object_key for one in pack.instances],
                [one.object_offset for one in pack.instances],
                pack.offsets,
            ],
        )
        return cursor.rowcount == len(pack.instances)


def unpack(series_id: int, key: str) -> None:
    """Give each image of the series that lies in this pack an object of its own again. What can't be read
    stays where it is."""
    for one in Instance.objects.filter(series=series_id, object_key=key, object_offset__gt=0):
        own = new_key(".dcm")
        try:
            storage().put_durable(own, _chunks(one))
        except (ObjectMissing, EOFError):
            logger.error("Instance %s is lost.", one.pk)
            continue
        with transaction.atomic():
            Instance.objects.filter(pk=one.pk, object_key=key).update(object_key=own, object_offset=0)
