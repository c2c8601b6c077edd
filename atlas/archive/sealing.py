"""Seals a series that has come to rest: manifest, frame table, decoded renditions, thumbnail, findings.

A generation's objects lie beside each other in storage under one random stem: `.json.gz` the manifest,
`.frames.gz` where each frame's bytes are (never sent to a browser), `.pixels` what had to be decoded,
`.webp` the thumbnail. A change makes the next generation; the objects of the one before are kept for a day.
"""

import gzip
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import BinaryIO

from django.db import transaction

from atlas import sealed
from atlas.archive.storage import ObjectMissing, new_key, open_instance, spool, storage
from atlas.dicom import quality
from atlas.dicom.decoding import (
    CannotDecode,
    decode_frame,
    delivered_format,
    has_stray_bits,
    to_little_endian,
)
from atlas.dicom.describe import Description, Frame, describe
from atlas.dicom.frames import NATIVE, read_ranges
from atlas.dicom.headers import DEFLATED, EXPLICIT_LITTLE, Header, NotDicom, Unreadable, inflated, read_header
from atlas.dicom.manifest import Built, build
from atlas.dicom.thumbnails import thumbnail
from atlas.fanout import broadcast
from atlas.models import Instance, Series

logger = logging.getLogger(__name__)

MANIFEST, FRAMES, PIXELS, THUMBNAIL = ".json.gz", ".frames.gz", ".pixels", ".webp"
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class FrameTable:
    """`frames[index]` is (number of the object, offset, length, offset, length, …) in bytes."""

    objects: list[str]
    frames: list[list[int]]

    def length(self, index: int) -> int:
        return sum(self.frames[index][2::2])


def frame_table_key(manifest_key: str) -> str:
    return manifest_key.removesuffix(MANIFEST) + FRAMES


def read_frame_table(manifest_key: str) -> FrameTable:
    """Raises ObjectMissing."""
    key = frame_table_key(manifest_key)
    content = json.loads(gzip.decompress(storage().read_range(key, 0, storage().size(key))))
    return FrameTable(content["objects"], content["frames"])


def seal(series_id: int, *, rests: bool = True) -> Series | None:
    """Describe a series as it is now. Safe to run twice or at once with others; None if it is gone.

    `rests` False describes a series whose images still arrive, for someone who wants to see it: it stays
    arriving, and nobody is told.
    """
    series = None
    for _ in range(ATTEMPTS):
        series = Series.objects.select_related("study__dataset").filter(pk=series_id).first()
        if series is None:
            return None
        try:
            done = _seal_once(series, rests=rests)
        except Exception:
            logger.exception("Series %s could not be described", series.public_id)
            done = _set_broken(series)
        if done:
            series.refresh_from_db()
            _tell(series)
            if rests and series.state == Series.State.READY:
                sealed.announce(series)
            return series
    logger.info("Series %s keeps changing; it is sealed when it rests", series_id)
    return series


def _seal_once(series: Series, *, rests: bool) -> bool:
    """False where an image arrived meanwhile, or someone else sealed."""
    stem, rendition = new_key(), spool()
    descriptions, frames, undecodable = _describe_all(series, stem, rendition)
    if not any(description.facts for description in descriptions):
        raise Unreadable("The series has no instance that can be read.")
    built = build(descriptions, frames, undecodable=undecodable)
    built.manifest["series"] |= {"id": series.public_id, "study": series.study.public_id}
    changes: dict = {"state": Series.State.READY} if rests else {}
    if not _is_described(series, built):
        changes |= _write(series, built, stem, rendition)
    unchanged = Series.objects.filter(
        pk=series.pk, changed_at=series.changed_at, generation=series.generation
    )
    superseded = _objects_of(series.manifest_key) if "manifest_key" in changes else []
    with transaction.atomic():
        if unchanged.update(**changes) if changes else unchanged.exists():
            if superseded:
                from atlas.archive.tasks import delete_superseded

                delete_superseded.configure(schedule_in={"hours": 24}).defer(keys=[*superseded])
            return True
    for key in _objects_of(changes.get("manifest_key", "")):
        storage().delete(key)
    return False


def _describe_all(
    series: Series, stem: str, rendition: BinaryIO
) -> tuple[list[Description], list[Frame], list[str]]:
    descriptions: list[Description] = []
    frames: list[Frame] = []
    undecodable: list[str] = []
    for instance in series.instances.order_by("instance_number", "sop_instance_uid"):
        try:
            with open_instance(instance) as file:
                header = read_header(file)
                description = describe(file, header, instance.object_key)
                descriptions.append(description)
                frames += _deliverable(file, header, description.frames, stem, rendition, undecodable)
        except (NotDicom, Unreadable, ObjectMissing) as error:
            logger.error("Instance %s of series %s can't be read: %s", instance.pk, series.public_id, error)
            descriptions.append(
                Description(instance.sop_instance_uid, [], problem="A stored file can't be read.")
            )
    return descriptions, frames, undecodable


def _deliverable(
    file: BinaryIO,
    header: Header,
    frames: Iterable[Frame],
    stem: str,
    rendition: BinaryIO,
    undecodable: list[str],
) -> list[Frame]:
    """Frames as a browser gets them: those it can't decode are decoded into the rendition."""
    found = []
    content = inflated(file) if header.transfer_syntax_uid == DEFLATED else file
    for frame in frames:
        if frame.ranges is None:
            found.append(frame)
            continue
        decode = frame.decode
        if (
            not decode
            and header.transfer_syntax_uid in NATIVE
            and frame.pixel.bits_stored < frame.pixel.bits_allocated
        ):
            decode = has_stray_bits(frame.pixel, read_ranges(content, frame.ranges))
        if not decode:
            found.append(frame)
            continue
        try:
            array = decode_frame(header, frame.pixel, read_ranges(content, frame.ranges), frame.number - 1)
        except CannotDecode as error:
            undecodable.append(str(error))
            continue
        encoded = to_little_endian(array)
        found.append(
            replace(
                frame,
                pixel=delivered_format(array, frame.pixel),
                ranges=((rendition.tell(), len(encoded)),),
                syntax=EXPLICIT_LITTLE,
                source=stem + PIXELS,
            )
        )
        rendition.write(encoded)
    return found


def _is_described(series: Series, built: Built) -> bool:
    """Whether the present generation says the same already."""
    if not series.manifest_key:
        return False
    try:
        present = read_manifest(series.manifest_key)
    except ObjectMissing:
        return False
    present.pop("generation")
    return present == json.loads(json.dumps(built.manifest))


def read_manifest(manifest_key: str) -> dict:
    return json.loads(gzip.decompress(storage().read_range(manifest_key, 0, storage().size(manifest_key))))


def _write(series: Series, built: Built, stem: str, rendition: BinaryIO) -> dict:
    """Make the next generation's objects durable; returns the changes to the row."""
    generation = series.generation + 1
    if rendition.tell():
        rendition.seek(0)
        storage().put_durable(stem + PIXELS, rendition)
    objects = list(dict.fromkeys(frame.source for frame in built.frames))
    number = {key: at for at, key in enumerate(objects)}
    table = [
        [number[frame.source], *(part for piece in frame.ranges or () for part in piece)]
        for frame in built.frames
    ]
    storage().put_durable(stem + FRAMES, _packed({"objects": objects, "frames": table}))
    picture = _thumbnail(series, built, stem)
    if picture:
        storage().put_durable(stem + THUMBNAIL, picture)
    storage().put_durable(stem + MANIFEST, _packed({"generation": generation, **built.manifest}))
    facts = built.manifest["series"]
    return {
        "generation": generation,
        "frame_count": len(built.frames),
        "manifest_key": stem + MANIFEST,
        "thumbnail_key": stem + THUMBNAIL if picture else "",
        "findings": built.manifest["findings"],
        "frame_of_reference_uid": facts["frame_of_reference"] or "",
    }


def _packed(content: dict) -> bytes:
    return gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0)


def _thumbnail(series: Series, built: Built, stem: str) -> bytes | None:
    """Of the middle frame; None where there is none, or it can't be decoded."""
    if not built.frames:
        return None
    frame = built.frames[len(built.frames) // 2]
    uid = frame.sop_instance_uid
    instance = Instance.objects.get(series=series, sop_instance_uid=uid)
    try:
        with open_instance(instance) as file:
            header = read_header(file)
            original = next(one for one in describe(file, header).frames if one.number == frame.number)
            content = inflated(file) if header.transfer_syntax_uid == DEFLATED else file
            array = decode_frame(
                header, original.pixel, read_ranges(content, original.ranges or ()), frame.number - 1
            )
        return thumbnail(
            array,
            window=(frame.center, frame.width),
            rescale=(frame.slope, frame.intercept),
            inverted=original.pixel.photometric == "MONOCHROME1",
            row_mm=frame.spacing.row_mm,
            column_mm=frame.spacing.column_mm,
        )
    except CannotDecode as error:
        logger.warning("No thumbnail of series %s: %s", series.public_id, error)
        return None


def _set_broken(series: Series) -> bool:
    findings = [quality.finding("broken", "The images of this series could not be described.", "volume")]
    unchanged = Series.objects.filter(
        pk=series.pk, changed_at=series.changed_at, generation=series.generation
    )
    return bool(unchanged.update(state=Series.State.BROKEN, findings=findings))


def _objects_of(manifest_key: str) -> list[str]:
    stem = manifest_key.removesuffix(MANIFEST)
    return [stem + suffix for suffix in (MANIFEST, FRAMES, PIXELS, THUMBNAIL)] if stem else []


def _tell(series: Series) -> None:
    """The dataset's page shows new series and their state as they come."""
    message = {
        "type": "series",
        "series": series.public_id,
        "state": series.state,
        "generation": series.generation,
    }
    group = f"dataset.{series.study.dataset.slug}"
    transaction.on_commit(lambda: broadcast(group, message))
