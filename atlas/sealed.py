"""Tells the apps above that a series has come to rest: annotations takes derived objects in."""

from collections.abc import Callable

from atlas.models import Series

type Listener = Callable[[Series], None]

_listeners: dict[str, Listener] = {}


def on_series_sealed(name: str, listener: Listener) -> None:
    """Ask to be called after each sealing, in the job that sealed. Must be idempotent."""
    _listeners[name] = listener


def announce(series: Series) -> None:
    for listener in _listeners.values():
        listener(series)
