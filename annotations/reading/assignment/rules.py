"""Who may read which case: never twice, and never who has judged it or would not be blind."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet

from accounts import permissions
from accounts.models import AuditRecord, User
from annotations.models import Case, Read, Review
from annotations.reading import leases, policies
from annotations.reading.designs import design_of
from annotations.reading.machine import OPEN
from atlas.models import Project

YOU_READ_IT = "You read this case yourself: another lead hands it out."


def possible_readers(project: Project) -> QuerySet[User]:
    return permissions.holders_of("read_cases", project).order_by("last_name", "first_name", "username")


def open_reads_by_reader(project: Project, shown_to: User | None = None) -> Counter[int]:
    """Reads that are not handed in, by the reader's primary key. `shown_to`: without those of cases on which
    this person is a reader and nothing else."""
    reads = Read.objects.filter(case__project=project, kind=Read.Kind.READ, state__in=OPEN)
    if shown_to is not None:
        reading = policies.cases_being_read_by(shown_to).filter(project=project)
        reads = reads.exclude(~Q(reader=shown_to), case__in=list(reading.values_list("pk", flat=True)))
    return Counter(dict(reads.order_by().values_list("reader").annotate(n=Count("pk"))))


@dataclass
class Standing:
    """What some cases have already. By the case's primary key: people (theirs)."""

    there: dict[int, set[int]] = field(default_factory=dict)
    """Those with a read on it, if only one that was set aside."""
    filled: Counter[int] = field(default_factory=Counter)
    """Reads that fill a place."""
    barred: dict[int, set[int]] = field(default_factory=dict)
    """Those who judged it, adjudicate it, or saw another's marks where reading is blind."""

    def may_read(self, case: Case, reader: User) -> bool:
        return not self.is_there(case, reader) and not self.is_barred(case, reader)

    def is_there(self, case: Case, reader: User) -> bool:
        return reader.pk in self.there.get(case.pk, ())

    def is_barred(self, case: Case, reader: User) -> bool:
        return reader.pk in self.barred.get(case.pk, ())


def standing_of(project: Project, cases: Collection[Case]) -> Standing:
    """Four queries, however many cases."""
    found = Standing()
    case_ids = [case.pk for case in cases]
    case_of_read: dict[int, int] = {}
    reads = Read.objects.filter(case__in=case_ids).order_by()
    for pk, case_id, reader_id, kind in reads.values_list("pk", "case_id", "reader_id", "kind"):
        case_of_read[pk] = case_id
        people = found.there if kind == Read.Kind.READ else found.barred
        people.setdefault(case_id, set()).add(reader_id)
    filling = reads.filter(leases.filling()).values_list("case_id").annotate(n=Count("pk"))
    found.filled = Counter(dict(filling))
    judged = Review.objects.filter(submission__read__case__in=case_ids)
    for case_id, person in judged.values_list("submission__read__case_id", "by_id"):
        found.barred.setdefault(case_id, set()).add(person)
    if design_of(project).blind:
        seen = AuditRecord.objects.filter(
            verb="read.marks_seen", object_type="read", object_id__in=case_of_read
        )
        for read_id, seer in seen.order_by().values_list("object_id", "actor_id").distinct():
            if read_id is not None and seer is not None:
                found.barred.setdefault(case_of_read[read_id], set()).add(seer)
    return found


def without_own(by: User, project: Project, cases: Collection[Case]) -> tuple[list[Case], list[Case]]:
    """The cases that this lead may hand out, and those that they are reading: what became of an attempt
    would tell them who else does."""
    own = set(policies.cases_being_read_by(by).filter(project=project).values_list("pk", flat=True))
    return [case for case in cases if case.pk not in own], [case for case in cases if case.pk in own]


def barred_from(user: User, project: Project) -> Q:
    """Of cases: those that this person can't read blind any more, or has judged; `standing_of` for one."""
    judged = Review.objects.filter(by=user, submission__read__case__project=project)
    barred = Q(pk__in=judged.values("submission__read__case"))
    if design_of(project).blind:
        seen = AuditRecord.objects.filter(actor=user, verb="read.marks_seen", object_type="read")
        reads = Read.objects.filter(case__project=project, pk__in=seen.order_by().values("object_id"))
        barred |= Q(pk__in=reads.values("case"))
    return barred
