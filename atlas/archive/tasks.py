"""Jobs of the archive. Their arguments are keys; running one twice does no harm."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from atlas.archive import generations, sealing
from atlas.models import Series

RESTS_AFTER = timedelta(seconds=60)


@app.task(name="atlas.seal_series")
def seal_series(series_id: int) -> None:
    """Describe a series whose images are all here."""
    sealing.seal(series_id)


@app.periodic(cron="* * * * *")
@app.task(name="atlas.seal_resting_series", queueing_lock="seal_resting_series")
def seal_resting_series(timestamp: int) -> None:
    """Seal what has arrived and had no news for a minute, whoever sent it."""
    resting = Series.objects.filter(
        state=Series.State.ARRIVING, changed_at__lt=timezone.now() - RESTS_AFTER, instance_count__gt=0
    )
    for series_id in resting.values_list("pk", flat=True):
        seal_soon(series_id)


@app.task(name="atlas.delete_superseded")
def delete_superseded(keys: list[str], series_id: int | None = None) -> None:
    """Remove objects that a series is no longer made of."""
    generations.delete_superseded(keys, series_id)


@app.task(name="atlas.finish_forgetting")
def finish_forgetting(series_id: int, keys: list[str]) -> None:
    """Do what a process that forgets the generations of a series could not do if it was killed."""
    generations.finish(series_id, keys)


def seal_soon(series_id: int) -> None:
    """Enqueue a sealing, unless one waits already. Part of the caller's transaction."""
    try:
        with transaction.atomic():
            seal_series.configure(queueing_lock=f"seal-{series_id}", lock=f"seal-{series_id}").defer(
                series_id=series_id
            )
    except AlreadyEnqueued:
        pass
