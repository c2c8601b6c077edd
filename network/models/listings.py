"""What the catalogue says of datasets: of this node's, and of those that other nodes publish."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils import timezone

from accounts.fields import PublicIdField
from atlas.models import Dataset, Series
from network.models.nodes import Node


class Listing(models.Model):
    """One dataset as the catalogue shows it. Whoever owns it decides what is shown and answered.

    All figures in it have passed `network.disclosure`.
    """

    class Access(models.TextChoices):
        OPEN = "open", "Open"
        REGISTERED = "registered", "Registered"
        REQUEST = "request", "On request"
        COUNTS = "counts", "Counts only"

    class Answers(models.TextChoices):
        NEVER = "never", "No questions"
        PERSON = "person", "After a person says yes"
        ITSELF = "itself", "By itself"

    public_id = PublicIdField()
    node = models.ForeignKey(
        Node, on_delete=models.CASCADE, null=True, related_name="listings", help_text="Empty: this node"
    )
    dataset = models.OneToOneField(
        Dataset, on_delete=models.CASCADE, null=True, related_name="listing", help_text="Of this node only"
    )
    slug = models.SlugField(max_length=130, unique=True, help_text="Its address in this catalogue")
    is_listed = models.BooleanField(default=False, help_text="A person has decided to show it")
    access = models.CharField(max_length=10, choices=Access.choices, default=Access.REQUEST)
    answers = models.CharField(max_length=6, choices=Answers.choices, default=Answers.PERSON)
    shows_pictures = models.BooleanField(default=False)

    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    organ = models.CharField(max_length=20, choices=Dataset.Organ.choices, default=Dataset.Organ.SEVERAL)
    licence = models.CharField(max_length=80, blank=True)
    organisation = models.CharField(max_length=200)
    organisation_slug = models.CharField(max_length=60)
    country = models.CharField(max_length=2)
    terms = models.JSONField(
        default=dict, help_text="What only a person can say: network.dcat.terms lists the fields"
    )

    version = models.CharField(max_length=20, blank=True, help_text="Semantic; empty before the first")
    published_at = models.DateTimeField(null=True)
    subjects = models.PositiveIntegerField(null=True, help_text="Disclosed; null: fewer than may be told")
    studies = models.PositiveIntegerField(null=True)
    series = models.PositiveIntegerField(null=True)
    images = models.PositiveBigIntegerField(null=True)
    figures = models.JSONField(default=dict, help_text="network.figures.of_version, disclosed")
    words = SearchVectorField(null=True, help_text="Written by network.listings")
    looked_at = models.CharField(
        max_length=64, blank=True, help_text="network.listings.looked_at: of what it was last counted from"
    )

    class Meta:
        ordering = ["-published_at", "title"]
        indexes = [GinIndex(fields=["words"], name="listings_by_words")]

    def __str__(self) -> str:
        return self.title


class ListingVersion(models.Model):
    """A dataset as it was when it was last counted: every count that leaves the node is of a version."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="versions")
    version = models.CharField(max_length=20)
    published_at = models.DateTimeField(default=timezone.now)
    note = models.CharField(max_length=500, blank=True, help_text="What changed, in words")
    figures = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what was counted")
    minimum = models.PositiveSmallIntegerField(
        default=10, help_text="The fewest subjects that it tells of; of own versions only"
    )
    facts_key = models.CharField(
        max_length=200, blank=True, help_text="Object with its columns of facts; only the last has one"
    )
    facts_size = models.PositiveBigIntegerField(default=0, help_text="Bytes of that object")
    facts_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["listing", "version"], name="a_version_once")]


class ListingFacet(models.Model):
    """One value of one facet of a listing, such as modality CT, with the subjects it is true of."""

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="facets")
    facet = models.CharField(max_length=20)
    value = models.CharField(max_length=120)
    subjects = models.PositiveIntegerField(null=True, help_text="Disclosed; null: fewer than may be told")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listing", "facet", "value"], name="a_facet_value_once")
        ]
        indexes = [models.Index(fields=["facet", "value"], include=["listing", "subjects"], name="by_facet")]


class ListingPicture(models.Model):
    """A picture that may stand for an own listing: chosen by `network.catalogue.pictures` at each version.

    Anyone sees it only where the listing shows pictures; everybody else sees what they may see anyway.
    """

    listing = models.ForeignKey(Listing, on_delete=models.CASCADE, related_name="pictures")
    number = models.PositiveSmallIntegerField(help_text="From 1: the first is the cover")
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["listing", "number"], name="a_picture_number_once")]
