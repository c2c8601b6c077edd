"""Reads everything that is stored and says what is lost, what has changed, and what nobody names any more."""

import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import batched

from django.db import transaction

from accounts import audit
from accounts.models import Organisation
from atlas.archive import generations, sealing
from atlas.archive.listing import Listing, is_old_enough, keys_in_use
from atlas.archive.storage import COPY_BYTES, ObjectMissing, open_instance, storage
from atlas.dicom import quality
from atlas.holdings import Holding, holdings
from atlas.models import Instance, Series

audit.register("archive.verified")

LOST, CHANGED, UNREADABLE = "lost", "changed", "unreadable"


@dataclass(frozen=True, slots=True)
class Problem:
    """`kind` is lost, changed or unreadable; `where` names rows and objects by ids alone."""

    kind: str
    where: str


@dataclass
class Report:
    images: int = 0
    series: int = 0
    others: int = 0
    bytes: int = 0
    problems: list[Problem] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    orphan_bytes: int = 0
    mended: int = 0


@dataclass(frozen=True, slots=True)
class _Checked:
    """One series: what is wrong with its images, and with what was made of them."""

    series: Series
    images: int
    bytes: int
    of_images: list[Problem]
    of_manifest: list[Problem]


def verify(
    *, organisation: Organisation | None = None, repair: bool = False, tell: Callable[[Problem], None]
) -> Report:
    """Check every image against the digest taken when it was stored, every manifest and what it names, and
    (unless one organisation is asked for) the objects of apps above and those that no row names.

    `repair` deletes orphans, makes manifests anew, and marks series with lost or changed images; images that
    are lost it can't bring back. Raises StorageUnavailable.
    """
    report = Report()

    def found(problem: Problem) -> None:
        report.problems.append(problem)
        tell(problem)

    def check_series() -> None:
        for checked in _each_series(organisation):
            report.series += 1
            report.images += checked.images
            report.bytes += checked.bytes
            for problem in (*checked.of_images, *checked.of_manifest):
                found(problem)
            if repair and (checked.of_images or checked.of_manifest):
                report.mended += _mend(checked)

    if organisation is not None:
        check_series()
    else:
        with Listing() as listing:  # before any row is looked at: what is put later is nobody's orphan
            check_series()
            for holding in holdings():
                report.others += 1
                report.bytes += holding.size
                kind = _state_of(holding)
                if kind:
                    found(Problem(kind, f"{holding.what}: object {holding.key}"))
            _collect_orphans(listing, report, delete=repair)
    audit.record(
        None,
        "archive.verified",
        organisation,
        images=report.images,
        problems=len(report.problems),
        orphans=len(report.orphans),
        repaired=repair,
    )
    return report


# Images and manifests -----------------------------------------------------------------------------


def _each_series(organisation: Organisation | None) -> Iterator[_Checked]:
    """Read side by side, a few series ahead; rows are fetched here, since threads have no database."""
    rows = Series.objects.order_by("pk")
    if organisation is not None:
        rows = rows.filter(organisation=organisation)
    workers = min(8, 2 * (os.cpu_count() or 1))
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="verify") as readers:
        waiting: list[Future[_Checked]] = []
        for series in rows.iterator(chunk_size=200):
            images = list(series.instances.order_by("object_key", "object_offset"))
            waiting.append(readers.submit(_check, series, images))
            if len(waiting) > 2 * workers:
                yield waiting.pop(0).result()
        for one in waiting:
            yield one.result()


def _check(series: Series, images: list[Instance]) -> _Checked:
    of_images = []
    for image in images:
        kind = _state_of_image(image)
        if kind:
            where = f"series {series.public_id}, image {image.pk}: object {image.object_key}"
            of_images.append(Problem(kind, where))
    of_manifest = [] if of_images else _manifest_problems(series)  # it says what the images are to it
    return _Checked(series, len(images), sum(one.size for one in images), of_images, of_manifest)


def _state_of_image(image: Instance) -> str:
    digest, size = hashlib.sha256(), 0
    try:
        with open_instance(image) as file:
            while chunk := file.read(COPY_BYTES):
                digest.update(chunk)
                size += len(chunk)
    except (ObjectMissing, EOFError):
        return LOST
    return "" if (size, digest.hexdigest()) == (image.size, image.stored_sha256) else CHANGED


def _state_of(holding: Holding) -> str:
    digest, size = hashlib.sha256(), 0
    try:
        with storage().open(holding.key) as file:
            while chunk := file.read(COPY_BYTES):
                digest.update(chunk)
                size += len(chunk)
    except ObjectMissing:
        return LOST
    return "" if (size, digest.hexdigest()) == (holding.size, holding.sha256) else CHANGED


def _manifest_problems(series: Series) -> list[Problem]:
    """What the manifest's generation names must be there, as long as it says."""
    problems = []
    named = [(key, 0) for key in (series.thumbnail_key, series.metadata_key, series.pack_key) if key]
    if series.manifest_key:
        try:
            generations.read_manifest(series.manifest_key)
            table = generations.read_frame_table(series.manifest_key)
            named += _extents(table).items()
        except (ObjectMissing, gzip.BadGzipFile, EOFError, json.JSONDecodeError, KeyError) as error:
            kind = LOST if isinstance(error, ObjectMissing) else UNREADABLE
            problems.append(Problem(kind, f"series {series.public_id}, its manifest: {series.manifest_key}"))
    for key, size in named:
        try:
            if storage().size(key) < size:
                problems.append(Problem(CHANGED, f"series {series.public_id}: object {key} is cut short"))
        except ObjectMissing:
            problems.append(Problem(LOST, f"series {series.public_id}: object {key}"))
    return problems


def _extents(table: generations.FrameTable) -> dict[str, int]:
    """Object -> bytes that it must have at least."""
    extents: dict[str, int] = {}
    for number, *ranges in table.frames:
        key = table.objects[number]
        ends = [start + length for start, length in batched(ranges, 2)]
        extents[key] = max(extents.get(key, 0), *ends) if ends else extents.get(key, 0)
    return extents


def _mend(checked: _Checked) -> int:
    """Make the manifest of what is left, and say on the series what is not. 1 where nothing is lost now."""
    series = checked.series
    Series.objects.filter(pk=series.pk).update(
        state=Series.State.ARRIVING, manifest_key="", thumbnail_key="", metadata_key=""
    )
    sealed = sealing.seal(series.pk)
    if sealed is None or not checked.of_images:
        return int(sealed is not None and sealed.state == Series.State.READY)
    count = len(checked.of_images)
    images = "1 of its images has" if count == 1 else f"{count} of its images have"
    sentence = (
        f"{images} changed or been lost in storage since they were taken in. Restore them from a backup."
    )
    with transaction.atomic():
        row = Series.objects.select_for_update().get(pk=series.pk)
        row.findings = [
            *(one for one in row.findings if one["code"] != "damaged"),
            quality.finding("damaged", sentence, "volume"),
        ]
        row.save(update_fields=["findings"])
    return 0


# Orphans --------------------------------------------------------------------------------------------


def _collect_orphans(listing: Listing, report: Report, *, delete: bool) -> None:
    listing.name(keys_in_use())
    for one in listing.unnamed():
        if is_old_enough(one):
            report.orphans.append(one.key)
            report.orphan_bytes += one.size
            if delete:
                storage().delete(one.key)
