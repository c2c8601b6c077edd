/** Masks on cuts against the voxels they are made of. */
import { describe, expect, test } from "vitest";
import type { Manifest, Point3 } from "../src/api/types";
import { cutOf, planeOfCut, turnedAbout } from "../src/engine/cut";
import { dot, indexToWorld, planeOf, sub, worldToIndex } from "../src/engine/geometry";
import { type Crop, cropped, maskOnCut } from "../src/engine/maskcut";
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
          let wrong = 0;
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
              if (shown !== expected) wrong++;
              set += shown;
            }
          }
          expect(wrong).toBe(0);
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
