"""What may be asked, as forms and programs are told it: levels, whose marks, and fields with their values."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext

from annotations.cohort.language.expression import OF
from annotations.cohort.language.fields import LEVELS, Field
from annotations.cohort.language.known import Values, is_own

ANYTHING = 1e8
"""A bound from here on is none that a person would want to know of."""


def offered(fields: Iterable[Field], own_values: Callable[[Field], Values | None]) -> dict[str, Any]:
    """`own_values`: of a field whose values are a project's or the catalogue's own; None where nobody lists
    them. Words are in the reader's language."""
    return {
        "levels": [
            {"key": one.key, "one": gettext(one.one), "many": gettext(one.many), "of_reads": one.has_reads}
            for one in LEVELS.values()
        ],
        "of": [{"value": value, "words": gettext(words)} for value, words in OF.items()],
        "fields": [_field(field, own_values) for field in fields],
    }


def _field(field: Field, own_values: Callable[[Field], Values | None]) -> dict[str, Any]:
    values = own_values(field) if is_own(field) else field.values
    return {
        "key": field.key,
        "level": field.level,
        "words": gettext(field.words),
        "help": gettext(field.help) if field.help else "",
        "kind": field.kind,
        "operators": [{"key": key, "words": gettext(words)} for key, words in field.operators.items()],
        "units": list(field.units),
        "values": None
        if values is None
        else [
            {"value": value, "words": words if is_own(field) else gettext(words)}
            for value, words in values.items()
        ],
        "may_lack": field.may_lack,
        "whole": field.whole,
        "least": field.least if field.least > -ANYTHING else None,
        "most": field.most if field.most < ANYTHING else None,
        "about_reads": LEVELS[field.level].is_of_readings or field.is_of_readings,
    }
