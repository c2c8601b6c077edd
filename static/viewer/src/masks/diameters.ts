/**
 * The diameters of a mask, as the server computes them (annotations/measures/diameters.py): the longest in a slice,
 * the longest across it, the longest through all slices. A mask reaches to half way between the centre of a set voxel
 * and that of its unset neighbour; only voxels that hang together by their faces make a diameter. Pure.
 */
import type { Point2, Point3 } from "../api/types";
import { normalOf } from "../engine/geometry";
import { type Block, boxAround, cutOut, type Layer } from "./block";
import { atOnce, type Pace } from "./pace";
import { type Parts, partsOf, withoutHoles } from "./shaping";

/** Of two diameters that differ by less, the first counts. */
const SAME_MM = 1e-6;

export interface Diameters {
  long: number;
  short: number;
  /** Ends of the long one, then of the short one: column and row. */
  ends: [Point2, Point2, Point2, Point2];
}

/** The outermost set voxels of each row and column, half a voxel outward (or their centres). */
function rim(bits: Uint8Array, width: number, height: number, half: number): Point2[] {
  const points: Point2[] = [];
  const top = new Int32Array(width).fill(-1);
  const bottom = new Int32Array(width);
  for (let y = 0; y < height; y++) {
    let first = -1;
    let last = -1;
    for (let x = 0; x < width; x++) {
      if (!bits[y * width + x]) continue;
      if (first < 0) first = x;
      last = x;
      if (top[x] < 0) top[x] = y;
      bottom[x] = y;
    }
    if (first >= 0) points.push([first - half, y], [last + half, y]);
  }
  if (half)
    for (let x = 0; x < width; x++) if (top[x] >= 0) points.push([x, top[x] - half], [x, bottom[x] + half]);
  return points;
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

/**
 * Of one slice: of the part with the longest diameter. null where no voxel is set.
 * @param row_mm between rows, @param column_mm between columns; 1 and 1 for pixels
 */
export async function inPlane(
  layer: Uint8Array,
  columns: number,
  row_mm: number,
  column_mm: number,
): Promise<Diameters | null> {
  const around = boxAround([layer], columns);
  if (!around) return null;
  const block = { columns, row_mm, column_mm, at_mm: new Float64Array(1) };
  const cube = cutOut([layer], block, around);
  const { labels, sizes } = await partsOf(cube, 1, false, atOnce);
  let best: { length: number; ends: [Point2, Point2]; part: number } | null = null;
  for (let part = 1; part < sizes.length; part++) {
    const bits = Uint8Array.from(labels, (label) => (label === part ? 1 : 0));
    const points = rim(bits, cube.width, cube.height, 0.5).map(
      ([x, y]): Point2 => [x + around.left, y + around.top],
    );
    const found = farthest(hull(points), column_mm, row_mm);
    if (!best || found.length > best.length + SAME_MM) best = { ...found, part };
  }
  if (!best) return null;
  const { part, length, ends } = best;
  // With a free border: the rim of the part alone, its cavities filled.
  const padded = { ...cube, width: cube.width + 2, height: cube.height + 2, data: new Uint8Array(0) };
  padded.data = new Uint8Array(padded.width * padded.height);
  for (let y = 0; y < cube.height; y++)
    for (let x = 0; x < cube.width; x++)
      if (labels[y * cube.width + x] === part) padded.data[(y + 1) * padded.width + x + 1] = 1;
  const solid = await withoutHoles(padded, false, atOnce);
  const across = widestAcross(solid, padded.width, padded.height, ends, column_mm, row_mm, [
    around.left - 1,
    around.top - 1,
  ]);
  return { long: length, short: across.length, ends: [...ends, ...across.ends] };
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
  let best = { length: 0, s: 0, from: 0, to: 0 };
  let before = Number.NaN;
  for (const s of places) {
    if (s === before) continue;
    before = s;
    const t: number[] = [];
    for (let i = 0; i < n; i++)
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
  const cube = cutOut(layers, block, box);
  const parts = await partsOf(cube, 1, true, pace);
  let most = 0;
  for (const cloud of await clouds(parts, cube, block)) most = Math.max(most, await widest(cloud, pace));
  return most;
}

/** By part: the points on its rim that may be its ends, in the patient. */
async function clouds(parts: Parts, cube: ReturnType<typeof cutOut>, block: Block): Promise<Point3[][]> {
  const { box, width, height, depth } = cube;
  const found: Point3[][] = parts.sizes.map(() => []);
  const { at_mm, planes } = block;
  const n = at_mm.length;
  const upward = n < 2 || at_mm[n - 1] >= at_mm[0] ? 1 : -1;
  const gap = (slice: number) => Math.abs(at_mm[Math.min(n - 1, slice + 1)] - at_mm[Math.min(n - 2, slice)]);
  const area = width * height;
  for (let z = 0; z < depth; z++) {
    const slice = box.first + z;
    const plane = planes[slice];
    const normal = normalOf(plane);
    const here = parts.labels.subarray(z * area, (z + 1) * area);
    const below = z > 0 ? parts.labels.subarray((z - 1) * area, z * area) : null;
    const above = z < depth - 1 ? parts.labels.subarray((z + 1) * area, (z + 2) * area) : null;
    const down = -upward * (slice > 0 ? gap(slice - 1) : gap(0));
    const up = upward * (slice < n - 1 ? gap(slice) : gap(n - 2));
    for (const part of new Set(here)) {
      if (!part) continue;
      const put = (points: Point2[], lift: number) => {
        for (const [x, y] of hull(points)) {
          const u = (x + box.left) * plane.column_mm;
          const v = (y + box.top) * plane.row_mm;
          found[part].push(
            [0, 1, 2].map(
              (i) => plane.origin[i] + plane.row[i] * u + plane.column[i] * v + normal[i] * lift,
            ) as Point3,
          );
        }
      };
      const bits = Uint8Array.from(here, (label) => (label === part ? 1 : 0));
      put(rim(bits, width, height, 0.5), 0);
      for (const [side, lift] of [
        [below, down],
        [above, up],
      ] as const) {
        const bare = side ? bits.map((bit, i) => (bit && side[i] !== part ? 1 : 0)) : bits;
        put(rim(bare, width, height, 0), lift / 2);
      }
    }
  }
  return found.filter((cloud) => cloud.length);
}

/** The longest distance between any two points; those nearer to the middle than could matter are left out. */
async function widest(cloud: Point3[], pace: Pace): Promise<number> {
  const middle = [0, 1, 2].map((i) => cloud.reduce((sum, p) => sum + p[i], 0) / cloud.length);
  const sorted = cloud
    .map((p) => ({ p, r: Math.hypot(p[0] - middle[0], p[1] - middle[1], p[2] - middle[2]) }))
    .sort((a, b) => b.r - a.r);
  const xyz = Float64Array.from(sorted.flatMap(({ p }) => p));
  const reach = Float64Array.from(sorted, ({ r }) => r);
  let most = 0;
  let squared = 0;
  for (let i = 0; i < reach.length; i++) {
    if (2 * reach[i] <= most) break;
    if (i % 256 === 255) {
      const wait = pace(i / reach.length);
      if (wait) await wait;
    }
    const [x, y, z] = [xyz[3 * i], xyz[3 * i + 1], xyz[3 * i + 2]];
    for (let j = i + 1; j < reach.length; j++) {
      if (reach[i] + reach[j] <= most) break;
      const d = (xyz[3 * j] - x) ** 2 + (xyz[3 * j + 1] - y) ** 2 + (xyz[3 * j + 2] - z) ** 2;
      if (d <= squared) continue;
      squared = d;
      most = Math.sqrt(d);
    }
  }
  return most;
}
