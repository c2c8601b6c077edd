"""The JSON of what follows a submission: verdict, comments, what changed since, incidental findings."""

import base64
from typing import Any

from accounts.models import User
from annotations.models import Comment, IncidentalFinding, Read
from annotations.reading import policies
from annotations.reading.diff import AnswerChange, Diff, MarkChange, PlaneChange, Round
from annotations.reading.incidental import own_findings
from annotations.reading.review import last_review


def review_json(user: User, read: Read) -> dict[str, Any]:
    """What a read's JSON says of its reviews: a fixed number of queries."""
    return {
        "review": _verdict_json(read),
        "comments": [comment_json(comment) for comment in policies.comments_for(user, read)],
        "incidental": [incidental_json(found) for found in own_findings(user, read)],
    }


def _verdict_json(read: Read) -> dict[str, Any] | None:
    """The latest verdict: what the reader must know of a read that came back."""
    review = last_review(read)
    if review is None:
        return None
    return {
        "verdict": review.verdict,
        "reasons": review.reasons,
        "text": review.text,
        "author": review.by.display_name,
        "at": review.at,
    }


def comment_json(comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.public_id,
        "number": comment.number,
        "round": comment.round,
        "reply_to": comment.reply_to.public_id if comment.reply_to else None,
        "text": comment.text,
        "author": comment.by.display_name,
        "at": comment.at,
        **_place_json(comment),
        "resolved": comment.resolved_at is not None,
    }


def incidental_json(found: IncidentalFinding) -> dict[str, Any]:
    """For whoever told: what they wrote, and what came of it."""
    return {
        "id": found.public_id,
        "study": found.study.public_id,
        "text": found.text,
        "urgent": found.urgent,
        "at": found.at,
        **_place_json(found),
        "seen_at": found.seen_at,
        "answer": found.answer,
        "answered_by": found.answered_by.display_name if found.answered_by else None,
        "answered_at": found.answered_at,
    }


def _place_json(pinned: Comment | IncidentalFinding) -> dict[str, Any]:
    return {
        "series": pinned.series.public_id if pinned.series else None,
        "sop": pinned.sop_instance_uid or None,
        "frame": pinned.frame_number,
        "point_patient_mm": pinned.point_patient_mm,
        "point_image": pinned.point_image,
    }


# What changed -----------------------------------------------------------------------------------


def diff_json(found: Diff) -> dict[str, Any]:
    return {
        "from": _round_json(found.since),
        "rounds": [_round_json(one) for one in found.rounds],
        "number": found.to_edit,
        "unchanged": found.unchanged,
        "marks": [_mark_json(change) for change in found.marks],
        "answers": [_answer_json(change) for change in found.answers],
    }


def _round_json(one: Round) -> dict[str, Any]:
    return {"round": one.number, "at": one.at.isoformat(), "number": one.edit_number}


def _mark_json(change: MarkChange) -> dict[str, Any]:
    return {
        "annotation": str(change.annotation_id),
        "what": change.what,
        "before": change.before,
        "after": change.after,
        "changed": change.fields,
        "voxels": {
            "added": change.voxels.added,
            "removed": change.voxels.removed,
            "kept": change.voxels.kept,
        },
        "numbers": {"before": change.numbers_before, "after": change.numbers_after},
        "answers": [_answer_json(answer) for answer in change.answers],
        "planes": [_plane_json(plane) for plane in change.planes],
    }


def _answer_json(change: AnswerChange) -> dict[str, Any]:
    return {
        "answer": change.question,
        "of": change.of,
        "id": change.about,
        "before": change.before,
        "after": change.after,
    }


def _plane_json(plane: PlaneChange) -> dict[str, Any]:
    return {
        "sop": plane.sop_instance_uid,
        "frame": plane.frame_number,
        "rows": plane.rows,
        "columns": plane.columns,
        "added": base64.b64encode(plane.added).decode() if plane.added else None,
        "removed": base64.b64encode(plane.removed).decode() if plane.removed else None,
    }
