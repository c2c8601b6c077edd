"""Releases: numbered, frozen, labelled cohorts, and the files made from them."""

from django.db import models

from annotations.models.cases import Case
from annotations.models.reviews import Submission
from atlas.models import Project


class Release(models.Model):
    """A frozen choice of accepted submissions. Its number counts within the project."""

    class State(models.TextChoices):
        WRITING = "writing", "Being written"
        READY = "ready", "Ready"
        FAILED = "failed", "Stopped by an error"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200, blank=True)
    licence = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WRITING)
    cases_total = models.PositiveIntegerField(default=0)
    cases_done = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)
    frozen_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    frozen_at = models.DateTimeField(auto_now_add=True)
    ready_at = models.DateTimeField(null=True)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    withdrawn_cases = models.JSONField(
        default=list,
        blank=True,
        help_text="Numbers of cases that were taken out because a subject was erased",
    )

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="one_release_per_number")]


class ReleaseCase(models.Model):
    """A case in a release, with the submission it pins."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="release_cases")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="release_cases")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="release_cases")
    written_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["case__number"]
        constraints = [
            models.UniqueConstraint(fields=["release", "submission"], name="submission_once_in_a_release")
        ]


class ReleaseFile(models.Model):
    """One file of a release. `crc32` is kept so that the whole can be served as a stored ZIP."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    release_case = models.ForeignKey(ReleaseCase, on_delete=models.CASCADE, null=True, related_name="files")
    path = models.CharField(max_length=300)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    crc32 = models.PositiveBigIntegerField()
    object_key = models.CharField(max_length=300)

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["release", "path"], name="one_file_per_path")]
