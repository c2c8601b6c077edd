"""Versions of a project's labels: each change makes a new one; no version ever changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet

from accounts import audit, permissions
from accounts.models import User
from annotations.models import LabelSchema, Read
from annotations.reading.projects import untouched_reads
from annotations.reading.schemas.labels import checked_both
from atlas.models import Project

audit.register("schema.written")


def schemas_of(project: Project) -> QuerySet[LabelSchema]:
    """All versions that are or were in use, newest first."""
    return LabelSchema.objects.filter(project=project, is_draft=False).select_related("created_by")


def current_schema(project: Project) -> LabelSchema | None:
    """The version in use; a draft is none."""
    return LabelSchema.objects.filter(project=project, is_draft=False).order_by("-version").first()


def draft_of(project: Project) -> LabelSchema | None:
    """What is written and not yet in use."""
    return LabelSchema.objects.filter(project=project, is_draft=True).select_related("created_by").first()


@dataclass(frozen=True)
class Known:
    """All versions of a project, under its lock: what is in use, the draft, and the keys that are taken."""

    current: LabelSchema | None
    draft: LabelSchema | None
    label_keys: set[str]
    question_keys: set[str]

    @property
    def number(self) -> int:
        return self.current.version if self.current else 0


def known_versions(project: Project) -> Known:
    """Locks the project: versions are written one after another."""
    Project.objects.select_for_update().get(pk=project.pk)
    versions = list(LabelSchema.objects.filter(project=project).order_by("version"))
    in_use = [version for version in versions if not version.is_draft]
    return Known(
        current=in_use[-1] if in_use else None,
        draft=next((version for version in versions if version.is_draft), None),
        label_keys={label["key"] for version in versions for label in version.labels},
        question_keys={question["key"] for version in versions for question in version.questions},
    )


def require_seen(known: Known, seen_version: int) -> None:
    """Raises ValidationError where a version was written since."""
    if seen_version != known.number:
        raise ValidationError(
            f"Version {known.number} was written by someone else meanwhile. "
            "Open it, and make your change there."
        )


def checked_content(
    known: Known,
    labels: Sequence[dict[str, Any]],
    questions: Sequence[dict[str, Any]] | None,
    new_keys: Iterable[str] = (),
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Labels and questions as they are kept. `new_keys` may be used besides those the project knows."""
    if questions is None:
        questions = known.current.questions if known.current else []
    brought = set(new_keys)
    return checked_both(labels, known.label_keys | brought, questions, known.question_keys | brought)


@transaction.atomic
def write_schema(
    *,
    by: User,
    project: Project,
    labels: Sequence[dict[str, Any]],
    seen_version: int,
    questions: Sequence[dict[str, Any]] | None = None,
) -> tuple[LabelSchema, int]:
    """Make the next version from a whole list of labels: {key, name, color, kinds, code, required}.

    `questions` are as `reading.questions` describes them; without, those of the current version stay. A label
    or question with an empty key is new and gets one that no version has used. Reads that nobody has opened
    move to the new version; all others keep theirs: `drafts.put_into_use` moves them as well. Returns the
    version and how many reads moved. What doesn't differ from the current version makes none: the current one
    comes back.

    Raises ValidationError, with one entry a label or question at fault ("0.name": …, "q0.text": …), or where
    someone else wrote a version since `seen_version`.
    """
    permissions.require(by, "manage_project", project)
    known = known_versions(project)
    checked, asked = checked_content(known, labels, questions)
    if known.current is not None and checked == known.current.labels and asked == known.current.questions:
        return known.current, 0
    require_seen(known, seen_version)
    LabelSchema.objects.filter(project=project, is_draft=True).update(version=F("version") + 1)
    schema = LabelSchema.objects.create(
        project=project, version=seen_version + 1, labels=checked, questions=asked, created_by=by
    )
    return schema, taken_into_use(by, schema)


def taken_into_use(by: User, schema: LabelSchema) -> int:
    """Reads that nobody has opened follow the new version from the start. Returns how many."""
    untouched = untouched_reads().filter(case__project=schema.project_id, kind=Read.Kind.READ)
    moved = untouched.update(schema=schema)
    audit.record(
        by,
        "schema.written",
        schema,
        version=schema.version,
        labels=len(schema.labels),
        questions=len(schema.questions),
        moved=moved,
    )
    return moved
