"""The nodes of a network: the hub, and those who joined it. All run this same software."""

from django.db import models

from accounts.fields import PublicIdField


class Node(models.Model):
    """Another node: our hub, or, on a hub, a node that joined. This node itself has no row."""

    class Part(models.TextChoices):
        HUB = "hub", "The hub that this node joined"
        MEMBER = "member", "A node that joined this hub"

    class State(models.TextChoices):
        ACTIVE = "active", "Takes part"
        SUSPENDED = "suspended", "Suspended: its messages are refused"
        LEFT = "left", "Has left"

    public_id = PublicIdField()
    part = models.CharField(max_length=6, choices=Part.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2")
    address = models.URLField(blank=True, help_text="Where people open it; nodes are never called there")
    public_key = models.CharField(max_length=64, unique=True, help_text="Ed25519, 32 bytes in hex")
    software = models.CharField(max_length=40, blank=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True)
    health = models.JSONField(default=dict, help_text="What it last said of itself")
    catalogue_digest = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the catalogue that it last published here"
    )
    trouble = models.CharField(
        max_length=500,
        blank=True,
        help_text="Why the last exchange failed, in a sentence; empty: it went well",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["part"],
                condition=models.Q(part="hub") & ~models.Q(state="left"),
                name="one_hub_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return self.name


class NodeInvitation(models.Model):
    """A hub lets one node join: whoever holds the secret may bring a key for it, once."""

    public_id = PublicIdField()
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2, blank=True)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret")
    invited_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    node = models.OneToOneField(Node, on_delete=models.CASCADE, null=True, related_name="invitation")


class SeenNonce(models.Model):
    """A signed message that arrived: the same is refused until it would have expired anyway."""

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["node", "nonce"], name="a_nonce_once")]


class Message(models.Model):
    """What waits to be told to another node. On a hub its node fetches it; elsewhere the agent brings it.

    It stays until the other side has confirmed it, so nothing is lost while a node is away.
    """

    public_id = PublicIdField()
    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=40, help_text="A name that network.federation.messages knows")
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    refused = models.CharField(max_length=500, blank=True, help_text="What the other side said to refuse it")

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["node", "id"], condition=models.Q(confirmed_at=None), name="messages_that_wait"
            )
        ]


class ReceivedMessage(models.Model):
    """A message of another node that was acted upon here, or is still tried: none is acted upon twice."""

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="received")
    uid = models.CharField(max_length=40, help_text="Its public id at the sender")
    kind = models.CharField(max_length=40)
    received_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    refused = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["node", "uid"], name="a_message_is_received_once")]
