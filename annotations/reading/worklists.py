"""The worklist of a person: what they read, review and adjudicate, and what they may take."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, prefetch_related_objects

from accounts import permissions
from accounts.models import User
from annotations.models import Case, Comment, Read
from annotations.reading import policies
from annotations.reading.adjudication.access import adjudications, cases_to_adjudicate
from annotations.reading.assignment import queue
from annotations.reading.casebook import CaseRow, studies_of, with_images
from annotations.reading.order import in_reading_order
from atlas.models import Project, Series

S = Read.State
ROWS_SHOWN = {
    "returned": 100,
    "in_progress": 100,
    "next": 50,
    "review": 50,
    "adjudicating": 50,
    "adjudicate": 50,
    "submitted": 10,
    "accepted": 10,
    "set_aside": 10,
}
TITLES = {
    "returned": ("Returned to you", ""),
    "in_progress": ("In progress", ""),
    "next": ("Next", "by priority, due date, then in the order of the project"),
    "review": ("To review", "longest waiting first"),
    "adjudicating": ("You adjudicate", ""),
    "adjudicate": ("To adjudicate", "whoever takes one first settles it"),
    "submitted": ("Submitted", "waiting for review"),
    "accepted": ("Accepted", ""),
    "set_aside": ("Set aside", "by the lead; what you drew is kept"),
}
OVER = ("submitted", "accepted", "set_aside")
QUEUES_SHOWN = 10
WORDS_MAX = 8


@dataclass(frozen=True)
class WorkFilter:
    """What the list is narrowed to. `group`: one of TITLES."""

    text: str = ""
    group: str = ""
    modality: str = ""

    def cases(self, prefix: str = "") -> Q:
        """Of cases, or (`prefix`) of what points to one."""
        found = Q()
        for word in self.text.split()[:WORDS_MAX]:
            matches = Q(**{f"{prefix}title__icontains": word})
            matches |= Q(**{f"{prefix}subject__pseudonym__icontains": word})
            if word.isdecimal() and len(word) < 10:
                matches |= Q(**{f"{prefix}number": int(word)})
            matches |= self._with_series(prefix, body_part__icontains=word)
            found &= matches | self._with_series(prefix, modality__iexact=word)
        if self.modality:
            found &= self._with_series(prefix, modality=self.modality)
        return found

    @staticmethod
    def _with_series(prefix: str, **what: str) -> Q:
        case = OuterRef(f"{prefix}pk" if prefix else "pk")
        return Q(Exists(Series.objects.filter(study__case_studies__case=case, **what)))


@dataclass
class WorkGroup:
    """One heading of the worklist: how many there are in all, and the rows shown."""

    key: str
    total: int
    rows: list[CaseRow]

    @property
    def title(self) -> str:
        return TITLES[self.key][0]

    @property
    def note(self) -> str:
        return TITLES[self.key][1]

    @property
    def word(self) -> str:
        """As it stands after a number."""
        is_task = self.key in ("review", "adjudicate")
        return self.title.lower() if is_task else self.title.split(" to ")[0].lower()

    @property
    def waits(self) -> bool:
        """Whether this person has something to do there."""
        return self.key not in OVER and self.key != "adjudicating"

    @property
    def more(self) -> int:
        return self.total - len(self.rows)


def worklist(user: User, project: Project | None = None, narrow: WorkFilter | None = None) -> list[WorkGroup]:
    """What waits for this person, in the order in which they should take it; empty groups are left out."""
    narrow = narrow or WorkFilter()
    shown: list[tuple[str, int, list[Read]]] = []
    for key, reads in _groups(user, project, narrow):
        if narrow.group in ("", key):
            rows = list(reads.select_related("case__project", "case__subject", "reader")[: ROWS_SHOWN[key]])
            if rows:
                total = reads.count() if len(rows) == ROWS_SHOWN[key] else len(rows)
                shown.append((key, total, rows))
    untaken: list[Case] = []
    total_untaken = 0
    if narrow.group in ("", "adjudicate"):
        untaken, total_untaken = _untaken(user, project, narrow)
    everything = [read for _, _, reads in shown for read in reads]
    prefetch_related_objects([*(read.case for read in everything), *untaken], with_images())
    comments = _open_comments(everything)
    found = [
        WorkGroup(key, total, [work_row(read, comments.get(read.pk, 0)) for read in reads])
        for key, total, reads in shown
    ]
    if untaken:
        rows_of_cases = [CaseRow(case, studies_of(case)) for case in untaken]
        found.append(WorkGroup("adjudicate", total_untaken, rows_of_cases))
    return sorted(found, key=lambda group: list(TITLES).index(group.key))


def _groups(user: User, project: Project | None, narrow: WorkFilter) -> list[tuple[str, QuerySet[Read]]]:
    everything = policies.own_reads(user, at_once=True).filter(narrow.cases("case__"))
    to_review = policies.reads_to_review(user).filter(narrow.cases("case__"))
    if project is not None:
        everything = everything.filter(case__project=project)
        to_review = to_review.filter(case__project=project)
    own = everything.filter(kind=Read.Kind.READ)
    judging = everything.filter(kind=Read.Kind.ADJUDICATION, state__in=Read.EDITABLE)
    latest = "-changed_at"
    # An empty read that someone kept for one they handed over tells them nothing.
    aside = own.filter(state=S.SET_ASIDE, last_edit_number__gt=0)
    return [
        ("returned", in_reading_order(own.filter(state=S.RETURNED))),
        ("in_progress", in_reading_order(own.filter(state=S.IN_PROGRESS))),
        ("next", in_reading_order(own.filter(state=S.ASSIGNED))),
        ("review", to_review),
        ("adjudicating", in_reading_order(judging)),
        ("submitted", own.filter(state=S.SUBMITTED).order_by(latest)),
        ("accepted", own.filter(state=S.ACCEPTED).order_by(latest)),
        ("set_aside", aside.order_by(latest)),
    ]


def _untaken(user: User, project: Project | None, narrow: WorkFilter) -> tuple[list[Case], int]:
    """Cases that wait for an adjudicator, and how many there are; they have no read of this person yet."""
    cases = cases_to_adjudicate(user).filter(narrow.cases())
    cases = cases.filter(~Exists(adjudications().filter(case=OuterRef("pk"))))
    if project is not None:
        cases = cases.filter(project=project)
    chosen = cases.select_related("project", "subject").order_by("-priority", "project", "number")
    rows = list(chosen[: ROWS_SHOWN["adjudicate"]])
    return rows, cases.count() if len(rows) == ROWS_SHOWN["adjudicate"] else len(rows)


def _open_comments(reads: Iterable[Read]) -> dict[int, int]:
    """How many remarks wait for an answer, of reads that came back to their readers."""
    returned = [read.pk for read in reads if read.state == S.RETURNED]
    open_ones = Comment.objects.filter(read__in=returned, resolved_at=None, reply_to=None).order_by()
    return dict(open_ones.values_list("read").annotate(n=Count("pk"))) if returned else {}


def work_row(read: Read, open_comments: int = 0) -> CaseRow:
    return CaseRow(read.case, studies_of(read.case), read=read, open_comments=open_comments)


def projects_of(groups: Sequence[WorkGroup]) -> list[Project]:
    """The projects that occur in a worklist, by name."""
    found = {row.case.project for group in groups for row in group.rows}
    return sorted(found, key=lambda project: project.name)


def projects_worked_in(user: User) -> list[Project]:
    """Those in which this person could get something to do, by name."""
    reads = permissions.objects_for(user, "read_cases", Project)
    reviews = permissions.objects_for(user, "review_cases", Project)
    return list((reads | reviews).distinct().order_by("name"))


def queues_with_a_case(user: User, project: Project | None = None) -> list[Project]:
    """The projects in which this person may take a case now."""
    queues = queue.queues_for(user).select_related("design").order_by("name")
    if project is not None:
        queues = queues.filter(pk=project.pk)
    return [one for one in queues[:QUEUES_SHOWN] if queue.has_one_for(user, one)]


def may_read_or_review(user: User) -> bool:
    """Whether this person belongs to any project in which they could get reads."""
    held = permissions.held_anywhere(user)
    return ("project", "read_cases") in held or ("project", "review_cases") in held


def modalities_shown(groups: Sequence[WorkGroup]) -> list[str]:
    """Those of the rows shown, to narrow by."""
    found = {name for group in groups for row in group.rows for name in row.modalities.split(", ") if name}
    return sorted(found)
