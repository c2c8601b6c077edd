"""Marks that came with the images: what someone else drew elsewhere, with where it is from."""

from django.db import models

from accounts.fields import PublicIdField
from atlas.models import Project, Series


class DerivedObject(models.Model):
    """What became of one object about images: SEG, RTSTRUCT, SR or PR."""

    class Kind(models.TextChoices):
        SEGMENTATION = "segmentation", "Segmentation"
        STRUCTURE_SET = "structure_set", "Structure set"
        REPORT = "report", "Measurement report"
        PRESENTATION = "presentation", "Presentation state"

    class State(models.TextChoices):
        SHOWN = "shown", "Shown on images"
        WAITING = "waiting", "Not shown: images or what it refers to are missing, or can't be told"
        UNREADABLE = "unreadable", "Kept as it came; it can't be read"

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="derived_objects")
    sop_instance_uid = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    is_settled = models.BooleanField(default=False, help_text="No image that arrives changes what it shows")
    sentence = models.CharField(max_length=1000, blank=True, help_text="What became of it, for people")
    windows = models.JSONField(
        default=list, help_text="[{center, width, series, images}] of a presentation state; UIDs of series"
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["series", "sop_instance_uid"], name="derived_object_once")
        ]


class ImportedSegment(models.Model):
    """One segment of a SEG, or one region of an RTSTRUCT, on the image series it was drawn on; or what a
    model's prediction became."""

    public_id = PublicIdField()
    project = models.ForeignKey(
        Project,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="Whose readers are offered it; null: it came with the images, so everybody who reads them",
    )
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="imported_segments")
    source_series = models.ForeignKey(
        Series, on_delete=models.CASCADE, related_name="+", help_text="The series that it came in"
    )
    source_sop_instance_uid = models.CharField(max_length=64)
    segment_number = models.PositiveIntegerField(help_text="As in the SEG; regions count from 1")
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


class ImportedMark(models.Model):
    """One shape of a report, a structure set or a presentation state, on one frame of an image series."""

    public_id = PublicIdField()
    derived = models.ForeignKey(DerivedObject, on_delete=models.CASCADE, related_name="marks")
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="imported_marks")
    number = models.PositiveIntegerField(help_text="Counts from 1 in what it came in")
    kind = models.CharField(max_length=16, help_text="length, bidirectional, ellipse, polygon, point or line")
    label = models.CharField(max_length=64, blank=True)
    type_code = models.JSONField(null=True, help_text="{value, scheme, meaning}")
    origin = models.CharField(max_length=300, help_text="A sentence: where it is from")
    place = models.JSONField(
        help_text="As marks of the journal: sop, frame, frame_of_reference, points_patient_mm or points_image"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["derived", "number"]
        constraints = [
            models.UniqueConstraint(fields=["derived", "number"], name="imported_mark_once"),
        ]


class ImportedMeasurement(models.Model):
    """One group of numbers of a report: about segments, marks, or an image series as a whole."""

    derived = models.ForeignKey(DerivedObject, on_delete=models.CASCADE, related_name="measurements")
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="imported_measurements")
    segments = models.ManyToManyField(ImportedSegment, related_name="measurements")
    marks = models.ManyToManyField(ImportedMark, related_name="measurements")
    number = models.PositiveIntegerField(help_text="The group's, from 1 in its report")
    label = models.CharField(max_length=64)
    tracking_uid = models.CharField(max_length=64, blank=True, help_text="The same lesion at other times")
    finding_code = models.JSONField(null=True, help_text="{value, scheme, meaning}")
    site_code = models.JSONField(null=True, help_text="{value, scheme, meaning}")
    numbers = models.JSONField(default=list, help_text="[{name, value, unit, derivation, code}], as reported")
    origin = models.CharField(max_length=300, help_text="A sentence: where it is from")

    class Meta:
        ordering = ["derived", "number"]
        constraints = [
            models.UniqueConstraint(fields=["derived", "number"], name="imported_measurement_once"),
        ]
