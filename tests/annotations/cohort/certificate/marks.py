"""Marks on a small oblique series: two that overlap, one of a single voxel, one looked for in vain."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np

from annotations.cohort.images import StoredSeries
from annotations.exchange.marks import Mark
from annotations.exchange.source import SourceSeries
from annotations.measures import masks
from tests.annotations.exchange.makers import oblique, series

TUMOUR = {
    "key": "tumour",
    "name": "Tumour",
    "color": "#f5a742",
    "code": {"value": "108369006", "scheme": "SCT", "meaning": "Neoplasm"},
}
NODE = {"key": "node", "name": "Lymph node", "color": "#f27cc0", "code": None}


def a_series(**how: Any) -> SourceSeries:
    return series(**({"orientation": oblique(), "slices": 6, "rows": 20, "columns": 30} | how))


def stored(source: SourceSeries) -> StoredSeries:
    """What checkers of masks need of a stored series."""
    return SimpleNamespace(source=source)  # type: ignore[return-value]


def voxels() -> dict[str, np.ndarray]:
    """bool[slices, rows, columns] of each mark; none is symmetric in any direction."""
    one, other, single = (np.zeros((6, 20, 30), dtype=bool) for _ in range(3))
    one[1:4, 3:9, 5:12] = True
    one[2, 10:12, 5] = True
    one[2, 5:7, 7:9] = False  # a hole
    one[3, 3, 12] = True
    other[2:5, 6:14, 9:22] = True
    single[5, 17, 2] = True
    return {"one": one, "other": other, "single": single, "none": np.zeros((6, 20, 30), dtype=bool)}


def marks_on(source: SourceSeries) -> list[Mark]:
    labels = {"one": TUMOUR, "other": TUMOUR, "single": NODE, "none": NODE}
    return [
        mark(source, number, labels[name], filled)
        for number, (name, filled) in enumerate(voxels().items(), 1)
    ]


def mark(source: SourceSeries, number: int, label: dict[str, Any], filled: np.ndarray) -> Mark:
    return Mark(
        identity=UUID(int=number),
        value={"kind": "segment", "label": label["key"], "state": "present" if filled.any() else "absent"},
        label=label,
        source=source,
        planes={
            frame.key: masks.encode(plane)
            for frame, plane in zip(source.frames, filled, strict=True)
            if plane.any()
        },
    )
