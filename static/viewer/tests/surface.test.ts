/** Surfaces of masks: closed, facing outward, as large as the mask. */
import { expect, test } from "vitest";
import type { Point3 } from "../src/api/types";
import { sub } from "../src/engine/geometry";
import { cropped } from "../src/engine/maskcut";
import { signedVolume, surfaceOf } from "../src/engine/surface";
import { fromGrid, gridOf } from "../src/engine/volume";
import { manifest } from "./manifest";

const centre: Point3 = [-90, -64.4, 24];

function ball(made = manifest({}, 12), radius = 8) {
  const grid = gridOf(made, 0)!;
  const [columns, rows, slices] = grid.dims;
  let voxels = 0;
  const layers = Array.from({ length: slices }, (_, slice) => {
    const mask = new Uint8Array(rows * columns);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        if (Math.hypot(...sub(fromGrid(grid, [column, row, slice]), centre)) < radius) {
          mask[row * columns + column] = 1;
          voxels++;
        }
    return cropped(mask, rows, columns);
  });
  return { mesh: surfaceOf(grid, layers)!, mm3: voxels * 0.8 * 0.4 * 2.5 };
}

test("a ball's surface is closed and encloses what its voxels do, in millimetres of the patient", () => {
  const head = manifest({}, 12);
  head.frames.position = head.frames.position!.map(([x, y], i) => [x, y, 37.5 - 2.5 * i]);
  for (const { mesh, mm3 } of [ball(), ball(head)]) {
    expect(Math.abs(signedVolume(mesh) / mm3 - 1)).toBeLessThan(0.05);
    const edges = new Map<string, number>();
    for (let t = 0; t < mesh.triangles.length; t += 3)
      for (let i = 0; i < 3; i++) {
        const [a, b] = [mesh.triangles[t + i], mesh.triangles[t + ((i + 1) % 3)]];
        edges.set(`${a}|${b}`, (edges.get(`${a}|${b}`) ?? 0) + 1);
      }
    const unmatched = [...edges].filter(([edge, n]) => edges.get(edge.split("|").reverse().join("|")) !== n);
    expect(unmatched).toEqual([]);
    let inward = 0;
    let far = 0;
    for (let v = 0; v < mesh.positions.length; v += 3) {
      const away = sub([...mesh.positions.subarray(v, v + 3)] as Point3, centre);
      const length = Math.hypot(...away);
      if (away.reduce((sum, x, k) => sum + x * mesh.normals[v + k], 0) <= 0) inward++;
      if (length > 9 || length < 6) far++;
    }
    expect([inward, far]).toEqual([0, 0]);
  }
});

test("nothing set has no surface; one voxel has one", () => {
  const grid = gridOf(manifest({}, 12), 0)!;
  const none = Array.from({ length: 12 }, () => null);
  expect(surfaceOf(grid, none)).toBeNull();
  const one = { left: 3, top: 4, width: 1, height: 1, bytes: new Uint8Array([1]) };
  const mesh = surfaceOf(grid, [...none.slice(1), one])!;
  expect(mesh.positions.length / 3).toBe(8);
  expect(mesh.triangles.length / 3).toBe(12);
});
