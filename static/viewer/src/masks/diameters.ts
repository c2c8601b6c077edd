/**
 * The diameters of a mask, as the server computes them (annotations/measures/diameters.py): the longest in a slice,
 * the longest across it, the longest through all slices. A mask reaches to half way between the centre of a set voxel
 * and that of its unset neighbour; only voxels that hang together by their faces make a diameter. Pure.
 */
import type { Point2 } from "../api/types";
import { normalOf } from "../engine/geometry";
import { type Block, type Box, boxAround, cutOut, type Layer } from "./block";
import { atOnce, type Pace } from "./pace";
import { type Runs, runsOf } from "./runs";
import { withoutHoles } from "./shaping";

/** Of two diameters that differ by less, the first counts. */
const SAME_MM = 1e-6;

export interface Diameters {
  long: number;
  short: number;
  /** Ends of the long one, then of the short one: column and row. */
  ends: [Point2, Point2, Point2, Point2];
}

/** Where runs of voxels end, by row: first and last column. */
type Rows = [row: number, first: number, last: number][];

/**
 * Points half a voxel outside of the centres, of which the rim's outermost are some: a point between two set
 * voxels of one column or row lies between two on the rim, so the convex hull is the rim's.
 */
const outward = (rows: Rows): Point2[] =>
  rows.flatMap(([y, first, last]): Point2[] => [
    [first - 0.5, y],
    [last + 0.5, y],
    [first, y - 0.5],
    [last, y - 0.5],
    [first, y + 0.5],
    [last, y + 0.5],
  ]);

const centres = (rows: Rows): Point2[] =>
  rows.flatMap(([y, first, last]): Point2[] => [
    [first, y],
    [last, y],
  ]);

/** By part of a piece of a mask: its rows, slice by slice. */
function rowsByPart(
  { starts, ends, parts, sizes }: Runs,
  width: number,
  height: number,
): Map<number, Rows>[] {
  const found: Map<number, Rows>[] = sizes.map(() => new Map());
  const area = width * height;
  for (let i = 0; i < starts.length; i++) {
    const z = Math.floor(starts[i] / area);
    const row = Math.floor((starts[i] % area) / width);
    const line = z * area + row * width;
    const [first, last] = [starts[i] - line, ends[i] - 1 - line];
    let rows = found[parts[i]].get(z);
    if (!rows) {
      rows = [];
      found[parts[i]].set(z, rows);
    }
    const before = rows.at(-1);
    if (before?.[0] === row) before[2] = last;
    else rows.push([row, first, last]);
  }
  return found;
}

/** Corners of the convex hull, sorted by column, then row (Andrew's monotone chain). */
function hull(points: Point2[]): Point2[] {
  const ordered = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const chain = (along: Point2[]) => {
    const kept: Point2[] = [];
    for (const p of along) {
      const last = kept.at(-1);
      if (last && last[0] === p[0] && last[1] === p[1]) continue;
      while (kept.length > 1) {
        const [a, b] = [kept[kept.length - 2], kept[kept.length - 1]];
        if ((b[0] - a[0]) * (p[1] - a[1]) > (b[1] - a[1]) * (p[0] - a[0])) break;
        kept.pop();
      }
      kept.push(p);
    }
    return kept;
  };
  const corners = [...chain(ordered), ...chain(ordered.reverse())].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return corners.filter((p, i) => !i || p[0] !== corners[i - 1][0] || p[1] !== corners[i - 1][1]);
}

function farthest(
  points: Point2[],
  column_mm: number,
  row_mm: number,
): { length: number; ends: [Point2, Point2] } {
  const away = (a: Point2, b: Point2) => Math.hypot((a[0] - b[0]) * column_mm, (a[1] - b[1]) * row_mm);
  let most = 0;
  for (let i = 0; i < points.length; i++)
    for (let j = i + 1; j < points.length; j++) most = Math.max(most, away(points[i], points[j]));
  for (let i = 0; i < points.length; i++)
    for (let j = i + 1; j < points.length; j++) {
      const length = away(points[i], points[j]);
      if (length > most - SAME_MM) return { length, ends: [points[i], points[j]] };
    }
  return { length: most, ends: [points[0], points[0]] };
}

/** The longest diameter of one slice, and what its width is measured on. */
export interface Longest {
  long: number;
  ends: [Point2, Point2];
  /** The longest across it: worked out only where somebody asks. */
  across(): Promise<Diameters>;
}

/**
 * Of one slice: of the part with the longest diameter. null where no voxel is set.
 * @param row_mm between rows, @param column_mm between columns; 1 and 1 for pixels
 */
export async function longestIn(
  layer: Uint8Array,
  columns: number,
  row_mm: number,
  column_mm: number,
): Promise<Longest | null> {
  const around = boxAround([layer], columns);
  if (!around) return null;
  const block = { columns, row_mm, column_mm, at_mm: new Float64Array(1) };
  const { data, width, height } = cutOut([layer], block, around);
  const runs = await runsOf(data, width, height, 1, false, atOnce);
  let best: { length: number; ends: [Point2, Point2]; part: number } | null = null;
  for (const [part, slices] of rowsByPart(runs, width, height).entries()) {
    const rows = slices.get(0);
    if (!rows) continue;
    const points = outward(rows).map(([x, y]): Point2 => [x + around.left, y + around.top]);
    const found = farthest(hull(points), column_mm, row_mm);
    if (!best || found.length > best.length + SAME_MM) best = { ...found, part };
  }
  if (!best) return null;
  const { part, length, ends } = best;
  const across = async (): Promise<Diameters> => {
    // With a free border: the rim of the part alone, its cavities filled.
    const padded = { width: width + 2, height: height + 2, data: new Uint8Array((width + 2) * (height + 2)) };
    runs.starts.forEach((start, i) => {
      if (runs.parts[i] !== part) return;
      const row = Math.floor(start / width);
      const from = (row + 1) * padded.width + 1 + (start - row * width);
      padded.data.fill(1, from, from + runs.ends[i] - start);
    });
    const flat = { ...padded, depth: 1, column_mm, row_mm, at_mm: new Float64Array(1) };
    const solid = await withoutHoles(flat, false, atOnce);
    const corner: Point2 = [around.left - 1, around.top - 1];
    const wide = widestAcross(solid, padded.width, padded.height, ends, column_mm, row_mm, corner);
    return { long: length, short: wide.length, ends: [...ends, ...wide.ends] };
  };
  return { long: length, ends, across };
}

/** Both diameters of one slice; null where no voxel is set. */
export async function inPlane(
  layer: Uint8Array,
  columns: number,
  row_mm: number,
  column_mm: number,
): Promise<Diameters | null> {
  return (await longestIn(layer, columns, row_mm, column_mm))?.across() ?? null;
}

/** The rim as pieces through the points half way between set and unset voxels; corner contacts stay apart. */
function contour(bits: Uint8Array, width: number, height: number): Float64Array {
  const pieces: number[] = [];
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const i = y * width + x;
      const [a, b, c, d] = [bits[i], bits[i + 1], bits[i + width + 1], bits[i + width]];
      const at: (Point2 | null)[] = [
        a !== b ? [x + 0.5, y] : null,
        b !== c ? [x + 1, y + 0.5] : null,
        c !== d ? [x + 0.5, y + 1] : null,
        d !== a ? [x, y + 0.5] : null,
      ];
      const put = (one: Point2, other: Point2) => pieces.push(...one, ...other);
      const [top, right, bottom, left] = at;
      if (top && right && bottom && left) {
        if (a) {
          put(top, left);
          put(right, bottom);
        } else {
          put(top, right);
          put(bottom, left);
        }
        continue;
      }
      const cut = at.filter((point) => point !== null);
      if (cut.length === 2) put(cut[0], cut[1]);
    }
  }
  return Float64Array.from(pieces);
}

function widestAcross(
  bits: Uint8Array,
  width: number,
  height: number,
  ends: [Point2, Point2],
  column_mm: number,
  row_mm: number,
  corner: Point2,
): { length: number; ends: [Point2, Point2] } {
  const pieces = contour(bits, width, height);
  const [ox, oy] = [ends[0][0] * column_mm, ends[0][1] * row_mm];
  const [dx, dy] = [ends[1][0] * column_mm - ox, ends[1][1] * row_mm - oy];
  const long = Math.hypot(dx, dy);
  const [ax, ay] = [dx / long, dy / long];
  const n = pieces.length / 4;
  const [s0, s1, t0, t1] = [0, 1, 2, 3].map(() => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    const x0 = (pieces[4 * i] + corner[0]) * column_mm - ox;
    const y0 = (pieces[4 * i + 1] + corner[1]) * row_mm - oy;
    const x1 = (pieces[4 * i + 2] + corner[0]) * column_mm - ox;
    const y1 = (pieces[4 * i + 3] + corner[1]) * row_mm - oy;
    s0[i] = x0 * ax + y0 * ay;
    s1[i] = x1 * ax + y1 * ay;
    t0[i] = y0 * ax - x0 * ay;
    t1[i] = y1 * ax - x1 * ay;
  }
  // Between two corners of the rim the width changes evenly, so it is largest right before or after one.
  const places = Float64Array.from([...s0].flatMap((s) => [s - SAME_MM, s + SAME_MM])).sort();
  // A sweep along the axis: only the pieces that reach over a place are looked at there.
  const order = Array.from({ length: n }, (_, i) => i).sort(
    (i, j) => Math.min(s0[i], s1[i]) - Math.min(s0[j], s1[j]),
  );
  let next = 0;
  let over: number[] = [];
  let best = { length: 0, s: 0, from: 0, to: 0 };
  let before = Number.NaN;
  for (const s of places) {
    if (s === before) continue;
    before = s;
    while (next < n && Math.min(s0[order[next]], s1[order[next]]) < s) over.push(order[next++]);
    over = over.filter((i) => Math.max(s0[i], s1[i]) >= s);
    const t: number[] = [];
    for (const i of over)
      if (s0[i] < s !== s1[i] < s) t.push(t0[i] + ((s - s0[i]) / (s1[i] - s0[i])) * (t1[i] - t0[i]));
    t.sort((p, q) => p - q);
    for (let i = 0; i + 1 < t.length; i += 2)
      if (t[i + 1] - t[i] > best.length + SAME_MM)
        best = { length: t[i + 1] - t[i], s, from: t[i], to: t[i + 1] };
  }
  const place = (t: number): Point2 => [
    (ox + best.s * ax - t * ay) / column_mm,
    (oy + best.s * ay + t * ax) / row_mm,
  ];
  return { length: best.length, ends: [place(best.from), place(best.to)] };
}

/** Longest diameter through the slices, mm, of voxels that hang together; 0 where none is set. */
export async function longest3d(layers: readonly Layer[], block: Block, pace: Pace): Promise<number> {
  const box = boxAround(layers, block.columns);
  if (!box) return 0;
  const { data, width, height } = cutOut(layers, block, box);
  const runs = await runsOf(data, width, height, 1, true, pace);
  let most = 0;
  for (const slices of rowsByPart(runs, width, height)) {
    if (!slices.size) continue;
    const cloud: number[] = [];
    for (const [z, rows] of slices) {
      const wait = pace(0.5);
      if (wait) await wait;
      addPoints(cloud, rows, block, box, box.first + z);
    }
    most = Math.max(most, await widest(Float64Array.from(cloud), pace));
  }
  return most;
}

/** The points of one slice that may be an end of the longest diameter, in the patient: x, y, z after each other. */
function addPoints(cloud: number[], rows: Rows, block: Block, box: Box, slice: number): void {
  const { at_mm, planes } = block;
  const plane = planes[slice];
  const normal = normalOf(plane);
  const n = at_mm.length;
  const upward = at_mm[n - 1] >= at_mm[0] ? 1 : -1;
  const gap = (i: number) => Math.abs(at_mm[Math.min(n - 1, i + 1)] - at_mm[Math.min(n - 2, i)]);
  const put = (points: Point2[], lift: number) => {
    for (const [x, y] of hull(points)) {
      const u = (x + box.left) * plane.column_mm;
      const v = (y + box.top) * plane.row_mm;
      for (let i = 0; i < 3; i++)
        cloud.push(plane.origin[i] + plane.row[i] * u + plane.column[i] * v + normal[i] * lift);
    }
  };
  put(outward(rows), 0);
  put(centres(rows), (-upward * gap(slice > 0 ? slice - 1 : 0)) / 2);
  put(centres(rows), (upward * gap(slice < n - 1 ? slice : n - 2)) / 2);
}

/** The longest distance between any two points; those too near to the middle to matter are left out. */
async function widest(cloud: Float64Array, pace: Pace): Promise<number> {
  const n = cloud.length / 3;
  const middle = [0, 0, 0];
  for (let i = 0; i < cloud.length; i++) middle[i % 3] += cloud[i] / n;
  const squaredTo = (i: number, x: number, y: number, z: number) =>
    (cloud[3 * i] - x) ** 2 + (cloud[3 * i + 1] - y) ** 2 + (cloud[3 * i + 2] - z) ** 2;
  const reach = Float64Array.from({ length: n }, (_, i) =>
    Math.sqrt(squaredTo(i, middle[0], middle[1], middle[2])),
  );
  const order = Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => reach[b] - reach[a]);
  // From the outermost point to the one farthest from it, and on: nearly the longest already.
  let most = 0;
  let from = order[0];
  for (let turn = 0; turn < 4; turn++) {
    let far = from;
    let squared = 0;
    for (let i = 0; i < n; i++) {
      const d = squaredTo(i, cloud[3 * from], cloud[3 * from + 1], cloud[3 * from + 2]);
      if (d > squared) [squared, far] = [d, i];
    }
    most = Math.max(most, Math.sqrt(squared));
    from = far;
  }
  const outer = reach[order[0]];
  const kept = order.filter((i) => reach[i] + outer > most);
  const xyz = Float64Array.from(
    { length: kept.length * 3 },
    (_, i) => cloud[3 * kept[Math.floor(i / 3)] + (i % 3)],
  );
  const r = Float64Array.from(kept, (i) => reach[i]);
  let squared = most * most;
  for (let i = 0; i < kept.length && 2 * r[i] > most; i++) {
    if (i % 256 === 255) {
      const wait = pace(0.5 + i / kept.length / 2);
      if (wait) await wait;
    }
    const [x, y, z] = [xyz[3 * i], xyz[3 * i + 1], xyz[3 * i + 2]];
    for (let j = i + 1; j < kept.length && r[i] + r[j] > most; j++) {
      const d = (xyz[3 * j] - x) ** 2 + (xyz[3 * j + 1] - y) ** 2 + (xyz[3 * j + 2] - z) ** 2;
      if (d <= squared) continue;
      squared = d;
      most = Math.sqrt(d);
    }
  }
  return most;
}
