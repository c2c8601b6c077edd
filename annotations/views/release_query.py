"""The cohort expression of a release on pages: out of an address, in words, and to the cohort page."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse

from annotations.cohort import language
from atlas.models import Project

NAME = "cohort"


def from_params(params: QueryDict) -> dict[str, Any] | None:
    """The expression that ?cohort=… holds, as a release keeps it; None without one.

    Raises ValidationError for one that isn't understood: it never stands for every case.
    """
    try:
        expression = language.from_params(params)
    except language.CohortError as error:
        raise ValidationError(f"The cohort isn't understood. {error}") from None
    return None if expression is None else language.as_json(expression)


def in_words(query: dict[str, Any] | None) -> str:
    """For reading; "" for every accepted case."""
    return language.as_text(language.parse(query)) if query is not None else ""


def as_written(query: dict[str, Any] | None) -> str:
    """As it stands in an address; "" for every accepted case."""
    return language.written(language.parse(query)) if query is not None else ""


def page_url(project: Project, query: dict[str, Any] | None, *, sent: str = "") -> str:
    """The cohort page, with this expression in it, or with what was sent and isn't understood."""
    url = reverse("project-cohort", args=[project.slug])
    text = sent or as_written(query)
    return f"{url}?{urlencode({NAME: text})}" if text else url
