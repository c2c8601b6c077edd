"""What a reader of the demo draws: an outline that starts from the imported one, and its diameters."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform

from annotations.demo.people import DIAMETER, TUMOUR
from annotations.exchange.source import SourceFrame, SourceSeries
from annotations.measures import masks
from annotations.models import ImportedPlane, ImportedSegment, Read
from annotations.reading import journal
from atlas.archive.generations import read_manifest

_DEMO = UUID("5b3a1f6e-0c8f-5d55-9d9c-3a0c7f1b6a11")


class DemoMarksRefused(Exception):
    """The journal took a mark of the demo not in; the text is its reason."""


def draw(read: Read, segment: ImportedSegment) -> int:
    """Take the imported outline over, smooth it slice by slice, measure it; returns the last edit's number.

    Every identifier follows from the read, so drawing again changes nothing.
    """
    strokes = _Strokes(read, segment)
    results, number = journal.append(user=read.reader, read_id=read.public_id, edits=list(strokes.edits()))
    for result in results:
        if result["status"] not in ("applied", "duplicate"):
            raise DemoMarksRefused(result.get("reason", result["status"]))
    return number


class _Strokes:
    def __init__(self, read: Read, segment: ImportedSegment) -> None:
        self.read, self.segment = read, segment
        self.source = SourceSeries.from_manifest(
            read_manifest(segment.series.manifest_key),
            study_instance_uid=segment.series.study.study_instance_uid,
        )
        self.now = datetime.now(tz=UTC).isoformat()

    def edits(self) -> Iterator[dict[str, Any]]:
        outline = self._uuid("outline")
        yield self._edit("take over", {"annotation": str(outline)}, self._outline())
        planes = list(ImportedPlane.objects.filter(segment=self.segment).order_by("pk"))
        kept: dict[int, NDArray[np.bool_]] = {}
        for index, plane in enumerate(planes):
            kept[index] = masks.decode(bytes(plane.runs), plane.rows, plane.columns)
            yield self._plane_edit("take over", outline, plane, kept[index], seen=0)
        for index, plane in enumerate(planes):
            smooth = smoothed(kept[index])
            if not np.array_equal(smooth, kept[index]) and smooth.any():
                yield self._plane_edit(f"smooth {index}", outline, plane, smooth, seen=1)
                kept[index] = smooth
        largest = max(kept, key=lambda index: int(kept[index].sum()))
        key = (planes[largest].sop_instance_uid, planes[largest].frame_number)
        frame = next(frame for frame in self.source.frames if frame.key == key)
        yield self._edit("measure", {"annotation": str(self._uuid("axes"))}, self._axes(frame, kept[largest]))

    def _outline(self) -> dict[str, Any]:
        return {
            "kind": "segment",
            "label": TUMOUR,
            "series": self.segment.series.public_id,
            "state": "present",
            "note": "",
            "origin": {"from": "imported", "imported": self.segment.public_id},
        }

    def _axes(self, frame: SourceFrame, plane: NDArray[np.bool_]) -> dict[str, Any]:
        return {
            "kind": "bidirectional",
            "label": DIAMETER,
            "series": self.segment.series.public_id,
            "state": "present",
            "note": "",
            "origin": {"from": "reader"},
            "sop": frame.key.sop_instance_uid,
            "frame": frame.key.frame_number,
            "frame_of_reference": self.source.frame_of_reference_uid or None,
            "points_patient_mm": axes_of(plane, frame).tolist(),
        }

    def _plane_edit(
        self, group: str, outline: UUID, plane: ImportedPlane, voxels: NDArray[np.bool_], *, seen: int
    ) -> dict[str, Any]:
        place = {
            "annotation": str(outline),
            "sop": plane.sop_instance_uid,
            "frame": plane.frame_number,
        }
        value = {
            "rle": base64.b64encode(masks.encode(voxels)).decode(),
            "rows": plane.rows,
            "columns": plane.columns,
        }
        return self._edit(group, place, value, seen=seen)

    def _edit(
        self, group: str, place: dict[str, Any], value: dict[str, Any], *, seen: int = 0
    ) -> dict[str, Any]:
        identity = (group, *map(str, place.values()), seen)
        return {
            "id": str(self._uuid("edit", *identity)),
            "group": str(self._uuid("group", group)),
            "inverts": None,
            "at": self.now,
            "object": place,
            "seen": seen,
            "value": value,
        }

    def _uuid(self, *parts: object) -> UUID:
        return uuid5(_DEMO, "/".join(map(str, (self.read.public_id, *parts))))


def smoothed(plane: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Corners off and notches filled, as a brush leaves it: each pixel follows most of its neighbours."""
    return ndimage.uniform_filter(plane.astype(np.float32), size=3, mode="constant") > 0.5


def axes_of(plane: NDArray[np.bool_], frame: SourceFrame) -> NDArray[np.float64]:
    """Ends of the longest diameter of a mask, then of the longest across it, float[4, 3] in patient mm."""
    row_mm, column_mm = frame.row_mm or 1.0, frame.column_mm or 1.0
    rows, columns = np.nonzero(plane)
    inside = np.stack((columns * column_mm, rows * row_mm), axis=1)
    corners = inside[ConvexHull(inside).vertices] if len(inside) > 3 else inside
    first, last = np.unravel_index(np.argmax(squareform(pdist(corners))), (len(corners), len(corners)))
    start, end = corners[first], corners[last]
    along = (end - start) / np.linalg.norm(end - start)
    across = np.array([-along[1], along[0]])
    forward, sideways = (inside - start) @ along, (inside - start) @ across
    widest = (0.0, 0.0, 0.0)
    step = min(row_mm, column_mm)
    for middle in np.arange(0.0, float(forward.max()), step):
        near = sideways[np.abs(forward - middle) <= step / 2]
        if near.size and near.max() - near.min() > widest[2] - widest[1]:
            widest = (float(middle), float(near.min()), float(near.max()))
    middle, low, high = widest
    ends = np.stack(
        (start, end, start + along * middle + across * low, start + along * middle + across * high)
    )
    along_row, down_column, _ = frame.axes
    return np.array(frame.position) + ends[:, :1] * along_row + ends[:, 1:] * down_column
