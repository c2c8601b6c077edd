"""A person's own settings of the reading room: small JSON values under short names, kept for them alone."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Preference, User

NAME = re.compile(r"[a-z][a-z0-9_.-]{0,59}")
NAMES_MAX = 200
BYTES_MAX = 65_536
DEPTH_MAX = 8
LANGUAGE = "language"  # a column of the account: pages ask for it on every request


def preferences_of(user: User) -> dict[str, Any]:
    """Everything this person has set; the language only where they chose one."""
    kept = Preference.objects.filter(user=user).values_list("values", flat=True).first() or {}
    return {**kept, LANGUAGE: user.language} if user.language else kept


@transaction.atomic
def change_preferences(*, by: User, values: object) -> dict[str, Any]:
    """Sets what is named and leaves the rest; null takes a setting away. Returns all of them.

    Two windows of one person so keep each other's settings. Raises ValidationError, by name.
    """
    if not isinstance(values, Mapping):
        raise ValidationError({"preferences": ["An object: names with their values."]})
    problems = {str(name)[:60]: [said] for name, value in values.items() if (said := _problem(name, value))}
    if problems:
        raise ValidationError(problems)
    User.objects.select_for_update().get(pk=by.pk)  # two windows at once wait for each other
    if LANGUAGE in values:
        by.language = values[LANGUAGE] or ""
        by.save(update_fields=["language"])
    row, _ = Preference.objects.get_or_create(user=by)
    sent = {name: value for name, value in values.items() if name != LANGUAGE}
    kept = {name: value for name, value in {**row.values, **sent}.items() if value is not None}
    if len(kept) > NAMES_MAX or len(json.dumps(kept).encode()) > BYTES_MAX:
        raise ValidationError({"preferences": [f"At most {NAMES_MAX} settings of {BYTES_MAX} bytes in all."]})
    row.values = kept
    row.save(update_fields=["values", "changed_at"])
    return preferences_of(by)


def _problem(name: object, value: object) -> str | None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return "A name has small letters, digits and . _ - and at most 60 of them."
    if name == LANGUAGE:
        known = [code for code, _ in settings.LANGUAGES]
        return None if value in (None, "", *known) else f"One of {', '.join(known)}."
    return None if _storable(value, DEPTH_MAX) else "Too deep, or text that can't be stored."


def _storable(value: object, depth: int) -> bool:
    """Whether PostgreSQL takes it as JSON: no NUL, no half of a surrogate pair, no infinite number."""
    if depth < 0:
        return False
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, float):
        return abs(value) < float("inf")
    if isinstance(value, Mapping):
        return all(_storable(key, depth) and _storable(one, depth - 1) for key, one in value.items())
    if isinstance(value, list):
        return all(_storable(one, depth - 1) for one in value)
    return True
