/**
 * A stack of parallel slices as a volume: where its voxels are, and the value at any point of the patient.
 * Every slice is taken at the place that its file gives, so a tilted gantry and unevenly spaced slices are
 * right by themselves; missing slices, and whatever else makes a volume of guesses, are refused in words.
 */
import type { Manifest, Point3 } from "../api/types";
import { t } from "../words";
import { type Pixels, valueAt } from "./decode";
import type { SeriesFrames } from "./frames";
import { cross, dot, indexToWorld, type Plane, pixelOf, planeOf, sub } from "./geometry";
import { type Stack, stackAt } from "./stacks";

/** The geometry of a stack, without its values. Slices count from 0 along the normal. */
export interface Grid {
  manifest: Manifest;
  stack: Stack;
  /** Columns, rows, slices. */
  dims: Point3;
  /** Of slice 0. */
  plane: Plane;
  /** Unit vector, right-handed with the plane's row and column. */
  normal: Point3;
  /** From a slice to the next, mm, on the average; in a tilted stack not along the normal. */
  step: Point3;
  /** The usual distance of neighbouring slices along the normal, mm. */
  slice_mm: number;
  /** The frame of each slice. */
  order: Int32Array;
  /** How far each slice lies from slice 0 along the normal, mm, ascending. */
  offsets: Float64Array;
  /** Where each slice's first voxel lies in the plane of slice 0: mm along the row, mm along the column. */
  shifts: Float64Array;
  /** Whether all slices lie straight behind each other. */
  straight: boolean;
}

export interface Volume extends Grid {
  frames: SeriesFrames;
  /**
   * The value at a point (patient mm), linear between the eight voxels around it, in the manifest's units;
   * null outside of the voxels' centres, or where a slice is not loaded yet.
   */
  sample(point: Point3): number | null;
}

const SLICES_LEAST = 3;
const SAME_PLACE_MM = 0.01;
const STRAIGHT_MM = 0.01;
const PARALLEL = 2e-3;
const SAME_SPACING_MM = 1e-4;
/** Slices that are missing show as a step of about twice the usual one, or more. */
const GAP = 1.9;

// What these say of a whole series is looked at stack by stack, or put right by the true positions.
const LOOKED_AT = new Set([
  "gantry_tilt",
  "uneven_spacing",
  "mixed_size",
  "mixed_spacing",
  "mixed_orientation",
  "missing_slices",
  "duplicate_slices",
]);

const known = new WeakMap<Manifest, Map<number, Grid | string>>();

/** Why the stack that a frame belongs to can't be cut in other planes; null where it can. */
export function whyNoVolume(manifest: Manifest, index: number): string | null {
  const made = gridOrWhy(manifest, index);
  return typeof made === "string" ? made : null;
}

/** The geometry of the stack that a frame belongs to; null where it is no volume. */
export function gridOf(manifest: Manifest, index: number): Grid | null {
  const made = gridOrWhy(manifest, index);
  return typeof made === "string" ? null : made;
}

function gridOrWhy(manifest: Manifest, index: number): Grid | string {
  let stacks = known.get(manifest);
  if (!stacks) {
    stacks = new Map();
    known.set(manifest, stacks);
  }
  const stack = stackAt(manifest, index);
  let made = stacks.get(stack.first);
  if (made === undefined) {
    made = makeGrid(manifest, stack);
    stacks.set(stack.first, made);
  }
  return made;
}

function makeGrid(manifest: Manifest, stack: Stack): Grid | string {
  const said = (code: string, otherwise: string): string =>
    manifest.findings.find((finding) => finding.code === code)?.sentence ?? otherwise;
  if (manifest.geometry !== "patient" || !manifest.frames.position)
    return said("no_reference", t("These images don't say where they lie in the patient."));
  const against = manifest.findings.find(
    ({ code, spoils }) => (spoils.includes("volume") || spoils.includes("mpr")) && !LOOKED_AT.has(code),
  );
  if (against) return against.sentence;
  if (stack.count < SLICES_LEAST) return t("Too few slices to cut through.");
  const frames = Array.from({ length: stack.count }, (_, i) => stack.first + i);
  const planes = frames.map((frame) => planeOf(manifest, frame));
  const [first] = planes;
  if (frames.some((frame) => pixelOf(manifest, frame).samples !== 1))
    return t("Colour images have no single value to cut through.");
  const differs = (a: readonly number[], b: readonly number[], by: number) =>
    a.some((v, i) => Math.abs(v - b[i]) > by);
  for (const plane of planes) {
    if (plane.kind !== "patient") return said("some_positions", t("Some images don't say where they lie."));
    if (plane.rows !== first.rows || plane.columns !== first.columns)
      return said("mixed_size", t("The images differ in rows and columns."));
    if (differs([plane.row_mm, plane.column_mm], [first.row_mm, first.column_mm], SAME_SPACING_MM))
      return said("mixed_spacing", t("The images differ in pixel spacing."));
    if (differs([...plane.row, ...plane.column], [...first.row, ...first.column], PARALLEL))
      return said("mixed_orientation", t("Some images lie in another plane than the rest."));
  }
  const normal = unit(cross(first.row, first.column));
  const along = planes.map((plane) => dot(plane.origin, normal));
  const sorted = planes.map((_, i) => i).sort((a, b) => along[a] - along[b]);
  const steps = sorted.slice(1).map((at, i) => along[at] - along[sorted[i]]);
  if (Math.min(...steps) < SAME_PLACE_MM)
    return said("duplicate_slices", t("Some places have several images."));
  const usual = [...steps].sort((a, b) => a - b)[steps.length >> 1];
  const uneven = manifest.findings.some((finding) => finding.code === "uneven_spacing");
  const missing = manifest.findings.some((finding) => finding.code === "missing_slices");
  const last = sorted.length - 1;
  if (steps.some((step) => step > GAP * usual) && (missing || !uneven))
    return said("missing_slices", t("Slices are missing."));
  const plane = planes[sorted[0]];
  const offsets = new Float64Array(stack.count);
  const shifts = new Float64Array(2 * stack.count);
  let straight = true;
  sorted.forEach((at, slice) => {
    const away = sub(planes[at].origin, plane.origin);
    offsets[slice] = dot(away, normal);
    shifts[2 * slice] = dot(away, plane.row);
    shifts[2 * slice + 1] = dot(away, plane.column);
    if (Math.hypot(shifts[2 * slice], shifts[2 * slice + 1]) > STRAIGHT_MM) straight = false;
  });
  return {
    manifest,
    stack,
    dims: [plane.columns, plane.rows, stack.count],
    plane,
    normal,
    step: sub(planes[sorted[last]].origin, plane.origin).map((v) => v / last) as Point3,
    slice_mm: usual,
    order: Int32Array.from(sorted, (at) => frames[at]),
    offsets,
    shifts,
    straight,
  };
}

function unit(v: Point3): Point3 {
  const length = Math.hypot(...v) || 1;
  return v.map((x) => x / length) as Point3;
}

const volumes = new WeakMap<SeriesFrames, Map<number, Volume>>();

/**
 * The volume of a stack, over the frames of its series as they come in.
 * @param stackFirst any frame of the stack
 */
export function volumeOf(frames: SeriesFrames, stackFirst: number): Volume | null {
  const grid = gridOf(frames.manifest, stackFirst);
  if (!grid) return null;
  let made = volumes.get(frames);
  if (!made) {
    made = new Map();
    volumes.set(frames, made);
  }
  let volume = made.get(grid.stack.first);
  if (!volume) {
    volume = { ...grid, frames, sample: (point) => sampled(grid, frames, point) };
    made.set(grid.stack.first, volume);
  }
  return volume;
}

/** Points this close to the outermost voxels' centres, in voxels, still count as on them. */
const RIM = 1e-6;

/** Where a depth (mm along the normal from slice 0) lies: the slice before it and the part of the way on. */
export function sliceAtDepth(grid: Grid, depth: number): { slice: number; part: number } | null {
  const { offsets } = grid;
  const last = offsets.length - 1;
  const rim = RIM * grid.slice_mm;
  if (depth < -rim || depth > offsets[last] + rim) return null;
  let low = 0;
  let high = last - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle] <= depth) low = middle;
    else high = middle - 1;
  }
  const part = (depth - offsets[low]) / (offsets[low + 1] - offsets[low]);
  return { slice: low, part: Math.min(1, Math.max(0, part)) };
}

function sampled(grid: Grid, frames: SeriesFrames, point: Point3): number | null {
  const from = sub(point, grid.plane.origin);
  const found = sliceAtDepth(grid, dot(from, grid.normal));
  if (!found) return null;
  const u = dot(from, grid.plane.row);
  const v = dot(from, grid.plane.column);
  const on = (slice: number): number | null => {
    const index = grid.order[slice];
    const pixels = frames.pixels[index];
    if (!pixels) return null;
    const column = (u - grid.shifts[2 * slice]) / grid.plane.column_mm;
    const row = (v - grid.shifts[2 * slice + 1]) / grid.plane.row_mm;
    return between(grid.manifest, index, pixels, column, row);
  };
  const { slice, part } = found;
  if (part === 0) return on(slice);
  if (part === 1) return on(slice + 1);
  const [before, after] = [on(slice), on(slice + 1)];
  return before === null || after === null ? null : before + (after - before) * part;
}

/** Linear between the four voxels of a slice around a place in index coordinates; null outside of their centres. */
function between(manifest: Manifest, index: number, pixels: Pixels, column: number, row: number) {
  const { columns, rows } = pixels;
  if (column < -RIM || row < -RIM || column > columns - 1 + RIM || row > rows - 1 + RIM) return null;
  const c = Math.min(Math.max(0, Math.floor(column)), columns - 2 < 0 ? 0 : columns - 2);
  const r = Math.min(Math.max(0, Math.floor(row)), rows - 2 < 0 ? 0 : rows - 2);
  const fc = Math.min(1, Math.max(0, column - c));
  const fr = Math.min(1, Math.max(0, row - r));
  const at = (dc: number, dr: number) =>
    valueAt(manifest, index, pixels, Math.min(rows - 1, r + dr) * columns + Math.min(columns - 1, c + dc));
  const top = at(0, 0) * (1 - fc) + at(1, 0) * fc;
  const bottom = at(0, 1) * (1 - fc) + at(1, 1) * fc;
  return top * (1 - fr) + bottom * fr;
}

/** [column, row, slice] of a point, fractions between voxels; beyond the ends counted on by the usual distance. */
export function toGrid(grid: Grid, point: Point3): Point3 {
  const from = sub(point, grid.plane.origin);
  const depth = dot(from, grid.normal);
  const last = grid.offsets.length - 1;
  const found = sliceAtDepth(grid, depth);
  const w = found
    ? found.slice + found.part
    : depth < 0
      ? depth / grid.slice_mm
      : last + (depth - grid.offsets[last]) / grid.slice_mm;
  const [su, sv] = shiftAt(grid, w);
  return [
    (dot(from, grid.plane.row) - su) / grid.plane.column_mm,
    (dot(from, grid.plane.column) - sv) / grid.plane.row_mm,
    w,
  ];
}

/** The place of [column, row, slice] in the patient, mm. */
export function fromGrid(grid: Grid, [column, row, slice]: Point3): Point3 {
  const [su, sv] = shiftAt(grid, slice);
  const flat = indexToWorld(grid.plane, [column + su / grid.plane.column_mm, row + sv / grid.plane.row_mm]);
  const depth = depthAt(grid, slice);
  return flat.map((x, i) => x + grid.normal[i] * depth) as Point3;
}

function depthAt(grid: Grid, slice: number): number {
  const last = grid.offsets.length - 1;
  if (slice <= 0) return slice * grid.slice_mm;
  if (slice >= last) return grid.offsets[last] + (slice - last) * grid.slice_mm;
  const before = Math.floor(slice);
  return grid.offsets[before] + (grid.offsets[before + 1] - grid.offsets[before]) * (slice - before);
}

function shiftAt({ shifts, dims }: Grid, slice: number): [number, number] {
  const inside = Math.max(0, Math.min(dims[2] - 1, slice));
  const before = Math.min(dims[2] - 2, Math.floor(inside));
  const part = inside - before;
  const at = (i: 0 | 1) =>
    shifts[2 * before + i] + (shifts[2 * (before + 1) + i] - shifts[2 * before + i]) * part;
  return [at(0), at(1)];
}

/** The corners of a volume, by the centres of its outermost voxels: patient mm, eight points. */
export function cornersOf(grid: Grid): Point3[] {
  const [columns, rows, slices] = grid.dims;
  const corners: Point3[] = [];
  for (const slice of [0, slices - 1])
    for (const row of [0, rows - 1])
      for (const column of [0, columns - 1]) corners.push(fromGrid(grid, [column, row, slice]));
  return corners;
}
