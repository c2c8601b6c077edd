"""How cases are hung, and how long they are read."""

from django.db import models
from django.db.models import F, Q

from accounts.fields import PublicIdField
from annotations.models.cases import Read
from atlas.models import Project


class HangingProtocol(models.Model):
    """For which cases of a project it is, in which layout they open, and which series lands where.

    `rules` and `panes` (row by row, as many as the layout has) are what `annotations.reading.hanging` writes
    and reads; nothing else looks into them. A case opens with the first protocol whose rules it meets.
    """

    public_id = PublicIdField()
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="hanging_protocols")
    place = models.PositiveSmallIntegerField(help_text="Which one is tried first, from 1")
    name = models.CharField(max_length=64)
    rules = models.JSONField(default=dict)
    rows = models.PositiveSmallIntegerField()
    columns = models.PositiveSmallIntegerField()
    panes = models.JSONField(default=list)
    link = models.BooleanField(default=False, help_text="Whether the images scroll together from the start")
    changed_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "place"],
                name="one_protocol_per_place",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(rows__gte=1, rows__lte=3, columns__gte=1, columns__lte=3),
                name="layouts_up_to_three_by_three",
            ),
        ]


class ReadTime(models.Model):
    """How long a read was on its reader's screen, and how much of that hands moved.

    `open_until` and `active_until` are the moments up to which each was counted: two windows at once are
    counted once.
    """

    read = models.OneToOneField(Read, on_delete=models.CASCADE, related_name="time")
    open_s = models.FloatField(default=0, help_text="Seconds on the screen")
    active_s = models.FloatField(default=0, help_text="Of these, seconds in which the reader was at work")
    open_until = models.DateTimeField(null=True)
    active_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(active_s__gte=0, open_s__gte=F("active_s")), name="active_is_part_of_open"
            )
        ]

    @property
    def idle_s(self) -> float:
        """Seconds on the screen with nobody at work."""
        return self.open_s - self.active_s
