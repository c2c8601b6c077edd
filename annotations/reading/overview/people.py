"""Who belongs to a project, how much each has read, how fast, and how much came back."""

import datetime
from dataclasses import dataclass, field

from django.db.models import Avg, Count, Max, Q
from django.db.models.functions import TruncWeek
from django.utils import timezone

from accounts import permissions
from accounts.models import User
from accounts.roles import Role
from annotations.models import Read
from annotations.reading.assignment import OPEN
from annotations.reading.overview.sight import Sight, sight_of
from annotations.reading.overview.states import overdue
from atlas.models import Project

WEEKS_SHOWN = 12
IDLE_AFTER_DAYS = 7
COUNTED = ("accepted", "submitted", "open", "overdue", "handed_in", "returned", "last_at")


@dataclass
class MemberProgress:
    """A member with what they read. `returned`: reads that came back; `active_s`: the mean of a read."""

    person: User
    roles: list[Role]
    accepted: int = 0
    submitted: int = 0
    open: int = 0
    overdue: int = 0
    handed_in: int = 0
    returned: int = 0
    active_s: float | None = None
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

    @property
    def this_week(self) -> int:
        return self.weeks[-1]

    @property
    def active_minutes(self) -> int | None:
        return None if self.active_s is None else max(round(self.active_s / 60), 1)

    @property
    def rework_share(self) -> float | None:
        """Of the reads that were handed in, how many came back at least once; None where none was."""
        return self.returned / self.handed_in if self.handed_in else None


@dataclass(frozen=True)
class Pace:
    """The whole project's pace, added up from its members'."""

    overdue: int
    handed_in: int
    returned: int
    active_s: float | None

    @property
    def rework_share(self) -> float | None:
        return self.returned / self.handed_in if self.handed_in else None

    @property
    def active_minutes(self) -> int | None:
        return None if self.active_s is None else max(round(self.active_s / 60), 1)


def members_with_progress(user: User, project: Project) -> list[MemberProgress]:
    """Everyone in the project, by role and name, with how many reads they have in which state."""
    return members_seen(sight_of(user, project), paced=False)


def members_seen(sight: Sight, *, paced: bool = True) -> list[MemberProgress]:
    """`paced`: with weeks and times, which take two queries more."""
    members: dict[int, MemberProgress] = {}
    for person, role in permissions.members_of(sight.project):
        members.setdefault(person.pk, MemberProgress(person, [])).roles.append(role)
    reads = sight.reads().filter(kind=Read.Kind.READ)
    came_back = Q(round__gt=1) | Q(state=Read.State.RETURNED)
    handed_in = came_back | Q(state__in=(Read.State.SUBMITTED, Read.State.ACCEPTED))
    for row in (
        reads.order_by()
        .values("reader")
        .annotate(
            accepted=Count("pk", filter=Q(state=Read.State.ACCEPTED)),
            submitted=Count("pk", filter=Q(state=Read.State.SUBMITTED)),
            open=Count("pk", filter=Q(state__in=OPEN)),
            overdue=Count("pk", filter=overdue()),
            handed_in=Count("pk", filter=handed_in),
            returned=Count("pk", filter=came_back),
            last_at=Max("changed_at", filter=Q(last_edit_number__gt=0) | ~Q(state=Read.State.ASSIGNED)),
        )
    ):
        member = members.get(row["reader"])
        for name in COUNTED if member else ():
            setattr(member, name, dict(row)[name])
    if paced:
        _count_weeks(members, sight)
        _add_times(members, sight)
    return list(members.values())


def pace_of(members: list[MemberProgress]) -> Pace:
    timed = [member for member in members if member.active_s is not None and member.handed_in]
    reads = sum(member.handed_in for member in timed)
    seconds = sum((member.active_s or 0.0) * member.handed_in for member in timed)
    return Pace(
        overdue=sum(member.overdue for member in members),
        handed_in=sum(member.handed_in for member in members),
        returned=sum(member.returned for member in members),
        active_s=seconds / reads if reads else None,
    )


def first_week_shown() -> datetime.date:
    today = timezone.localdate()
    return today - datetime.timedelta(days=today.weekday(), weeks=WEEKS_SHOWN - 1)


def _count_weeks(members: dict[int, MemberProgress], sight: Sight) -> None:
    """Reads handed in each week; the last place is this week."""
    first = first_week_shown()
    midnight = timezone.make_aware(datetime.datetime.combine(first, datetime.time()))
    reads = sight.reads().filter(kind=Read.Kind.READ, submissions__at__gte=midnight)
    for person, week, n in (
        reads.order_by()
        .annotate(week=TruncWeek("submissions__at"))
        .values_list("reader", "week")
        .annotate(n=Count("submissions"))
    ):
        place = (week.date() - first).days // 7
        if person in members and 0 <= place < WEEKS_SHOWN:
            members[person].weeks[place] += n


def _add_times(members: dict[int, MemberProgress], sight: Sight) -> None:
    """How long a read takes its reader, of the reads that were handed in: only a lead learns it."""
    if "manage_project" not in sight.held:
        return
    reads = (
        sight.reads()
        .filter(kind=Read.Kind.READ)
        .exclude(state__in=(Read.State.ASSIGNED, Read.State.IN_PROGRESS))
    )
    timed = reads.filter(time__active_s__gt=0).order_by()
    for person, seconds in timed.values_list("reader").annotate(mean=Avg("time__active_s")):
        if person in members:
            members[person].active_s = seconds
