"""How much of what readers have drawn and answered a change of the labels meets.

Only reads that the person may know of are counted: on a case that they read themselves, a number would tell
of another's work.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, QuerySet
from django.db.models.fields.json import KT

from accounts.models import User
from annotations.models import Annotation, Read
from annotations.reading import policies
from annotations.reading.journal.answers import PROPOSAL, STATE
from annotations.reading.schemas.changes import Change
from annotations.reading.schemas.moving import open_reads
from atlas.models import Project


@dataclass
class Held:
    """How many marks or answers, of how many reads."""

    things: int = 0
    reads: set[int] = field(default_factory=set)

    @property
    def read_count(self) -> int:
        return len(self.reads)


@dataclass(frozen=True)
class Holdings:
    """What the open reads hold, by the names of decisions: `label:…`, `kind:…`, `question:…`, `option:…`."""

    by_name: dict[str, Held]
    read_count: int
    drawn_count: int

    def of(self, change: Change) -> Held:
        part = f":{change.part}" if change.part else ""
        return self.by_name.get(f"{change.what}:{change.key}{part}", Held())


def counted_reads(user: User, project: Project) -> QuerySet[Read]:
    """The open reads whose contents this person may know in numbers."""
    return open_reads(project).filter(pk__in=policies.reads_for(user).values("pk"))


def holdings(user: User, project: Project) -> Holdings:
    """Four queries, however many reads and marks."""
    reads = counted_reads(user, project)
    numbers = reads.values_list("pk", "last_edit_number")
    drawn = [pk for pk, number in numbers if number]
    held: dict[str, Held] = {}
    here = Annotation.objects.filter(read__in=reads.values("pk"), value__isnull=False)
    marks = here.filter(value__has_key="kind").values_list("read", KT("value__label"), KT("value__kind"))
    for read, label, kind, count in marks.annotate(count=Count("pk")).order_by():
        _add(held, read, count, (f"label:{label}", f"kind:{label}:{kind}"))
    answers = here.filter(value__has_key="answer").exclude(value__answer__in=(STATE, PROPOSAL))
    said = answers.values_list("read", KT("value__answer"), "value__value")
    per_read: Counter[tuple[int, str]] = Counter()
    for read, key, value in said.iterator():
        options = value if isinstance(value, list) else [value] if isinstance(value, str) else []
        per_read[read, f"question:{key}"] += 1
        for option in options:
            per_read[read, f"option:{key}:{option}"[:200]] += 1
    for (read, name), count in per_read.items():
        _add(held, read, count, (name,))
    return Holdings(by_name=held, read_count=len(numbers), drawn_count=len(drawn))


def _add(held: dict[str, Held], read: int, count: int, names: Iterable[str]) -> None:
    for name in names:
        one = held.setdefault(name, Held())
        one.things += count
        one.reads.add(read)


def is_drawn_in(user: User, project: Project) -> bool:
    """Whether a change would meet anybody's work, as far as this person may know."""
    return counted_reads(user, project).filter(last_edit_number__gt=0).exists()


def behind_count(user: User, project: Project, version: int) -> int:
    """Open reads that follow an earlier version, as far as this person may know."""
    return counted_reads(user, project).filter(schema__version__lt=version).count()
