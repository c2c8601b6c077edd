"""What is known of a subject beside the images: conditions, stages, treatments, how the disease went."""

from django.db import models

from accounts.fields import PublicIdField
from atlas.models.datasets import Dataset
from atlas.models.images import Subject


class ClinicalImport(models.Model):
    """A file of clinical facts: a table with its mapping, or a FHIR bundle."""

    class State(models.TextChoices):
        MAPPING = "mapping", "Waits for its columns to be mapped"
        WAITING = "waiting", "Waits for a worker"
        READING = "reading", "Being read"
        DONE = "done", "Done"
        FAILED = "failed", "Not taken"
        UNDONE = "undone", "Taken back"

    public_id = PublicIdField()
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="clinical_imports")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=4, choices=[("csv", "Table"), ("fhir", "FHIR bundle")])
    file_name = models.CharField(max_length=200)
    object_key = models.CharField(max_length=200, blank=True, help_text="Sealed; deleted once it was read")
    mapping = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices)
    rows_total = models.PositiveIntegerField(default=0)
    rows_taken = models.PositiveIntegerField(default=0)
    rows_refused = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=list, help_text="[{row, column, sentence}], without values")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]


class ClinicalFact(models.Model):
    """One fact about a subject, coded, with dates shifted as those of the subject's images are."""

    class Kind(models.TextChoices):
        CONDITION = "condition", "Primary cancer"
        STAGE = "stage", "Stage"
        TREATMENT = "treatment", "Treatment"
        STATUS = "status", "Disease status"
        DEATH = "death", "Death"

    class Precision(models.TextChoices):
        """Of a date: where only month or year were told, its middle stands there."""

        DAY = "day", "Day"
        MONTH = "month", "Month"
        YEAR = "year", "Year"

    public_id = PublicIdField()
    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="clinical_facts")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="clinical_facts")
    source = models.ForeignKey(ClinicalImport, on_delete=models.PROTECT, null=True, related_name="facts")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(
        max_length=20, blank=True, help_text="Of a stage: T, N, M or group; of a treatment: its sort"
    )
    code = models.CharField(max_length=80, help_text="scheme:value, such as SCT:254637007 or UICC:T2a")
    meaning = models.CharField(max_length=200)
    starts_on = models.DateField(null=True, help_text="Shifted as the dates of the images are")
    ends_on = models.DateField(null=True)
    starts_precision = models.CharField(max_length=5, choices=Precision.choices, default=Precision.DAY)
    ends_precision = models.CharField(max_length=5, choices=Precision.choices, default=Precision.DAY)
    digest = models.CharField(max_length=64, help_text="Of what it says: the same fact is kept once")

    class Meta:
        ordering = ["starts_on", "id"]
        constraints = [models.UniqueConstraint(fields=["subject", "digest"], name="a_fact_once")]
        indexes = [models.Index(fields=["kind", "code", "subject"], name="facts_by_code")]
