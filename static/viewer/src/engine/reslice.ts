/**
 * The pixels of a plane through a volume: linear between the eight voxels around each, or over a thickness the
 * highest, lowest or mean of several planes. Typed arrays and plain loops; every slice at its true position.
 */
import type { Point3 } from "../api/types";
import { cross, dot, type Plane, sub } from "./geometry";
import type { Volume } from "./volume";

type Values = Int16Array | Uint16Array | Uint8Array | Float32Array;

export interface Slab {
  /** Planes at these distances along the plane's normal, mm; [0] is the plane alone. */
  at: number[];
  mode: "max" | "min" | "mean";
}

export const THIN: Slab = { at: [0], mode: "max" };

/**
 * The planes that a slab of a thickness is made of: one through the middle, others every `step_mm` to either
 * side. 10 mm over slices 2.5 mm apart are five planes.
 */
export function slabOf(slab_mm: number, step_mm: number, mode: Slab["mode"]): Slab {
  const each = slab_mm > 0 && step_mm > 0 ? Math.floor(slab_mm / 2 / step_mm + 1e-6) : 0;
  const at = Array.from({ length: 2 * each + 1 }, (_, i) => (i - each) * step_mm);
  return { at, mode };
}

/** What a row of the plane is sampled with: everything in voxels and slices, prepared once a plane. */
interface Walk {
  data: (Values | null)[];
  offsets: Float64Array;
  /** In voxels: column and row shift of each slice. */
  shifts: Float64Array;
  straight: boolean;
  columns: number;
  rows: number;
  last: number;
}

const NOTHING = new Float32Array(0);

/** Samples rows of a plane; made once a plane and kept only while it is drawn. */
export class Reslicer {
  readonly plane: Plane;
  /** Of the same kind as the slices' own values, rounded where those are whole. */
  readonly data: Values;
  private readonly walk: Walk;
  private readonly volume: Volume;
  private readonly slab: Slab;
  private readonly row: Float32Array;
  private readonly thick: Float32Array;
  /** What is drawn where the volume has nothing, or nothing yet. */
  private readonly outside: number;
  private readonly whole: boolean;
  private done = 0;

  constructor(volume: Volume, plane: Plane, slab: Slab = THIN) {
    this.volume = volume;
    this.plane = plane;
    this.slab = slab;
    const { frames, order, dims, offsets } = volume;
    const data: (Values | null)[] = [];
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    let kind: unknown = null;
    let mixed = false;
    for (const index of order) {
      const pixels = frames.pixels[index];
      data.push(pixels ? pixels.data : null);
      if (!pixels) continue;
      lowest = Math.min(lowest, pixels.minimum);
      highest = Math.max(highest, pixels.maximum);
      kind ??= pixels.data.constructor;
      if (kind !== pixels.data.constructor) mixed = true;
    }
    const shifts = new Float64Array(volume.shifts.length);
    for (let i = 0; i < shifts.length; i += 2) {
      shifts[i] = volume.shifts[i] / volume.plane.column_mm;
      shifts[i + 1] = volume.shifts[i + 1] / volume.plane.row_mm;
    }
    const { straight } = volume;
    this.walk = { data, offsets, shifts, straight, columns: dims[0], rows: dims[1], last: dims[2] - 1 };
    this.outside = Number.isFinite(lowest) ? lowest : 0;
    this.span = { low: this.outside, high: Number.isFinite(highest) ? highest : 1 };
    const count = plane.rows * plane.columns;
    this.whole = !mixed && (kind === Int16Array || kind === Uint16Array);
    this.data = !this.whole
      ? new Float32Array(count)
      : kind === Uint16Array
        ? new Uint16Array(count)
        : new Int16Array(count);
    this.row = new Float32Array(plane.columns);
    this.thick = slab.at.length > 1 ? new Float32Array(plane.columns) : NOTHING;
  }

  /** How many rows of pixels are drawn; `plane.rows` when all are. */
  get ready(): number {
    return this.done;
  }

  /** Values that have to be interpolated for the whole plane. */
  get samples(): number {
    return this.plane.rows * this.plane.columns * this.slab.at.length;
  }

  /** What the values of the loaded slices span; interpolated ones lie between. */
  readonly span: { low: number; high: number };

  /** Draws rows until all are there or `until` (ms of performance.now) has come; at least one. True when done. */
  draw(until = Number.POSITIVE_INFINITY): boolean {
    const { rows } = this.plane;
    while (this.done < rows) {
      this.drawRow(this.done++);
      if ((this.done & 7) === 0 && performance.now() > until) break;
    }
    return this.done >= rows;
  }

  private drawRow(y: number): void {
    const { columns } = this.plane;
    let values = this.row;
    if (this.slab.at.length === 1) this.sample(y, this.slab.at[0], values);
    else values = this.combined(y);
    const { data, outside, whole } = this;
    let to = y * columns;
    if (whole) {
      for (let x = 0; x < columns; x++) {
        const v = values[x];
        data[to++] = Number.isNaN(v) ? outside : Math.round(v);
      }
    } else {
      for (let x = 0; x < columns; x++) {
        const v = values[x];
        data[to++] = Number.isNaN(v) ? outside : v;
      }
    }
  }

  private combined(y: number): Float32Array {
    const { row, thick, slab } = this;
    const { columns } = this.plane;
    const { mode } = slab;
    thick.fill(Number.NaN);
    const counts = mode === "mean" ? new Uint16Array(columns) : null;
    for (const at of slab.at) {
      this.sample(y, at, row);
      for (let x = 0; x < columns; x++) {
        const v = row[x];
        if (Number.isNaN(v)) continue;
        const before = thick[x];
        if (Number.isNaN(before)) thick[x] = v;
        else if (mode === "max") thick[x] = v > before ? v : before;
        else if (mode === "min") thick[x] = v < before ? v : before;
        else thick[x] = before + v;
        if (counts) counts[x]++;
      }
    }
    if (counts) for (let x = 0; x < columns; x++) thick[x] /= counts[x];
    return thick;
  }

  /** One row of the plane, moved by `along` mm on its normal, into `out`; NaN where there is no value. */
  private sample(y: number, along: number, out: Float32Array): void {
    const { plane, volume } = this;
    const normal = cross(plane.row, plane.column);
    const start = sub(plane.origin, volume.plane.origin);
    for (let i = 0; i < 3; i++) start[i] += plane.column[i] * y * plane.row_mm + normal[i] * along;
    const { row, column, column_mm, row_mm } = volume.plane;
    const step = plane.column_mm;
    sampleRow(
      this.walk,
      out,
      plane.columns,
      [dot(start, row) / column_mm, dot(start, column) / row_mm, dot(start, volume.normal)],
      [
        (dot(plane.row, row) * step) / column_mm,
        (dot(plane.row, column) * step) / row_mm,
        dot(plane.row, volume.normal) * step,
      ],
    );
  }
}

/** Points this close to the outermost voxels' centres, in voxels, still count as on them. */
const RIM = 1e-6;
const LEVEL = 1e-9;

/**
 * @param from column, row (voxels of slice 0) and depth (mm) of the first sample
 * @param by what each next one adds
 */
function sampleRow(walk: Walk, out: Float32Array, count: number, from: number[], by: number[]): void {
  const { data, offsets, shifts, straight, columns, rows, last } = walk;
  const [u0, v0, d0] = from;
  const du = Math.abs(by[0]) < LEVEL ? 0 : by[0];
  const dv = Math.abs(by[1]) < LEVEL ? 0 : by[1];
  const dd = Math.abs(by[2]) < LEVEL ? 0 : by[2];
  out.fill(Number.NaN, 0, count);
  const rim = RIM * (offsets[last] / last);
  let [first, end] = within(d0, dd, -rim, offsets[last] + rim, 0, count);
  if (straight) {
    [first, end] = within(u0, du, -RIM, columns - 1 + RIM, first, end);
    [first, end] = within(v0, dv, -RIM, rows - 1 + RIM, first, end);
  }
  if (first >= end) return;
  const across = columns > 1 ? 1 : 0;
  const down = rows > 1 ? columns : 0;
  const mostC = Math.max(0, columns - 2);
  const mostR = Math.max(0, rows - 2);
  let k = 0;
  const depth = d0 + first * dd;
  while (k < last - 1 && depth > offsets[k + 1]) k++;
  let before = data[k];
  let after = data[k + 1];
  let base = offsets[k];
  let over = 1 / (offsets[k + 1] - base);
  for (let x = first; x < end; x++) {
    const d = d0 + x * dd;
    if (dd !== 0 && (d < base || d > offsets[k + 1])) {
      while (k < last - 1 && d > offsets[k + 1]) k++;
      while (k > 0 && d < offsets[k]) k--;
      before = data[k];
      after = data[k + 1];
      base = offsets[k];
      over = 1 / (offsets[k + 1] - base);
    }
    let f = (d - base) * over;
    if (f < 1e-7) f = 0;
    else if (f > 1 - 1e-7) f = 1;
    const u = u0 + x * du;
    const v = v0 + x * dv;
    let value = 0;
    // Written out for both slices: a function for it makes oblique planes a tenth slower.
    if (f < 1) {
      if (!before) continue;
      let su = u;
      let sv = v;
      if (!straight) {
        su -= shifts[2 * k];
        sv -= shifts[2 * k + 1];
        if (su < -RIM || sv < -RIM || su > columns - 1 + RIM || sv > rows - 1 + RIM) continue;
      }
      let c = su | 0;
      let r = sv | 0;
      if (c > mostC) c = mostC;
      if (r > mostR) r = mostR;
      const fc = su < 0 ? 0 : su - c;
      const fr = sv < 0 ? 0 : sv - r;
      const o = r * columns + c;
      const top = before[o] + (before[o + across] - before[o]) * fc;
      const low = before[o + down] + (before[o + down + across] - before[o + down]) * fc;
      value = top + (low - top) * fr;
    }
    if (f > 0) {
      if (!after) continue;
      let su = u;
      let sv = v;
      if (!straight) {
        su -= shifts[2 * k + 2];
        sv -= shifts[2 * k + 3];
        if (su < -RIM || sv < -RIM || su > columns - 1 + RIM || sv > rows - 1 + RIM) continue;
      }
      let c = su | 0;
      let r = sv | 0;
      if (c > mostC) c = mostC;
      if (r > mostR) r = mostR;
      const fc = su < 0 ? 0 : su - c;
      const fr = sv < 0 ? 0 : sv - r;
      const o = r * columns + c;
      const top = after[o] + (after[o + across] - after[o]) * fc;
      const low = after[o + down] + (after[o + down + across] - after[o + down]) * fc;
      const next = top + (low - top) * fr;
      value = f === 1 ? next : value + (next - value) * f;
    }
    out[x] = value;
  }
}

/** The samples from `first` to before `end` whose `from + x·by` lies between `low` and `high`. */
function within(
  from: number,
  by: number,
  low: number,
  high: number,
  first: number,
  end: number,
): [number, number] {
  if (by === 0) return from >= low && from <= high ? [first, end] : [0, 0];
  const [a, b] = by > 0 ? [low, high] : [high, low];
  return [Math.max(first, Math.ceil((a - from) / by)), Math.min(end, Math.floor((b - from) / by) + 1)];
}

/** The value of a slab at one point of its middle plane, in double precision; null outside, or not loaded. */
export function sampleSlab(volume: Volume, point: Point3, normal: Point3, slab: Slab): number | null {
  const values = slab.at.flatMap((along) => {
    const value = volume.sample(point.map((v, i) => v + normal[i] * along) as Point3);
    return value === null ? [] : [value];
  });
  if (!values.length) return null;
  if (slab.mode === "max") return Math.max(...values);
  if (slab.mode === "min") return Math.min(...values);
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

/** The whole plane at once, and what its values span. */
export function reslice(volume: Volume, plane: Plane, slab: Slab = THIN): Reslicer {
  const reslicer = new Reslicer(volume, plane, slab);
  reslicer.draw();
  return reslicer;
}
