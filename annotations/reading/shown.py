"""The series of a case that a reader sees as images."""

from django.db.models import QuerySet

from annotations.models import Case
from atlas.models import Series
from atlas.policies import ABOUT_IMAGES


def shown_series() -> QuerySet[Series]:
    return (
        Series.objects.filter(frame_count__gt=0, generation__gt=0)
        .exclude(modality__in=ABOUT_IMAGES)
        .order_by("number", "id")
    )


def series_of(case: Case) -> QuerySet[Series]:
    """Of one case, its studies in their order."""
    found = shown_series().filter(study__case_studies__case=case).select_related("study")
    return found.order_by("study__case_studies__position", "number", "id")
