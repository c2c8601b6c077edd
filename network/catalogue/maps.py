"""The map of providers: outlines made when the viewer was built, shaded by what each country holds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django_countries import countries

EUROPE, WORLD = "europe", "world"


@dataclass(frozen=True)
class Place:
    """One country on the map. `code`: ISO 3166-1 alpha-2, empty where it provides nothing."""

    outline: str
    x: int
    y: int
    is_small: bool
    code: str


@dataclass(frozen=True)
class Map:
    width: int
    height: int
    places: list[Place]


def map_of(codes: Mapping[str, object]) -> Map | None:
    """Of Europe, or of the world if one of these countries lies outside; None where no maps were built."""
    drawn = _drawn()
    if drawn is None:
        return None
    wanted = {countries.numeric(code, padded=True): code for code in codes}
    in_europe = {one["id"] for one in drawn[EUROPE]["countries"]}
    chosen = drawn[EUROPE if wanted.keys() <= in_europe else WORLD]
    places = [
        Place(one["d"], one["x"], one["y"], one["small"], wanted.get(one["id"], ""))
        for one in chosen["countries"]
    ]
    return Map(chosen["width"], chosen["height"], places)


def _drawn() -> dict[str, Any] | None:
    file = settings.BASE_DIR / "static" / "dist" / "maps.json"
    try:
        return _read(file, file.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=1)
def _read(file: Path, _made_at: int) -> dict[str, Any]:
    return json.loads(file.read_text())
