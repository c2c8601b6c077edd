"""Notes at each sealed series what scanner made it, for searches and counts."""

from dataclasses import asdict

from django.db.models import Q, QuerySet

from atlas.archive.storage import ObjectMissing, open_instance
from atlas.dicom.headers import NotDicom, Unreadable, read_header
from atlas.dicom.scanners import Scanner, scanner_of
from atlas.models import Instance, Series


def note(series: Series) -> None:
    """Called after each sealing; a series none of whose images can be read stays as it is."""
    found = look_at(series)
    if found is not None and found != _noted(series):
        Series.objects.filter(pk=series.pk).update(**asdict(found))


def look_at(series: Series) -> Scanner | None:
    """What the first of its images that can be read says."""
    shown = series.instances.filter(hold=Instance.Hold.NONE).order_by("instance_number", "sop_instance_uid")
    for instance in shown[:3]:
        try:
            with open_instance(instance) as file:
                return scanner_of(read_header(file).dataset)
        except (NotDicom, Unreadable, ObjectMissing, EOFError):
            continue
    return None


def without() -> QuerySet[Series]:
    """Series of which nothing is noted: sealed before it was, or their images say nothing."""
    return Series.objects.filter(
        Q(state=Series.State.READY),
        manufacturer="",
        model_name="",
        slice_thickness_mm=None,
        pixel_spacing_mm=None,
        instance_count__gt=0,
    ).order_by("pk")


def _noted(series: Series) -> Scanner:
    return Scanner(series.manufacturer, series.model_name, series.slice_thickness_mm, series.pixel_spacing_mm)
