"""The facts of published versions, read from storage once a process and kept while there is room."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from atlas.archive.storage import storage
from atlas.holdings import Holding
from network.facts.columns import Facts, read, stacked
from network.models import ListingVersion

BYTES_MAX = 1 << 30
"""Of all that a process keeps. The facts of 1 M series are about 50 MB."""

_kept: OrderedDict[tuple[str, ...], Facts] = OrderedDict()
_lock = threading.Lock()


def facts_of(keys: Sequence[str]) -> Facts:
    """The facts in these objects, as one. Objects never change, so neither does what is kept of them.

    Raises ObjectMissing where one was replaced meanwhile: look again which is the last.
    """
    wanted = tuple(keys)
    with _lock:
        if wanted in _kept:
            _kept.move_to_end(wanted)
            return _kept[wanted]
    parts = [_one(key) for key in wanted]
    found = parts[0] if len(parts) == 1 else stacked(parts)
    if len(wanted) == 1:
        _forget_what_is_gone()
    _keep(wanted, found)
    return found


def forget(key: str) -> None:
    """No version has these facts any more: they may be of somebody who was erased."""
    with _lock:
        for known in [each for each in _kept if key in each]:
            del _kept[known]


def forget_all() -> None:
    """For a process that asks no more."""
    with _lock:
        _kept.clear()


def _forget_what_is_gone() -> None:
    """Other processes publish, too: what is read anew tells that a version may have taken another's place."""
    with _lock:
        kept = {key for each in _kept for key in each}
    there = ListingVersion.objects.filter(facts_key__in=kept).values_list("facts_key", flat=True)
    for key in kept - set(there):
        forget(key)


def _one(key: str) -> Facts:
    with _lock:
        known = _kept.get((key,))
    if known is not None:
        return known
    with storage().open(key) as file:
        found = read(file.read())
    _keep((key,), found)
    return found


def _keep(keys: tuple[str, ...], facts: Facts) -> None:
    with _lock:
        if len(keys) > 1:  # nobody asks any more of what these datasets were before
            for known in [each for each in _kept if len(each) > 1 or each[0] not in keys]:
                del _kept[known]
        _kept[keys] = facts
        while len(_kept) > 1 and sum(each.size for each in _kept.values()) > BYTES_MAX:
            _kept.popitem(last=False)


def holdings() -> Iterator[Holding]:
    """The objects with facts, for whoever checks storage."""
    for key, size, sha256 in ListingVersion.objects.exclude(facts_key="").values_list(
        "facts_key", "facts_size", "facts_sha256"
    ):
        yield Holding(key, size, sha256, "facts of a published dataset")
