"""Labels to begin with: for questions that many projects ask, as files beside this module."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from annotations.reading.schemas.exchange import Brought, brought

FOLDER = Path(__file__).with_name("starters")
ORDER = ("lung_nodule", "liver_lesion", "prostate_pirads", "breast_birads", "recist", "whole_body_pet")


@dataclass(frozen=True)
class Starter:
    """One of them: its name, what it is for in a sentence, and what it asks."""

    key: str
    name: str
    about: str
    content: Brought

    @property
    def labels(self) -> list[dict[str, Any]]:
        return self.content.labels

    @property
    def questions(self) -> list[dict[str, Any]]:
        return self.content.questions


@lru_cache
def starters() -> tuple[Starter, ...]:
    return tuple(_read(FOLDER / f"{key}.json") for key in ORDER)


def starter(key: str) -> Starter | None:
    return next((one for one in starters() if one.key == key), None)


def _read(path: Path) -> Starter:
    body = path.read_bytes()
    told = json.loads(body)["starter"]
    return Starter(told["key"], told["name"], told["about"], brought(body))
