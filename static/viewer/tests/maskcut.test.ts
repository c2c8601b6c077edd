/** Masks on cuts against the voxels they are made of, and the brush on a cut against its definition. */
import { describe, expect, test } from "vitest";
import type { Manifest, Point2, Point3 } from "../src/api/types";
import { cutOf, normalOfCut, planeOfCut, turnedAbout } from "../src/engine/cut";
import { dot, indexToWorld, planeOf, sub, worldToIndex } from "../src/engine/geometry";
import { type Crop, cropped, maskOnCut, paintOnCut, reachOfCut } from "../src/engine/maskcut";
import { fromGrid, type Grid, gridOf } from "../src/engine/volume";
import { manifest } from "./manifest";

const plain = () => manifest({}, 12);
function tilted(): Manifest {
  const made = manifest({}, 12);
  made.frames.position = made.frames.position!.map(([x, y, z], i) => [x, y + 0.7 * i, z]);
  return made;
}
const centre: Point3 = [-90.1, -66.1, 20.1];

/** A ball of 7 mm, as whole masks by slice. */
function ball(grid: Grid): Uint8Array[] {
  const [columns, rows, slices] = grid.dims;
  return Array.from({ length: slices }, (_, slice) => {
    const mask = new Uint8Array(rows * columns);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        if (Math.hypot(...sub(fromGrid(grid, [column, row, slice]), centre)) < 7)
          mask[row * columns + column] = 1;
    return mask;
  });
}

describe("a mask on a cut", () => {
  test("shows at every pixel the voxel whose centre is nearest, in any plane, straight and tilted", () => {
    for (const grid of [gridOf(plain(), 0)!, gridOf(tilted(), 0)!]) {
      const [columns, rows] = grid.dims;
      const masks = ball(grid);
      const layers = masks.map((mask) => cropped(mask, rows, columns));
      for (const name of ["axial", "coronal", "sagittal"] as const) {
        for (const angle of [0, 0.4]) {
          const cut = turnedAbout(cutOf(name, grid, centre), [0.6, 0.8, 0], angle);
          const plane = planeOfCut(cut, grid);
          const patch = maskOnCut(grid, plane, layers)!;
          let set = 0;
          for (let row = 0; row < plane.rows; row++) {
            for (let column = 0; column < plane.columns; column++) {
              const point = indexToWorld(plane, [column, row]);
              const depth = dot(sub(point, grid.plane.origin), grid.normal) / 2.5;
              const at = [...worldToIndex(planeOf(grid.manifest, Math.round(depth)), point), depth];
              // On the border between two voxels either is right.
              if (at.some((v) => Math.abs(Math.abs(v % 1) - 0.5) < 1e-6)) continue;
              const [c, r, s] = at.map(Math.round);
              const inside = c >= 0 && r >= 0 && s >= 0 && c < columns && r < rows && s < 12;
              const expected = inside ? masks[s][r * columns + c] : 0;
              const [x, y] = [column - patch.left, row - patch.top];
              const there = x >= 0 && y >= 0 && x < patch.columns && y < patch.rows;
              const shown = there ? patch.mask[y * patch.columns + x] : 0;
              expect(shown).toBe(expected);
              set += shown;
            }
          }
          expect(set).toBeGreaterThan(300);
        }
      }
    }
  });

  test("is nothing where the cut passes by", () => {
    const grid = gridOf(plain(), 0)!;
    const layers = ball(grid).map((mask) => cropped(mask, 40, 50));
    expect(maskOnCut(grid, planeOfCut(cutOf("axial", grid, [-90, -66, 36]), grid), layers)).toBeNull();
  });

  test("is cut down to what is set", () => {
    const mask = new Uint8Array(6 * 5);
    expect(cropped(mask, 6, 5)).toBeNull();
    mask[2 * 5 + 3] = mask[4 * 5 + 1] = 1;
    const crop = cropped(mask, 6, 5) as Crop;
    expect({ ...crop, bytes: [...crop.bytes] }).toEqual({
      left: 1,
      top: 2,
      width: 3,
      height: 3,
      bytes: [0, 0, 1, 0, 0, 0, 1, 0, 0],
    });
  });
});

describe("the brush on a cut", () => {
  const strokes: [Point2, Point2] = [
    [15, 20],
    [30, 32],
  ];

  test("paints the voxels that the cut passes through, within the radius of the stroke, and no other", () => {
    for (const grid of [gridOf(plain(), 0)!, gridOf(tilted(), 0)!]) {
      const [columns, rows, slices] = grid.dims;
      for (const angle of [0, 0.35]) {
        const cut = turnedAbout(cutOf("coronal", grid, [-90, -66.1, 20.1]), [0, 0, 1], angle);
        const plane = planeOfCut(cut, grid);
        const masks = Array.from({ length: slices }, () => new Uint8Array(rows * columns));
        paintOnCut(grid, plane, strokes[0], strokes[1], 3, 1, (slice) => masks[slice]);
        const normal = normalOfCut(cut);
        const half = reachOfCut(grid, normal);
        const [a, b] = strokes.map((at) => indexToWorld(plane, at));
        let painted = 0;
        for (let s = 0; s < slices; s++)
          for (let r = 0; r < rows; r++)
            for (let c = 0; c < columns; c++) {
              const centre = fromGrid(grid, [c, r, s]);
              const away = dot(sub(centre, plane.origin), normal);
              const foot = centre.map((v, i) => v - normal[i] * away) as Point3;
              const way = sub(b, a);
              const t = Math.max(0, Math.min(1, dot(sub(foot, a), way) / dot(way, way)));
              const near = Math.hypot(...sub(foot, a.map((v, i) => v + way[i] * t) as Point3));
              const wanted = Math.abs(away) <= half && near <= 3 ? 1 : 0;
              expect(masks[s][r * columns + c]).toBe(wanted);
              painted += wanted;
            }
        expect(painted).toBeGreaterThan(50);
      }
    }
  });

  test("paints one layer on a straight cut, erases it again, and keeps to a range", () => {
    const grid = gridOf(plain(), 0)!;
    const [columns, rows, slices] = grid.dims;
    // On the border between two rows of voxels: one of them, not both.
    const plane = planeOfCut(cutOf("coronal", grid, [-90, -80 + 0.8 * 16.5, 20]), grid);
    const masks = Array.from({ length: slices }, () => new Uint8Array(rows * columns));
    const touched = new Set<number>();
    const layer = (slice: number) => masks[slice];
    paintOnCut(grid, plane, [20, 30], [20, 30], 3, 1, (slice) => {
      touched.add(slice);
      return masks[slice];
    });
    const set = masks.flatMap((mask) => [...mask].flatMap((v, i) => (v ? [Math.floor(i / columns)] : [])));
    expect(new Set(set).size).toBe(1);
    expect(touched.size).toBeGreaterThan(1);
    paintOnCut(grid, plane, [20, 30], [20, 30], 3, 0, layer, (slice) => slice < 5);
    const left = masks.map((mask) => mask.includes(1));
    expect(left.slice(0, 5)).not.toContain(true);
    expect(left.slice(5)).toContain(true);
  });
});
