import { expect, test } from "vitest";
import type { Point2, Point3 } from "../src/api/types";
import { indexToWorld } from "../src/engine/geometry";
import { outline } from "../src/journal/outline";
import { paintBall } from "../src/masks/ball";
import { filledBetween } from "../src/masks/between";
import {
  type Block,
  blockOf,
  boxAround,
  cutOut,
  type Layer,
  pasted,
  thicknesses,
  widened,
} from "../src/masks/block";
import { priced, regionAt, suggested } from "../src/masks/lesion";
import { inside, scissored } from "../src/masks/outlines";
import { atOnce } from "../src/masks/pace";
import { largestPart, margin, onePart, smoothed, withoutHoles, withoutSmall } from "../src/masks/shaping";
import { manifest } from "./manifest";

const SLICES = 9;
/** 40 × 50 voxels of 0.8 × 0.4 mm on slices 2.5 mm apart, or where `at` says. */
function block(at?: Point3[]): Block {
  const base = manifest({}, at?.length ?? SLICES);
  return blockOf(at ? { ...base, frames: { ...base.frames, position: at } } : base, 0);
}

const painted = (b: Block, is: (column: number, row: number, slice: number) => boolean): Layer[] =>
  b.indices.map((_, slice) => {
    const layer = new Uint8Array(b.rows * b.columns);
    for (let i = 0; i < layer.length; i++)
      layer[i] = is(i % b.columns, Math.floor(i / b.columns), slice) ? 1 : 0;
    return layer.includes(1) ? layer : null;
  });

const count = (layers: Iterable<Layer>) => {
  let n = 0;
  for (const layer of layers) for (const bit of layer ?? []) n += bit;
  return n;
};

const mm = (b: Block, column: number, row: number, slice: number): Point3 =>
  indexToWorld(b.planes[slice], [column, row]);
const apart = (p: Point3, q: Point3) => Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
const ball = (b: Block, c: Point3, r: number) =>
  painted(b, (column, row, slice) => apart(mm(b, column, row, slice), c) <= r);

/** The whole block after an operation on a cube of it. */
async function after(
  b: Block,
  layers: Layer[],
  reach: number,
  work: (cube: ReturnType<typeof cutOut>) => Promise<Uint8Array>,
): Promise<Layer[]> {
  const box = widened(boxAround(layers, b.columns)!, b, reach);
  const cube = cutOut(layers, b, box);
  const changed = pasted(layers, b, cube, await work(cube));
  return layers.map((layer, i) => changed.get(i) ?? layer);
}

test("the sphere brush paints the voxels within its radius, on every slice, of a tilted stack, too", () => {
  const tilted = Array.from({ length: SLICES }, (_, i): Point3 => [-100, -80 + 0.7 * i, 10 + 2.5 * i]);
  for (const b of [block(), block(tilted)]) {
    const from = mm(b, 20.3, 15.2, 4);
    const to = mm(b, 30.1, 22.7, 5);
    const layers = b.planes.map((plane) => {
      const layer = new Uint8Array(b.rows * b.columns);
      paintBall(layer, plane, from, to, 5.1, 1);
      return layer;
    });
    const expected = painted(b, (column, row, slice) => {
      const p = mm(b, column, row, slice);
      const d = to.map((v, i) => v - from[i]);
      const along =
        d.reduce((sum, v, i) => sum + v * (p[i] - from[i]), 0) / d.reduce((sum, v) => sum + v * v, 0);
      const t = Math.max(0, Math.min(1, along));
      return apart(p, from.map((v, i) => v + t * d[i]) as Point3) <= 5.1 + 1e-9;
    });
    expect(layers.map((layer) => count([layer]))).toEqual(expected.map((layer) => count([layer])));
    expect(layers.map((layer) => (layer.includes(1) ? layer : null))).toEqual(expected);
    for (const [i, plane] of b.planes.entries()) paintBall(layers[i], plane, from, to, 5.1, 0);
    expect(count(layers)).toBe(0);
  }
});

test("a margin reaches as far as it says in millimetres, outward and inward, at uneven distances", async () => {
  const heights = [0, 2, 4, 5, 6, 9, 12, 13, 18];
  const b = block(heights.map((h): Point3 => [-100, -80, -h]));
  const layers = painted(
    b,
    (c, r, s) =>
      (c > 18 && c < 30 && r > 12 && r < 20 && s > 2 && s < 7) || (c === 10 && r === 30 && s === 4),
  );
  const set: Point3[] = [];
  const unset: Point3[] = [];
  for (const [s, layer] of layers.entries())
    for (let i = 0; i < b.rows * b.columns; i++)
      (layer?.[i] ? set : unset).push(mm(b, i % b.columns, Math.floor(i / b.columns), s));
  const near = (p: Point3, points: Point3[], reach: number) =>
    points.some((q) => apart(p, q) <= reach + 1e-4);
  const grown = await after(b, layers, 3, (cube) => margin(cube, 3, true, atOnce));
  expect(grown).toEqual(painted(b, (c, r, s) => near(mm(b, c, r, s), set, 3)));
  const shrunk = await after(b, layers, 3, (cube) => margin(cube, -1, true, atOnce));
  const expected = painted(
    b,
    (c, r, s) => layers[s]?.[r * b.columns + c] === 1 && !near(mm(b, c, r, s), unset, 1),
  );
  expect(count(shrunk)).toBe(count(expected));
  expect(count(shrunk)).toBeGreaterThan(20);
  // Each slice by itself: no other slice is touched.
  const flat = await after(b, layers, 3, (cube) => margin(cube, 3, false, atOnce));
  expect(flat.map((layer) => layer?.includes(1) ?? false)).toEqual(layers.map((layer) => layer !== null));
});

test("smoothing takes spikes away and leaves a ball its volume", async () => {
  const b = block();
  const layers = ball(b, mm(b, 25, 20, 4), 7);
  const before = count(layers);
  const spiked = layers.map((layer, s) => {
    const copy = layer?.slice() ?? null;
    if (copy && s === 4) for (let c = 40; c < 50; c++) copy[20 * b.columns + c] = 1;
    return copy;
  });
  const thick = thicknesses(b);
  const smooth = await after(b, spiked, 5, (cube) =>
    smoothed(cube, 1, thick.slice(cube.box.first, cube.box.last + 1), true, atOnce),
  );
  expect(Math.abs(count(smooth) - before) / before).toBeLessThan(0.05);
  expect(smooth[4]?.[20 * b.columns + 48]).toBe(0);
});

test("islands: the largest stays, small ones go, one under the hand is kept or taken away", async () => {
  const b = block();
  const layers = painted(
    b,
    (c, r, s) =>
      (c < 10 && r < 10 && s < 3) ||
      (c > 20 && c < 25 && r > 20 && r < 25 && s === 5) ||
      (c === 40 && r === 5 && s === 7),
  );
  expect(count(layers)).toBe(300 + 16 + 1);
  expect(count(await after(b, layers, 1, (cube) => largestPart(cube, true, atOnce)))).toBe(300);
  const voxel = 0.8 * 0.4 * 2.5;
  const weigh = (n: number) => new Float64Array(n).fill(voxel);
  const without = (mm3: number) =>
    after(b, layers, 1, (cube) => withoutSmall(cube, mm3, weigh(cube.depth), true, atOnce));
  expect(count(await without(2 * voxel))).toBe(316);
  expect(count(await without(16 * voxel))).toBe(316);
  expect(count(await without(17 * voxel))).toBe(300);
  const at = (cube: ReturnType<typeof cutOut>) => {
    const { box, width, height } = cube;
    return ((5 - box.first) * height + (22 - box.top)) * width + (22 - box.left);
  };
  expect(count(await after(b, layers, 1, (cube) => onePart(cube, at(cube), true, true, atOnce)))).toBe(16);
  expect(count(await after(b, layers, 1, (cube) => onePart(cube, at(cube), false, true, atOnce)))).toBe(301);
});

test("holes: in each slice, or only what no slice leads out of", async () => {
  const b = block();
  // A box with a shaft through all its slices, and a cavity.
  const layers = painted(
    b,
    (c, r, s) =>
      c > 5 &&
      c < 30 &&
      r > 5 &&
      r < 30 &&
      s > 1 &&
      s < 7 &&
      !(c > 8 && c < 12 && r > 8 && r < 12) &&
      !(c > 20 && c < 24 && r > 20 && r < 23 && s === 4),
  );
  const whole = 24 * 24 * 5;
  expect(count(layers)).toBe(whole - 9 * 5 - 6);
  expect(count(await after(b, layers, 1, (cube) => withoutHoles(cube, false, atOnce)))).toBe(whole);
  const cavities = await after(b, layers, 3, (cube) => withoutHoles(cube, true, atOnce));
  expect(count(cavities)).toBe(whole - 9 * 5);
});

test("a mask that touches the image's border is not closed by it", async () => {
  const b = block();
  const layers = painted(
    b,
    (c, r, s) => s === 3 && r < 10 && (c === 5 || c === 15 || (r === 9 && c > 5 && c < 15)),
  );
  expect(count(await after(b, layers, 1, (cube) => withoutHoles(cube, false, atOnce)))).toBe(count(layers));
});

test("between two discs the slices are filled in by shape, by where they lie", async () => {
  const heights = [0, 1, 2, 3, 10];
  const b = block(heights.map((h): Point3 => [-100, -80, h]));
  const radius = [3, null, null, null, 8];
  const layers = painted(b, (c, r, s) => {
    const reach = radius[s];
    return reach !== null && Math.hypot((c - 25) * 0.4, (r - 20) * 0.8) <= reach;
  });
  const made = await filledBetween(layers, b, atOnce);
  expect([...made.keys()]).toEqual([1, 2, 3]);
  for (const [s, layer] of made) {
    const area = count([layer]) * 0.8 * 0.4;
    const expected = 3 + (5 * heights[s]) / 10;
    expect(Math.abs(Math.sqrt(area / Math.PI) - expected)).toBeLessThan(0.4); // half a voxel
  }
  // What is drawn stays; nothing is invented outside.
  expect(made.has(0)).toBe(false);
});

test("shapes beside each other are joined by a shape that wanders from one to the other", async () => {
  const b = block();
  const layers = painted(
    b,
    (c, r, s) => (s === 2 || s === 6) && Math.hypot((c - (s === 2 ? 10 : 38)) * 0.4, (r - 20) * 0.8) <= 3,
  );
  const made = await filledBetween(layers, b, atOnce);
  const middle = made.get(4)!;
  expect(Math.abs(count([middle]) - count([layers[2]]))).toBeLessThan(10);
  expect(middle[20 * b.columns + 24]).toBe(1);
});

test("scissors cut inside, outside, or fill; the voxels of an outline come back from it", () => {
  const [columns, rows] = [50, 40];
  const mask = new Uint8Array(rows * columns);
  for (let i = 0; i < mask.length; i++)
    mask[i] = Math.hypot((i % columns) - 25, Math.floor(i / columns) - 20) <= 12 ? 1 : 0;
  const rings = outline(mask, rows, columns);
  expect(rings).toHaveLength(1);
  expect(inside(rings[0], rows, columns)).toEqual(mask);
  const region = inside(
    [
      [20, -5],
      [60, -5],
      [60, 60],
      [20, 60],
    ] as Point2[],
    rows,
    columns,
  );
  expect(count([region])).toBe(30 * rows);
  const cut = scissored(mask, region, "inside")!;
  const kept = scissored(mask, region, "outside")!;
  expect(count([cut]) + count([kept])).toBe(count([mask]));
  expect(scissored(cut, mask, "fill")).toEqual(mask);
  expect(scissored(mask, new Uint8Array(mask.length), "inside")).toBe(null);
});

test("one click finds a noisy lesion whatever is brighter elsewhere, and the wheel makes it larger", () => {
  const [width, height, depth] = [60, 50, 20];
  let seed = 5;
  const noise = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return (seed / 2147483648 - 0.5) * 60;
  };
  const values = new Float32Array(width * height * depth);
  const at_mm = Float64Array.from({ length: depth }, (_, z) => z * 2);
  let truth = 0;
  for (let z = 0; z < depth; z++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const r = Math.hypot((x - 28) * 0.8, (y - 25) * 0.8, (z - 9) * 2);
        if (r <= 10) truth++;
        const bone = x > 52 ? 900 : 0;
        values[(z * height + y) * width + x] = (r <= 10 ? 60 : -750) + bone + noise();
      }
  const box = { left: 0, right: width - 1, top: 0, bottom: height - 1, first: 0, last: depth - 1 };
  const source = { width, height, depth, box, column_mm: 0.8, row_mm: 0.8, at_mm, values };
  const field = priced(source, [26, 24, 9], 25);
  const price = suggested(field, source);
  const found = count([regionAt(field, price)]);
  expect(Math.abs(found - truth) / truth).toBeLessThan(0.02);
  expect(count([regionAt(field, price + 10)])).toBeGreaterThanOrEqual(found);
  expect(regionAt(field, 0)[(9 * height + 24) * width + 26]).toBe(1);
});
