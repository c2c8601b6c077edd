"""Requests for access, what committees decided, and what came of it."""

import datetime

from django.db import models

from accounts.fields import PublicIdField
from accounts.models import Organisation, User
from atlas.models import Dataset
from network.models.listings import Listing
from network.models.nodes import Node


class Mode(models.TextChoices):
    """What may be done with a dataset; each includes those before it."""

    COUNT = "count", "Count only"
    VIEW = "view", "View on the node"
    DOWNLOAD = "download", "Download"


class AccessRequest(models.Model):
    """A researcher asks for datasets; a draft until it is sent (the cart)."""

    public_id = PublicIdField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="access_requests")
    hub = models.ForeignKey(
        Node,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="Where it was asked; empty: here",
    )
    uid = models.CharField(max_length=40, blank=True, help_text="Its public id at the hub")
    subject = models.CharField(max_length=255, blank=True, help_text="The hub's name for whoever asks")
    title = models.CharField(max_length=200, blank=True)
    affiliation = models.CharField(max_length=200, blank=True, help_text="Where the researcher works")
    email = models.EmailField(blank=True, help_text="Of someone from another node; others have an account")
    purpose = models.TextField(blank=True, help_text="What for, in the researcher's words")
    use_terms = models.JSONField(default=list, help_text="DUO terms, such as DUO:0000042")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["by"],
                condition=models.Q(sent_at=None, withdrawn_at=None, hub=None),
                name="one_cart_a_person",
            ),
            models.UniqueConstraint(
                fields=["hub", "uid"], condition=~models.Q(hub=None), name="a_request_arrives_once"
            ),
        ]


class AccessDocument(models.Model):
    """What was attached to a request: an ethics vote, a protocol."""

    public_id = PublicIdField()
    request = models.ForeignKey(AccessRequest, on_delete=models.CASCADE, related_name="documents")
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=80)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    object_key = models.CharField(max_length=200, blank=True, help_text="Empty until all of it is here")
    uid = models.CharField(max_length=40, blank=True, help_text="Its public id at the hub")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "uid"], condition=~models.Q(uid=""), name="a_document_arrives_once"
            )
        ]


class AccessPart(models.Model):
    """What one organisation is asked: its committee answers for its own datasets."""

    class State(models.TextChoices):
        DRAFT = "draft", "Not sent yet"
        SENT = "sent", "The committee has it"
        UNDELIVERED = "undelivered", "Not delivered"
        QUESTION = "question", "The committee asks you something"
        APPROVED = "approved", "Approved: waits for your agreement"
        GRANTED = "granted", "Access granted"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"
        DROPPED = "dropped", "Given up: its node never had it"
        GONE = "gone", "Its node has left the network"
        ENDED = "ended", "Access has ended"

    public_id = PublicIdField()
    request = models.ForeignKey(AccessRequest, on_delete=models.CASCADE, related_name="parts")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+", help_text="Of this node"
    )
    node = models.ForeignKey(
        Node, on_delete=models.CASCADE, null=True, related_name="+", help_text="Whose organisation decides"
    )
    organisation_name = models.CharField(max_length=200)
    organisation_slug = models.CharField(max_length=60)
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    undelivered = models.TextField(
        blank=True, help_text="Why the other node did not take what was last sent to it; empty: it has all"
    )
    changed_at = models.DateTimeField(auto_now=True)
    conditions = models.TextField(blank=True)
    agreement = models.TextField(blank=True, help_text="The text that has to be accepted")
    agreed_at = models.DateTimeField(null=True)
    agreed_sha256 = models.CharField(max_length=64, blank=True, help_text="Of conditions and text accepted")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, help_text="Why it was refused or withdrawn")
    ends_on = models.DateField(null=True, help_text="The last day of the last of its datasets")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "node", "organisation_slug"],
                name="an_organisation_is_asked_once",
                nulls_distinct=False,
            )
        ]
        indexes = [models.Index(fields=["organisation", "state"], name="parts_of_a_committee")]


class AccessItem(models.Model):
    """One dataset of a part, with the mode asked for and the one granted."""

    part = models.ForeignKey(AccessPart, on_delete=models.CASCADE, related_name="items")
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=8, choices=Mode.choices)
    granted_mode = models.CharField(max_length=8, choices=Mode.choices, blank=True)
    ends_on = models.DateField(null=True, help_text="The last day of its access")
    withdrawn_at = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True, help_text="When a letter said that it ends soon")
    ended_at = models.DateTimeField(null=True, help_text="When a letter said that it has ended")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["part", "listing"], name="a_dataset_is_asked_once")]


class AccessMessage(models.Model):
    """A question of the committee, or the researcher's answer."""

    public_id = PublicIdField()
    part = models.ForeignKey(AccessPart, on_delete=models.CASCADE, related_name="messages")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    is_of_committee = models.BooleanField()
    text = models.TextField()
    at = models.DateTimeField(auto_now_add=True)
    uid = models.CharField(max_length=40, blank=True, help_text="Its public id where it was written")
    undelivered = models.TextField(blank=True, help_text="Why the other node did not take it")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["part", "uid"], condition=~models.Q(uid=""), name="a_message_arrives_once"
            )
        ]


class AccessGrant(models.Model):
    """Someone may use a dataset, in a mode, until a date. It ends by itself."""

    public_id = PublicIdField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_grants")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="access_grants")
    part = models.ForeignKey(AccessPart, on_delete=models.PROTECT, null=True, related_name="grants")
    mode = models.CharField(max_length=8, choices=Mode.choices)
    starts_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["user", "dataset"], condition=models.Q(withdrawn_at=None), name="grants_that_hold"
            )
        ]

    @property
    def last_day(self) -> datetime.date:
        """`ends_at` is the midnight after it."""
        return (self.ends_at - datetime.timedelta(microseconds=1)).date()
