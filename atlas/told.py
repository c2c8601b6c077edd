"""What apps above have to say about series: annotations tells what became of derived objects."""

from collections.abc import Callable, Collection, Iterable, Mapping

type Teller = Callable[[Collection[int]], Mapping[int, Iterable[str]]]
"""Sentences by primary key of a series, all asked for at once."""

_tellers: dict[str, Teller] = {}


def register_teller(name: str, teller: Teller) -> None:
    """Say something beside series where they are listed. Naming one twice replaces it."""
    _tellers[name] = teller


def told_of(series_ids: Collection[int]) -> dict[int, list[str]]:
    """What is said of these series; those of which nothing is said are left out."""
    told: dict[int, list[str]] = {}
    for teller in _tellers.values():
        for series_id, sentences in teller(series_ids).items():
            told.setdefault(series_id, []).extend(sentences)
    return told
