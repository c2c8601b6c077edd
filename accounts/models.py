"""People and organisations, the ways they prove who they are, and the record of what they did."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from accounts.fields import PublicIdField


class User(AbstractUser):
    """A person with an account on this node."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "As the computer"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    public_id = PublicIdField()
    email = models.EmailField("email address", blank=True)
    theme = models.CharField(max_length=6, choices=Theme.choices, default=Theme.SYSTEM)
    language = models.CharField(max_length=8, blank=True, help_text="Empty: as the browser asks")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="one_account_per_email",
                condition=~models.Q(email=""),
                violation_error_message="There is an account with this address already.",
            ),
        ]

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username

    @property
    def initials(self) -> str:
        words = self.display_name.split()
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


class Preference(models.Model):
    """How one person set up the reading room for themselves: keys, mouse, layout. Nobody else sees it."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="preference")
    values = models.JSONField(default=dict)
    changed_at = models.DateTimeField(auto_now=True)


class Organisation(models.Model):
    """A data provider: a hospital or a centre."""

    public_id = PublicIdField()
    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        permissions = [
            ("manage_organisation", "Create datasets, invite members"),
            ("create_project", "Create projects"),
            ("view_images", "View every image of the organisation"),
            ("import_images", "Take images in"),
            ("open_vault", "Export the vault that leads back to patients"),
            ("approve_access", "Answer requests for access to its datasets"),
        ]

    def __str__(self) -> str:
        return self.name


class OrganisationUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Organisation, on_delete=models.CASCADE)


class OrganisationGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Organisation, on_delete=models.CASCADE)


class ExternalIdentity(models.Model):
    """An account that another node vouches for: whom its identity provider calls `subject`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="external_identities")
    issuer = models.URLField()
    subject = models.CharField(max_length=255)
    home = models.CharField(max_length=200, blank=True, help_text="The node they belong to, by its own word")
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, help_text="When its owner last signed in with it")

    LETS_IN = ~models.Q(issuer__startswith="urn:")
    """Issuers that are addresses let people in. Others only say to which node somebody belongs."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="an_identity_once")]


class Invitation(models.Model):
    """A letter to someone without an account: whoever holds its secret may take the role it offers."""

    public_id = PublicIdField()
    email = models.EmailField()
    role = models.CharField(max_length=30)
    scope_type = models.CharField(max_length=20, help_text="node, organisation, dataset or project")
    scope_id = models.BigIntegerField(null=True, help_text="Primary key of the scope; empty for the node")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret in the letter")
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.withdrawn_at is None and timezone.now() < self.expires_at


class ApiToken(models.Model):
    """A bearer token for programs. Only its digest is kept, and it ends by itself."""

    class Scope(models.TextChoices):
        ALL = "all", "Everything that you may do"
        READ = "read", "Reading only"
        RELEASES = "releases", "Releases only: downloads, and predictions for them"

    public_id = PublicIdField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80, blank=True)
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.ALL)
    project = models.SlugField(
        max_length=60,
        blank=True,
        db_index=False,
        help_text="The only one whose releases it opens; empty: all",
    )
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(project="") | models.Q(scope="releases"),
                name="only_releases_of_one_project",
            )
        ]


class AuditRecord(models.Model):
    """One line of the audit trail: who did what to which object. Ids only, never names or images."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=40)
    object_type = models.CharField(max_length=40)
    object_id = models.BigIntegerField(null=True)
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["object_type", "object_id", "at"], name="audit_of_an_object")]
