"""The DICOM JSON of a series' instances: made when it is sealed, and on demand while it is loose.

The object is gzipped text, a line each: first a list of [SOP Instance UID, SHA-256 of the stored bytes], then
the instances in that order. Whoever answers checks the digests, so a late, blacked-out or erased image never
lets an old description out.
"""

import gzip
import json
import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from atlas.archive.storage import ObjectMissing, StoredInstance, new_key, open_instance, storage
from atlas.dicom.headers import NotDicom, Unreadable
from atlas.dicom.json_model import Writer
from atlas.models import Instance, Series

logger = logging.getLogger(__name__)

SUFFIX = ".metadata.gz"

type Lines = dict[str, bytes]
"""SOP Instance UID → the instance as DICOM JSON, bulk data addresses still without their start."""


class Described(StoredInstance, Protocol):
    """What of an instance's row it takes to describe it."""

    pk: int
    sop_instance_uid: str


def describe(instances: Iterable[Described]) -> Lines:
    """Read the headers now. What can't be read is left out and logged."""
    writer = Writer()
    lines: Lines = {}
    for instance in instances:
        try:
            with open_instance(instance) as file:
                lines[instance.sop_instance_uid] = writer.write(file)
        except (NotDicom, Unreadable, ObjectMissing, EOFError) as error:
            logger.error("Instance %s can't be described: %s", instance.pk, error)
    return lines


def write(series: Series) -> None:
    """Describe a sealed series durably; does nothing where that is done. Called after each sealing."""
    instances = list(
        series.instances.filter(hold=Instance.Hold.NONE).order_by("instance_number", "sop_instance_uid")
    )
    if series.metadata_key and _digests(instances) == _described(series.metadata_key):
        return
    lines = describe(instances)
    whole = [instance for instance in instances if instance.sop_instance_uid in lines]
    content = b"\n".join([json.dumps(_digests(whole)).encode(), *lines.values()])
    key = new_key(SUFFIX)
    storage().put_durable(key, gzip.compress(content, compresslevel=6, mtime=0))
    is_ours = Series.objects.filter(pk=series.pk, metadata_key=series.metadata_key).update(metadata_key=key)
    superseded = series.metadata_key if is_ours else key
    if superseded:
        storage().delete(superseded)


def read(key: str, instances: Sequence[tuple[str, str]]) -> Lines | None:
    """What `write` wrote, if it describes exactly these (SOP Instance UID, SHA-256) now; else None."""
    try:
        head, *lines = gzip.decompress(storage().read_range(key, 0, storage().size(key))).split(b"\n")
    except ObjectMissing:
        return None
    digests = json.loads(head)
    if sorted(map(tuple, digests)) != sorted(instances):
        return None
    return {uid: line for (uid, _), line in zip(digests, lines, strict=True)}


def _digests(instances: list[Instance]) -> list[list[str]]:
    return [[instance.sop_instance_uid, instance.stored_sha256] for instance in instances]


def _described(key: str) -> list[list[str]] | None:
    try:
        content = gzip.decompress(storage().read_range(key, 0, storage().size(key)))
    except ObjectMissing:
        return None
    return json.loads(content.split(b"\n", 1)[0])
