"""Puts a changed copy of a held image in its place: painted over, or marked as searched.

The new object is durable before a transaction lets the row name it; the old one goes with that transaction,
by a job if this process is killed before it can delete it. Nobody could see the image meanwhile.
"""

import hashlib
import logging
from collections.abc import Sequence
from typing import BinaryIO

from django.db import transaction

from atlas.archive.storage import COPY_BYTES, new_key, open_instance, spool, storage
from atlas.dicom import black_out
from atlas.dicom.frames import pixel_format
from atlas.dicom.headers import read_header
from atlas.dicom.pixel_text import Box
from atlas.models import Instance

logger = logging.getLogger(__name__)

CLEAN_PIXEL_DATA = "clean_pixel_data"
"""The option of PS3.15 Annex E that a dataset chooses so that headers claim it."""


def is_wanted(instance: Instance) -> bool:
    """Whether images of its dataset that were searched say so in their headers."""
    return CLEAN_PIXEL_DATA in instance.series.study.dataset.deidentification_options


def mark(instance: Instance, *, was: str) -> bool:
    """Let the header say that the pixels were searched, and nobody needs to hold the image any more. False
    where it is no longer held for the reason `was`, or has changed."""
    target = spool()
    try:
        with open_instance(instance) as file:
            syntax = black_out.mark_clean(file, target)
    except black_out.CannotPaint as error:  # it goes on as it is, without the claim
        logger.warning("Instance %s is not marked as searched: %s", instance.pk, error)
        rows = Instance.objects.filter(pk=instance.pk, hold=was, stored_sha256=instance.stored_sha256)
        return bool(rows.update(hold=Instance.Hold.NONE, text_boxes=[]))
    return _replace(instance, target, syntax, was=was)


def paint(instance: Instance, boxes: Sequence[Box], *, was: str) -> bool:
    """Black the boxes out. False where the image is no longer held for the reason `was`, or has changed.
    Raises CannotPaint."""
    target = spool()
    with open_instance(instance) as file:
        syntax = black_out.black_out(file, boxes, target)
    return _replace(instance, target, syntax, was=was)


def _replace(instance: Instance, target: BinaryIO, syntax: str, *, was: str) -> bool:
    from atlas.archive.tasks import delete_superseded

    digest, size = _digest(target)
    bits = pixel_format(read_header(target)).bits_allocated
    target.seek(0)
    key, old_key = new_key(".dcm"), instance.object_key
    storage().put_durable(key, target)
    try:
        with transaction.atomic():
            changed = Instance.objects.filter(
                pk=instance.pk, hold=was, object_key=old_key, object_offset=0
            ).update(
                hold=Instance.Hold.NONE,
                text_boxes=[],
                object_key=key,
                stored_sha256=digest,
                size=size,
                transfer_syntax_uid=syntax,
                bits_allocated=bits,
            )
            if changed:
                delete_superseded.defer(keys=[old_key], series_id=instance.series_id)
    except BaseException:
        storage().delete(key)
        raise
    storage().delete(old_key if changed else key)
    return bool(changed)


def _digest(file: BinaryIO) -> tuple[str, int]:
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(COPY_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size
