"""Tells the apps above that somebody may do less than before, so that nothing remembered still allows it."""

from collections.abc import Callable

from django.db import connection, transaction

type Listener = Callable[[], None]

_listeners: dict[str, Listener] = {}


def on_revocation(name: str, listener: Listener) -> None:
    """Ask to be called after the commit of whatever takes a right away. Naming one twice replaces it."""
    _listeners[name] = listener


def announce() -> None:
    """A role, a token, a session or an image was taken away; once a transaction, told after it."""
    if not any(function is _tell for _, function, *_ in connection.run_on_commit):
        transaction.on_commit(_tell, robust=True)


def _tell() -> None:
    for listener in _listeners.values():
        listener()
