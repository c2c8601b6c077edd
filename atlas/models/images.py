"""The DICOM hierarchy below a dataset. UIDs are unique within an organisation, never across the node."""

from django.db import models

from accounts.fields import PublicIdField
from accounts.models import Organisation
from atlas.models.datasets import Dataset


class Subject(models.Model):
    """A pseudonymous person."""

    public_id = PublicIdField()
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="subjects")
    pseudonym = models.CharField(max_length=64)
    sex = models.CharField(max_length=1, blank=True, help_text="DICOM's M, F, O, or nothing")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pseudonym"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "pseudonym"], name="one_subject_per_pseudonym")
        ]
        indexes = [models.Index(fields=["pseudonym"], name="subjects_by_pseudonym")]  # PatientID=TCGA-*

    def __str__(self) -> str:
        return self.pseudonym


class Study(models.Model):
    """One visit to the scanner. Its home dataset decides its rules."""

    public_id = PublicIdField()
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="studies")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="studies")
    study_instance_uid = models.CharField(max_length=64)
    date = models.DateField(null=True)
    time = models.TimeField(null=True)
    description = models.CharField(max_length=64, blank=True)
    accession_number = models.CharField(max_length=16, blank=True)
    study_id = models.CharField(max_length=16, blank=True)
    age_years = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["date", "time", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "study_instance_uid"], name="one_study_per_uid")
        ]


class Series(models.Model):
    """One acquisition or one derived object. Its manifest describes a generation; a change makes the next."""

    class State(models.TextChoices):
        ARRIVING = "arriving", "Images may still arrive"
        READY = "ready", "Indexed, with manifest and thumbnail"
        BROKEN = "broken", "Its images could not be described"

    public_id = PublicIdField()
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="series")
    series_instance_uid = models.CharField(max_length=64)
    modality = models.CharField(max_length=16)
    number = models.IntegerField(null=True)
    description = models.CharField(max_length=64, blank=True)
    body_part = models.CharField(max_length=16, blank=True)
    manufacturer = models.CharField(max_length=64, blank=True)
    model_name = models.CharField(max_length=64, blank=True)
    slice_thickness_mm = models.FloatField(null=True)
    pixel_spacing_mm = models.FloatField(null=True, help_text="The larger of rows' and columns'")
    frame_of_reference_uid = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ARRIVING)
    changed_at = models.DateTimeField(help_text="When an image last arrived; a series rests when this is old")
    generation = models.PositiveIntegerField(default=0, help_text="0 before the first manifest")
    instance_count = models.PositiveIntegerField(default=0)
    frame_count = models.PositiveIntegerField(default=0, help_text="Frames that can be shown")
    manifest_key = models.CharField(max_length=200, blank=True, help_text="Object with the gzipped manifest")
    thumbnail_key = models.CharField(max_length=200, blank=True)
    metadata_key = models.CharField(
        max_length=200, blank=True, help_text="Object with the gzipped DICOM JSON of its instances"
    )
    pack_key = models.CharField(max_length=200, blank=True, help_text="Its ZIP pack; empty while loose")
    findings = models.JSONField(default=list, help_text="[{code, sentence, spoils}] of the quality gate")
    summary = models.JSONField(
        null=True,
        help_text="What hanging asks of it (atlas.dicom.summary); null: sealed before there was one",
    )

    class Meta:
        ordering = ["number", "id"]
        verbose_name_plural = "series"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "series_instance_uid"], name="one_series_per_uid")
        ]
        indexes = [
            models.Index(fields=["state", "changed_at"], name="series_that_rest"),
            models.Index(fields=["study", "modality", "id"], name="series_of_study"),
        ]


class Generation(models.Model):
    """What a series was: the objects of one of its manifests, kept while addresses to it may be in use."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="generations")
    number = models.PositiveIntegerField()
    manifest_key = models.CharField(max_length=200)
    thumbnail_key = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["series", "number"]
        constraints = [models.UniqueConstraint(fields=["series", "number"], name="one_row_per_generation")]


class Instance(models.Model):
    """One stored DICOM object: the bytes [object_offset, object_offset + size) of an object, which is a file
    of its own while the series is loose and the series' pack afterwards."""

    class Hold(models.TextChoices):
        """Why an image is kept from everybody but those who look after the dataset."""

        NONE = "", "Not held"
        CHECKING = "checking", "Waits for the search for text in its pixels"
        TEXT = "text", "Text was found in its pixels"
        UNCHECKED = "unchecked", "Its pixels could not be searched for text"
        PAINTING = "painting", "Text in its pixels is being blacked out"
        KEPT = "kept", "Kept back by a person"

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="instances")
    sop_instance_uid = models.CharField(max_length=64)
    sop_class_uid = models.CharField(max_length=64)
    transfer_syntax_uid = models.CharField(max_length=64)
    instance_number = models.IntegerField(null=True)
    number_of_frames = models.PositiveIntegerField(default=0, help_text="0: nothing to show")
    original_sha256 = models.CharField(max_length=64, help_text="Of the bytes that arrived")
    stored_sha256 = models.CharField(max_length=64, help_text="Of the bytes in storage")
    size = models.PositiveBigIntegerField(help_text="Bytes in storage")
    object_key = models.CharField(max_length=200)
    object_offset = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveIntegerField(null=True)
    columns = models.PositiveIntegerField(null=True)
    bits_allocated = models.PositiveSmallIntegerField(null=True)
    hold = models.CharField(max_length=10, choices=Hold.choices, default=Hold.NONE, blank=True)
    text_boxes = models.JSONField(
        default=list, help_text="[{frame, column, row, columns, rows, score}] of text found; never the text"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "sop_instance_uid"], name="one_instance_per_uid")
        ]
        indexes = [models.Index(fields=["hold"], condition=~models.Q(hold=""), name="held_instances")]
