"""Who may adjudicate what, and who may see it.

Nobody judges a case they have read, in whatever state their read is. For someone who still reads the case
blind there is nothing to adjudicate: that it waits for it would tell them that the others are done.
"""

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from accounts import permissions
from accounts.models import User
from accounts.permissions import Someone
from annotations.models import Case, Edit, Read
from annotations.reading import policies
from atlas.models import Project

NO_CASE = "There is no such case, or it is not for you."
NOT_ADJUDICATED_HERE = "There is no such adjudication, or it is not for you."
HAVE_READ = "You have read this case: somebody else judges it."


def cases_to_adjudicate(user: Someone) -> QuerySet[Case]:
    """The cases that wait for an adjudication which this person may do, or is doing."""
    if not user.is_authenticated:
        return Case.objects.none()
    projects = permissions.objects_for(user, "review_cases", Project)
    return Case.objects.filter(
        ~Exists(_reads_by(user).filter(case=OuterRef("pk"))),
        ~Exists(adjudications().filter(case=OuterRef("pk")).exclude(reader=user.pk)),
        needs_adjudication=True,
        project__in=projects.values("pk"),
    )


def _reads_by(user: Someone) -> QuerySet[Read]:
    """The reads that somebody did: theirs, and those that they drew in before they were handed to others."""
    drew = Edit.objects.filter(read=OuterRef("pk"), by=user.pk)
    return Read.objects.filter(Q(reader=user.pk) | Exists(drew), kind=Read.Kind.READ)


def adjudications() -> QuerySet[Read]:
    """All that are not set aside: at most one a case."""
    return Read.objects.filter(kind=Read.Kind.ADJUDICATION).exclude(state=Read.State.SET_ASIDE)


def candidates(case: Case) -> QuerySet[User]:
    """Who may adjudicate a case: those who judge in its project, and never drew in a read of it."""
    judges = permissions.holders_of("review_cases", case.project)
    reads = Read.objects.filter(case=case, kind=Read.Kind.READ)
    drew = Edit.objects.filter(read__in=reads.values("pk"))
    readers = judges.filter(Q(pk__in=reads.values("reader")) | Q(pk__in=drew.values("by")))
    return judges.exclude(pk__in=readers.values("pk")).order_by("last_name", "first_name", "username")


def has_read(user: Someone, case: Case) -> bool:
    return _reads_by(user).filter(case=case).exists()


def case_or_404(user: Someone, slug: str, number: int) -> Case:
    """The case, for someone who judges in its project and isn't reading it now.

    Raises Http404 for strangers and for its blind readers, PermissionDenied for other members.
    """
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        raise Http404(NO_CASE)
    permissions.require(user, "review_cases", project)
    case = Case.objects.filter(project=project, number=number).select_related("project", "subject").first()
    if case is None or policies.cases_being_read_by(user).filter(pk=case.pk).exists():  # type: ignore[arg-type]
        raise Http404(NO_CASE)
    return case


def seen_or_404(user: Someone, public_id: str) -> tuple[Read, policies.Rights]:
    """An adjudication that this person may look at: its own adjudicator at any time, reviewers and leads who
    don't read the case once it is handed in. Raises Http404 or PermissionDenied."""
    read, rights = policies.read_and_rights_or_404(user, public_id)
    if read.kind != Read.Kind.ADJUDICATION:
        raise Http404(NOT_ADJUDICATED_HERE)
    if not rights.may_see_marks:
        raise PermissionDenied("This adjudication is under way: only its adjudicator sees it.")
    return read, rights


def own_or_404(user: User, public_id: str, *, lock: bool = False) -> Read:
    """The caller's own adjudication, if asked for under the lock of its journal."""
    read = policies.own_read_or_404(user, public_id, lock=lock)
    if read.kind != Read.Kind.ADJUDICATION:
        raise Http404(NOT_ADJUDICATED_HERE)
    return read
