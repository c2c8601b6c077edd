"""The list of projects: what each waits for, and how far it is."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from accounts import permissions
from accounts.models import User
from accounts.roles import Role, roles_on
from annotations.models import Case, Read
from annotations.reading import policies, projects
from annotations.reading.assignment import OPEN
from atlas.models import Project


@dataclass
class ProjectRow:
    """A project in the list. `cases` and `accepted` are None for those who may not know them."""

    project: Project
    roles: list[Role]
    waiting: int = 0
    cases: int | None = None
    accepted: int | None = None


def project_rows(user: User) -> list[ProjectRow]:
    """The projects that this person belongs to, by name; the same number of queries however many."""
    shown = list(projects.visible_projects(user).select_related("organisation").order_by("name"))
    rows = {project.pk: ProjectRow(project, []) for project in shown}
    _add_roles(rows, user)
    own = policies.own_reads(user).filter(state__in=OPEN)
    _add(rows, "waiting", own.order_by().values_list("case__project").annotate(n=Count("pk")))
    to_review = policies.reads_to_review(user)
    _add(rows, "waiting", to_review.order_by().values_list("case__project").annotate(n=Count("pk")))
    overseen = [pk for pk, row in rows.items() if "lead" in {role.key for role in row.roles}]
    for pk in overseen:
        rows[pk].cases = rows[pk].accepted = 0
    cases = Case.objects.filter(project__in=overseen)
    _add(rows, "cases", cases.order_by().values_list("project").annotate(n=Count("pk")))
    _add(rows, "accepted", _done(user, cases).order_by().values_list("project").annotate(n=Count("pk")))
    return list(rows.values())


def _done(user: User, cases: QuerySet[Case]) -> QuerySet[Case]:
    """Of cases that this person oversees: those of which all reads that they may know of are accepted."""
    closed = policies.cases_being_read_by(user).order_by().values_list("pk", flat=True)
    reads = Read.objects.filter(case__in=cases.values("pk"), kind=Read.Kind.READ).exclude(
        state=Read.State.SET_ASIDE
    )
    begun = reads.exclude(state=Read.State.ACCEPTED)
    return (
        cases.filter(pk__in=reads.values("case"), needs_adjudication=False)
        .exclude(pk__in=begun.values("case"))
        .exclude(pk__in=list(closed))
    )


def _add_roles(rows: dict[int, ProjectRow], user: User) -> None:
    """The roles that say all that this person may do: who is lead is not named a reader too."""
    held: dict[int, set[str]] = {pk: set() for pk in rows}
    for permission in frozenset().union(*(role.permissions for role in roles_on("project"))):
        for pk in permissions.objects_for(user, permission, Project).values_list("pk", flat=True):
            held.setdefault(pk, set()).add(permission)
    for pk, row in rows.items():
        roles = [role for role in roles_on("project") if role.permissions <= held[pk]]
        row.roles = [
            role for role in roles if not any(role.permissions < other.permissions for other in roles)
        ]


def _add(rows: dict[int, ProjectRow], name: str, counts: Iterable[tuple[int, int]]) -> None:
    for pk, n in counts:
        if pk in rows:
            setattr(rows[pk], name, (getattr(rows[pk], name) or 0) + n)
