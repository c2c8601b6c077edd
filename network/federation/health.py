"""How a node is, in a few figures: told to its hub each minute, and checked there before it is kept."""

import shutil
import tomllib
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection

from atlas import health
from network.models import Node

TROUBLES_MAX = 5
TROUBLE_LENGTH_MAX = 200
NUMBER_MAX = 2**60


@lru_cache(maxsize=1)
def software_version() -> str:
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def of_this_node(hub: Node) -> dict[str, Any]:
    """What is told: whether all parts work, what is wrong in words, and what piles up."""
    parts = health.check()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at IS NULL"
        )
        jobs_waiting = cursor.fetchone()[0]
    return {
        "software": software_version(),
        "troubles": [state for state in parts.values() if state != health.READY],
        "jobs_waiting": jobs_waiting,
        "messages_waiting": hub.messages.filter(confirmed_at=None).count(),
        "disk_free_bytes": shutil.disk_usage(settings.ATLAS_HOME).free,
    }


def checked(told: Any) -> dict[str, Any]:
    """What another node says of its health, as it may be kept and shown. What isn't right is left out."""
    if not isinstance(told, dict):
        return {}
    kept: dict[str, Any] = {}
    for name in ("jobs_waiting", "messages_waiting", "disk_free_bytes"):
        number = told.get(name)
        if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= NUMBER_MAX:
            kept[name] = number
    troubles = told.get("troubles")
    if isinstance(troubles, list):
        kept["troubles"] = [
            "".join(letter if letter.isprintable() else " " for letter in each)[:TROUBLE_LENGTH_MAX]
            for each in troubles[:TROUBLES_MAX]
            if isinstance(each, str)
        ]
    return kept
