"""What a reviewer or lead does with a submitted read: look, comment, accept or return."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from accounts import audit
from accounts.models import AuditRecord, User
from annotations.models import Comment, Read, Review, Submission
from annotations.reading import following, machine, policies
from annotations.reading.broadcasts import announce_read, tell_read
from atlas.api.errors import Conflict
from atlas.models import Instance, Series

audit.register("read.accepted", "read.returned", "comment.written", "comment.resolved")

VERBS = {Review.Verdict.ACCEPT: "read.accepted", Review.Verdict.RETURN: "read.returned"}


@dataclass(frozen=True)
class Place:
    """Where a comment is pinned: an image of the case, and a point on it."""

    series: str
    sop_instance_uid: str
    frame_number: int
    point_patient_mm: list[float] | None
    point_image: list[float] | None


@transaction.atomic
def judge(*, user: User, read_id: str, verdict: str, round: int, text: str = "") -> Read:
    """Accept the submitted round for good, or return it for another.

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
    if verdict == Review.Verdict.RETURN and not text.strip() and not _has_open_comment(read):
        raise ValidationError({"text": ["Say what should change: here, or in a comment on the images."]})
    submission = Submission.objects.get(read=read, round=round)
    Review.objects.create(submission=submission, verdict=verdict, text=text.strip(), by=user)
    next_round = round + 1 if verdict == Review.Verdict.RETURN else round
    if not machine.move(read, verdict, round=next_round):
        raise Conflict("This read was changed at the same moment. Reload the page.")
    audit.record(user, VERBS[Review.Verdict(verdict)], read, round=round)
    following.compare_soon(read.case)
    announce_read(read)
    return read


@transaction.atomic
def comment(*, user: User, read_id: str, text: str, place: Place | None = None) -> Comment:
    """Write a remark on a submitted round, pinned to a place if it has one."""
    read = _locked(user, read_id)
    if read.state != Read.State.SUBMITTED:
        raise Conflict("Comments are written while a read is under review.")
    pinned = _pinned(read, place) if place else {}
    last = Comment.objects.filter(read=read).aggregate(last=Max("number"))["last"] or 0
    written = Comment.objects.create(
        read=read, round=read.round, number=last + 1, text=text.strip(), by=user, **pinned
    )
    audit.record(user, "comment.written", written, read=read.pk)
    tell_read(read, {"type": "comment"})
    return written


@transaction.atomic
def resolve(*, user: User, read_id: str, comment_id: str) -> Comment:
    """The reader has dealt with a comment, or its reviewer takes it back. Twice changes nothing."""
    read, rights = policies.read_and_rights_or_404(user, read_id)
    written = policies.comments_for(user, read).filter(public_id=comment_id).first()
    if written is None:
        raise Http404("There is no such comment, or it is not for you.")
    if not (rights.may_edit or rights.may_judge):
        raise PermissionDenied("Comments are resolved by the reader while they draw, or during review.")
    now = timezone.now()
    if Comment.objects.filter(pk=written.pk, resolved_at=None).update(resolved_at=now, resolved_by=user):
        written.resolved_at, written.resolved_by = now, user
        audit.record(user, "comment.resolved", written, read=read.pk)
        tell_read(read, {"type": "comment"})
    return written


def note_that_marks_were_seen(user: User, read: Read) -> None:
    """Whoever has seen someone's marks can't read that case blind any more: assignment asks for this line."""
    known = AuditRecord.objects.filter(
        actor=user, verb="read.marks_seen", object_type="read", object_id=read.pk
    )
    if not known.exists():
        audit.record(user, "read.marks_seen", read)


def _locked(user: User, read_id: str) -> Read:
    """The read under its lock, for someone who may judge it."""
    read, rights = policies.read_and_rights_or_404(user, read_id)
    if rights.capacity is policies.Capacity.READER:
        raise PermissionDenied("Nobody judges their own read.")
    locked = Read.objects.select_for_update(of=("self",)).select_related("case__project").get(pk=read.pk)
    # Assigning the case to this person meanwhile takes the right away, so it is asked again.
    policies.rights_on(user, locked)
    return locked


def last_review(read: Read) -> Review | None:
    """The latest verdict on the read."""
    if read.round == 1 and read.state != Read.State.ACCEPTED:
        return None  # no verdict yet
    reviews = Review.objects.filter(submission__read=read).select_related("by")
    return reviews.order_by("-submission__round").first()


def _is_own_verdict(user: User, read: Read, verdict: str, round: int) -> bool:
    given = Review.objects.filter(submission__read=read, submission__round=round, by=user, verdict=verdict)
    return given.exists()


def _has_open_comment(read: Read) -> bool:
    return Comment.objects.filter(read=read, round=read.round, resolved_at=None).exists()


def _pinned(read: Read, place: Place) -> dict[str, Any]:
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
