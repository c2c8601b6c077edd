"""What a reviewer or lead does with a submitted read: look, comment, accept or return."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_noop
from rest_framework.exceptions import ValidationError

from accounts import audit
from accounts.models import AuditRecord, User
from annotations.models import Comment, Read, Review, Submission
from annotations.reading import following, machine, policies
from annotations.reading.broadcasts import announce_read, tell_read
from atlas.api.errors import Conflict
from atlas.models import Instance, Series

audit.register(
    "read.accepted",
    "read.returned",
    "comment.written",
    "comment.replied",
    "comment.resolved",
    "comment.reopened",
)

VERBS = {Review.Verdict.ACCEPT: "read.accepted", Review.Verdict.RETURN: "read.returned"}
OTHER_REASON = "other"
REASONS: dict[str, str] = {
    "missed": gettext_noop("A lesion was missed"),
    "not_there": gettext_noop("Something marked is no lesion"),
    "outline": gettext_noop("An outline is off"),
    "measure": gettext_noop("A measurement is off"),
    "label": gettext_noop("A label is wrong"),
    "answer": gettext_noop("An answer is wrong or missing"),
    "image": gettext_noop("Another series or time point is meant"),
    OTHER_REASON: gettext_noop("Something else"),
}
"""Why a read goes back, by key: counted over a project, so a key keeps its meaning for ever."""


@dataclass(frozen=True)
class Place:
    """Where a comment is pinned: an image of the case, and a point on it."""

    series: str
    sop_instance_uid: str
    frame_number: int
    point_patient_mm: list[float] | None
    point_image: list[float] | None


@transaction.atomic
def judge(
    *, user: User, read_id: str, verdict: str, round: int, text: str = "", reasons: Sequence[str] = ()
) -> Read:
    """Accept the submitted round for good, or return it for another, for any of `REASONS`.

    The same verdict sent twice by the same person changes nothing. Raises Conflict where another was given
    meanwhile or the round isn't the one under review, ValidationError for a return that says nothing.
    """
    read = _locked(user, read_id)
    if _is_own_verdict(user, read, verdict, round):
        return read
    if not machine.may(read, verdict) or read.round != round:
        raise Conflict(
            "Someone else has judged this round already."
            if read.round > round or read.state in (Read.State.RETURNED, Read.State.ACCEPTED)
            else "This round has not been handed in."
        )
    kept = _reasons(reasons) if verdict == Review.Verdict.RETURN else []
    says_why = text.strip() or set(kept) - {OTHER_REASON} or _has_open_comment(read)
    if verdict == Review.Verdict.RETURN and not says_why:
        raise ValidationError({"text": ["Say what should change: here, or in a comment on the images."]})
    submission = Submission.objects.get(read=read, round=round)
    Review.objects.create(submission=submission, verdict=verdict, reasons=kept, text=text.strip(), by=user)
    next_round = round + 1 if verdict == Review.Verdict.RETURN else round
    if not machine.move(read, verdict, round=next_round):
        raise Conflict("This read was changed at the same moment. Reload the page.")
    facts = {"reasons": ",".join(kept)} if kept else {}
    audit.record(user, VERBS[Review.Verdict(verdict)], read, round=round, **facts)
    following.compare_soon(read.case)
    announce_read(read)
    return read


@transaction.atomic
def comment(*, user: User, read_id: str, text: str, place: Place | None = None) -> Comment:
    """Write a remark on a submitted round, pinned to a place if it has one."""
    read = _locked(user, read_id)
    if read.state != Read.State.SUBMITTED:
        raise Conflict("Comments are written while a read is under review.")
    pinned = pinned_to(read, place) if place else {}
    written = _written(user, read, text, **pinned)
    audit.record(user, "comment.written", written, read=read.pk)
    tell_read(read, {"type": "comment"})
    return written


def note(*, user: User, read: Read, text: str) -> Comment:
    """A remark on the whole read, within the caller's transaction and under the lock of the read."""
    written = _written(user, read, text)
    audit.record(user, "comment.written", written, read=read.pk)
    tell_read(read, {"type": "comment"})
    return written


@transaction.atomic
def reply(*, user: User, read_id: str, comment_id: str, text: str) -> Comment:
    """Answer a comment, in its thread: the reader while they draw, a reviewer until the read is accepted.

    Raises Conflict where the thread is settled: it is reopened first.
    """
    # The lock keeps the numbers of comments apart.
    read, rights = policies.read_and_rights_or_404(user, read_id)
    read = Read.objects.select_for_update(of=("self",)).select_related("case__project").get(pk=read.pk)
    rights = policies.rights_on(user, read)
    root = _thread(user, read, comment_id)
    is_reader = rights.capacity is policies.Capacity.READER
    if is_reader and not rights.may_edit:
        raise PermissionDenied("Comments are answered while the read is yours to change.")
    if read.state not in (Read.State.SUBMITTED, Read.State.RETURNED):
        raise Conflict(f"This read is {read.get_state_display().lower()}: its comments are closed.")
    if root.resolved_at is not None:
        raise Conflict("This comment is settled. Reopen it to go on.")
    written = _written(user, read, text, reply_to=root)
    audit.record(user, "comment.replied", written, read=read.pk, comment=root.pk)
    tell_read(read, {"type": "comment"})
    return written


@transaction.atomic
def resolve(*, user: User, read_id: str, comment_id: str) -> Comment:
    """The reader has dealt with a comment, or its reviewer takes it back. Twice changes nothing."""
    return _settle(user, read_id, comment_id, is_settled=True)


@transaction.atomic
def reopen(*, user: User, read_id: str, comment_id: str) -> Comment:
    """A settled comment isn't settled after all. Twice changes nothing."""
    return _settle(user, read_id, comment_id, is_settled=False)


def _settle(user: User, read_id: str, comment_id: str, *, is_settled: bool) -> Comment:
    read, rights = policies.read_and_rights_or_404(user, read_id)
    root = _thread(user, read, comment_id)
    if not (rights.may_edit or rights.may_judge):
        raise PermissionDenied("Comments are settled by the reader while they draw, or during review.")
    at, by = (timezone.now(), user) if is_settled else (None, None)
    if Comment.objects.filter(pk=root.pk, resolved_at__isnull=is_settled).update(
        resolved_at=at, resolved_by=by
    ):
        root.resolved_at, root.resolved_by = at, by
        audit.record(user, "comment.resolved" if is_settled else "comment.reopened", root, read=read.pk)
        tell_read(read, {"type": "comment"})
    return root


def _thread(user: User, read: Read, comment_id: str) -> Comment:
    """The comment that opened the thread. Raises Http404."""
    found = policies.comments_for(user, read).filter(public_id=comment_id, reply_to=None).first()
    if found is None:
        raise Http404("There is no such comment, or it is not for you.")
    return found


def _written(user: User, read: Read, text: str, **more: Any) -> Comment:
    """Under the read's lock."""
    last = Comment.objects.filter(read=read).aggregate(last=Max("number"))["last"] or 0
    return Comment.objects.create(
        read=read, round=read.round, number=last + 1, text=text.strip(), by=user, **more
    )


@transaction.atomic
def note_that_marks_were_seen(user: User, read: Read) -> None:
    """Whoever has seen someone's marks can't read that case blind any more: assignment asks for this line."""
    known = AuditRecord.objects.filter(
        actor=user, verb="read.marks_seen", object_type="read", object_id=read.pk
    )
    if known.exists():
        return
    # A page that opens asks for several things at once: the second waits here, and finds the line.
    Read.objects.select_for_update(of=("self",)).filter(pk=read.pk).first()
    if not known.exists():
        audit.record(user, "read.marks_seen", read)


def _had_it_before(user: User, read: Read) -> bool:
    """Whether the read was handed over by this person: it holds marks of theirs."""
    records = AuditRecord.objects.filter(
        verb="read.handed_over", object_type="read", object_id=read.pk, facts__before=user.pk
    )
    return records.exists()


def _locked(user: User, read_id: str) -> Read:
    """The read under its lock, for someone who may judge it."""
    read, rights = policies.read_and_rights_or_404(user, read_id)
    if rights.capacity is policies.Capacity.READER:
        raise PermissionDenied("Nobody judges their own read.")
    if _had_it_before(user, read):
        raise PermissionDenied("This read was yours before it was handed over: somebody else judges it.")
    if rights.capacity is policies.Capacity.FELLOW:
        raise PermissionDenied("Who reads a case judges nothing on it.")
    locked = Read.objects.select_for_update(of=("self",)).select_related("case__project").get(pk=read.pk)
    # Assigning the case to this person meanwhile takes the right away, so it is asked again.
    policies.rights_on(user, locked)
    return locked


def last_review(read: Read) -> Review | None:
    """The latest verdict on the read."""
    if read.round == 1 and read.state != Read.State.ACCEPTED:
        return None  # no verdict yet
    reviews = Review.objects.filter(submission__read=read).select_related("by")
    last = reviews.order_by("-submission__round").first()
    was_reopened = last is not None and last.verdict == Review.Verdict.ACCEPT
    return None if was_reopened and read.state != Read.State.ACCEPTED else last


def _is_own_verdict(user: User, read: Read, verdict: str, round: int) -> bool:
    given = Review.objects.filter(submission__read=read, submission__round=round, by=user, verdict=verdict)
    return given.exists()


def _has_open_comment(read: Read) -> bool:
    return Comment.objects.filter(read=read, reply_to=None, resolved_at=None).exists()


def _reasons(sent: Sequence[str]) -> list[str]:
    """In the order of the list, each once. Raises ValidationError."""
    if set(sent) - set(REASONS):
        raise ValidationError({"reasons": [f"Each is one of {', '.join(REASONS)}."]})
    return [key for key in REASONS if key in sent]


def pinned_to(read: Read, place: Place) -> dict[str, Any]:
    """The columns of a row that is pinned to a place in the read's case. Raises ValidationError."""
    series = Series.objects.filter(public_id=place.series, study__case_studies__case=read.case_id).first()
    image = Instance.objects.filter(series=series, sop_instance_uid=place.sop_instance_uid).first()
    if series is None or image is None or place.frame_number > max(image.number_of_frames, 1):
        raise ValidationError({"sop": ["This case has no such image."]})
    return {
        "series": series,
        "sop_instance_uid": place.sop_instance_uid,
        "frame_number": place.frame_number,
        "point_patient_mm": place.point_patient_mm,
        "point_image": place.point_image,
    }
