"""Releases: numbered, frozen, labelled cohorts, the files made from them, and who uses them."""

from django.db import models
from django.db.models import Q

from accounts.fields import PublicIdField
from annotations.models.cases import Case
from annotations.models.reviews import Submission
from atlas.models import Project


class Release(models.Model):
    """A frozen choice of accepted submissions. Its number counts within the project."""

    class State(models.TextChoices):
        WRITING = "writing", "Being written"
        READY = "ready", "Ready"
        FAILED = "failed", "Stopped by an error"
        CANCELLED = "cancelled", "Cancelled"

    class Content(models.TextChoices):
        REFERENCE = "reference", "The reference standard; where there is none, the accepted read"
        READERS = "readers", "Every reader's accepted marks"
        BOTH = "both", "The reference standard and every reader's marks"

    class Sequestered(models.TextChoices):
        NOTHING = "nothing", "Nothing"
        MARKS = "marks", "The marks of the test part"
        ALL = "all", "Images and marks of the test part"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200, blank=True)
    licence = models.CharField(max_length=80, blank=True)
    purpose = models.TextField(blank=True, help_text="What the release is made for")
    agreement = models.TextField(blank=True, help_text="What whoever downloads it agrees to, if anything")
    citation = models.TextField(blank=True)
    changelog = models.TextField(blank=True, help_text="What the lead says has changed since the one before")
    query = models.JSONField(
        null=True, help_text="The cohort expression that chose its cases; null: every accepted case"
    )
    content = models.CharField(max_length=9, choices=Content.choices, default=Content.REFERENCE)
    formats = models.JSONField(default=list, help_text="Keys of the formats written")
    split = models.JSONField(
        null=True, help_text="How subjects were parted, as `annotations.cohort.splits.Design` in JSON"
    )
    sequestered = models.CharField(
        max_length=8,
        choices=Sequestered.choices,
        default=Sequestered.NOTHING,
        help_text="What scientists can be scored on, but can't download",
    )
    writer_version = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.WRITING)
    cases_total = models.PositiveIntegerField(default=0)
    cases_done = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)
    frozen_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    frozen_at = models.DateTimeField(auto_now_add=True)
    ready_at = models.DateTimeField(null=True)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    changes = models.JSONField(
        null=True, help_text="Counts of what was added, changed and removed since the release before"
    )
    certificate = models.JSONField(null=True, help_text="Its numbers, for the page; whole in its file")
    card = models.JSONField(null=True, help_text="The figures of the data card, for the page")
    left_out = models.JSONField(
        null=True, help_text="As frozen: {cases_in_project, reasons: [[why they stayed out, cases], …]}"
    )
    withdrawn_cases = models.JSONField(default=list, blank=True, help_text="Numbers of cases taken out since")

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="one_release_per_number")]


class ReleaseCase(models.Model):
    """A case in a release: the part it belongs to, and how far its files are.

    Parts go by subject, so all cases of one subject have the same. After an erasure `case` is null, and
    `number` still says which it was.
    """

    class Part(models.TextChoices):
        TRAIN = "train", "Train"
        VALIDATION = "validation", "Validation"
        TEST = "test", "Test"
        NONE = "", "Not parted"

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="release_cases")
    case = models.ForeignKey(Case, on_delete=models.SET_NULL, null=True, related_name="release_cases")
    number = models.PositiveIntegerField(help_text="Of the case, within the project")
    part = models.CharField(max_length=10, choices=Part.choices, default=Part.NONE, blank=True)
    fold = models.PositiveSmallIntegerField(null=True, help_text="Counts from 0")
    stratum = models.CharField(max_length=200, blank=True)
    written_at = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True, help_text="That writing and checking took")
    record_key = models.CharField(
        max_length=300, blank=True, help_text="Object with what spanning files need of this case"
    )
    record_size = models.PositiveBigIntegerField(default=0, help_text="Bytes of that object")
    record_sha256 = models.CharField(max_length=64, blank=True)
    checks = models.JSONField(default=list, help_text="What reading its files back has found")
    attempted = models.JSONField(
        default=list,
        help_text="Keys of objects that writing it may have put into storage and no file names yet",
    )
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_because = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["release", "number"], name="case_once_in_a_release"),
            models.UniqueConstraint(fields=["release", "case"], name="case_pinned_once_in_a_release"),
        ]
        indexes = [
            models.Index(fields=["release"], condition=Q(written_at=None), name="cases_of_releases_to_write")
        ]


class ReleaseRead(models.Model):
    """A submission that a release pins. At most one of a case is its reference."""

    release_case = models.ForeignKey(ReleaseCase, on_delete=models.CASCADE, related_name="reads")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="release_reads")
    is_reference = models.BooleanField(
        default=False, help_text="The reference standard, or the only accepted read of the case"
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["release_case", "submission"], name="submission_once_in_a_release"
            ),
            models.UniqueConstraint(
                fields=["release_case"], condition=Q(is_reference=True), name="one_reference_of_a_case"
            ),
        ]


class ReleaseFile(models.Model):
    """One file of a release. `crc32` is kept so that the whole can be served as a stored ZIP.

    Several files may name one object: the same image in two formats is stored once. A withdrawn file has no
    object any more.
    """

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    release_case = models.ForeignKey(ReleaseCase, on_delete=models.CASCADE, null=True, related_name="files")
    release_read = models.ForeignKey(ReleaseRead, on_delete=models.SET_NULL, null=True, related_name="files")
    format = models.CharField(max_length=16, blank=True, help_text="Its key; empty for what is about all")
    path = models.CharField(max_length=300)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    crc32 = models.PositiveBigIntegerField()
    object_key = models.CharField(max_length=300, blank=True)
    is_pinned = models.BooleanField(
        default=False, help_text="The object is the archive's own, such as a pack: it outlives the release"
    )
    is_sequestered = models.BooleanField(default=False)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["release", "path"], name="one_file_per_path")]
        indexes = [models.Index(fields=["release", "format"], name="files_of_a_format")]


class StandingRecalls(models.Manager["Recall"]):
    """Recalls that were not lifted: those that keep a case out of releases."""

    def get_queryset(self) -> models.QuerySet["Recall"]:
        return super().get_queryset().filter(lifted_at=None)


class Recall(models.Model):
    """A case taken back: no release gives it out any more, and none holds it again unless it is lifted.

    `objects` are the recalls that stand, `every` those that were lifted as well.
    """

    public_id = PublicIdField()
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="recalls")
    case = models.ForeignKey(Case, on_delete=models.SET_NULL, null=True, related_name="recalls")
    case_number = models.PositiveIntegerField()
    reason = models.CharField(max_length=500, help_text="For those who hold copies; it names nobody")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_because = models.CharField(max_length=500, blank=True)
    lifted_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")

    every = models.Manager["Recall"]()  # the first: what refers to a recall finds lifted ones, too
    objects = StandingRecalls()

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "case_number"],
                condition=Q(lifted_at=None),
                name="a_case_is_recalled_once",
            )
        ]


class RecallNotice(models.Model):
    """That someone who downloaded a recalled case was told, and that they say they deleted it."""

    recall = models.ForeignKey(Recall, on_delete=models.CASCADE, related_name="notices")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="recall_notices")
    told_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    lifting_told_at = models.DateTimeField(null=True, help_text="When they were told that it was lifted")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recall", "user"], name="told_once_of_a_recall")]


class ReleaseUse(models.Model):
    """What somebody downloads a release for, and the agreement they accepted. Each says it once a release."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="uses")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="release_uses")
    purpose = models.TextField()
    agreement_sha256 = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["release", "user"], name="one_use_per_person")]


class ReleaseDownload(models.Model):
    """That somebody was given bytes of a case's files, or of what is about all (`release_case` null).

    One row a person, case and day, however many ranges: it answers whom to tell of a recall.
    """

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="downloads")
    release_case = models.ForeignKey(
        ReleaseCase, on_delete=models.CASCADE, null=True, related_name="downloads"
    )
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["release", "release_case", "user", "day"],
                nulls_distinct=False,
                name="download_once_a_day",
            )
        ]


class Prediction(models.Model):
    """What a model said of a release's cases, handed in to be checked and scored."""

    class State(models.TextChoices):
        OPEN = "open", "Being handed in"
        SCORING = "scoring", "Being scored"
        SCORED = "scored", "Scored"
        REFUSED = "refused", "Refused"

    public_id = PublicIdField()
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="predictions")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120, help_text="Of the model, with its version")
    description = models.TextField(blank=True)
    part = models.CharField(max_length=10, choices=ReleaseCase.Part.choices, default=ReleaseCase.Part.TEST)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    proposed_at = models.DateTimeField(null=True, help_text="When it became proposals for reading")
    problem = models.CharField(max_length=500, blank=True)
    scores = models.JSONField(null=True, help_text="By label: measures with n and interval, over the cases")
    rank_by = models.FloatField(null=True, help_text="Mean Dice over labels; the leaderboard's order")
    cases_total = models.PositiveIntegerField(default=0)
    cases_done = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    handed_in_at = models.DateTimeField(null=True)
    scored_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["release", "state"], name="predictions_of_a_release")]


class PredictedCase(models.Model):
    """One case of a prediction, with how it scored: by label, against the reference of the release."""

    prediction = models.ForeignKey(Prediction, on_delete=models.CASCADE, related_name="cases")
    release_case = models.ForeignKey(ReleaseCase, on_delete=models.CASCADE, related_name="predicted")
    scores = models.JSONField(null=True)
    scored_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["release_case__number"]
        constraints = [
            models.UniqueConstraint(fields=["prediction", "release_case"], name="case_predicted_once")
        ]


class PredictionFile(models.Model):
    """One file of a prediction: the segments of one series of one case, as SEG or NIfTI."""

    case = models.ForeignKey(PredictedCase, on_delete=models.CASCADE, related_name="files")
    series = models.ForeignKey("atlas.Series", on_delete=models.CASCADE, related_name="+")
    label = models.CharField(max_length=64, blank=True, help_text="Of a mask of one label; empty: of many")
    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    object_key = models.CharField(max_length=300)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["case", "series", "label"], name="predicted_once"),
        ]
