"""How far two reads of a case agree, and how a disagreement was settled."""

from django.db import models
from django.db.models import F, Q

from annotations.models.cases import Case, Read
from annotations.models.reviews import Submission


class Comparison(models.Model):
    """Two submissions of one case, compared for one label by a job.

    `first` has the lower primary key. `numbers` is what `annotations.measures.agreement` computed; what
    dashboards filter, sort and average has columns of its own. A lesion that only one reader marked counts in
    `unmatched`, never as a Dice of 0.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="comparisons")
    first = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="+")
    label = models.CharField(max_length=64, help_text="Its key in the schema")
    dice = models.FloatField(null=True, help_text="Null where neither marked a voxel")
    surface_dice = models.FloatField(null=True)
    hd95_mm = models.FloatField(null=True, help_text="Null where a mask is empty")
    first_volume_mm3 = models.FloatField(null=True)
    second_volume_mm3 = models.FloatField(null=True)
    matched = models.PositiveIntegerField(default=0)
    unmatched = models.PositiveIntegerField(default=0)
    both_empty = models.BooleanField(default=False)
    disagrees = models.BooleanField(default=False, help_text="By the project's rule when it was computed")
    numbers = models.JSONField(default=dict)
    computed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second", "label"], name="compared_once_a_label"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="compared_in_one_direction"),
        ]
        indexes = [models.Index(fields=["case", "dice"], name="worst_cases_first")]


class LesionMatching(models.Model):
    """The lesions of an adjudication are being found by a job. Once they are, this row is gone.

    `total` is null until it is known how many lesions there are to compare.
    """

    read = models.OneToOneField(Read, on_delete=models.CASCADE, related_name="matching")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    failed = models.BooleanField(default=False)
    changed_at = models.DateTimeField(auto_now=True)


class AdjudicatedLesion(models.Model):
    """One lesion of an adjudication: the marks that the readers made of it, and what was decided.

    `members` is [{read, annotations: [uuid, …]}], by public id, in the order of the letters. `choice` is
    null while it is open, else {take: "read", read} or {take: "union" | "majority" | "at_least" |
    "intersection" | "staple", at_least?} or {take: "drawn"} or {take: "absent"}.
    """

    read = models.ForeignKey(Read, on_delete=models.CASCADE, related_name="adjudicated_lesions")
    number = models.PositiveSmallIntegerField(help_text="Counts from 1 within the adjudication")
    label = models.CharField(max_length=64)
    members = models.JSONField(default=list)
    disagreements = models.JSONField(default=list, help_text="Why it needs a person: codes with values")
    numbers = models.JSONField(default=dict)
    choice = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    result = models.JSONField(default=list, help_text="Annotations of the adjudication that it became")
    version = models.PositiveIntegerField(default=0, help_text="Counts decisions: the second page loses")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["read", "number"], name="adjudicated_lesions_are_numbered")
        ]
