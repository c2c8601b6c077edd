"""How a read opens, as the reading room is told: the protocol it opens with, and the others there are."""

from typing import Any

from annotations.models import Read
from annotations.reading.hanging import Hung, hung_by, images_of, tried_in
from atlas.models import Study


def hanging_json(read: Read, studies: list[Study]) -> dict[str, Any] | None:
    """None where nothing can be shown. `studies` carry their `shown_series`, in the order of the case."""
    images = images_of([(study, study.shown_series) for study in studies])  # type: ignore[attr-defined]
    choices = [hung_json(hung) for hung in hung_by(tried_in(read.case.project), images)]
    return {**choices[0], "choices": choices} if choices else None


def hung_json(hung: Hung) -> dict[str, Any]:
    return {
        "id": hung.protocol.id,
        "name": hung.protocol.name,
        "layout": {"rows": hung.protocol.rows, "columns": hung.protocol.columns},
        "panes": [
            {
                "series": place.series.id if place.series else None,
                "frame": place.frame,
                "preset": place.wanted.preset or None,
                "cut": place.wanted.cut or None,
                "fused": place.fused.id if place.fused else None,
            }
            for place in hung.places
        ],
        "link": hung.protocol.link,
    }
