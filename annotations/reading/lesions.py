"""The lesions of a submission: each segment with its voxels in the patient, each measure by its points.

A measure that lies inside a segment of the same reader and label belongs to that segment's lesion, and its
length is that lesion's length. Marks that were left as absent or not assessed are no lesions.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from annotations.measures import geometry, masks
from annotations.measures.agreement.lesions import Lesion, centre_mm
from annotations.measures.agreement.voxels import Grid, Voxels, volume_mm3
from annotations.measures.figures import WITHOUT_NUMBERS
from annotations.models import Submission
from annotations.reading.frames import Frames, frames_of
from annotations.reading.journal import Mark, PlaneOfMark, State, state_at
from annotations.reading.measurements import Measurement, measured
from atlas.models import Series

NO_LESION = ("absent", "not_assessed")
"""States of a mark that say: nothing is there, or nobody looked."""
LONGEST = ("long_axis_mm", "length_mm", "diameter_mm", "width_mm")
UNKNOWN = Frames(in_patient=False, grids={}, spoiled=frozenset(), stacks=())
"""Of a series that is still being taken in: figures have their points, segments no place."""
SHORTEST = ("short_axis_mm", "height_mm")

type _Place = tuple[str, tuple[float, float, float], Voxels | None, Grid | None]


def lesions_of(
    submission: Submission, *, labels: Collection[str] | None = None, state: State | None = None
) -> dict[str, list[Lesion]]:
    """By label key, in the order they were made; without `labels` those of all labels.

    `state` may be handed in where it is known already. Voxels are cut out to each lesion's own box; asked for
    label by label, no more than one label's are in memory.
    """
    state = state or state_at(submission.read, submission.edit_number)
    marks = [mark for mark in state.annotations if labels is None or mark.value["label"] in labels]
    series = Series.objects.filter(
        public_id__in={mark.value["series"] for mark in marks},
        study__case_studies__case=submission.read.case_id,
    ).select_related("study")
    images = {one.public_id: _Images(one) for one in series}
    planes: dict[UUID, list[PlaneOfMark]] = {}
    for plane in state.planes:
        planes.setdefault(plane.annotation_id, []).append(plane)
    answers: dict[str, dict[str, Any]] = {}
    for answer in state.answers:
        if answer.value["of"] == "annotation":
            answers.setdefault(answer.value["id"], {})[answer.value["answer"]] = answer.value.get("value")
    found: dict[str, list[tuple[Mark, Lesion]]] = {}
    for mark in marks:
        image = images.get(mark.value["series"])
        if image is None or mark.value["state"] in NO_LESION:
            continue
        lesion = image.lesion(mark, planes.get(mark.annotation_id, []), answers)
        if lesion is not None:
            found.setdefault(mark.value["label"], []).append((mark, lesion))
    return {label: _with_their_measures(made, images) for label, made in found.items()}


def lesions_in(series: Series, mask: NDArray[np.bool_]) -> list[Lesion]:
    """Each part of a mask that touches no other is a lesion, also by a corner: bool[frames, rows, columns] in
    the series' display order. They have voxels and volumes, but no diameters."""
    return _Images(series).parts(mask)


def labels_of(state: State) -> set[str]:
    """The keys of the labels that have any mark."""
    return {mark.value["label"] for mark in state.annotations}


def _with_their_measures(
    made: Sequence[tuple[Mark, Lesion]], images: Mapping[str, "_Images"]
) -> list[Lesion]:
    """Measures that lie inside a segment of their label join it; the largest where several hold one."""
    segments = [lesion for _, lesion in made if lesion.voxels is not None]
    joined: dict[str, list[Lesion]] = {}
    for mark, lesion in made:
        if lesion.voxels is None:
            image = images[mark.value["series"]]
            holding = [one for one in segments if image.lies_inside(mark.value, one)]
            if holding:
                largest = max(holding, key=lambda one: one.voxels.count if one.voxels else 0)
                joined.setdefault(largest.identity, []).append(lesion)
    gone = {lesion.identity for members in joined.values() for lesion in members}
    return [
        _joined(lesion, joined.get(lesion.identity, [])) for _, lesion in made if lesion.identity not in gone
    ]


def _joined(segment: Lesion, measures: Sequence[Lesion]) -> Lesion:
    """What the reader measured counts before what follows from the voxels; the longest of several."""
    if not measures:
        return segment
    longest = max(measures, key=lambda one: one.longest_mm or 0)
    return replace(
        segment,
        annotations=(segment.identity, *(one.identity for one in measures)),
        answers={**dict(kv for one in measures for kv in one.answers.items()), **segment.answers},
        longest_mm=segment.longest_mm if longest.longest_mm is None else longest.longest_mm,
        short_mm=segment.short_mm if longest.longest_mm is None else longest.short_mm,
    )


class _Images:
    """One series that lesions were marked on."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self.frames = frames_of(series) or UNKNOWN
        self.names = list(self.frames.grids)
        self.number_of = {name: index for index, name in enumerate(self.names)}
        self.grids: dict[range, Grid] = {}
        self.space = series.frame_of_reference_uid or series.public_id
        self.is_trusted = self.frames.in_patient and not self.frames.spoiled & {"volume", "millimetres"}
        self.place = self.space if self.is_trusted else series.public_id

    def lesion(
        self, mark: Mark, planes: Sequence[PlaneOfMark], answers: Mapping[str, Mapping[str, Any]]
    ) -> Lesion | None:
        """None for a segment without a voxel."""
        numbers = measured(mark, self.frames, planes)
        identity = str(mark.annotation_id)
        place = self._segment(planes) if mark.value["kind"] == "segment" else self._figure(mark.value)
        if place is None:
            return None
        space, centroid_mm, voxels, grid = place
        volume_ml = numbers.numbers.get("volume_ml")
        return Lesion(
            identity=identity,
            series=self.series.public_id,
            study=self.series.study.public_id,
            space=space,
            place=grid.space if grid is not None else self.place,
            centroid_mm=centroid_mm,
            voxels=voxels,
            grid=grid,
            volume_mm3=None if volume_ml is None else volume_ml * 1000,
            longest_mm=_first(numbers, LONGEST),
            short_mm=_first(numbers, SHORTEST),
            category=mark.value["state"],
            answers=answers.get(identity, {}),
            annotations=(identity,),
        )

    def parts(self, mask: NDArray[np.bool_]) -> list[Lesion]:
        """Voxels without a mark behind them, told apart by where they touch."""
        painted = np.flatnonzero(mask.any(axis=(1, 2)))
        if not painted.size:
            return []
        stack = self._stack(painted.tolist())
        grid = self._grid(stack)
        numbered, _ = ndimage.label(mask[stack.start : stack.stop], structure=np.ones((3, 3, 3)))
        found = []
        for number, box in enumerate(ndimage.find_objects(numbered), start=1):
            corner = (box[0].start, box[1].start, box[2].start)
            voxels = Voxels(corner, numbered[box] == number)
            space, centroid_mm = self._middle_of(voxels, grid, stack)
            found.append(
                Lesion(
                    identity=f"{self.series.public_id}/{number}",
                    series=self.series.public_id,
                    study=self.series.study.public_id,
                    space=space,
                    place=grid.space,
                    centroid_mm=centroid_mm,
                    voxels=voxels,
                    grid=grid,
                    volume_mm3=volume_mm3(voxels, grid),
                )
            )
        return found

    # Segments -----------------------------------------------------------------------------------

    def _segment(self, planes: Sequence[PlaneOfMark]) -> _Place | None:
        bits = [
            (self.number_of.get((plane.sop_instance_uid, plane.frame_number)), plane)
            for plane in planes
            if not masks.is_empty(plane.runs)
        ]
        painted = {at: plane for at, plane in bits if at is not None}
        if not painted:
            return None
        stack = self._stack(painted)
        grid = self._grid(stack)
        voxels = _voxels(painted, stack.start)
        return *self._middle_of(voxels, grid, stack), voxels, grid

    def _middle_of(self, voxels: Voxels, grid: Grid, stack: range) -> tuple[str, tuple[float, float, float]]:
        """In which space voxels lie, and their centre there."""
        if grid.is_in_mm:
            return grid.space, centre_mm(grid.centres_mm(voxels.indices))
        fullest = int(voxels.mask.sum(axis=(1, 2)).argmax())
        rows, columns = np.nonzero(voxels.mask[fullest])
        centre = np.array([columns.mean() + voxels.corner[2], rows.mean() + voxels.corner[1]]) + 0.5
        name = self.names[stack.start + voxels.corner[0] + fullest]
        return _image_space(*name), centre_mm([self._on_image(centre, name)])

    def _stack(self, painted: Collection[int]) -> range:
        """The stack that holds all of these frames; all frames of the series where several do."""
        within = [one for one in self.frames.stacks if all(at in one for at in painted)]
        return within[0] if within else range(len(self.names))

    def _grid(self, stack: range) -> Grid:
        if stack not in self.grids:
            self.grids[stack] = self._grid_of(stack)
        return self.grids[stack]

    def _grid_of(self, stack: range) -> Grid:
        frames = [self.frames.grids[name] for name in self.names[stack.start : stack.stop]]
        first = frames[0]
        spacing = first.spacing_mm
        alike = {(one.rows, one.columns, one.spacing_mm, one.orientation) for one in frames}
        placed = [one.origin_patient_mm for one in frames if one.origin_patient_mm is not None]
        name = f"{self.series.public_id}/{self.series.generation}/{stack.start}-{stack.stop}"
        rows, columns = max(one.rows for one in frames), max(one.columns for one in frames)
        if (
            self.is_trusted
            and len(alike) == 1
            and len(placed) == len(frames)
            and spacing is not None
            and first.orientation is not None
            and (len(frames) < 2 or stack in self.frames.stacks)
        ):
            along_row, along_column = np.array(first.orientation, dtype=np.float64).reshape(2, 3)
            return Grid(
                name=name,
                space=self.space,
                rows=rows,
                columns=columns,
                origins_mm=np.array(placed, dtype=np.float64),
                along_row=along_row,
                along_column=along_column,
                row_mm=spacing[0],
                column_mm=spacing[1],
            )
        return Grid(
            name=name,
            space=self.series.public_id,
            rows=rows,
            columns=columns,
            origins_mm=np.arange(len(frames))[:, None] * np.array([0.0, 0.0, 1.0]),
            along_row=np.array([1.0, 0.0, 0.0]),
            along_column=np.array([0.0, 1.0, 0.0]),
            row_mm=1.0,
            column_mm=1.0,
            is_in_mm=False,
        )

    # Figures ------------------------------------------------------------------------------------

    def _figure(self, value: Mapping[str, Any]) -> _Place:
        if value.get("points_patient_mm"):
            points = np.array(value["points_patient_mm"], dtype=np.float64)
            return self.space, centre_mm([_middle(value["kind"], points)]), None, None
        name = (value["sop"], value["frame"])
        middle = _middle(value["kind"], np.array(value["points_image"], dtype=np.float64))
        return _image_space(*name), centre_mm([self._on_image(middle, name)]), None, None

    def lies_inside(self, value: Mapping[str, Any], segment: Lesion) -> bool:
        """Whether a figure lies in a segment: its middle does, or more than half of its points."""
        if segment.grid is None or segment.voxels is None:
            return False
        if value.get("points_patient_mm"):
            points = np.array(value["points_patient_mm"], dtype=np.float64)
            if not segment.grid.is_in_mm or segment.space != self.space:
                return False
            asked = np.vstack((_middle(value["kind"], points), points))
            at, inside = segment.grid.nearest(asked)
        else:
            number = self.number_of.get((value["sop"], value["frame"]))
            name = segment.grid.name.rsplit("/", 1)
            if segment.series != self.series.public_id or number is None or segment.grid.is_in_mm:
                return False
            first = int(name[1].split("-")[0])
            points = np.array(value["points_image"], dtype=np.float64)
            asked = np.vstack((_middle(value["kind"], points), points))
            at = np.column_stack((np.full(len(asked), number - first), np.floor(asked[:, ::-1]).astype(int)))
            inside = np.ones(len(asked), dtype=np.bool_)
        held = [bool(ok) and segment.voxels.holds(one) for one, ok in zip(at, inside, strict=True)]
        return held[0] or sum(held[1:]) * 2 > len(held) - 1

    def _on_image(self, column_row: np.ndarray, name: tuple[str, int]) -> list[float]:
        """(column, row) in mm where the image is calibrated, with a 0 for the third."""
        grid = self.frames.grids.get(name)
        spacing = grid.spacing_mm if grid else None
        if spacing is None:
            return [float(column_row[0]), float(column_row[1]), 0.0]
        return [*geometry.to_millimetres([column_row], row_mm=spacing[0], column_mm=spacing[1])[0], 0.0]


def _voxels(painted: Mapping[int, PlaneOfMark], start: int) -> Voxels:
    """By frame number in the series. Decoded twice: all whole planes at once would fill the memory."""
    box = [2**31, -1, 2**31, -1]
    for plane in painted.values():
        bits = _decoded(plane)
        rows, columns = np.flatnonzero(bits.any(axis=1)), np.flatnonzero(bits.any(axis=0))
        box[0], box[1] = min(box[0], int(rows[0])), max(box[1], int(rows[-1]))
        box[2], box[3] = min(box[2], int(columns[0])), max(box[3], int(columns[-1]))
    top, bottom, left, right = box
    first, last = min(painted), max(painted)
    mask = np.zeros((last - first + 1, bottom - top + 1, right - left + 1), dtype=np.bool_)
    for at, plane in painted.items():
        mask[at - first] = _decoded(plane)[top : bottom + 1, left : right + 1]
    return Voxels((first - start, top, left), mask)


def _decoded(plane: PlaneOfMark) -> masks.Plane:
    return masks.decode(bytes(plane.runs), plane.rows, plane.columns)


def _middle(kind: str, points: np.ndarray) -> np.ndarray:
    if kind == "circle":  # its centre and a point on its rim
        return points[0]
    if kind == "box":  # a corner, and the ends of the three edges that leave it
        return points[0] + (points[1:] - points[0]).sum(axis=0) / 2
    return points.mean(axis=0)


def _image_space(sop_instance_uid: str, frame_number: int) -> str:
    """An image without a position is a space of its own."""
    return f"{sop_instance_uid}/{frame_number}"


def _first(measurement: Measurement, names: Sequence[str]) -> float | None:
    if measurement.kind in WITHOUT_NUMBERS:
        return None
    return next((measurement.numbers[name] for name in names if name in measurement.numbers), None)
