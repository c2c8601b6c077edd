"""Naming adjudicators for many cases, evenly over those who are chosen: never somebody who read the case."""

from collections import Counter
from collections.abc import Collection, Sequence

from django.db.models import Count
from django.http import Http404

from accounts import permissions
from accounts.models import User
from annotations.models import Case, Read
from annotations.reading.adjudication import access, assigning
from annotations.reading.assignment.rules import YOU_READ_IT, without_own
from atlas.api.errors import Conflict
from atlas.models import Project

NOT_WAITING = "This case waits for no decision."
ALL_HAVE_READ = "Everybody you chose has read this case."

type LeftOut = list[tuple[int, str]]


def possible_adjudicators(project: Project) -> list[User]:
    """Who may judge in a project, by name; of a case never who has read it."""
    judges = permissions.holders_of("review_cases", project)
    return list(judges.order_by("last_name", "first_name", "username"))


def open_adjudications_by_person(project: Project) -> Counter[int]:
    """By the adjudicator's primary key."""
    under_way = access.adjudications().filter(case__project=project, state__in=Read.EDITABLE)
    return Counter(dict(under_way.order_by().values_list("reader").annotate(n=Count("pk"))))


def assign(
    *, by: User, project: Project, cases: Collection[Case], people: Sequence[User]
) -> tuple[list[Read], LeftOut]:
    """Each case that waits for a decision goes to whoever of `people` may judge it and has least to do.

    What was made, and the cases that were left out with why.
    """
    permissions.require(by, "manage_project", project)
    cases, own = without_own(by, project, cases)
    left_out: LeftOut = [(case.number, YOU_READ_IT) for case in own]
    load = open_adjudications_by_person(project)
    made = []
    for case in cases:
        if not case.needs_adjudication:
            left_out.append((case.number, NOT_WAITING))
            continue
        may = access.candidates(case).filter(pk__in=[person.pk for person in people])
        chosen = min(may, key=lambda person: load[person.pk], default=None)
        if chosen is None:
            left_out.append((case.number, ALL_HAVE_READ))
            continue
        if access.adjudications().filter(case=case, reader=chosen).exists():
            continue  # theirs already
        try:
            read = assigning.take(
                by=by, slug=project.slug, number=case.number, adjudicator_id=chosen.public_id
            )
        except (Conflict, Http404) as refusal:
            left_out.append((case.number, str(getattr(refusal, "detail", refusal))))
            continue
        load[chosen.pk] += 1
        made.append(read)
    return made, left_out
