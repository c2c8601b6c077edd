"""Questions that cross nodes, on the side that asks and on the side that answers."""

from django.db import models

from accounts.fields import PublicIdField
from network.models.nodes import Node


class Question(models.Model):
    """A question in the cohort language, put to this node and to those that joined it."""

    public_id = PublicIdField()
    asked_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="questions")
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
        REFUSED = "refused", "Refused"
        LATE = "late", "No answer in time"
        WRONG = "wrong", "Its answer can't be right"

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="parts")
    node = models.ForeignKey(
        Node, on_delete=models.CASCADE, null=True, related_name="+", help_text="Empty: this node"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    changed_at = models.DateTimeField(auto_now=True)
    answer = models.JSONField(
        default=list, help_text="[{dataset, version, subjects, studies, series, images}], disclosed"
    )
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["question", "node"], name="a_node_is_asked_once", nulls_distinct=False
            )
        ]


class HeldQuestion(models.Model):
    """A question from the hub, at the node that answers it."""

    class State(models.TextChoices):
        PERSON = "person", "Waits for a person here"
        ANSWERED = "answered", "Answered"
        REFUSED = "refused", "Refused"
        EXPIRED = "expired", "Expired before it was answered"

    hub = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="+")
    uid = models.CharField(max_length=40, help_text="Its public id at the hub")
    expression = models.JSONField()
    words = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices)
    received_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.JSONField(default=list)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["hub", "uid"], name="a_question_is_held_once")]
