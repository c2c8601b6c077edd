"""A draft of the next version: written bit by bit, looked at with what it would change, then put into use."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from accounts import audit, permissions
from accounts.models import User
from annotations.models import LabelSchema
from annotations.reading.journal.mapping import KEEP
from annotations.reading.schemas.changes import Change, Content, changes_between, to_decide
from annotations.reading.schemas.counting import Holdings, holdings
from annotations.reading.schemas.moving import MOVE_READS, behind, move_reads
from annotations.reading.schemas.versions import (
    Known,
    checked_content,
    known_versions,
    require_seen,
    taken_into_use,
)
from atlas.models import Project

audit.register("schema.drafted", "schema.draft_discarded")

MOVED_AT_ONCE_MAX = 20  # more of them are a job's work
NO_DRAFT = "There is no draft any more: it was put into use, or discarded."


def stamp(draft: LabelSchema | None) -> str:
    """Tells one state of a draft from the next."""
    return draft.created_at.isoformat() if draft else ""


@transaction.atomic
def save_draft(
    *,
    by: User,
    project: Project,
    labels: Sequence[dict[str, Any]],
    questions: Sequence[dict[str, Any]] | None,
    seen_version: int,
    seen_draft: str = "",
    new_keys: Iterable[str] = (),
) -> LabelSchema | None:
    """Keep labels and questions as the draft of the next version, in place of the draft there is.

    Returns None, and keeps no draft, where nothing differs from the version in use. Raises ValidationError as
    `write_schema` does, and where someone changed the draft since `seen_draft`.
    """
    permissions.require(by, "manage_project", project)
    known = known_versions(project)
    checked, asked = checked_content(known, labels, questions, new_keys)
    current = known.current
    is_same = current is not None and checked == current.labels and asked == current.questions
    if is_same and known.draft is None:
        return None
    require_seen(known, seen_version)
    if seen_draft != stamp(known.draft):
        raise ValidationError(
            "The draft was changed or put into use by someone else meanwhile. Open it, and make your change "
            "there."
        )
    if is_same and known.draft is not None:
        _discard(by, known.draft)
        return None
    draft, _ = LabelSchema.objects.update_or_create(
        project=project,
        is_draft=True,
        defaults={
            "version": known.number + 1,
            "labels": checked,
            "questions": asked,
            "created_by": by,
            "created_at": timezone.now(),
        },
    )
    draft.created_at = timezone.now()  # auto_now_add speaks of the first time only
    draft.save(update_fields=["created_at"])
    audit.record(by, "schema.drafted", project, version=draft.version)
    return draft


@transaction.atomic
def discard_draft(*, by: User, project: Project) -> bool:
    """Throw the draft away. Returns whether there was one."""
    permissions.require(by, "manage_project", project)
    draft = known_versions(project).draft
    if draft is None:
        return False
    _discard(by, draft)
    return True


def _discard(by: User, draft: LabelSchema) -> None:
    audit.record(by, "schema.draft_discarded", draft.project, version=draft.version)
    draft.delete()


def changes_of(current: LabelSchema | None, draft: LabelSchema) -> list[Change]:
    before = Content(current.labels, current.questions) if current else Content((), ())
    return changes_between(before, Content(draft.labels, draft.questions))


@transaction.atomic
def put_into_use(
    *,
    by: User,
    project: Project,
    seen_draft: str,
    decisions: Mapping[str, str] | None = None,
    move_open: bool = True,
) -> tuple[LabelSchema, int]:
    """Make the draft the version in use.

    `decisions` says what becomes of marks and answers that it no longer takes: see `journal.mapping`. With
    `move_open` the open reads follow it, at once or, where they are many, by a job; without, those begun keep
    their version. Returns the version, and how many unopened reads follow it.

    Raises ValidationError where the draft changed since `seen_draft`, and by the name of each decision that
    is impossible, or missing though open reads that this person may know of hold something of the kind. Where
    nobody decided, a read stays at its version.
    """
    permissions.require(by, "manage_project", project)
    known = known_versions(project)
    draft = known.draft
    if draft is None:
        raise ValidationError(NO_DRAFT)
    if seen_draft != stamp(draft):
        raise ValidationError("The draft was changed by someone else meanwhile. Look at it again.")
    held = holdings(by, project) if move_open else None
    decided = _checked_decisions(to_decide(changes_of(known.current, draft)), decisions or {}, held)
    _retire(known, draft, decided)
    draft.version = known.number + 1
    draft.is_draft, draft.mapping, draft.created_by = False, decided, by
    draft.save(update_fields=["version", "is_draft", "mapping", "created_by", "labels", "questions"])
    moved = taken_into_use(by, draft)
    if move_open:
        _move_open(draft, by)
    return draft, moved


def _checked_decisions(
    changes: Sequence[Change], decisions: Mapping[str, str], held: Holdings | None
) -> dict[str, str]:
    problems, decided = {}, {}
    for change in changes:
        choice = decisions.get(change.decision, "")
        if choice in {one.value for one in change.choices}:
            decided[change.decision] = choice
        elif choice or (held is not None and held.of(change).things):
            problems[change.decision] = "Say what becomes of these."
    if problems:
        raise ValidationError(problems)
    return decided


def _retire(known: Known, draft: LabelSchema, decided: Mapping[str, str]) -> None:
    """What is kept though it was removed stays in the version, where nothing new is said with it."""
    if known.current is None:
        return
    for entries, name in ((known.current.labels, "label"), (known.current.questions, "question")):
        into = draft.labels if name == "label" else draft.questions
        there = {entry["key"] for entry in into}
        for entry in entries:
            kept = decided.get(f"{name}:{entry['key']}") == KEEP or entry.get("retired")
            if kept and entry["key"] not in there:
                into.append(dict(entry) | {"required": False, "retired": True})
                if name == "question":
                    into[-1]["when"] = None


@transaction.atomic
def move_those_behind(*, by: User, project: Project) -> bool:
    """Have the open reads that follow an earlier version follow the one in use, as far as decided. Returns
    whether that is done; else a job does it."""
    permissions.require(by, "manage_project", project)
    current = known_versions(project).current
    return current is None or _move_open(current, by)


def _move_open(schema: LabelSchema, by: User) -> bool:
    if behind(schema).count() > MOVED_AT_ONCE_MAX:
        app.configure_task(MOVE_READS).defer(schema_id=schema.pk, by_id=by.pk)
        return False
    move_reads(schema.pk, by.pk)
    return True
