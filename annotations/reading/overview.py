"""What a project looks like from above: where its cases stand, what waits for a decision, who read how much.

Everything here is counted over the reads that the person asking may know of (`policies.reads_for`): who reads
a case themselves sees nothing of the others on it, whatever their roles say.
"""

import datetime
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case as Choose
from django.db.models import (
    Count,
    Exists,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import TruncWeek
from django.utils import timezone

from accounts import permissions
from accounts.models import User
from accounts.roles import Role, roles_on
from annotations.models import Case, CaseStudy, Read, Release, Submission
from annotations.reading import policies, projects
from annotations.reading.assignment import OPEN
from annotations.reading.schemas import current_schema
from atlas.models import DatasetGrant, Project

WEEKS_SHOWN = 12
IDLE_AFTER_DAYS = 7

# A case stands where its slowest read stands.
ORDER = (
    Read.State.ASSIGNED,
    Read.State.IN_PROGRESS,
    Read.State.SUBMITTED,
    Read.State.RETURNED,
    Read.State.ACCEPTED,
)
RANK = Choose(
    *(When(state=state, then=Value(rank)) for rank, state in enumerate(ORDER)), output_field=IntegerField()
)
UNASSIGNED = "unassigned"
STEPS = (UNASSIGNED, *ORDER)


@dataclass(frozen=True)
class Step:
    """One bar of the funnel. `here`: cases that stand there; `passed`: cases that have moved on."""

    key: str
    title: str
    here: int
    passed: int
    total: int
    oldest_days: int | None

    @property
    def here_height(self) -> float:
        """Of 72 px, at least 2 so that a case is never invisible."""
        return max(72 * self.here / self.total, 2) if self.here else 0

    @property
    def passed_height(self) -> float:
        return min(72 * self.passed / self.total, 72 - self.here_height) if self.total else 0

    @property
    def here_top(self) -> float:
        return 72 - self.here_height

    @property
    def passed_top(self) -> float:
        return self.here_top - self.passed_height


@dataclass(frozen=True)
class Decision:
    """Something that waits for a person: a sentence, and the name of the page where it is settled."""

    icon: str
    sentence: str
    action: str
    page: str
    query: str = ""


@dataclass
class MemberProgress:
    person: User
    roles: list[Role]
    accepted: int = 0
    submitted: int = 0
    open: int = 0
    last_at: datetime.datetime | None = None
    weeks: list[int] = field(default_factory=lambda: [0] * WEEKS_SHOWN)

    @property
    def reads_any(self) -> bool:
        return bool(self.accepted or self.submitted or self.open) or any(
            "read_cases" in role.permissions and role.key == "reader" for role in self.roles
        )

    @property
    def is_idle(self) -> bool:
        return bool(self.open and self.idle_days is not None and self.idle_days >= IDLE_AFTER_DAYS)

    @property
    def idle_days(self) -> int | None:
        return (timezone.now() - self.last_at).days if self.last_at else None

    @property
    def mean(self) -> float:
        return sum(self.weeks) / WEEKS_SHOWN


def known_reads(user: User, project: Project) -> QuerySet[Read]:
    """The project's reads that this person may know of."""
    return policies.reads_for(user).filter(case__project=project)


def cases_with_state(user: User, project: Project) -> QuerySet[Any]:
    """The project's cases with `rank`, the place in ORDER of their slowest read; None for unassigned ones."""
    reads = known_reads(user, project).filter(case=OuterRef("pk")).order_by().values("case")
    return Case.objects.filter(project=project).annotate(
        rank=Subquery(reads.annotate(slowest=Min(RANK)).values("slowest"))
    )


def funnel(user: User, project: Project) -> list[Step]:
    counts: Counter[int] = Counter()
    for rank, n in cases_with_state(user, project).order_by().values_list("rank").annotate(n=Count("pk")):
        counts[0 if rank is None else rank + 1] = n
    total = sum(counts.values())
    now = timezone.now()
    oldest = dict(known_reads(user, project).order_by().values_list("state").annotate(at=Min("changed_at")))
    steps = []
    for place, key in enumerate(STEPS):
        title = "Unassigned" if key == UNASSIGNED else Read.State(key).label
        since = oldest.get(key) if key != Read.State.ACCEPTED and counts[place] else None
        steps.append(
            Step(
                key=str(key),
                title=title,
                here=counts[place],
                passed=sum(n for other, n in counts.items() if other > place),
                total=total,
                oldest_days=(now - since).days if since else None,
            )
        )
    return steps


def members_with_progress(user: User, project: Project) -> list[MemberProgress]:
    """Everyone in the project, by role and name, with what they read and the last twelve weeks."""
    members: dict[int, MemberProgress] = {}
    for person, role in permissions.members_of(project):
        members.setdefault(person.pk, MemberProgress(person, [])).roles.append(role)
    reads = known_reads(user, project).filter(reader__in=members)
    for row in (
        reads.order_by()
        .values("reader")
        .annotate(
            accepted=Count("pk", filter=Q(state=Read.State.ACCEPTED)),
            submitted=Count("pk", filter=Q(state=Read.State.SUBMITTED)),
            open=Count("pk", filter=Q(state__in=OPEN)),
            last_at=Max("changed_at", filter=Q(last_edit_number__gt=0) | ~Q(state=Read.State.ASSIGNED)),
        )
    ):
        member = members[row["reader"]]
        member.accepted, member.submitted = row["accepted"], row["submitted"]
        member.open, member.last_at = row["open"], row["last_at"]
    _count_weeks(members, reads)
    return list(members.values())


def _count_weeks(members: dict[int, MemberProgress], reads: QuerySet[Read]) -> None:
    """Reads handed in each week; the last place is this week."""
    this_week = timezone.localdate() - datetime.timedelta(days=timezone.localdate().weekday())
    first = this_week - datetime.timedelta(weeks=WEEKS_SHOWN - 1)
    handed_in = Submission.objects.filter(read__in=reads.values("pk"), at__date__gte=first)
    for person, week, n in (
        handed_in.order_by()
        .annotate(week=TruncWeek("at"))
        .values_list("read__reader", "week")
        .annotate(n=Count("pk"))
    ):
        place = (week.date() - first).days // 7
        if 0 <= place < WEEKS_SHOWN:
            members[person].weeks[place] += n


def decisions(
    user: User,
    project: Project,
    steps: list[Step],
    members: list[MemberProgress],
    held: Collection[str],
) -> list[Decision]:
    """What waits for this person (`held`: their permissions in the project), most pressing first."""
    found = _about_reviews(user, project)
    if "manage_project" in held:
        found += _about_setting_up(project, steps)
        found += _about_readers(user, project, steps, members)
        found += _about_images(project)
        found += _about_releases(project)
    return found


def _about_reviews(user: User, project: Project) -> list[Decision]:
    n = policies.reads_to_review(user).filter(case__project=project).count()
    return [Decision("message-square", f"{_reads(n)} for review.", "Review", "worklist")] if n else []


def _about_setting_up(project: Project, steps: list[Step]) -> list[Decision]:
    found: list[Decision] = []
    if current_schema(project) is None:
        sentence = "There are no labels yet: readers would have nothing to mark."
        found.append(Decision("tags", sentence, "Write labels", "project-labels-edit"))
    if not any(step.here for step in steps):
        granted = DatasetGrant.objects.filter(project=project).exists()
        sentence = "There are no cases yet." if granted else "No dataset is open to this project yet."
        found.append(
            Decision("database", sentence, "Choose studies" if granted else "See how", "project-cases-add")
        )
    return found


def _about_readers(
    user: User, project: Project, steps: list[Step], members: list[MemberProgress]
) -> list[Decision]:
    found: list[Decision] = []
    n = next(step.here for step in steps if step.key == UNASSIGNED)
    if n:
        sentence = f"{n:,} case{_s(n)} {_have(n)} no reader."
        found.append(Decision("user-plus", sentence, "Assign", "project-cases", "state=unassigned"))
    n = known_reads(user, project).filter(state__in=OPEN, due__lt=timezone.localdate()).count()
    if n:
        sentence = f"{n:,} read{_s(n)} {_are(n)} past the due date."
        found.append(Decision("clock", sentence, "Look", "project-cases", "late=on"))
    for member in members:
        if member.is_idle:
            name, days = member.person.display_name, member.idle_days
            sentence = f"{_reads(member.open)} for {name}, idle for {days} days."
            query = f"reader={member.person.public_id}"
            found.append(Decision("clock", sentence, "Look", "project-cases", query))
    return found


def _about_images(project: Project) -> list[Decision]:
    n = cases_with_findings(project).count()
    if not n:
        return []
    sentence = f"{n:,} case{_s(n)} {_have(n)} image findings. Some tools are off there."
    return [Decision("triangle-alert", sentence, "Look", "project-cases", "findings=on")]


def _about_releases(project: Project) -> list[Decision]:
    last = Release.objects.filter(project=project).order_by("-number").first()
    if last is not None and last.state == Release.State.FAILED:
        sentence = f"Release {last.number} was stopped by an error."
        return [Decision("triangle-alert", sentence, "Look", "project-releases")]
    accepted = Submission.objects.filter(
        read__case__project=project, review__verdict="accept", read__state=Read.State.ACCEPTED
    )
    fresh = accepted.filter(review__at__gt=last.frozen_at) if last else accepted
    n = fresh.values("read__case").distinct().count()
    if n == 0:
        return []
    since = f" since release {last.number}" if last else ", and none is in a release"
    sentence = f"{n:,} case{_s(n)} {_have(n)} been accepted{since}."
    return [Decision("package", sentence, "Freeze a release", "project-release-new")]


def cases_with_findings(project: Project) -> QuerySet[Case]:
    """Cases with a series whose quality findings switch tools off."""
    spoiled = CaseStudy.objects.filter(case=OuterRef("pk")).exclude(study__series__findings=[])
    spoiled = spoiled.filter(study__series__findings__isnull=False)
    return Case.objects.filter(project=project).filter(Exists(spoiled))


def reads_too(user: User, project: Project) -> int:
    """On how many cases this person is a reader and nothing else: the counts leave the others out there."""
    return policies.cases_being_read_by(user).filter(project=project).count()


def handed_in(user: User, project: Project) -> list[tuple[str, str, int]]:
    """For a reviewer: reads of others that were submitted once. State, its word, how many."""
    reads = policies.reads_of_others(user).filter(case__project=project)
    counts = dict(reads.order_by().values_list("state").annotate(n=Count("pk")))
    states = (Read.State.SUBMITTED, Read.State.RETURNED, Read.State.ACCEPTED)
    return [(str(state), state.label, counts.get(state, 0)) for state in states]


def own_progress(user: User, project: Project) -> list[tuple[str, str, int]]:
    """A reader's own reads in a project: state, its word, how many."""
    own = policies.own_reads(user).filter(case__project=project)
    counts = dict(own.order_by().values_list("state").annotate(n=Count("pk")))
    return [(str(state), state.label, counts.get(state, 0)) for state in ORDER]


# The list of projects ---------------------------------------------------------------------------


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
    finished = policies.reads_for(user).filter(case=OuterRef("pk"))
    done = cases.filter(Exists(finished)).exclude(Exists(finished.exclude(state=Read.State.ACCEPTED)))
    _add(rows, "accepted", done.order_by().values_list("project").annotate(n=Count("pk")))
    return list(rows.values())


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


def _reads(n: int) -> str:
    return f"{n:,} read{_s(n)} {'waits' if n == 1 else 'wait'}"


def _s(n: int) -> str:
    return "" if n == 1 else "s"


def _have(n: int) -> str:
    return "has" if n == 1 else "have"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"
