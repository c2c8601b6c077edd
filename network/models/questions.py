"""Questions that cross nodes, on the side that asks and on the side that answers."""

from django.db import models

from accounts.fields import PublicIdField
from accounts.models import Organisation, User
from network.models.nodes import Message, Node


class Question(models.Model):
    """A question in the cohort language, put to this node and to those that joined it."""

    public_id = PublicIdField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="questions")
    expression = models.JSONField()
    words = models.TextField(help_text="The same for people")
    asked_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]


class QuestionPart(models.Model):
    """What one node was asked, and what it said."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waits for the node to fetch it"
        FETCHED = "fetched", "The node has it"
        PERSON = "person", "A person at the node decides"
        ANSWERED = "answered", "Answered"
        REFUSED = "refused", "Not answered"
        LATE = "late", "No answer in time"
        WRONG = "wrong", "Its answer can't be right"
        GONE = "gone", "The node has left the network"

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="parts")
    node = models.ForeignKey(
        Node, on_delete=models.CASCADE, null=True, related_name="+", help_text="Empty: this node"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    message = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, related_name="+", help_text="What brings it there"
    )
    changed_at = models.DateTimeField(auto_now=True)
    answer = models.JSONField(
        default=list,
        help_text="[{dataset, version, subjects, studies, series, images}], disclosed; dataset: the slug "
        "here",
    )
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["question", "node"], name="a_node_is_asked_once", nulls_distinct=False
            )
        ]


class HeldQuestion(models.Model):
    """A question at the node that answers it: from its hub, or asked here."""

    class State(models.TextChoices):
        PERSON = "person", "Waits for a person here"
        ANSWERED = "answered", "Answered"
        REFUSED = "refused", "Refused"
        EXPIRED = "expired", "Expired before it was answered"
        WITHDRAWN = "withdrawn", "Withdrawn by whoever asked"
        GONE = "gone", "This node has left the hub that asked"

    hub = models.ForeignKey(
        Node, on_delete=models.CASCADE, null=True, related_name="+", help_text="Empty: it was asked here"
    )
    uid = models.CharField(max_length=40, help_text="Its public id where it was asked")
    expression = models.JSONField()
    words = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices)
    received_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    answer = models.JSONField(default=list, help_text="What was told so far; it never changes, it only grows")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["hub", "uid"], name="a_question_is_held_once", nulls_distinct=False
            )
        ]


class HeldPart(models.Model):
    """What one organisation decides of a question: whether its datasets that ask a person are counted."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waits for your organisation"
        ANSWERED = "answered", "Answered"
        REFUSED = "refused", "Not answered"

    public_id = PublicIdField()
    held = models.ForeignKey(HeldQuestion, on_delete=models.CASCADE, related_name="parts")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["held", "organisation"], name="an_organisation_decides_once")
        ]
