"""Masks become outlines that fill to the same pixels, holes and all; figures keep their points."""

from dataclasses import replace
from datetime import datetime
from io import BytesIO
from uuid import UUID

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import polygon2mask

from annotations.exchange.codes import Code
from annotations.exchange.contours import outlines_of
from annotations.exchange.objects import ObjectIdentity
from annotations.exchange.outlines import filled
from annotations.exchange.rtstruct_reader import read_rtstruct
from annotations.exchange.rtstruct_writer import (
    Region,
    outline_of_figure,
    outlines_of_mask,
    write_rtstruct,
)
from annotations.exchange.source import ExchangeError, FrameKey, SourceSeries
from annotations.measures import masks
from annotations.measures.geometry import polygon_area
from tests.annotations.exchange import makers

NEOPLASM = Code("108369006", "SCT", "Neoplasm")
IDENTITY = ObjectIdentity(("project", 1, 314, "reader-1"), datetime(2026, 11, 22, 9, 30), "Release 1")

RING = np.zeros((20, 30), dtype=bool)
RING[3:15, 4:20] = True
RING[6:12, 7:17] = False  # a hole
RING[8:10, 10:14] = True  # an island in the hole
RING[9, 11] = False  # a hole in the island
CORNERS = np.zeros((20, 30), dtype=bool)
CORNERS[0, 0] = CORNERS[1, 1] = CORNERS[2, 0] = CORNERS[19, 29] = True
SHAPES = {
    "a ring around an island with a hole": RING,
    "pixels that touch at their corners, and the last one": CORNERS,
    "everything": np.ones((20, 30), dtype=bool),
    "everything but one": ~np.pad(np.ones((1, 1), dtype=bool), ((10, 9), (15, 14))),
    "a chessboard": np.indices((20, 30)).sum(axis=0) % 2 == 0,
}


@pytest.mark.parametrize("name", SHAPES)
def test_outlines_enclose_the_pixels_and_no_others(name: str) -> None:
    plane = SHAPES[name]
    together, apart = np.zeros_like(plane), np.zeros_like(plane)
    for outline in outlines_of(plane):
        inside = filled(outline, *plane.shape)
        together |= inside  # for readers that join outlines
        apart ^= inside  # for those that subtract what lies within
        judged = polygon2mask(plane.shape, outline[:, ::-1] - 0.5)
        np.testing.assert_array_equal(judged, inside)
    np.testing.assert_array_equal(together, plane)
    np.testing.assert_array_equal(apart, plane)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 24), st.integers(1, 24))
def test_any_plane_comes_back_from_its_outlines(seed: int, rows: int, columns: int) -> None:
    chance = np.random.default_rng(seed)
    plane = chance.random((rows, columns)) < chance.choice([0.05, 0.3, 0.5, 0.7, 0.95])
    found = np.zeros_like(plane)
    for outline in outlines_of(plane):
        inside = filled(outline, rows, columns)
        assert not (found & inside).any()
        found |= inside
    np.testing.assert_array_equal(found, plane)


def test_no_outline_comes_near_the_centre_of_a_pixel() -> None:
    for plane in SHAPES.values():
        for outline in outlines_of(plane):
            at = np.concatenate((outline, outline[:1]))
            across = np.diff(at, axis=0)
            assert ((across == 0).sum(axis=1) >= 1).all()  # along rows or down columns only
            off = np.abs(outline % 1 - 0.5)
            assert off.min() >= 0.25


def written(source: SourceSeries, regions: list[Region]) -> bytes:
    return write_rtstruct(
        source=source,
        header=makers.header(source),
        sop_classes=makers.sop_classes(source),
        regions=regions,
        identity=IDENTITY,
    )


def region(source: SourceSeries, name: str, planes: dict[int, np.ndarray]) -> tuple[Region, dict]:
    by_key = {source.frames[index].key: masks.encode(plane) for index, plane in planes.items()}
    return Region(name, NEOPLASM, outlines_of_mask(source, by_key), identity=UUID(int=1)), by_key


SERIES = {
    "axial": lambda: makers.series(),
    "anisotropic": lambda: makers.series(row_mm=0.3123457, column_mm=1.7, step_mm=6.5),
    "oblique": lambda: makers.series(orientation=makers.oblique()),
    "against the normal": lambda: makers.series(step_mm=-2.5),
    "tilted": lambda: makers.series(step=(0.0, 0.8, 2.5)),
    "multi-frame": lambda: makers.series(multi_frame=True),
}


@pytest.mark.parametrize("name", SERIES)
def test_regions_come_back_voxel_for_voxel(name: str) -> None:
    """Overlapping ones, one with a single voxel, and one without any, which is described."""
    source = SERIES[name]()
    ring, ring_planes = region(source, "Ring", {1: RING, 2: RING, 4: CORNERS})
    other, other_planes = region(source, "Other", {2: np.roll(RING, 3, axis=1)})
    last = np.zeros((20, 30), dtype=bool)
    last[19, 29] = True
    single, single_planes = region(source, "Single", {5: last})
    empty = Region("Node", NEOPLASM, description="Absent: looked, nothing there")
    dataset = pydicom.dcmread(BytesIO(written(source, [ring, other, single, empty])))
    back = read_rtstruct(dataset, [source])
    assert [one.label for one in back.segments] == ["Ring", "Other", "Single"]
    assert [one.planes for one in back.segments] == [ring_planes, other_planes, single_planes]
    assert [one.meaning for one in back.segments] == [NEOPLASM] * 3
    assert (back.notes, back.shapes, back.by_place) == ((), (), False)
    assert [roi.ROIName for roi in dataset.StructureSetROISequence] == ["Ring", "Other", "Single", "Node"]
    assert dataset.StructureSetROISequence[3].ROIDescription == "Absent: looked, nothing there"
    assert "ContourSequence" not in dataset.ROIContourSequence[3]


def test_the_same_regions_give_the_same_bytes() -> None:
    source = makers.series()
    one, _ = region(source, "Ring", {1: RING})
    assert written(source, [one]) == written(source, [one])


def test_phases_at_one_place_keep_their_own_outlines() -> None:
    """Each outline names the image it was drawn on."""
    plain = makers.series(slices=2)
    again = tuple(
        replace(frame, key=FrameKey(f"{frame.key.sop_instance_uid}.7", 1)) for frame in plain.frames
    )
    source = replace(plain, frames=(plain.frames[0], again[0], plain.frames[1], again[1]))
    one, planes = region(source, "Early", {0: RING, 3: CORNERS})
    back = read_rtstruct(pydicom.dcmread(BytesIO(written(source, [one]))), [source])
    assert back.segments[0].planes == planes


def test_a_long_outline_has_room() -> None:
    """It takes more text than explicit representations can count: 16 bits."""
    source = makers.series(rows=200, columns=300)
    plane = np.random.default_rng(1).random((200, 300)) < 0.7
    plane[::2] = True
    plane[:, 0] = True
    one, planes = region(source, "Noise", {0: plane})
    dataset = pydicom.dcmread(BytesIO(written(source, [one])))
    contours = dataset.ROIContourSequence[0].ContourSequence
    assert max(len("\\".join(map(str, contour.ContourData))) for contour in contours) > 0xFFFF
    assert read_rtstruct(dataset, [source]).segments[0].planes == planes


# Figures ------------------------------------------------------------------------------------------


NORMAL = np.array((0.0, 0.0, 1.0))


def test_polygons_keep_the_points_they_were_drawn_with() -> None:
    drawn = [[0.5, 1.25, 7.0], [4.0, 1.0, 7.0], [3.0, 6.125, 7.0]]
    for kind in ("polygon", "freehand", "livewire"):
        np.testing.assert_array_equal(outline_of_figure(kind, drawn, normal=NORMAL), drawn)


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("ellipse", [[-30, 0, 7], [30, 0, 7], [0, -10, 7], [0, 10, 7]]),
        ("circle", [[3, 4, 7], [33, 4, 7]]),
    ],
)
def test_round_figures_become_polygons_within_a_thousandth_of_their_size(kind: str, points: list) -> None:
    outline = outline_of_figure(kind, points, normal=NORMAL)
    center, axes = (np.array((0, 0)), (30, 10)) if kind == "ellipse" else (np.array((3, 4)), (30, 30))
    assert outline.shape == (90, 3)
    np.testing.assert_array_equal(outline[:, 2], 7)
    scaled = (outline[:, :2] - center) / axes
    np.testing.assert_allclose(np.linalg.norm(scaled, axis=1), 1, atol=1e-9)
    middles = (scaled + np.roll(scaled, -1, axis=0)) / 2  # where the polygon is furthest off
    assert np.abs(np.linalg.norm(middles, axis=1) - 1).max() < 0.001
    assert polygon_area(outline) == pytest.approx(np.pi * axes[0] * axes[1], rel=0.001)


@pytest.mark.parametrize("kind", ["length", "bidirectional", "angle", "cobb", "arrow", "point", "box"])
def test_figures_that_enclose_no_area_have_no_outline(kind: str) -> None:
    assert outline_of_figure(kind, [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], normal=NORMAL) is None


# What can't be written ----------------------------------------------------------------------------


def test_without_a_frame_of_reference_there_is_no_structure_set() -> None:
    source = replace(makers.series(), frame_of_reference_uid="")
    with pytest.raises(ExchangeError, match="no frame of reference"):
        written(source, [region(makers.series(), "Ring", {1: RING})[0]])


def test_without_an_outline_there_is_none_either() -> None:
    with pytest.raises(ExchangeError, match="nothing on it has an outline"):
        written(makers.series(), [Region("Node", NEOPLASM)])


def test_a_plane_on_an_image_without_a_place_is_refused() -> None:
    plain = makers.series()
    source = replace(plain, frames=tuple(replace(frame, position=None) for frame in plain.frames))
    with pytest.raises(ExchangeError, match="has no place in the patient"):
        region(source, "Ring", {1: RING})
