"""Other planes through a stack, drawn by a real mouse: values, lengths and strokes against numpy."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import expect
from pydicom.uid import generate_uid

from tests.atlas.slices import header, part_10
from tests.e2e.filled import fill
from tests.e2e.node import Node
from tests.e2e.room import Room, sign_in

ROWS, COLUMNS, SLICES = 40, 50, 16
ROW_MM, COLUMN_MM, SLICE_MM = 0.8, 0.4, 2.5
BRUSH_MM = 3.0
AXIAL, CORONAL, SAGITTAL = range(3)
IS_DRAWN = """pane => {
    const { origin, row } = atlasRoom.cut(pane).plane;
    const { plane } = atlasRoom.drawn(pane);
    const near = (a, b) => a.every((v, i) => Math.abs(v - b[i]) < 1e-5);
    return near(plane.origin, origin) && near(plane.row, row);
}"""


class Body:
    """A stack of noise, and what lies between its voxels. Each slice lies `shift_mm` further along y."""

    def __init__(self, shift_mm: float) -> None:
        random = np.random.default_rng(7)
        self.values = random.integers(-900, 900, (SLICES, ROWS, COLUMNS))
        self.origins = np.array([(-12.0, -9.0 + shift_mm * at, 30.0 + SLICE_MM * at) for at in range(SLICES)])

    def files(self) -> list[bytes]:
        common = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
        return [
            part_10(
                header(ImagePositionPatient=list(origin), InstanceNumber=at + 1, **common),
                (values + 1024).astype(np.int16),
            )
            for at, (origin, values) in enumerate(zip(self.origins, self.values, strict=True))
        ]

    def at(self, points: np.ndarray) -> np.ndarray:
        """float[n] of points float[n, 3] in mm: linear between slices and in them; NaN outside."""
        depth = (points[:, 2] - self.origins[0, 2]) / SLICE_MM
        before = np.clip(np.floor(depth + 1e-9).astype(int), 0, SLICES - 2)
        part = np.clip(depth - before, 0, 1)
        inside = (depth > -1e-6) & (depth < SLICES - 1 + 1e-6)
        lower, upper = self._on(before, points), self._on(before + 1, points)
        lower = np.where(part > 1 - 1e-7, 0, lower)
        upper = np.where(part < 1e-7, 0, upper)
        return np.where(inside, lower * (1 - part) + upper * part, np.nan)

    def _on(self, slices: np.ndarray, points: np.ndarray) -> np.ndarray:
        columns = (points[:, 0] - self.origins[slices, 0]) / COLUMN_MM
        rows = (points[:, 1] - self.origins[slices, 1]) / ROW_MM
        outside = (
            (columns < -1e-6) | (rows < -1e-6) | (columns > COLUMNS - 1 + 1e-6) | (rows > ROWS - 1 + 1e-6)
        )
        c = np.clip(np.floor(columns).astype(int), 0, COLUMNS - 2)
        r = np.clip(np.floor(rows).astype(int), 0, ROWS - 2)
        fc, fr = np.clip(columns - c, 0, 1), np.clip(rows - r, 0, 1)
        v = self.values
        top = v[slices, r, c] * (1 - fc) + v[slices, r, c + 1] * fc
        bottom = v[slices, r + 1, c] * (1 - fc) + v[slices, r + 1, c + 1] * fc
        return np.where(outside, np.nan, top * (1 - fr) + bottom * fr)

    def centres(self) -> np.ndarray:
        """float[slices, rows, columns, 3]"""
        rows, columns = np.mgrid[:ROWS, :COLUMNS]
        flat = np.stack([columns * COLUMN_MM, rows * ROW_MM, np.zeros_like(rows)], axis=-1)
        return self.origins[:, None, None, :] + flat


BODIES = {"straight": Body(0.0), "tilted": Body(0.73)}


@pytest.fixture(scope="module")
def reads(node: Node, tmp_path_factory, chromium) -> Iterator[tuple]:
    subjects = {name: body.files() for name, body in BODIES.items()}
    read_of = fill(node, tmp_path_factory.mktemp("subjects"), subjects)
    context = sign_in(chromium, node, "reader1")
    yield context, read_of
    context.close()


@pytest.fixture
def opened(reads):
    context, read_of = reads
    rooms = []

    def open_read(name: str) -> Room:
        room = Room(context, read_of[name]).open()
        rooms.append(room)
        room.page.wait_for_function(
            """() => {
                const { loaded, total } = atlasRoom.loaded(atlasRoom.state().series);
                return total > 0 && loaded === total;
            }"""
        )
        room.press("u")
        for pane in range(3):
            room.page.wait_for_function("pane => atlasRoom.drawn(pane) !== null", arg=pane)
        return room

    yield open_read
    for room in rooms:
        assert room.errors == []
        room.close()


def on_plane(plane: dict, indices: np.ndarray) -> np.ndarray:
    """float[n, 3] mm of index coordinates float[n, 2] (column, row)."""
    row, column = np.array(plane["row"]), np.array(plane["column"])
    across = indices[:, :1] * plane["column_mm"] * row
    return np.array(plane["origin"]) + across + indices[:, 1:] * plane["row_mm"] * column


def compare(room: Room, pane: int, body: Body) -> int:
    """Every pixel of a cut as it was drawn against the value between the voxels; how many have one."""
    drawn = room.page.evaluate("pane => atlasRoom.drawn(pane)", pane)
    plane = drawn["plane"]
    rows, columns = np.mgrid[: plane["rows"], : plane["columns"]]
    wanted = body.at(on_plane(plane, np.column_stack([columns.ravel(), rows.ravel()]).astype(float)))
    shown = np.array(drawn["values"])
    inside = ~np.isnan(wanted)
    assert np.abs(shown[inside] - wanted[inside]).max() <= 0.5001  # whole values
    assert (shown[~inside] <= body.values.min()).all()
    return int(inside.sum())


def client_of(room: Room, pane: int, point: np.ndarray) -> tuple[int, int]:
    x, y = room.page.evaluate("([point, pane]) => atlasRoom.clientOf(point, pane)", [point.tolist(), pane])
    return round(x), round(y)


def point_under(room: Room, pane: int, client: tuple[int, int]) -> np.ndarray:
    """The patient point under a pixel of the page, by the room's own affine map of the cut."""
    origin, right, down = (
        np.array(room.page.evaluate("([at, pane]) => atlasRoom.clientOfVoxel(at, pane)", [at, pane]))
        for at in ([0, 0], [100, 0], [0, 100])
    )
    index = np.linalg.solve(np.column_stack([right - origin, down - origin]) / 100, np.array(client) - origin)
    return on_plane(room.page.evaluate("pane => atlasRoom.cut(pane)", pane)["plane"], index[None])[0]


def middle(room: Room, name: str) -> tuple[float, float]:
    box = room.page.get_by_test_id(name).bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("name", BODIES)
def test_every_pixel_of_every_plane_is_what_lies_between_the_voxels(opened, name):
    room, body = opened(name), BODIES[name]
    for pane in (AXIAL, CORONAL, SAGITTAL):
        assert compare(room, pane, body) > 500

    # The readout under a real mouse, and the renderer's own idea of where that point lies.
    centre = np.array(room.page.evaluate("() => atlasRoom.cut(1)")["centre"])
    client = client_of(room, CORONAL, centre + np.array([1.7, 0, -6.2]))
    room.page.mouse.move(*client)
    wanted = body.at(point_under(room, CORONAL, client)[None])[0]
    value = room.page.get_by_test_id("value-1")
    expect(value).to_contain_text("HU")
    assert abs(int(value.inner_text().replace("−", "-").split()[0]) - wanted) <= 0.5001

    # Turned by a knob and moved by a line: still the body's values, now between all of its axes.
    x, y = middle(room, "knob-0-sagittal-1")
    room.drag((x, y), (x + 10, y), (x + 30, y - 5))
    room.page.wait_for_function("() => Math.abs(atlasRoom.cut(2).row[0]) > 0.1")
    before = room.page.evaluate("() => atlasRoom.cut(0).centre")
    x, y = middle(room, "centre-0")
    room.drag((x, y), (x + 12, y + 9))
    room.page.wait_for_function("z => atlasRoom.cut(2).centre[1] > z + 0.1", arg=before[1])
    for pane in (CORONAL, SAGITTAL):
        room.page.wait_for_function(IS_DRAWN, arg=pane)
        assert compare(room, pane, body) > 300


@pytest.mark.parametrize("name", ["tilted"])
def test_a_length_and_a_stroke_on_a_cut_are_millimetres_and_voxels_of_the_patient(opened, name):
    room, body = opened(name), BODIES[name]
    centre = np.array(room.page.evaluate("() => atlasRoom.cut(2)")["centre"])
    ends = [client_of(room, SAGITTAL, centre + np.array(way)) for way in ([0, -6.0, -9.0], [0, 5.0, 11.0])]
    wanted = np.linalg.norm(np.subtract(*(point_under(room, SAGITTAL, end) for end in ends)))
    number = room.saving()["number"]
    room.press("d")
    room.drag(ends[0], ends[1])
    room.saved(number + 1)
    marks = room.stored()["annotations"]
    length = next(one["value"] for one in marks if one["value"]["kind"] == "length")
    a, b = np.array(length["points_patient_mm"])
    assert abs(np.linalg.norm(a - b) - wanted) < 0.01
    assert "sop" not in length
    assert np.allclose(np.abs(np.cross(length["plane"]["row"], length["plane"]["column"])), [1, 0, 0])
    expect(room.page.get_by_test_id("finding").first).to_contain_text(f"{wanted:.1f} mm")

    room.press("b")
    stroke = [client_of(room, CORONAL, centre + np.array(way)) for way in ([-4.0, 0, -5.0], [4.0, 0, 6.0])]
    number = room.saving()["number"]
    while room.state()["brushMm"] > BRUSH_MM:
        room.press("[")
    room.drag(*stroke)
    room.saved(number + 1)
    segment = next(one["id"] for one in room.stored()["annotations"] if one["value"]["kind"] == "segment")
    painted = np.array([room.stored_plane(segment, ROWS, COLUMNS, sop) for sop in sops_of(room)])
    assert np.array_equal(painted, within_stroke(body, [point_under(room, CORONAL, at) for at in stroke]))
    expect(room.page.get_by_test_id("surface-3")).to_have_attribute("data-solids", re.compile("1"))


def sops_of(room: Room) -> list[str]:
    """The images of the read's only series, in the order of its stack."""
    read = room.context.request.get(f"/api/v1/reads/{room.read}/").json()
    return room.context.request.get(read["studies"][0]["series"][0]["manifest"]).json()["frames"]["sop"]


def within_stroke(body: Body, ends: list[np.ndarray]) -> np.ndarray:
    """bool[slices, rows, columns]: what the coronal plane passes through, within the brush of its stroke."""
    centres = body.centres()
    a, b = ends
    is_on = np.abs(centres[..., 1] - a[1]) < ROW_MM / 2
    foot = centres.copy()
    foot[..., 1] = a[1]
    way = b - a
    part = np.clip(((foot - a) @ way) / (way @ way), 0, 1)
    away = np.linalg.norm(foot - (a + part[..., None] * way), axis=-1)
    return is_on & (away <= BRUSH_MM)
