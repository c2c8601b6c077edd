"""What handed-in reads say, in columns: so that cohorts are found by it without opening a journal."""

from django.db import models

from annotations.models.reviews import Submission


class MarkFact(models.Model):
    """One mark of a submission as it was handed in; numbers are null where they don't apply."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="marks")
    annotation = models.UUIDField()
    series = models.ForeignKey("atlas.Series", on_delete=models.CASCADE, related_name="+")
    label = models.CharField(max_length=64, help_text="Its key in the schema")
    code = models.CharField(max_length=80, blank=True, help_text="scheme:value, such as SCT:108369006")
    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=16)
    longest_mm = models.FloatField(null=True, help_text="In a plane")
    shortest_mm = models.FloatField(null=True, help_text="At right angles to the longest")
    volume_ml = models.FloatField(null=True)
    origin = models.CharField(max_length=24, help_text="reader, or what proposed it")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["submission", "annotation"], name="a_fact_per_mark")]
        indexes = [
            models.Index(fields=["label", "state", "submission"], name="marks_by_label"),
            models.Index(fields=["code", "submission"], name="marks_by_code"),
        ]


class LabelFact(models.Model):
    """What a submission says of one label of its schema: whether it is there, how often and how large."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="label_facts")
    label = models.CharField(max_length=64)
    code = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=16, help_text="present, absent, indeterminate or not_assessed")
    count = models.PositiveIntegerField(default=0)
    longest_mm = models.FloatField(null=True, help_text="Of the largest")
    volume_ml = models.FloatField(null=True, help_text="Of all together")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["submission", "label"], name="a_fact_per_label")]
        indexes = [models.Index(fields=["label", "state"], name="label_facts_by_label")]
