"""Which picture stands for a study or a dataset on a page."""

from collections.abc import Sequence

from atlas.models import Series


def cover_of(series: Sequence[Series]) -> Series | None:
    """The series with a thumbnail that has the most images: rarely a scout, never a derived object."""
    shown = [one for one in series if one.thumbnail_key and one.generation]
    return max(shown, key=lambda one: (one.frame_count, -one.pk), default=None)
