"""A subject's studies and facts in the order of time, and where they stand on a drawing to scale."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from django.db.models import Prefetch
from django.http import Http404
from django.utils import timezone

from accounts import audit, permissions
from accounts.models import AuditRecord, User
from atlas import policies
from atlas.clinical import words
from atlas.clinical.policies import are_facts_withheld
from atlas.models import ClinicalFact, Dataset, Series, Study, Subject

audit.register("subject.facts_viewed")

WIDTH, LEFT, RIGHT, TOP = 1080, 132, 24, 30
ROW, PAD = 24, 12
CHARACTER = 6.4
"""Units of the drawing: about as wide as a letter of its labels."""
TICKS_MAX = 9
_STEPS = (1, 7, 14, 30.4375, 91.3125, 182.625, 365.25, 730.5, 1826.25, 3652.5, 7305, 18262.5)
LANES = {
    "study": "Studies",
    "condition": "Primary cancer",
    "stage": "Stage",
    "treatment": "Treatment",
    "status": "Disease status",
    "death": "Death",
}
Kind = ClinicalFact.Kind


@dataclass(frozen=True)
class Event:
    """Something that happened, or lasted. `day` counts from the first study; None: not known to the day."""

    key: str
    kind: str
    what: str
    starts: date | None
    ends: date | None = None
    code: str = ""
    about: bool = False
    """Only month or year are known."""
    precision: str = "day"
    ends_precision: str = "day"
    study: Study | None = None
    series: Sequence[Series] = ()
    day: int | None = None


@dataclass(frozen=True)
class Mark:
    """x in units of the drawing; `x_end` is `x` for a moment."""

    key: str
    what: str
    label: str
    event: Event
    x: float
    x_end: float
    y: float

    @property
    def width(self) -> float:
        return max(self.x_end - self.x, 0)

    @property
    def label_x(self) -> float:
        return self.x_end + 9


@dataclass
class Lane:
    kind: str
    title: str
    y: float
    height: float
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True)
class Tick:
    x: float
    words: str


@dataclass(frozen=True)
class Drawing:
    width: int
    height: float
    lanes: list[Lane]
    ticks: list[Tick]
    first_study_x: float | None


@dataclass(frozen=True)
class Timeline:
    """`withheld`: the facts are kept from this person, who still reads images of the subject."""

    subject: Subject
    dataset: Dataset
    events: list[Event]
    undated: list[Event]
    drawing: Drawing | None
    withheld: bool = False


def subject_or_404(user: User, slug: str, public_id: str) -> tuple[Dataset, Subject]:
    """A subject with images in a dataset that this person may look at."""
    dataset = policies.open_datasets(user).filter(slug=slug).select_related("organisation").first()
    if dataset is None:
        there = policies.visible_datasets(user).filter(slug=slug).first()
        if there is None:
            raise Http404("There is no such dataset, or it is not for you.")
        permissions.require(user, "view_images", there)
        dataset = there
    found = Subject.objects.filter(public_id=public_id, studies__dataset=dataset).distinct().first()
    if found is None:
        raise Http404("There is no such subject in this dataset.")
    return dataset, found


def timeline_of(user: User, dataset: Dataset, subject: Subject) -> Timeline:
    """Of one dataset: its studies and what was imported into it."""
    withheld = are_facts_withheld(user, subject)
    series = policies.visible_series(user).order_by("number", "pk")
    studies = list(
        subject.studies.filter(dataset=dataset)
        .prefetch_related(Prefetch("series", queryset=series))
        .order_by("date", "time", "pk")
    )
    events = [_of_study(study) for study in studies]
    if not withheld:
        events += _of_facts(subject.clinical_facts.filter(dataset=dataset))
        _record(user, dataset, subject)
    first = min((event.starts for event in events if event.kind == "study" and event.starts), default=None)
    dated = [_placed(event, first) for event in events if event.starts is not None]
    dated.sort(key=lambda event: (event.starts or date.min, list(LANES).index(event.kind)))
    undated = [event for event in events if event.starts is None]
    return Timeline(subject, dataset, dated, undated, _drawn(dated, first), withheld)


def _record(user: User, dataset: Dataset, subject: Subject) -> None:
    """Who saw a person's facts: one line a user, subject and hour."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    verb = "subject.facts_viewed"
    lines = AuditRecord.objects.filter(
        object_type="subject", object_id=subject.pk, at__gte=hour, actor=user, verb=verb
    )
    if not lines.exists():
        audit.record(user, verb, subject, dataset=dataset.pk)


def _of_study(study: Study) -> Event:
    series = list(study.series.all())
    modalities = ", ".join(dict.fromkeys(one.modality for one in series if one.modality))
    return Event(
        f"study-{study.public_id}",
        "study",
        study.description or modalities or "Study",
        study.date,
        code=modalities,
        study=study,
        series=series,
    )


def _of_facts(facts: Iterable[ClinicalFact]) -> list[Event]:
    """One event a fact, and one for all that a staging said on the same day."""
    found: list[Event] = []
    staged: dict[tuple[date | None, str], list[ClinicalFact]] = {}
    for fact in facts:
        if fact.kind == Kind.STAGE:
            staged.setdefault((fact.starts_on, fact.starts_precision), []).append(fact)
        else:
            found.append(_event(fact, words.what(fact), fact.code))
    order = {"T": 0, "N": 1, "M": 2, "group": 3}
    for several in staged.values():
        several.sort(key=lambda fact: (order.get(fact.name, 4), fact.pk))
        said = " ".join(dict.fromkeys(words.what(fact) for fact in several))
        found.append(_event(several[0], said, ", ".join(fact.code for fact in several)))
    return found


def _event(fact: ClinicalFact, said: str, code: str) -> Event:
    return Event(
        f"fact-{fact.public_id}",
        fact.kind,
        said,
        fact.starts_on,
        fact.ends_on,
        code=code,
        about=fact.starts_precision != "day",
        precision=fact.starts_precision,
        ends_precision=fact.ends_precision,
    )


def _placed(event: Event, first: date | None) -> Event:
    if first is None or event.starts is None or event.about:
        return event
    return replace(event, day=(event.starts - first).days)


# The drawing ---------------------------------------------------------------------------------------


def _drawn(events: Sequence[Event], first: date | None) -> Drawing | None:
    """None where nothing has a date."""
    days = [day for event in events for day in (event.starts, event.ends) if day is not None]
    if not days:
        return None
    begin, end = min(days), max(days)
    span = max((end - begin).days, 1)
    usable = WIDTH - LEFT - RIGHT - 150  # room for the last label

    def x_of(day: date) -> float:
        return round(LEFT + (day - begin).days / span * usable, 1)

    lanes: list[Lane] = []
    y = float(TOP)
    for kind, title in LANES.items():
        own = [event for event in events if event.kind == kind]
        if not own:
            continue
        lane = Lane(kind, title, y, 0)
        rows: list[float] = []
        for event in own:
            starts = event.starts or begin
            x, x_end = x_of(starts), x_of(event.ends or starts)
            label = _label(event)
            width = x_end + 18 + len(label) * CHARACTER
            row = next((at for at, taken in enumerate(rows) if taken <= x - 8), len(rows))
            rows[row:] = [width] if row == len(rows) else [width, *rows[row + 1 :]]
            middle = y + PAD + row * ROW + ROW / 2 - 6
            lane.marks.append(Mark(event.key, event.what, label, event, x, x_end, round(middle, 1)))
        lane.height = PAD + len(rows) * ROW
        y += lane.height
        lanes.append(lane)
    origin = first or begin
    return Drawing(WIDTH, y + 8, lanes, _ticks(begin, end, origin, x_of), x_of(first) if first else None)


def _label(event: Event) -> str:
    words_ = event.code if event.kind == "study" and event.code else event.what
    return f"{words_[:33]}…" if len(words_) > 34 else words_


def _ticks(begin: date, end: date, origin: date, x_of: Callable[[date], float]) -> list[Tick]:
    """Round numbers of days, months or years before and after the origin."""
    low, high = (begin - origin).days, (end - origin).days
    step = next((one for one in _STEPS if (high - low) / one <= TICKS_MAX), _STEPS[-1])
    found = []
    number = int(low // step)
    while number * step <= high:
        offset = round(number * step)
        if offset >= low:
            found.append(Tick(x_of(origin + timedelta(days=offset)), _said(offset)))
        number += 1
    return found


def _said(days: int) -> str:
    sign, count = ("−" if days < 0 else ""), abs(days)
    if count == 0:
        return "0"
    if count >= 365 and abs(count / 365.25 - round(count / 365.25)) < 0.02:
        return f"{sign}{round(count / 365.25)} y"
    if count >= 30 and abs(count / 30.4375 - round(count / 30.4375)) < 0.05:
        return f"{sign}{round(count / 30.4375)} mo"
    return f"{sign}{count} d"
