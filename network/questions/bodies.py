"""The bodies of the messages about questions, and reading those of other nodes, which may hold anything.

question            {"question": uid, "expression": {…}, "expires_at": "2026-11-30T12:00:00+00:00"}
question.withdrawn  {"question": uid}
answer              {"question": uid, "state": "person" | "answered" | "refused", "reason": code, "answers":
                     [{"dataset": slug at the node, "version", "subjects", "studies", "series", "images"}]}
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

COUNTED = ("subjects", "studies", "series", "images")
LIFE_MAX = timedelta(days=31)

_UID = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)


class Malformed(ValueError):
    """The body isn't what a message of its kind holds; a sentence."""


def require_keys(body: object, *keys: str) -> Mapping[str, Any]:
    """Raises Malformed unless it is an object of exactly these."""
    if not isinstance(body, dict) or set(body) != set(keys):
        raise Malformed(f"It has to be an object of {', '.join(keys)}, and nothing else.")
    return body


def uid_of(value: object) -> str:
    if not isinstance(value, str) or not _UID.fullmatch(value):
        raise Malformed("A question is named by 1 to 40 letters, digits, dashes or underscores.")
    return value


def question_body(uid: str, expression: dict[str, Any], expires_at: datetime) -> dict[str, Any]:
    return {"question": uid, "expression": expression, "expires_at": expires_at.isoformat()}


def expiry_of(value: object) -> datetime:
    """Raises Malformed for what is no time with a zone, or lies further away than a question may live."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Malformed("A question says when it expires, as a time with its zone.")
    if found > timezone.now() + LIFE_MAX:
        raise Malformed(f"A question lives at most {LIFE_MAX.days} days.")
    return found
