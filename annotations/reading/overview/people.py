"""Who belongs to a project, how much each has read, how fast, and how much came back."""

import datetime
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Avg, Count, Max, Q, QuerySet
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
    specialties: list[Any] = field(default_factory=list)
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
    return members_seen(sight_of(user, project))


def members_seen(sight: Sight) -> list[MemberProgress]:
    members: dict[int, MemberProgress] = {}
    for person, role in permissions.members_of(sight.project):
        members.setdefault(person.pk, MemberProgress(person, [])).roles.append(role)
    came_back = Q(round__gt=1) | Q(state=Read.State.RETURNED)
    rows = (
        sight.reads()
        .filter(kind=Read.Kind.READ)
        .order_by()
        .values_list("reader", "state")
        .annotate(
            n=Count("pk"),
            overdue=Count("pk", filter=overdue()),
            returned=Count("pk", filter=came_back),
            touched_at=Max("changed_at", filter=Q(last_edit_number__gt=0) | ~Q(state=Read.State.ASSIGNED)),
        )
    )
    for reader, state, n, late, returned, touched_at in rows:
        if reader in members:
            _add_state(members[reader], state, n, late, returned, touched_at)
    return list(members.values())


def _add_state(
    member: MemberProgress,
    state: str,
    n: int,
    late: int,
    returned: int,
    touched_at: datetime.datetime | None,
) -> None:
    """`n` reads of a member are in this state, `returned` of them came back at least once."""
    handed_in = (Read.State.SUBMITTED, Read.State.RETURNED, Read.State.ACCEPTED)
    member.accepted += n if state == Read.State.ACCEPTED else 0
    member.submitted += n if state == Read.State.SUBMITTED else 0
    member.open += n if state in OPEN else 0
    member.overdue += late
    member.handed_in += n if state in handed_in else returned
    member.returned += returned
    member.last_at = max(filter(None, (member.last_at, touched_at)), default=None)


def add_pace(members: list[MemberProgress], pace: dict[str, Any]) -> None:
    """Put weeks and times, as the figures have them, to the members."""
    mondays = [first_week_shown() + datetime.timedelta(weeks=week) for week in range(WEEKS_SHOWN)]
    for member in members:
        found = pace.get(str(member.person.pk), {"weeks": {}, "active_s": None})
        member.weeks = [found["weeks"].get(monday.isoformat(), 0) for monday in mondays]
        member.active_s = found["active_s"]


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


def pace_by_reader(reads: QuerySet[Read]) -> dict[str, dict[str, Any]]:
    """By reader (primary key as text): reads handed in by week, named by its Monday, over the weeks shown,
    and how long one takes on the mean. Only a lead learns it."""
    midnight = timezone.make_aware(datetime.datetime.combine(first_week_shown(), datetime.time()))
    found: dict[str, dict[str, Any]] = {}
    weeks = (
        reads.filter(submissions__at__gte=midnight)
        .order_by()
        .annotate(week=TruncWeek("submissions__at"))
        .values_list("reader", "week")
        .annotate(n=Count("submissions"))
    )
    for reader, week, n in weeks:
        of_reader = found.setdefault(str(reader), {"weeks": {}, "active_s": None})
        of_reader["weeks"][week.date().isoformat()] = n
    not_yet = (Read.State.ASSIGNED, Read.State.IN_PROGRESS)
    timed = reads.filter(time__active_s__gt=0).exclude(state__in=not_yet).order_by()
    for reader, seconds in timed.values_list("reader").annotate(mean=Avg("time__active_s")):
        found.setdefault(str(reader), {"weeks": {}, "active_s": None})["active_s"] = seconds
    return found
