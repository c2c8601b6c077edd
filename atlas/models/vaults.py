"""Vaults: the way back from a pseudonym to its source, only where an organisation turned one on.

Entries are sealed to a public key. The private key never reaches this node, so neither the node's database
nor its administrator can read them.
"""

from django.db import models

from accounts.models import Organisation
from atlas.models.images import Subject


class Vault(models.Model):
    """An organisation keeps the way back. Off unless such a row exists."""

    organisation = models.OneToOneField(Organisation, on_delete=models.PROTECT, related_name="vault")
    public_key = models.CharField(max_length=64, help_text="X25519, base64")
    turned_on_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    turned_on_at = models.DateTimeField(auto_now_add=True)


class VaultEntry(models.Model):
    """One sealed line: what a pseudonym or UID of this node was called at its source."""

    class Kind(models.TextChoices):
        PATIENT = "patient", "Patient ID"
        STUDY = "study", "Study Instance UID"
        SERIES = "series", "Series Instance UID"

    vault = models.ForeignKey(Vault, on_delete=models.CASCADE, related_name="entries")
    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="vault_entries")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    pseudonym = models.CharField(max_length=64)
    sealed = models.BinaryField(help_text="The name at the source, encrypted to the vault's key")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vault", "kind", "pseudonym"], name="one_entry_per_pseudonym")
        ]
