"""Coded terms to choose from: a catalogue that comes with Atlas, and what projects add to it.

`catalogue/terms.csv` holds concepts of DICOM's context groups (PS3.16, named in its last column) with the
codes that the standard gives them: SNOMED CT as far as DICOM may use it, DICOM's own, RadLex and NCIt. A term
that it lacks is added by a lead, for a project or, by who may create projects there, for an organisation.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from accounts import audit, permissions
from accounts.models import User
from annotations.models import CodedTerm
from annotations.reading.schemas.labels import CODE_VALUE_LENGTH_MAX, NAME_LENGTH_MAX
from atlas.models import Project

audit.register("term.added", "term.removed")

CATALOGUE = Path(__file__).with_name("catalogue") / "terms.csv"
FOUND_MAX = 12
ALSO_LENGTH_MAX = 200
OWN_MAX = 2000  # of a project or organisation
SEARCH_LENGTH_MAX = 80


@dataclass(frozen=True)
class Term:
    """One concept; `also` are other words for it, `own` says that a project or organisation added it."""

    value: str
    scheme: str
    meaning: str
    also: tuple[str, ...] = ()
    kind: str = ""
    own: bool = False

    @property
    def words(self) -> list[str]:
        return re.findall(r"\w+", " ".join((self.meaning, *self.also)).casefold())


@lru_cache
def catalogue() -> tuple[Term, ...]:
    """Those that come with Atlas."""
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Term(
                value=row["value"],
                scheme=row["scheme"],
                meaning=row["meaning"],
                also=tuple(part.strip() for part in row["also"].split(";") if part.strip()),
                kind=row["kind"],
            )
            for row in csv.DictReader(file)
        )


def own_terms(project: Project) -> QuerySet[CodedTerm]:
    """Those added for this project, or for all of its organisation."""
    here = Q(project=project) | Q(project=None, organisation=project.organisation_id)
    return CodedTerm.objects.filter(here).select_related("added_by").order_by("meaning", "pk")


def search(project: Project, text: str) -> list[Term]:
    """Terms in which every word of the text begins a word, or whose code it is; the likeliest first.

    One query, whatever is found.
    """
    wanted = re.findall(r"\w+", text[:SEARCH_LENGTH_MAX].casefold())
    if not wanted:
        return []
    own = [
        Term(one.value, one.scheme, one.meaning, tuple(one.also.split(";")), own=True)
        for one in own_terms(project)[: 2 * OWN_MAX]
    ]
    ranked = [
        (rank, len(term.meaning), term.meaning, term)
        for term in (*own, *catalogue())
        if (rank := _rank(term, wanted)) is not None
    ]
    return [term for *_, term in sorted(ranked, key=lambda one: one[:3])][:FOUND_MAX]


def _rank(term: Term, wanted: list[str]) -> int | None:
    """0 is best; None: it isn't meant."""
    if len(wanted) == 1 and term.value.casefold() == wanted[0]:
        return 0
    if not _all_begin(wanted, term.words):
        return None
    meaning = re.findall(r"\w+", term.meaning.casefold())
    if meaning == wanted:
        return 0
    if term.own:
        return 1
    return 2 if meaning[: len(wanted) - 1] == wanted[:-1] and meaning[0].startswith(wanted[0]) else 3


def _all_begin(wanted: Iterable[str], words: list[str]) -> bool:
    return all(any(word.startswith(one) for word in words) for one in wanted)


@transaction.atomic
def add_term(
    *,
    by: User,
    project: Project,
    value: str,
    scheme: str,
    meaning: str,
    also: str = "",
    whole_organisation: bool = False,
) -> CodedTerm:
    """Make a term known to the search of this project, or of all projects of its organisation.

    Raises PermissionDenied, and ValidationError by field.
    """
    permissions.require(by, "manage_project", project)
    if whole_organisation:
        _require_organisation(by, project)
    value, scheme, meaning, also = (" ".join(part.split()) for part in (value, scheme, meaning, also))
    problems = _problems(value, scheme, meaning, also)
    Project.objects.select_for_update().get(pk=project.pk)  # the same form sent twice: one term
    known = (
        next((one for one in catalogue() if (one.scheme, one.value) == (scheme, value)), None)
        or own_terms(project).filter(scheme=scheme, value=value).first()
    )
    if known is not None and "value" not in problems:
        problems["value"] = f"This code is known already: {known.meaning}."
    if own_terms(project).count() >= OWN_MAX:
        problems["value"] = f"At most {OWN_MAX} terms of one's own."
    if problems:
        raise ValidationError(problems)
    term = CodedTerm.objects.create(
        organisation=project.organisation,
        project=None if whole_organisation else project,
        value=value,
        scheme=scheme,
        meaning=meaning,
        also=also,
        added_by=by,
    )
    audit.record(by, "term.added", project, term=term.pk, whole_organisation=whole_organisation)
    return term


def _require_organisation(by: User, project: Project) -> None:
    if not may_add_for_organisation(by, project):
        raise PermissionDenied("Only who may create projects of the organisation decides on its terms.")


def may_add_for_organisation(user: User, project: Project) -> bool:
    return permissions.allows(user, "create_project", project.organisation)


def _problems(value: str, scheme: str, meaning: str, also: str) -> dict[str, str]:
    problems = {}
    limits = (
        ("value", value, CODE_VALUE_LENGTH_MAX),
        ("scheme", scheme, CODE_VALUE_LENGTH_MAX),
        ("meaning", meaning, NAME_LENGTH_MAX),
    )
    for name, text, most in limits:
        if not text:
            problems[name] = "This is needed."
        elif len(text) > most or "\\" in text or not text.isprintable():
            problems[name] = f"At most {most} characters, without “\\”."
    if len(also) > ALSO_LENGTH_MAX or not also.isprintable():
        problems["also"] = f"At most {ALSO_LENGTH_MAX} characters."
    return problems


@transaction.atomic
def remove_term(*, by: User, project: Project, term_id: int) -> CodedTerm:
    """Take a term out of the search. Labels that have it keep it. Raises Http404, PermissionDenied."""
    permissions.require(by, "manage_project", project)
    term = own_terms(project).filter(pk=term_id).first()
    if term is None:
        raise Http404("There is no such term.")
    if term.project_id is None:
        _require_organisation(by, project)
    audit.record(by, "term.removed", project, term=term.pk)
    term.delete()
    return term
