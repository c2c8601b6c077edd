"""How a project reads: how many readers, blind or not, and what follows when they disagree."""

from django.db import models
from django.db.models import F, Q

from annotations.models.cases import Case
from annotations.models.reviews import Submission
from atlas.models import Project


class ReadingDesign(models.Model):
    """The rules by which the cases of a project are read. A project without a row reads by the defaults."""

    class Adjudication(models.TextChoices):
        NEVER = "never", "Never"
        ON_DISAGREEMENT = "on_disagreement", "Where readers disagree"
        ALWAYS = "always", "Always"

    class Order(models.TextChoices):
        FIXED = "fixed", "By number, the same for all"
        RANDOM = "random", "At random, another order for each reader"

    class Proposals(models.TextChoices):
        BEFORE = "before", "From the start"
        AFTER = "after", "After the reader has locked their own read"
        NEVER = "never", "Never"

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="design")
    readers_per_case = models.PositiveSmallIntegerField(default=1)
    double_share = models.PositiveSmallIntegerField(
        default=100, help_text="Percent of the cases that get all these readers; the others get one"
    )
    blind = models.BooleanField(default=True, help_text="No reader sees another's work before adjudication")
    review = models.BooleanField(default=True, help_text="Submitted reads wait for a reviewer")
    adjudication = models.CharField(
        max_length=16, choices=Adjudication.choices, default=Adjudication.ON_DISAGREEMENT
    )
    dice_below = models.FloatField(null=True, default=0.8, help_text="Lesions that overlap less disagree")
    diameter_apart_mm = models.FloatField(null=True, default=None)
    unmatched_lesion = models.BooleanField(default=True, help_text="A lesion that a reader lacks disagrees")
    category_differs = models.BooleanField(default=True, help_text="Different answers disagree")
    order = models.CharField(max_length=8, choices=Order.choices, default=Order.FIXED)
    proposals = models.CharField(max_length=8, choices=Proposals.choices, default=Proposals.BEFORE)
    self_service = models.BooleanField(default=False, help_text="Readers take cases from a queue themselves")
    lease_hours = models.PositiveSmallIntegerField(default=24, help_text="For how long a taken case is kept")
    changed_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(readers_per_case__gte=1, readers_per_case__lte=20), name="one_to_twenty_readers"
            ),
            models.CheckConstraint(condition=Q(double_share__lte=100), name="a_share_is_at_most_all"),
            models.CheckConstraint(
                condition=Q(dice_below=None) | Q(dice_below__gte=0, dice_below__lte=1), name="dice_is_a_share"
            ),
            models.CheckConstraint(condition=Q(lease_hours__gte=1), name="leases_last_an_hour"),
        ]


class Specialty(models.Model):
    """What a member of a project reads best: body regions or modalities, for assigning by specialty."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="specialties")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user", "name"], name="specialty_once_a_member")
        ]


class BulkAction(models.Model):
    """One act on many cases, done piece by piece by a job. `before` is what it changed, to take it back."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Stopped by an error"
        TAKEN_BACK = "taken_back", "Taken back"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="bulk_actions")
    kind = models.CharField(max_length=32)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State.choices, default=State.RUNNING)
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=list, help_text="[[case number, why], …]")
    before = models.JSONField(default=list)
    problem = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at"]
        constraints = [models.CheckConstraint(condition=Q(done__lte=F("total")), name="done_within_total")]


class ReferenceStandard(models.Model):
    """The accepted result of a case."""

    class How(models.TextChoices):
        ACCEPTED = "accepted", "One read, accepted"
        AGREED = "agreed", "The readers agreed"
        ADJUDICATED = "adjudicated", "Adjudicated"

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="reference")
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="+")
    how = models.CharField(max_length=12, choices=How.choices)
    since = models.DateTimeField(auto_now_add=True)
