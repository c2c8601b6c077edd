"""Masks by a real mouse, through the slices; each voxel is recomputed from what the node keeps."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import generate_uid
from scipy import ndimage

from annotations.measures import geometry
from tests.atlas.slices import header, part_10
from tests.e2e.node import Node
from tests.e2e.room import Room, assigned

SLICES, ROWS, COLUMNS = 24, 120, 160
ROW_MM, COLUMN_MM, SLICE_MM = 0.8, 0.6, 2.0
SPACING_MM = np.array([SLICE_MM, ROW_MM, COLUMN_MM])
LESION, LESION_MM = np.array([12, 62, 70]), 9.0  # centre: slice, row, column; radius
FREE = (120, 40)  # column and row of a place where there is nothing


def ball(centre: np.ndarray, radius_mm: float) -> np.ndarray:
    """bool[slices, rows, columns]"""
    voxel = np.stack(np.indices((SLICES, ROWS, COLUMNS)), axis=-1)
    return np.linalg.norm((voxel - centre) * SPACING_MM, axis=-1) <= radius_mm


def lung_with_a_lesion(node: Node, folder: Path, subject: str) -> str:
    """A noisy soft-tissue ball in lung; returns reader1's read."""
    values = np.where(ball(LESION, LESION_MM), 50.0, -800.0)
    values += np.random.default_rng(4).normal(0, 20, values.shape)
    stored = np.round(values + 1024).clip(0, 4095).astype(np.uint16)
    study, series = generate_uid(), generate_uid()
    for index, plane in enumerate(stored):
        image = header(
            StudyInstanceUID=study,
            SeriesInstanceUID=series,
            PatientID=subject,
            ImagePositionPatient=[-40, -30, SLICE_MM * index],
            SliceThickness=SLICE_MM,
            InstanceNumber=index + 1,
            PixelSpacing=[ROW_MM, COLUMN_MM],
        )
        (folder / f"{index:02}.dcm").write_bytes(part_10(image, plane))
    return assigned(node, folder, dataset="lung-ct", subject=subject, reader="reader1")


class MaskRoom(Room):
    """The room, with the masks of a segment as one volume."""

    sops: list[str]

    def open(self) -> "MaskRoom":
        super().open()
        self.page.wait_for_function(
            "() => { const { series } = window.atlasRoom.state(), { loaded, total } ="
            " window.atlasRoom.loaded(series); return total > 0 && loaded === total }"
        )
        return self

    def learn_slices(self) -> None:
        self.sops = []
        self.go_to_slice(0)
        for index in range(SLICES):
            self.go_to_slice(index)
            self.sops.append(self.state()["sop"])

    def volume(self, annotation: str) -> np.ndarray:
        """bool[slices, rows, columns] of a segment, from the server."""
        planes = [self.stored_plane(annotation, ROWS, COLUMNS, sop) for sop in self.sops]
        return np.stack(planes)

    def does(self, what) -> None:
        """Wait until an act is saved."""
        before = self.saving()["number"]
        what()
        self.page.wait_for_function("n => window.atlasRoom.saving().number > n", arg=before)
        self.saved()

    def click(self, name: str) -> None:
        self.page.get_by_test_id(name).click()

    def segments(self) -> list[dict]:
        return [mark for mark in self.marks() if mark["kind"] == "segment"]


@pytest.fixture(scope="module")
def lesion_read(demo, tmp_path_factory) -> str:
    return lung_with_a_lesion(demo, tmp_path_factory.mktemp("lesion"), "lesion")


def test_masks_are_made_and_shaped_through_the_slices_voxel_by_voxel(reader1, lesion_read):
    room = MaskRoom(reader1, lesion_read).open()
    room.learn_slices()

    # The ball brush: every voxel whose centre lies within its radius of the stroke, on every slice.
    room.go_to_slice(5)
    room.press("b")
    room.click("mask-ball")
    radius_mm = room.state()["brushMm"]
    start, end = room.client_of(*FREE), room.client_of(FREE[0] + 10, FREE[1] + 8)
    a, b = room.voxel_of(start), room.voxel_of(end)
    room.does(lambda: room.drag(start, end))
    brushed = room.segments()[-1]["id"]
    slices, rows, columns = np.indices((SLICES, ROWS, COLUMNS))
    along_mm = (b - a) * [COLUMN_MM, ROW_MM]
    from_start_mm = np.stack([(columns - a[0]) * COLUMN_MM, (rows - a[1]) * ROW_MM], axis=-1)
    share = np.clip(from_start_mm @ along_mm / (along_mm @ along_mm), 0, 1)
    across_mm = np.linalg.norm(from_start_mm - share[..., None] * along_mm, axis=-1)
    distance_mm = np.hypot(across_mm, (slices - 5) * SLICE_MM)
    sure = np.abs(distance_mm - radius_mm) > 1e-6
    found = room.volume(brushed)
    assert found.any(axis=(1, 2)).sum() >= 5
    assert np.array_equal(found[sure], (distance_mm <= radius_mm)[sure])

    # A margin of 2 mm, and undo of all its slices at once.
    room.click("mask-panel")
    room.does(lambda: room.click("mask-grow"))
    away_mm = ndimage.distance_transform_edt(~found, sampling=SPACING_MM)
    assert np.array_equal(room.volume(brushed), away_mm <= 2 + 1e-4)
    room.does(lambda: room.press("Control+z"))
    assert np.array_equal(room.volume(brushed), found)

    # Scissors through all slices: what lies left of a line is cut away.
    room.press("Shift+x")
    room.page.get_by_test_id("scissors-through").select_option("all")
    corners = [room.client_of(c, r) for c, r in ((100, 20), (FREE[0] + 4, 20), (FREE[0] + 4, 70), (100, 70))]
    edge = room.voxel_of(corners[1])[0]
    room.does(lambda: room.drag(*corners))
    assert np.array_equal(room.volume(brushed), found & (columns > edge))

    # One click on the lesion, kept by Enter.
    room.press("Shift+t")
    room.go_to_slice(12)
    room.page.mouse.click(*room.client_of(68, 60))
    room.page.get_by_test_id("mask-preview").wait_for()
    room.does(lambda: room.press("Enter"))
    lesion = room.segments()[-1]["id"]
    assert lesion != brushed
    truth, clicked = ball(LESION, LESION_MM), room.volume(lesion)
    assert 2 * (truth & clicked).sum() / (truth.sum() + clicked.sum()) > 0.99

    # What the screen says is what the server computes; all is there again after a reload.
    numbers = next(
        one
        for one in reader1.request.get(f"/api/v1/reads/{lesion_read}/measurements/").json()
        if one["annotation"] == lesion
    )
    expected_ml = geometry.volume_ml(clicked.sum(), row_mm=ROW_MM, column_mm=COLUMN_MM, thickness_mm=SLICE_MM)
    assert numbers["volume_ml"] == pytest.approx(expected_ml)
    chosen = room.page.get_by_test_id("chosen")
    for text in (
        f"{expected_ml:.2f} mL",
        f"{numbers['long_axis_mm']:.1f} × {numbers['short_axis_mm']:.1f} mm",
        f"{numbers['longest_3d_mm']:.1f} mm",
    ):
        chosen.get_by_text(text).first.wait_for()
    before = {mark["id"]: mark["voxels"] for mark in room.segments()}
    room.reload()
    assert {mark["id"]: mark["voxels"] for mark in room.segments()} == before
    room.close()
