"""Coded terms that a project or an organisation added to the catalogue that comes with Atlas."""

from django.db import models

from atlas.models import Project


class CodedTerm(models.Model):
    """One term of its own, beside those of `annotations.reading.schemas.terms`."""

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, related_name="coded_terms"
    )
    project = models.ForeignKey(
        Project,
        on_delete=models.CASCADE,
        null=True,
        related_name="coded_terms",
        help_text="Null: for all projects of the organisation",
    )
    value = models.CharField(max_length=16, help_text="DICOM's SH, as Code Value")
    scheme = models.CharField(max_length=16, help_text="Coding Scheme Designator, such as SCT")
    meaning = models.CharField(max_length=64, help_text="DICOM's LO, as Code Meaning")
    also = models.CharField(max_length=200, blank=True, help_text="Other words it is found by")
    added_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["meaning", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "project", "scheme", "value"],
                nulls_distinct=False,
                name="term_once_where_it_holds",
            )
        ]
