"""Seals a series that has come to rest: manifest, frame table, decoded renditions, thumbnail, findings, pack.

Everything new is made durable beside what is there; then one transaction makes it what the series is. Killed
on the way, a series is as it was before, and what was written for nothing is an orphan for `verify_archive`.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from django.db import transaction
from django.db.models import QuerySet

from atlas import sealed
from atlas.archive import generations, packs
from atlas.archive.generations import FRAMES, MANIFEST, PIXELS, THUMBNAIL, packed, read_manifest
from atlas.archive.storage import (
    ObjectMissing,
    is_storage_trouble,
    new_key,
    open_instance,
    spool,
    storage,
)
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
from atlas.dicom.summary import summary_of
from atlas.dicom.thumbnails import thumbnail
from atlas.fanout import broadcast
from atlas.models import Instance, Series

logger = logging.getLogger(__name__)

ATTEMPTS = 5


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
        except Exception as error:
            if is_storage_trouble(error):  # it rests as it is, and is tried again in a minute
                logger.error("Series %s could not be sealed: %s", series.public_id, error)
                return series
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


@dataclass
class _Described:
    """The images of a series that may be shown, and what is in them. Frames name their instance as source, or
    the rendition."""

    instances: list[Instance]
    descriptions: list[Description] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    undecodable: list[str] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)


def _seal_once(series: Series, *, rests: bool) -> bool:
    """False where an image arrived meanwhile, or someone else sealed."""
    stem, rendition = new_key(), spool()
    described = _describe_all(series, stem, rendition)
    if not described.instances:
        return _show_nothing(series, rests=rests)
    if not any(description.facts for description in described.descriptions):
        raise Unreadable("The series has no instance that can be read.")
    built = build(described.descriptions, described.frames, undecodable=described.undecodable)
    built.manifest["series"] |= {"id": series.public_id, "study": series.study.public_id}
    built.manifest["findings"] += _held_back(series)
    packable = [one for one in _in_display_order(described.instances, built) if one.pk not in described.lost]
    is_new = not _is_described(series, built)
    is_loose = rests and not packs.is_packed(packable, series.pack_key)
    pack = packs.Pack("", [], [])
    changes: dict = {"state": Series.State.READY} if rests else {}
    superseded: set[str] = set()
    try:
        if is_loose:
            pack = packs.write_pack(packable)
        if is_new or pack.key:
            changes |= _write(series, built, stem, rendition, described.instances, pack, is_new=is_new)
            superseded.update(generations.objects_of(series.manifest_key))
        if pack.key:
            changes["pack_key"] = pack.key
            superseded.update(one.object_key for one in pack.instances)
            superseded.update({series.pack_key} - {""})
        if _take_over(series, changes, pack, superseded):
            return True
    except packs.Changed as error:
        logger.warning("%s", error)
    except BaseException:
        _discard(stem, pack)
        raise
    _discard(stem, pack)
    return False


def _take_over(series: Series, changes: dict, pack: packs.Pack, superseded: set[str]) -> bool:
    """The series becomes what was made of it, unless it is no longer what that was made of."""
    unchanged = Series.objects.filter(
        pk=series.pk,
        changed_at=series.changed_at,
        generation=series.generation,
        manifest_key=series.manifest_key,
    )
    with transaction.atomic():
        if not (unchanged.update(**changes) if changes else unchanged.exists()):
            return False
        if pack.key and not packs.move_into(pack):
            transaction.set_rollback(True)
            return False
        if "manifest_key" in changes:
            generations.succeed(series, changes, superseded)
    return True


def _discard(stem: str, pack: packs.Pack) -> None:
    for key in [*generations.objects_of(stem + MANIFEST), *([pack.key] if pack.key else [])]:
        storage().delete(key)


def _describe_all(series: Series, stem: str, rendition: BinaryIO) -> _Described:
    rows = series.instances.filter(hold=Instance.Hold.NONE).order_by("instance_number", "sop_instance_uid")
    described = _Described(list(rows))
    if not described.instances and not series.instances.exists():
        raise Unreadable("The series has no instance.")
    for instance in described.instances:
        try:
            with open_instance(instance) as file:
                header = read_header(file)
                description = describe(file, header, _source(instance))
                described.frames += _deliverable(
                    file, header, description.frames, stem, rendition, described.undecodable
                )
                described.descriptions.append(description)
        except (NotDicom, Unreadable, ObjectMissing, EOFError) as error:
            logger.error("Instance %s of series %s can't be read: %s", instance.pk, series.public_id, error)
            described.lost.add(instance.pk)
            described.descriptions.append(
                Description(instance.sop_instance_uid, [], problem="A stored file can't be read.")
            )
    return described


def _source(instance: Instance) -> str:
    """What frames call the object they lie in, while it isn't decided yet which that will be."""
    return f"instance {instance.pk}"


def _in_display_order(instances: Sequence[Instance], built: Built) -> list[Instance]:
    """By their first frame; those without frames after them, as they come."""
    place: dict[str, int] = {}
    for frame in built.frames:
        place.setdefault(frame.sop_instance_uid, len(place))
    return sorted(instances, key=lambda one: place.get(one.sop_instance_uid, len(place)))


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


def _write(
    series: Series,
    built: Built,
    stem: str,
    rendition: BinaryIO,
    instances: Sequence[Instance],
    pack: packs.Pack,
    *,
    is_new: bool,
) -> dict:
    """Make the objects of a manifest durable; returns the changes to the row. Its generation is the next one,
    or the same where only the place of the bytes is new."""
    generation = series.generation + 1 if is_new else series.generation
    if rendition.tell():
        rendition.seek(0)
        storage().put_durable(stem + PIXELS, rendition)
    storage().put_durable(stem + FRAMES, packed(_frame_table(built, instances, pack)))
    picture = _thumbnail(series, built, stem)
    if picture:
        storage().put_durable(stem + THUMBNAIL, picture)
    storage().put_durable(stem + MANIFEST, packed({"generation": generation, **built.manifest}))
    facts = built.manifest["series"]
    return {
        "generation": generation,
        "frame_count": len(built.frames),
        "manifest_key": stem + MANIFEST,
        "thumbnail_key": stem + THUMBNAIL if picture else "",
        "findings": built.manifest["findings"],
        "summary": summary_of(built.manifest),
        "frame_of_reference_uid": facts["frame_of_reference"] or "",
    }


def _frame_table(built: Built, instances: Sequence[Instance], pack: packs.Pack) -> dict:
    """Ranges counted in the objects that hold them: packs, images of their own, the rendition."""
    places = {one.pk: (one.object_key, one.object_offset) for one in instances} | pack.places()
    of_source = {_source(one): places[one.pk] for one in instances}
    number: dict[str, int] = {}
    table = []
    for frame in built.frames:
        key, start = of_source.get(frame.source, (frame.source, 0))
        row = [number.setdefault(key, len(number))]
        for offset, length in frame.ranges or ():
            row += [start + offset, length]
        table.append(row)
    return {"objects": list(number), "frames": table}


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


def _held_back(series: Series) -> list[quality.Finding]:
    held = series.instances.exclude(hold=Instance.Hold.NONE).count()
    if not held:
        return []
    images = "1 image is" if held == 1 else f"{held} images are"
    return [quality.finding("held_back", f"{images} kept back: the pixels may hold text.", "volume")]


def _show_nothing(series: Series, *, rests: bool) -> bool:
    """All its images are held: what was made of them before isn't shown any longer, either."""
    changes: dict = {
        "findings": [_why_held(series)],
        "manifest_key": "",
        "thumbnail_key": "",
        "metadata_key": "",
        "pack_key": "",
        "frame_count": 0,
    }
    if rests:
        changes["state"] = Series.State.READY
    with transaction.atomic():
        if not _as_it_was(series).update(**changes):
            return False
        if series.manifest_key:
            generations.retire(series)
    return True


def _why_held(series: Series) -> quality.Finding:
    if series.instances.filter(hold=Instance.Hold.CHECKING).exists():
        return quality.finding("searched", "Its images wait for the search for text in their pixels.")
    return quality.finding("held", "All its images are kept back: their pixels may hold text.")


def _set_broken(series: Series) -> bool:
    sentence = "The images of this series could not be described."
    findings = [quality.finding("broken", sentence, "volume")]
    return bool(_as_it_was(series).update(state=Series.State.BROKEN, findings=findings))


def _as_it_was(series: Series) -> QuerySet[Series]:
    """The row, unless an image arrived meanwhile or someone else sealed."""
    return Series.objects.filter(pk=series.pk, changed_at=series.changed_at, generation=series.generation)


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
