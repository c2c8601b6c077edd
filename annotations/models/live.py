"""Who is where, now."""

from django.db import models

from annotations.models.cases import Read


class Presence(models.Model):
    """One open page on one read; forgotten when its page stops saying it is there."""

    read = models.ForeignKey(Read, on_delete=models.CASCADE, related_name="presences")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    tab = models.UUIDField(unique=True)
    seen_at = models.DateTimeField(db_index=True)
