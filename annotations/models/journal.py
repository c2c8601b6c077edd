"""The journal: every change to a read, and the present state that follows from it.

`Edit` is the truth and is only ever appended to. `Annotation` and `MaskPlane` are its projection: the
present value of each object. The key of an edit's object is the annotation's UUID, for a mask plane
followed by SOP Instance UID and frame.
"""

from django.db import models
from django.db.models import Q

from annotations.models.cases import LabelSchema, Read


class Edit(models.Model):
    """One acknowledged change. `number` counts from 1 within the read, without gaps."""

    read = models.ForeignKey(Read, on_delete=models.CASCADE, related_name="edits")
    number = models.PositiveIntegerField()
    edit_id = models.UUIDField(help_text="Made by the browser: sending twice changes nothing")
    group = models.UUIDField(help_text="One gesture")
    inverts = models.UUIDField(null=True, help_text="The group that this one undoes")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    annotation_id = models.UUIDField()
    sop_instance_uid = models.CharField(max_length=64, blank=True, help_text="Of a mask plane")
    frame_number = models.PositiveIntegerField(default=0, help_text="From 1 for a mask plane, else 0")
    version = models.PositiveIntegerField(help_text="Of the object after this edit")
    value = models.JSONField(null=True, help_text="Of the annotation after this edit; null: deleted")
    runs = models.BinaryField(null=True, help_text="Of the plane after this edit; null: no voxel")
    rows = models.PositiveIntegerField(null=True)
    columns = models.PositiveIntegerField(null=True)
    drawn_at = models.DateTimeField(help_text="By the browser's clock")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["read", "number"], name="edits_are_numbered"),
            models.UniqueConstraint(fields=["read", "edit_id"], name="edits_are_idempotent"),
        ]
        indexes = [
            models.Index(
                fields=["read", "annotation_id", "sop_instance_uid", "frame_number", "number"],
                name="history_of_an_object",
            )
        ]


class ParkedEdit(models.Model):
    """An edit that could not be applied: stale, or too late. Kept so that nothing drawn is lost."""

    read = models.ForeignKey(Read, on_delete=models.CASCADE, related_name="parked_edits")
    edit_id = models.UUIDField()
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    body = models.JSONField(help_text="The edit as it was sent")
    recorded_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, help_text="The reader took it in after all, or left it out")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["read", "edit_id"], name="parked_once")]


class Annotation(models.Model):
    """The present value of one mark or answer of one read. What was deleted keeps its row, `value` null."""

    read = models.ForeignKey(Read, on_delete=models.CASCADE, related_name="annotations")
    annotation_id = models.UUIDField()
    schema = models.ForeignKey(LabelSchema, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField()
    value = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["read", "annotation_id"], name="annotation_once_in_a_read")
        ]


class MaskPlane(models.Model):
    """The present voxels of one segment on one frame: a run-length encoded bit plane."""

    read = models.ForeignKey(Read, on_delete=models.CASCADE, related_name="mask_planes")
    annotation_id = models.UUIDField()
    sop_instance_uid = models.CharField(max_length=64)
    frame_number = models.PositiveIntegerField(help_text="From 1")
    version = models.PositiveIntegerField()
    runs = models.BinaryField(null=True, help_text="Null: no voxel")
    rows = models.PositiveIntegerField()
    columns = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["read", "annotation_id", "sop_instance_uid", "frame_number"],
                name="plane_once_in_a_read",
            ),
            models.CheckConstraint(condition=Q(frame_number__gte=1), name="frames_count_from_one"),
        ]
