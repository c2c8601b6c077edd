"""Which reads of one project one person may know of: `policies.reads_for` for a page that asks many times.

What a person may do in the project, and on which of its cases they are a reader and nothing else, is looked
up once; every count of a page is then narrowed by the same short conditions, however many cases there are.
"""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import User
from annotations.models import Case, Read
from annotations.reading import policies
from atlas.models import Project


@dataclass(frozen=True)
class Sight:
    """What a person may know of a project. `closed`: primary keys of the cases that they still read."""

    user: User
    project: Project
    held: frozenset[str]
    closed: tuple[int, ...]

    def reads(self) -> QuerySet[Read]:
        """Their own reads, and as reviewer or lead those of others, never on a case that they read."""
        kinds = [kind for kind, needed in policies.PERMISSION_OF_KIND.items() if needed in self.held]
        known = Q(reader=self.user, kind__in=kinds)
        if "review_cases" in self.held:
            others = ~Q(reader=self.user)
            if self.closed:
                others &= ~Q(case__in=self.closed)
            if "manage_project" not in self.held:
                others &= policies.WAS_SUBMITTED
            known |= others
        return Read.objects.filter(known, case__project=self.project)

    def cases(self) -> QuerySet[Case]:
        """The cases on which others' work may count in what this person is shown."""
        cases = Case.objects.filter(project=self.project)
        return cases.exclude(pk__in=self.closed) if self.closed else cases


def sight_of(user: User, project: Project, held: frozenset[str] | None = None) -> Sight:
    """`held`: the person's permissions in the project, where they are known already."""
    if held is None:
        held = policies.permissions_in(user, project)
    closed: tuple[int, ...] = ()
    if "review_cases" in held:
        being_read = policies.cases_being_read_by(user).filter(project=project)
        closed = tuple(being_read.order_by("pk").values_list("pk", flat=True))
    return Sight(user, project, held, closed)


def known_reads(user: User, project: Project) -> QuerySet[Read]:
    """The project's reads that this person may know of."""
    return sight_of(user, project).reads()
