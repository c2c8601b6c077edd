"""What waits for a person in a project: sentences, and where each is settled."""

from dataclasses import dataclass

from annotations.models import LabelSchema, Read, Release
from annotations.reading.overview.people import MemberProgress
from annotations.reading.overview.sight import Sight
from annotations.reading.overview.states import UNASSIGNED, Step, cases_with_findings
from atlas.models import DatasetGrant, Project


@dataclass(frozen=True)
class Decision:
    """Something that waits for a person: a sentence, and the name of the page where it is settled."""

    icon: str
    sentence: str
    action: str
    page: str
    query: str = ""


def decisions(
    sight: Sight, steps: list[Step], members: list[MemberProgress], schema: LabelSchema | None
) -> list[Decision]:
    """What waits for this person, most pressing first."""
    found = _about_reviews(sight) + _about_adjudication(sight)
    if "manage_project" in sight.held:
        found += _about_setting_up(sight.project, steps, schema)
        found += _about_readers(sight, steps, members)
        found += _about_images(sight.project)
        found += _about_releases(sight)
    return found


def _about_reviews(sight: Sight) -> list[Decision]:
    if "review_cases" not in sight.held:
        return []
    n = sight.reads().filter(state=Read.State.SUBMITTED).exclude(reader=sight.user).count()
    return [Decision("message-square", f"{_reads(n)} for review.", "Review", "worklist")] if n else []


def _about_adjudication(sight: Sight) -> list[Decision]:
    """Cases that no adjudicator has taken. Who has read a case judges nothing on it: it waits for others."""
    if "review_cases" not in sight.held:
        return []
    own = Read.objects.filter(reader=sight.user, kind=Read.Kind.READ)
    taken = Read.objects.filter(kind=Read.Kind.ADJUDICATION).exclude(state=Read.State.SET_ASIDE)
    waiting = sight.cases().filter(needs_adjudication=True)
    n = waiting.exclude(pk__in=own.values("case")).exclude(pk__in=taken.values("case")).count()
    if not n:
        return []
    sentence = f"{n:,} case{_s(n)} {'waits' if n == 1 else 'wait'} for an adjudicator."
    return [Decision("scale", sentence, "Adjudicate", "worklist")]


def _about_setting_up(project: Project, steps: list[Step], schema: LabelSchema | None) -> list[Decision]:
    found: list[Decision] = []
    if schema is None:
        sentence = "There are no labels yet: readers would have nothing to mark."
        found.append(Decision("tags", sentence, "Write labels", "project-labels-edit"))
    if not any(step.here for step in steps):
        granted = DatasetGrant.objects.filter(project=project).exists()
        sentence = "There are no cases yet." if granted else "No dataset is open to this project yet."
        found.append(
            Decision("database", sentence, "Choose studies" if granted else "See how", "project-cases-add")
        )
    return found


def _about_readers(sight: Sight, steps: list[Step], members: list[MemberProgress]) -> list[Decision]:
    found: list[Decision] = []
    n = next(step.here for step in steps if step.key == UNASSIGNED)
    if n:
        sentence = f"{n:,} case{_s(n)} {_have(n)} no reader."
        found.append(Decision("user-plus", sentence, "Assign", "project-cases", "state=unassigned"))
    n = sum(member.overdue for member in members)
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


def _about_releases(sight: Sight) -> list[Decision]:
    last = Release.objects.filter(project=sight.project).order_by("-number").first()
    if last is not None and last.state == Release.State.FAILED:
        sentence = f"Release {last.number} was stopped by an error."
        return [Decision("triangle-alert", sentence, "Look", "project-releases")]
    accepted = sight.reads().filter(state=Read.State.ACCEPTED, case__needs_adjudication=False)
    fresh = accepted.filter(changed_at__gt=last.frozen_at) if last else accepted
    n = fresh.order_by().values("case").distinct().count()
    if n == 0:
        return []
    since = f" since release {last.number}" if last else ", and none is in a release"
    sentence = f"{n:,} case{_s(n)} {_have(n)} been accepted{since}."
    return [Decision("package", sentence, "Freeze a release", "project-release-new")]


def _reads(n: int) -> str:
    return f"{n:,} read{_s(n)} {'waits' if n == 1 else 'wait'}"


def _s(n: int) -> str:
    return "" if n == 1 else "s"


def _have(n: int) -> str:
    return "has" if n == 1 else "have"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"
