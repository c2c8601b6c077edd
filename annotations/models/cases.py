"""Label schemas, cases and reads: what is asked, about whom, and who answers."""

from django.db import models
from django.db.models import Q

from accounts.fields import PublicIdField
from atlas.models import Project, Study, Subject


class LabelSchema(models.Model):
    """One immutable version of a project's labels and questions.

    `labels` is a list of {key, name, color, kinds, code: {value, scheme, meaning}, required}, `questions` one
    as `reading.questions` describes it; a key stays the same through all versions.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="schemas")
    version = models.PositiveIntegerField()
    labels = models.JSONField(default=list)
    questions = models.JSONField(default=list)
    mapping = models.JSONField(
        default=dict,
        blank=True,
        help_text="What became of the keys of the version before, where they changed",
    )
    is_draft = models.BooleanField(default=False, help_text="Written, but not in use yet")
    created_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["project", "version"], name="one_schema_per_version"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(is_draft=True), name="one_draft_per_project"
            ),
        ]


class Case(models.Model):
    """One subject's time points in one project: the unit of reading."""

    class Purpose(models.TextChoices):
        ORDINARY = "ordinary", "To be read"
        HIDDEN_REFERENCE = "reference", "Hidden reference"
        TRAINING = "training", "Training"

    public_id = PublicIdField()
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="cases")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="cases")
    number = models.PositiveIntegerField(help_text="Counts within the project")
    title = models.CharField(max_length=200, blank=True)
    purpose = models.CharField(
        max_length=10,
        choices=Purpose.choices,
        default=Purpose.ORDINARY,
        help_text="Readers are never told which cases are hidden references",
    )
    priority = models.SmallIntegerField(default=0, help_text="Higher is read earlier")
    compared_at = models.DateTimeField(null=True, help_text="When all reads it waits for were compared")
    disagreements = models.JSONField(default=list, help_text="Why it needs adjudication: codes with values")
    needs_adjudication = models.BooleanField(default=False)
    studies = models.ManyToManyField(Study, through="CaseStudy", related_name="cases")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="one_case_per_number")]
        indexes = [
            models.Index(
                fields=["project", "number"],
                condition=Q(needs_adjudication=True),
                name="cases_to_adjudicate",
            )
        ]


class CaseStudy(models.Model):
    """A study's place in a case."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="case_studies")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="case_studies")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["case", "study"], name="study_once_in_a_case")]


class Read(models.Model):
    """One reader's pass over one case. The row is the lock under which its journal is written.

    An adjudication is a read as well: its reader has none of the others, and sees them all.
    """

    class Kind(models.TextChoices):
        READ = "read", "Read"
        ADJUDICATION = "adjudication", "Adjudication"

    class State(models.TextChoices):
        ASSIGNED = "assigned", "Assigned"
        IN_PROGRESS = "in_progress", "In progress"
        SUBMITTED = "submitted", "Submitted"
        RETURNED = "returned", "Returned"
        ACCEPTED = "accepted", "Accepted"
        SET_ASIDE = "set_aside", "Set aside"

    EDITABLE = (State.ASSIGNED, State.IN_PROGRESS, State.RETURNED)

    public_id = PublicIdField()
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="reads")
    reader = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="reads")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.READ)
    schema = models.ForeignKey(LabelSchema, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=State.choices, default=State.ASSIGNED)
    round = models.PositiveSmallIntegerField(default=1)
    last_edit_number = models.PositiveIntegerField(default=0)
    due = models.DateField(null=True)
    place = models.PositiveIntegerField(default=0, help_text="In this reader's own order, where it is random")
    lease_until = models.DateTimeField(null=True, help_text="Of a case taken from the queue")
    unaided_edit_number = models.PositiveIntegerField(
        null=True, help_text="The last edit before proposals were shown to the reader"
    )
    assigned_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    assigned_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["case__number", "id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "reader"], name="one_read_per_reader_and_case"),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(kind="adjudication") & ~Q(state="set_aside"),
                name="one_adjudication_at_a_time",
            ),
            models.CheckConstraint(condition=Q(round__gte=1), name="rounds_count_from_one"),
        ]
        indexes = [models.Index(fields=["reader", "state"], name="worklist_of_a_reader")]
