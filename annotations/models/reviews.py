"""What was submitted, and what the reviewer said."""

from django.db import models

from accounts.fields import PublicIdField
from annotations.models.cases import Read


class Submission(models.Model):
    """A read as it was handed in: round and the last edit that counts. Reviews and releases pin it."""

    read = models.ForeignKey(Read, on_delete=models.CASCADE, related_name="submissions")
    round = models.PositiveSmallIntegerField()
    edit_number = models.PositiveIntegerField()
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    facts_at = models.DateTimeField(
        null=True, help_text="When MarkFact and LabelFact were worked out; null: still to do"
    )

    class Meta:
        ordering = ["round"]
        constraints = [models.UniqueConstraint(fields=["read", "round"], name="one_submission_per_round")]
        indexes = [
            models.Index(fields=["read"], condition=models.Q(facts_at=None), name="submissions_without_facts")
        ]


class Review(models.Model):
    """The verdict on a submission."""

    class Verdict(models.TextChoices):
        ACCEPT = "accept", "Accepted"
        RETURN = "return", "Returned"

    submission = models.OneToOneField(Submission, on_delete=models.CASCADE, related_name="review")
    verdict = models.CharField(max_length=6, choices=Verdict.choices)
    reasons = models.JSONField(default=list, blank=True, help_text="Keys of why it goes back")
    text = models.TextField(blank=True)
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)


class Comment(models.Model):
    """A reviewer's remark on a read, pinned to a place if it has one. The reader sees it once the read is
    returned."""

    public_id = PublicIdField()
    read = models.ForeignKey(Read, on_delete=models.CASCADE, related_name="comments")
    round = models.PositiveSmallIntegerField()
    number = models.PositiveSmallIntegerField(help_text="Counts within the read")
    reply_to = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="replies")
    text = models.TextField()
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    series = models.ForeignKey("atlas.Series", on_delete=models.PROTECT, null=True, related_name="+")
    sop_instance_uid = models.CharField(max_length=64, blank=True)
    frame_number = models.PositiveIntegerField(null=True)
    point_patient_mm = models.JSONField(null=True, help_text="[x, y, z], LPS")
    point_image = models.JSONField(null=True, help_text="[column, row], where the image has no position")
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["read", "number"], name="comments_are_numbered")]


class IncidentalFinding(models.Model):
    """Something that matters outside the project's question, told to the data managers of the study."""

    public_id = PublicIdField()
    read = models.ForeignKey(Read, on_delete=models.CASCADE, related_name="incidental_findings")
    study = models.ForeignKey("atlas.Study", on_delete=models.CASCADE, related_name="incidental_findings")
    series = models.ForeignKey("atlas.Series", on_delete=models.CASCADE, null=True, related_name="+")
    sop_instance_uid = models.CharField(max_length=64, blank=True)
    frame_number = models.PositiveIntegerField(null=True)
    point_patient_mm = models.JSONField(null=True, help_text="[x, y, z], LPS")
    point_image = models.JSONField(null=True, help_text="[column, row], where the image has no position")
    text = models.TextField()
    urgent = models.BooleanField(default=False)
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    seen_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    seen_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True, help_text="What was done about it")
    answered_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at"]
        indexes = [
            models.Index(
                fields=["study"], condition=models.Q(answered_at=None), name="incidental_findings_unanswered"
            )
        ]
