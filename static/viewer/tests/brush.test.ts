import { expect, test } from "vitest";
import type { Point2 } from "../src/api/types";
import { paintPiece, paintStroke } from "../src/journal/brush";
import { polygonArea } from "../src/journal/measure";
import { outline } from "../src/journal/outline";

// Twice as far between rows as between columns.
const grid = { rows: 60, columns: 80, row_mm: 0.8, column_mm: 0.4 };
const empty = () => new Uint8Array(grid.rows * grid.columns);
const count = (mask: Uint8Array) => mask.reduce((a, b) => a + b, 0);

/** The definition, voxel by voxel, without any of the short cuts. */
function expected(stroke: Point2[], radius: number): Uint8Array {
  const mask = empty();
  const mm = stroke.map(([c, r]) => [c * grid.column_mm, r * grid.row_mm]);
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      const p = [column * grid.column_mm, row * grid.row_mm];
      const near = mm.some((a, i) => {
        const b = mm[Math.min(i + 1, mm.length - 1)];
        const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
        const length = dx * dx + dy * dy;
        const t = length ? Math.max(0, Math.min(1, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length)) : 0;
        return Math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy) <= radius + 1e-9;
      });
      if (near) mask[row * grid.columns + column] = 1;
    }
  }
  return mask;
}

test("a click paints a circle in millimetres, not in voxels", () => {
  const mask = empty();
  paintStroke(mask, grid, [[40, 30]], 2, 1);
  const rows = [...mask.keys()].filter((i) => mask[i]).map((i) => Math.floor(i / grid.columns));
  const columns = [...mask.keys()].filter((i) => mask[i]).map((i) => i % grid.columns);
  expect([Math.min(...columns), Math.max(...columns)]).toEqual([35, 45]); // ± 2 mm / 0.4
  expect([Math.min(...rows), Math.max(...rows)]).toEqual([28, 32]); // ± 2 mm / 0.8, rounded in
  expect(mask).toEqual(expected([[40, 30]], 2));
});

test("a centre on the rim belongs to the circle", () => {
  const mask = empty();
  paintStroke(mask, grid, [[40, 30]], 1.2, 1);
  expect(mask[30 * grid.columns + 43]).toBe(1); // 3 × 0.4 mm
});

test("a fast, bent stroke has no gaps and equals its definition", () => {
  const stroke: Point2[] = [
    [5.3, 8.1],
    [60.7, 20.2],
    [44.4, 51.9],
    [78, 58],
  ];
  const mask = empty();
  paintStroke(mask, grid, stroke, 1.7, 1);
  expect(mask).toEqual(expected(stroke, 1.7));
  expect(count(mask)).toBeGreaterThan(500);
});

test("a stroke past the border stays inside the slice", () => {
  const mask = empty();
  paintStroke(
    mask,
    grid,
    [
      [-20, 30],
      [100, 30],
    ],
    1,
    1,
  );
  expect(count(mask)).toBe(3 * grid.columns);
});

test("the eraser takes away exactly what the brush of the same path put there", () => {
  const mask = empty();
  const stroke: Point2[] = [
    [10, 10],
    [30, 40],
  ];
  paintStroke(mask, grid, stroke, 2.5, 1);
  paintStroke(mask, grid, stroke, 2.5, 0);
  expect(count(mask)).toBe(0);
});

test("the threshold brush leaves voxels outside the range alone", () => {
  const mask = empty();
  paintPiece(mask, grid, [40, 30], [40, 30], 3, 1, (offset) => offset % grid.columns >= 40);
  const columns = [...mask.keys()].filter((i) => mask[i]).map((i) => i % grid.columns);
  expect(Math.min(...columns)).toBe(40);
  expect(count(mask)).toBeGreaterThan(10);
});

test("the outline encloses exactly the voxels, holes and diagonals included", () => {
  const mask = empty();
  paintStroke(mask, grid, [[40, 30]], 6, 1);
  paintStroke(mask, grid, [[40, 30]], 2, 0);
  mask[2 * grid.columns + 2] = 1;
  mask[3 * grid.columns + 3] = 1; // touches the one before at a corner only
  const rings = outline(mask, grid.rows, grid.columns);
  expect(rings).toHaveLength(4);
  const areas = rings.map(polygonArea).sort((a, b) => a - b);
  expect(areas[0]).toBe(1);
  expect(areas[1]).toBe(1);
  expect(areas[3] - areas[2] + 2).toBe(count(mask));
});
