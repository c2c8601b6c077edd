"""The cast, and what the rules of a project are tried with."""

import numpy as np
import pytest

from annotations.measures import masks
from annotations.models import ImportedPlane, ImportedSegment, ReadingDesign
from tests.annotations.reading.conftest import COLUMNS, ROWS, Cast, cast  # noqa: F401


def design(cast: Cast, **rules) -> ReadingDesign:  # noqa: F811
    found, _ = ReadingDesign.objects.update_or_create(project=cast.project, defaults=rules)
    return found


@pytest.fixture
def came_with_the_images(cast: Cast) -> ImportedSegment:  # noqa: F811
    """A segment that the project's labels know by its name."""
    segment = ImportedSegment.objects.create(
        series=cast.ct,
        source_series=cast.us,
        source_sop_instance_uid="1.2.3",
        segment_number=1,
        label="Tumour",
        origin="Drawn by an algorithm.",
    )
    plane = np.zeros((ROWS, COLUMNS), dtype=bool)
    plane[3:9, 4:12] = True
    for index in (1, 2):
        ImportedPlane.objects.create(
            segment=segment,
            sop_instance_uid=cast.sop(index),
            frame_number=1,
            rows=ROWS,
            columns=COLUMNS,
            runs=masks.encode(plane),
        )
    return segment
