"""Tells the apps above that a series has come to rest: annotations takes derived objects in."""

import logging
from collections.abc import Callable

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from atlas.models import Series

type Listener = Callable[[Series], None]

logger = logging.getLogger(__name__)

ATTEMPTS_MAX = 5

_listeners: dict[str, Listener] = {}


def on_series_sealed(name: str, listener: Listener) -> None:
    """Ask to be called after each sealing, in the job that sealed. Must be idempotent."""
    _listeners[name] = listener


def announce(series: Series) -> None:
    """Tell all listeners; one that fails is told again by a job of its own, and keeps nobody else waiting."""
    for name, listener in _listeners.items():
        try:
            listener(series)
        except Exception:  # whatever it is: the series is sealed, and a job tries again and keeps the error
            logger.exception("Series %s could not be passed on (%s)", series.public_id, name)
            tell_again.defer(series_id=series.pk, listener=name)


@app.task(
    name="atlas.tell_of_sealed_series",
    retry=RetryStrategy(max_attempts=ATTEMPTS_MAX, exponential_wait=6),  # the last one after two hours
)
def tell_again(series_id: int, listener: str) -> None:
    """Call one listener for a series as it is now; one that is gone, or arrives anew, is not told of."""
    series = Series.objects.select_related("study__dataset").filter(pk=series_id).first()
    if series is None or series.state != Series.State.READY or listener not in _listeners:
        return
    _listeners[listener](series)
