"""What searches read: one narrow row per series, with what is asked of its study and subject beside it.

Triggers of the database write these rows, whoever changes a series, a study or a subject; nothing else does.
"""

from django.db import models
from django.db.models import F
from django.db.models.functions import Mod

from accounts.models import Organisation
from atlas.models.datasets import Dataset
from atlas.models.images import Series, Study

SCATTERED_BY = 2_654_435_761  # a prime near 2^32 over the golden ratio: studies are spread evenly
PLACES = 2**32


def place_of(study: str) -> Mod:
    """Where a study comes among answers, from 0 to below PLACES: each has its own (below 2^31 studies), and
    neighbours are far apart, so that any stretch of places is a fair sample of all studies."""
    return Mod(F(study) * SCATTERED_BY, PLACES, output_field=models.BigIntegerField())


class SearchedSeries(models.Model):
    """It goes with its series, by a foreign key of the database (ON DELETE CASCADE)."""

    series = models.OneToOneField(
        Series, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="searched"
    )
    organisation = models.ForeignKey(  # whose names it holds
        Organisation, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    study = models.ForeignKey(Study, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    dataset = models.ForeignKey(
        Dataset, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    place = models.GeneratedField(
        expression=place_of("study_id"), output_field=models.BigIntegerField(), db_persist=True
    )
    modality = models.CharField(max_length=16)
    number = models.IntegerField(null=True)
    description = models.CharField(max_length=64)
    body_part = models.CharField(max_length=16)
    study_date = models.DateField(null=True)
    study_description = models.CharField(max_length=64)
    pseudonym = models.CharField(max_length=64)
    sex = models.CharField(max_length=1)

    class Meta:
        verbose_name_plural = "searched series"
        indexes = [  # in the order of answers, with all columns: a stretch of it is read without the table
            models.Index(
                fields=["place", "series"],
                include=[
                    *("study", "dataset", "modality", "number", "description", "body_part"),
                    *("study_date", "study_description", "pseudonym", "sex"),
                ],
                name="searched_by_place",
            )
        ]
