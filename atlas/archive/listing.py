"""All objects in storage beside all that rows name, compared in the database: either list may be longer than
memory."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched

from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import Organisation
from atlas.archive import generations, pieces
from atlas.archive.storage import Listed, storage
from atlas.holdings import holdings
from atlas.models import Generation, Instance, Series

ORPHANED_AFTER = timedelta(hours=1)
"""Younger objects may belong to rows that are just being made."""

BATCH = 10_000
DELETING_JOBS = ("atlas.delete_superseded", "atlas.finish_forgetting")


class Listing:
    """What is in storage when it is made; what is put later is not in it. Use with `with`."""

    def __enter__(self) -> "Listing":
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS stored_objects, named_objects")
            cursor.execute(
                "CREATE TEMPORARY TABLE stored_objects (key text, size bigint, put_at timestamptz)"
            )
            cursor.execute("CREATE TEMPORARY TABLE named_objects (key text)")
        for some in batched(storage().keys(""), BATCH):
            with connection.cursor() as cursor, cursor.copy("COPY stored_objects FROM STDIN") as copy:
                for one in some:
                    copy.write_row(one)
        return self

    def __exit__(self, *_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS stored_objects, named_objects")

    def name(self, keys: Iterable[str]) -> None:
        """Leave these out of `unnamed`."""
        for some in batched(keys, BATCH):
            with connection.cursor() as cursor, cursor.copy("COPY named_objects FROM STDIN") as copy:
                for key in some:
                    copy.write_row((key,))

    def unnamed(self) -> list[Listed]:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT key, size, put_at FROM stored_objects AS stored
                WHERE NOT EXISTS (SELECT FROM named_objects AS named WHERE named.key = stored.key)
                ORDER BY key
                """
            )
            return [Listed(*row) for row in cursor.fetchall()]


def is_old_enough(one: Listed) -> bool:
    """To be nobody's, if nobody names it."""
    return one.modified < datetime.now(UTC) - ORPHANED_AFTER


def keys_of_images(*, but: Organisation | None = None) -> Iterator[str]:
    """The objects of all images and of what was or is made of them, those of one organisation left out."""
    images = Instance.objects.order_by()
    series = Series.objects.order_by()
    earlier = Generation.objects.order_by()
    if but is not None:
        images, series = images.exclude(organisation=but), series.exclude(organisation=but)
        earlier = earlier.exclude(series__organisation=but)
    yield from images.values_list("object_key", flat=True).distinct().iterator()
    columns = ("manifest_key", "thumbnail_key", "metadata_key", "pack_key")
    for manifest, *others in series.values_list(*columns).iterator():
        yield from generations.objects_of(manifest)
        yield from (key for key in others if key)
    for manifest in earlier.values_list("manifest_key", flat=True).iterator():
        yield from generations.objects_of(manifest)
    jobs = ProcrastinateJob.objects.filter(task_name__in=DELETING_JOBS, status__in=("todo", "doing"))
    for arguments in jobs.values_list("args", flat=True).iterator():
        if but is None or series.filter(pk=arguments.get("series_id")).exists():
            yield from arguments["keys"]


def keys_in_use() -> Iterator[str]:
    """Every object that a row names, or that a waiting job will delete."""
    yield from keys_of_images()
    yield from pieces.keys_in_use()
    for holding in holdings():
        yield holding.key
