"""Uploads: what someone sent, how far it is, and which of its files could not be taken."""

from django.db import models

from accounts.fields import PublicIdField
from atlas.models.datasets import Dataset


class Upload(models.Model):
    """One delivery of files to a dataset, from a page or a command."""

    class State(models.TextChoices):
        RECEIVING = "receiving", "Receiving files"
        WAITING = "waiting", "Waiting for a worker"
        READING = "reading", "Reading files"
        DONE = "done", "Done"
        FAILED = "failed", "Stopped by an error"

    public_id = PublicIdField()
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="uploads")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVING)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    files_total = models.PositiveIntegerField(default=0)
    files_read = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0, help_text="Instances that are new")
    known = models.PositiveIntegerField(default=0, help_text="Instances that were here already")
    refused = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-started_at"]


class UploadFinding(models.Model):
    """A file that was not taken, by the name its sender gave it, with the reason in a sentence."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="findings")
    file_name = models.CharField(max_length=500)
    reason = models.CharField(max_length=500)

    class Meta:
        ordering = ["id"]


class UploadFile(models.Model):
    """A large file that arrives in pieces: how much of it is here, so that a broken line costs one piece."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="files")
    public_id = PublicIdField()
    name = models.CharField(max_length=500)
    fingerprint = models.CharField(
        max_length=200, help_text="Size and time of change, as the sender's page saw"
    )
    size = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField(default=0, help_text="Bytes that are durable here")
    files_read = models.PositiveIntegerField(
        default=0, help_text="Files of it (members, if it is an archive) that are dealt with and counted"
    )
    is_taken_in = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "name", "fingerprint"], name="one_row_per_sent_file")
        ]
