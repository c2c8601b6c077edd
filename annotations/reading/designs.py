"""How a project reads: its design, and what the design asks of a case."""

from dataclasses import asdict, dataclass
from hashlib import sha256

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from procrastinate.contrib.django import app

from accounts import audit, permissions
from accounts.models import User
from annotations.models import Case, Read, ReadingDesign
from annotations.reading.machine import HANDED_IN, OPEN
from atlas.models import Project

audit.register("design.changed")

FOLLOW_DESIGN = "follow_design"  # the job in annotations.tasks
READERS_MAX = 20
LEASE_HOURS_MAX = 24 * 28
DIAMETER_MM_MAX = 1000.0


@dataclass(frozen=True)
class Rules:
    """What a lead decides; the fields of `ReadingDesign`, which says what each means."""

    readers_per_case: int = 1
    double_share: int = 100
    blind: bool = True
    review: bool = True
    adjudication: str = ReadingDesign.Adjudication.ON_DISAGREEMENT
    dice_below: float | None = 0.8
    diameter_apart_mm: float | None = None
    unmatched_lesion: bool = True
    category_differs: bool = True
    order: str = ReadingDesign.Order.FIXED
    proposals: str = ReadingDesign.Proposals.BEFORE
    self_service: bool = False
    lease_hours: int = 24


DECIDING = frozenset(
    [
        "readers_per_case",
        "double_share",
        "review",
        "adjudication",
        "dice_below",
        "diameter_apart_mm",
        "unmatched_lesion",
        "category_differs",
    ]
)
"""Fields that change which cases are read, and which disagree: all that is handed in is looked at again."""


def design_of(project: Project) -> ReadingDesign:
    """The project's design; an unsaved one with the defaults where nobody has written any."""
    try:
        return project.design
    except ReadingDesign.DoesNotExist:
        return ReadingDesign(project=project)


def rules_of(design: ReadingDesign) -> Rules:
    return Rules(**{name: getattr(design, name) for name in Rules.__dataclass_fields__})


def readers_wanted(case: Case, design: ReadingDesign) -> int:
    """How many people read this case: all of them for the share of cases that is read by several, else one.

    Which cases these are is drawn by their public ids: it never changes, and nobody can foresee it.
    """
    if design.readers_per_case == 1 or design.double_share >= 100:
        return design.readers_per_case
    drawn = int.from_bytes(sha256(case.public_id.encode()).digest()[:4]) % 100
    return design.readers_per_case if drawn < design.double_share else 1


def is_case_read(case: Case) -> bool:
    """Whether everybody whose read the case waits for is done with it, so that it may be decided.

    That is as many readers as are wanted, and nobody who is still at it; someone whose lease ran out is not
    waited for. Hidden references and training cases are never decided: their truth is known.
    """
    if case.purpose != Case.Purpose.ORDINARY:
        return False
    design = design_of(case.project)
    reads = Read.objects.filter(case=case, kind=Read.Kind.READ)
    done = [Read.State.ACCEPTED] if design.review else HANDED_IN
    still_at_it = Q(state__in=OPEN if not design.review else OPEN | {Read.State.SUBMITTED})
    waited_for = Q(lease_until=None) | Q(lease_until__gt=timezone.now()) | ~Q(state__in=OPEN)
    if reads.filter(still_at_it & waited_for).exists():
        return False
    return reads.filter(state__in=done).count() >= readers_wanted(case, design)


# Writing ------------------------------------------------------------------------------------------


def check(rules: Rules) -> None:
    """Raises ValidationError by field, all that is wrong at once."""
    wrong: dict[str, str] = {}
    if not 1 <= rules.readers_per_case <= READERS_MAX:
        wrong["readers_per_case"] = f"From 1 to {READERS_MAX} readers."
    if not 0 <= rules.double_share <= 100:
        wrong["double_share"] = "From 0 to 100 percent."
    if rules.dice_below is not None and not 0 < rules.dice_below <= 1:
        wrong["dice_below"] = "A Dice above 0, at most 1; leave it empty to ignore overlap."
    if rules.diameter_apart_mm is not None and not 0 < rules.diameter_apart_mm <= DIAMETER_MM_MAX:
        wrong["diameter_apart_mm"] = "Millimetres above 0; leave it empty to ignore diameters."
    if not 1 <= rules.lease_hours <= LEASE_HOURS_MAX:
        wrong["lease_hours"] = f"From 1 to {LEASE_HOURS_MAX} hours, which is four weeks."
    for name, choices in (
        ("adjudication", ReadingDesign.Adjudication),
        ("order", ReadingDesign.Order),
        ("proposals", ReadingDesign.Proposals),
    ):
        if getattr(rules, name) not in choices.values:
            wrong[name] = "Choose one of these."
    by_rule = (rules.dice_below, rules.diameter_apart_mm, rules.unmatched_lesion, rules.category_differs)
    if rules.adjudication == ReadingDesign.Adjudication.ON_DISAGREEMENT and not any(by_rule):
        wrong.setdefault("adjudication", "Say at least one thing below that counts as a disagreement.")
    if wrong:
        raise ValidationError(wrong)


@transaction.atomic
def write_design(*, by: User, project: Project, rules: Rules) -> ReadingDesign:
    """The project reads by these rules from now on. Writing what holds already changes nothing.

    Raises ValidationError as `check`.
    """
    permissions.require(by, "manage_project", project)
    check(rules)
    Project.objects.select_for_update().get(pk=project.pk)  # two leads at once: both changes are told apart
    project = Project.objects.get(pk=project.pk)
    design = design_of(project)
    before, after = asdict(rules_of(design)), asdict(rules)
    changed = {name: after[name] for name in after if after[name] != before[name]}
    if not changed:
        return design
    for name, value in changed.items():
        setattr(design, name, value)
    design.changed_by = by
    design.save()
    facts = {name: f"{_told(before[name])} → {_told(value)}" for name, value in changed.items()}
    audit.record(by, "design.changed", project, **facts)
    if DECIDING & set(changed):
        app.configure_task(FOLLOW_DESIGN).defer(project_id=project.pk)
    return design


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
