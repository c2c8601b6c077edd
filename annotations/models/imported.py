"""Marks that came with the images: what someone else drew elsewhere, with where it is from."""

from django.db import models

from accounts.fields import PublicIdField
from atlas.models import Series


class ImportedSegment(models.Model):
    """One segment of an imported DICOM SEG, on the image series it was drawn on."""

    public_id = PublicIdField()
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="imported_segments")
    source_series = models.ForeignKey(
        Series, on_delete=models.CASCADE, related_name="+", help_text="The SEG series it came in"
    )
    source_sop_instance_uid = models.CharField(max_length=64)
    segment_number = models.PositiveIntegerField(help_text="From 1, as in the SEG")
    label = models.CharField(max_length=64)
    category_code = models.JSONField(null=True, help_text="{value, scheme, meaning}")
    type_code = models.JSONField(null=True, help_text="{value, scheme, meaning}")
    origin = models.CharField(max_length=300, help_text="A sentence: where it is from")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["segment_number"]
        constraints = [
            models.UniqueConstraint(
                fields=["source_series", "source_sop_instance_uid", "segment_number"],
                name="segment_imported_once",
            )
        ]


class ImportedPlane(models.Model):
    """The voxels of an imported segment on one frame, in the journal's run-length encoding."""

    segment = models.ForeignKey(ImportedSegment, on_delete=models.CASCADE, related_name="planes")
    sop_instance_uid = models.CharField(max_length=64)
    frame_number = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    columns = models.PositiveIntegerField()
    runs = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "sop_instance_uid", "frame_number"], name="imported_plane_once"
            )
        ]
