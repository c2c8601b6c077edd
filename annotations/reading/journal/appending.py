"""Appending edits: the one place where marks change."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from annotations.models import Annotation, Edit, MaskPlane, ParkedEdit, Read
from annotations.reading import leases, policies
from annotations.reading.broadcasts import announce_read, tell_read
from annotations.reading.journal.answers import annotation_of, check_answer, is_answer
from annotations.reading.journal.gestures import value_of
from annotations.reading.journal.mapping import Mapper, Undecided, mapper_to, versions_by_group
from annotations.reading.journal.scope import Scope
from annotations.reading.journal.sent import ObjectKey, Refused, SentEdit, edit_id, is_storable, parse
from annotations.reading.journal.values import check_annotation, check_plane
from annotations.reading.trail.drawn import note_marked

EDITS_MAX = 1000  # of one batch
REASON_LENGTH_MAX = 200
STALE = "This was changed elsewhere since you last saw it. Your change is kept aside."

type Result = dict[str, Any]


@transaction.atomic
def append(
    *, user: User, read_id: str, edits: list[dict[str, Any]], tab: str = ""
) -> tuple[list[Result], int]:
    """Take a batch in order, and answer for each edit what became of it; then the last edit's number.

    `edits` are as the API describes them, each with a UUID as `id`. Statuses: applied, duplicate (an id that
    was taken before), conflict (the object changed since it was seen), parked (the read can't be edited now),
    refused. What isn't applied is kept aside. Raises Http404 or PermissionDenied for anyone but the reader,
    ValueError for an edit without an id.
    """
    read = policies.own_read_or_404(user, read_id, lock=True, though_set_aside=True)
    batch = _Batch(read, user, edits)
    results = [batch.take(raw) for raw in edits]
    batch.write()
    if batch.edits:
        note_marked(user, read, edit_number=batch.edits[0].number)
        tell_read(read, {"type": "edits", "number": batch.number, "tab": tab})
    return results, batch.number


class _Batch:
    """One batch under the lock of its read: what was there, what is new, what is kept aside."""

    def __init__(self, read: Read, user: User, raws: list[dict[str, Any]]) -> None:
        self.read = read
        self.user = user
        self.number = read.last_edit_number
        self.edits: list[Edit] = []
        self.parked: list[ParkedEdit] = []
        self.known = self._known([_id(raw) for raw in raws])
        self.sent: dict[UUID, SentEdit] = {}
        self.wrong: dict[UUID, str] = {}
        for raw in raws:
            self._parse(raw)
        sent = list(self.sent.values())
        self.annotations: dict[UUID, Annotation] = {}
        self.planes: dict[ObjectKey, MaskPlane] = {}
        if sent and self.is_editable:
            self.scope = Scope(read, sent)
            self._load(sent)
        self.changed: dict[ObjectKey, Annotation | MaskPlane] = {}
        self.mapper: Mapper | None = None

    @property
    def is_editable(self) -> bool:
        return self.read.state in Read.EDITABLE

    def _known(self, ids: list[UUID]) -> dict[UUID, tuple[int, int]]:
        found = Edit.objects.filter(read=self.read, edit_id__in=ids)
        return {
            known: (number, version)
            for known, number, version in found.values_list("edit_id", "number", "version")
        }

    def _parse(self, raw: dict[str, Any]) -> None:
        identity = _id(raw)
        if identity in self.known:
            return
        try:
            self.sent.setdefault(identity, parse(raw))
        except Refused as reason:
            self.wrong.setdefault(identity, str(reason))

    def _load(self, sent: list[SentEdit]) -> None:
        ids = {edit.annotation_id for edit in sent}
        ids |= {about for edit in sent if (about := annotation_of(edit.value)) is not None}
        for annotation in Annotation.objects.filter(read=self.read, annotation_id__in=ids):
            self.annotations[annotation.annotation_id] = annotation
        on = {edit.sop_instance_uid for edit in sent if edit.is_plane}
        if on:
            planes = MaskPlane.objects.filter(read=self.read, annotation_id__in=ids, sop_instance_uid__in=on)
            for plane in planes:
                self.planes[plane.annotation_id, plane.sop_instance_uid, plane.frame_number] = plane

    # One edit -----------------------------------------------------------------------------------

    def take(self, raw: dict[str, Any]) -> Result:
        identity = _id(raw)
        if identity in self.known:
            number, version = self.known[identity]
            return _result(identity, "duplicate", number=number, version=version)
        if not self.is_editable:
            reason = f"This read is {self.read.get_state_display().lower()}: it can't be changed now."
            self._keep_aside(raw, reason)
            return _result(identity, "parked", reason=reason)
        try:
            if identity in self.wrong:
                raise Refused(self.wrong[identity])
            return self._apply(self.sent[identity], raw)
        except Refused as reason:
            self._keep_aside(raw, str(reason))
            return _result(identity, "refused", reason=str(reason))

    def _apply(self, edit: SentEdit, raw: dict[str, Any]) -> Result:
        present = self.planes.get(edit.key) if edit.is_plane else self.annotations.get(edit.annotation_id)
        version = present.version if present else 0
        if edit.seen != version and not self._only_labels_changed(edit, version):
            self._keep_aside(raw, STALE)
            current = value_of(present) if present else None
            return _result(edit.id, "conflict", version=version, current=current, reason=STALE)
        row = self._changed_plane(edit, present) if edit.is_plane else self._changed_mark(edit, present)
        row.version = version + 1
        self.changed[edit.key] = row
        self.number += 1
        self.edits.append(self._edit(edit, row))
        self.known[edit.id] = (self.number, row.version)
        result = _result(edit.id, "applied", number=self.number, version=row.version)
        if isinstance(row, Annotation) and row.value != edit.value:
            result["value"] = row.value  # the labels changed since the page was told
        return result

    def _only_labels_changed(self, edit: SentEdit, version: int) -> bool:
        """Whether all that happened to the mark since the page saw it is that the read's labels changed."""
        if edit.is_plane or edit.seen > version or self.read.schema.version <= 1:
            return False
        since = Edit.objects.filter(
            read=self.read, annotation_id=edit.annotation_id, frame_number=0, version__gt=edit.seen
        )
        groups = list(since.values_list("group", flat=True))
        return len(groups) == version - edit.seen and set(groups) <= set(versions_by_group(self.read))

    def _changed_mark(self, edit: SentEdit, present: Any) -> Annotation:
        value = edit.value
        if value is not None:
            value = self._as_asked_now(edit, value)
            if is_answer(value):
                marks = {key for key, row in self.annotations.items() if not is_answer(row.value)}
                check_answer(edit.annotation_id, value, marks, self.scope, is_new=present is None)
            else:
                check_annotation(value, self.scope, keeps_label=_keeps_label(value, present))
            self._check_kept(value, present)
        elif present is None:
            raise Refused("There is no such mark to delete.")
        row = present or Annotation(read=self.read, annotation_id=edit.annotation_id)
        row.schema_id = self.read.schema_id
        row.value = value
        self.annotations[edit.annotation_id] = row
        return row

    def _as_asked_now(self, edit: SentEdit, value: dict[str, Any]) -> dict[str, Any]:
        """In the words of the read's labels, where the page wrote it in those of an earlier version."""
        if self.read.schema.version <= 1 or self.scope.asks(value):
            return value
        self.mapper = self.mapper or mapper_to(self.read.schema)
        try:
            if not is_answer(value):
                found = self.mapper.mark(value)
            else:
                identity, found = self.mapper.answer(value) or (edit.annotation_id, None)
                found = found if identity == edit.annotation_id else None
        except (Undecided, KeyError, TypeError, AttributeError):
            return value  # refused below, with what is wrong
        if found is None:
            raise Refused("The project's labels changed: what this was marked with is no longer used.")
        return found

    def _check_kept(self, value: dict[str, Any], present: Any) -> None:
        """A mark stays on its series and of its kind, or its slices and history would lose their meaning."""
        before = present.value if present else None
        if before and is_answer(before) != is_answer(value):
            raise Refused("A mark stays a mark, and an answer an answer.")
        if (
            before
            and not is_answer(before)
            and (before["kind"], before["series"]) != (value["kind"], value["series"])
        ):
            raise Refused("A mark keeps its kind and its series: delete it and draw another.")

    def _changed_plane(self, edit: SentEdit, present: Any) -> MaskPlane:
        segment = self.annotations.get(edit.annotation_id)
        if segment is None or is_answer(segment.value):
            raise Refused("The segment of this slice isn't in this read.")
        row = present
        if edit.plane is None:
            if row is None:
                raise Refused("There are no voxels to delete.")
            row.runs = None
            return row
        kept = check_plane(edit.plane, edit.sop_instance_uid, edit.frame_number, segment.value, self.scope)
        row = row or MaskPlane(
            read=self.read,
            annotation_id=edit.annotation_id,
            sop_instance_uid=edit.sop_instance_uid,
            frame_number=edit.frame_number,
        )
        row.runs = kept.runs if kept else None
        row.rows, row.columns = edit.plane.rows, edit.plane.columns
        self.planes[edit.key] = row
        return row

    def _edit(self, edit: SentEdit, row: Any) -> Edit:
        return Edit(
            read=self.read,
            number=self.number,
            edit_id=edit.id,
            group=edit.group,
            inverts=edit.inverts,
            by=self.user,
            annotation_id=edit.annotation_id,
            sop_instance_uid=edit.sop_instance_uid,
            frame_number=edit.frame_number,
            version=row.version,
            value=None if edit.is_plane else row.value,
            runs=row.runs if edit.is_plane else None,
            rows=row.rows if edit.is_plane else None,
            columns=row.columns if edit.is_plane else None,
            drawn_at=edit.drawn_at,
        )

    def _keep_aside(self, raw: dict[str, Any], reason: str) -> None:
        if is_storable(raw):
            self.parked.append(
                ParkedEdit(
                    read=self.read,
                    edit_id=_id(raw),
                    by=self.user,
                    reason=reason[:REASON_LENGTH_MAX],
                    body=raw,
                )
            )

    # All of them --------------------------------------------------------------------------------

    def write(self) -> None:
        """At most five statements, however many edits."""
        if self.parked:
            ParkedEdit.objects.bulk_create(self.parked, ignore_conflicts=True)
        if not self.edits:
            return
        Edit.objects.bulk_create(self.edits)
        marks = [row for row in self.changed.values() if isinstance(row, Annotation)]
        planes = [row for row in self.changed.values() if isinstance(row, MaskPlane)]
        _project(marks, ["read", "annotation_id"], ["version", "value", "schema"])
        _project(
            planes,
            ["read", "annotation_id", "sop_instance_uid", "frame_number"],
            ["version", "runs", "rows", "columns"],
        )
        leases.keep(self.user, self.read)
        now = timezone.now()
        present: dict[str, Any] = {"last_edit_number": self.number, "changed_at": now}
        if self.read.state == Read.State.ASSIGNED:
            present |= {"state": Read.State.IN_PROGRESS, "opened_at": self.read.opened_at or now}
        Read.objects.filter(pk=self.read.pk).update(**present)
        if "state" in present:
            self.read.state = present["state"]
            announce_read(self.read)


def _keeps_label(value: dict[str, Any], present: Any) -> bool:
    """Whether the mark was so before; one that was deleted is brought back by an undo."""
    if present is None:
        return False
    before = present.value
    return before is None or (before.get("label"), before.get("kind")) == (
        value.get("label"),
        value.get("kind"),
    )


def _project(rows: list[Any], unique_fields: list[str], update_fields: list[str]) -> None:
    if not rows:
        return
    for row in rows:
        row.pk = None  # one INSERT … ON CONFLICT DO UPDATE for new and known rows alike
    type(rows[0]).objects.bulk_create(
        rows, update_conflicts=True, unique_fields=unique_fields, update_fields=update_fields
    )


def _id(raw: dict[str, Any]) -> UUID:
    identity = edit_id(raw)
    if identity is None:
        raise ValueError("Every edit has a UUID as its `id`.")
    return identity


def _result(identity: UUID, status: str, **more: Any) -> Result:
    return {"id": str(identity), "status": status} | more
