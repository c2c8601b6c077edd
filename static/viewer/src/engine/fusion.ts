/**
 * One series on the plane of another, by position in the patient: PET on CT. The plane may be a slice or a cut
 * at any angle; values are linear between the eight voxels around a point, as everywhere else.
 */
import type { Manifest, Point2, Point3 } from "../api/types";
import { t } from "../words";
import type { SeriesFrames } from "./frames";
import { dot, indexToWorld, type Plane, spoils, sub } from "./geometry";
import { type Grid, gridOf, sliceAtDepth, volumeOf, whyNoVolume } from "./volume";

/** Values of the overlaid series on a raster over a plane; NaN where it has none. */
export interface Laid {
  values: Float32Array;
  columns: number;
  rows: number;
  /** Pixels of the plane a pixel of the raster covers, across and down. */
  step: number;
  /** Slices that the plane meets, and how many of them are not loaded yet. */
  missing: number;
}

const SIDE_MAX = 512;
const SAME_DEPTH_MM = 1e-6;

/** Why a series can't be laid over another; null where it can. */
export function whyNoFusion(below: Manifest, above: Manifest): string | null {
  if (below.geometry !== "patient" || above.geometry !== "patient")
    return t("One of them doesn't say where it lies in the patient.");
  if (!below.series.frame_of_reference || below.series.frame_of_reference !== above.series.frame_of_reference)
    return t("They were not taken in one session: nothing says how their positions go together.");
  const against = spoils(below, "link") ?? spoils(above, "link");
  if (against) return against;
  if (below.pixel.samples !== 1 || above.pixel.samples !== 1) return t("Colour images can't be laid over.");
  return whyNoVolume(above, 0);
}

/** Lays the stack of `above` that a frame belongs to over a plane. */
export function lay(above: SeriesFrames, frame: number, plane: Plane): Laid | null {
  const grid = gridOf(above.manifest, frame);
  if (!grid) return null;
  const step = Math.max(1, Math.ceil(Math.max(plane.columns, plane.rows) / SIDE_MAX));
  const columns = Math.ceil(plane.columns / step);
  const rows = Math.ceil(plane.rows / step);
  const values = new Float32Array(columns * rows).fill(Number.NaN);
  const needed = new Set<number>();
  const middle = (step - 1) / 2;
  const from = place(grid, indexToWorld(plane, [middle, middle]));
  const across = way(grid, plane.row, plane.column_mm * step);
  const down = way(grid, plane.column, plane.row_mm * step);
  const isParallel =
    Math.abs(across[2]) * columns < SAME_DEPTH_MM && Math.abs(down[2]) * rows < SAME_DEPTH_MM;
  let slab = isParallel ? slabAt(above, grid, from[2], needed) : null;
  for (let r = 0; r < rows; r++) {
    let u = from[0] + down[0] * r;
    let v = from[1] + down[1] * r;
    let depth = from[2] + down[2] * r;
    for (let c = 0, to = r * columns; c < columns; c++, to++) {
      if (!isParallel && (!slab || depth < slab.low || depth > slab.high))
        slab = slabAt(above, grid, depth, needed);
      if (slab) values[to] = between(slab, grid, u, v, depth);
      else if (isParallel) break;
      u += across[0];
      v += across[1];
      depth += across[2];
    }
  }
  const missing = [...needed].filter((index) => !above.pixels[index]).length;
  return { values, columns, rows, step, missing };
}

/** Millimetres from a grid's first voxel: along its row, along its column, along its normal. */
function place(grid: Grid, point: Point3): Point3 {
  return way(grid, sub(point, grid.plane.origin), 1);
}

const way = (grid: Grid, direction: Point3, mm: number): Point3 => [
  dot(direction, grid.plane.row) * mm,
  dot(direction, grid.plane.column) * mm,
  dot(direction, grid.normal) * mm,
];

/** The two slices around a depth, with what turns their stored pixels into values. */
interface Slab {
  low: number;
  high: number;
  pages: [Page, Page];
}

interface Page {
  data: ArrayLike<number> | null;
  shift: Point2;
}

function slabAt(above: SeriesFrames, grid: Grid, depth: number, needed: Set<number>): Slab | null {
  const found = sliceAtDepth(grid, depth);
  if (!found) return null;
  const page = (slice: number): Page => {
    const index = grid.order[slice];
    needed.add(index);
    return {
      data: above.pixels[index]?.data ?? null,
      shift: [grid.shifts[2 * slice], grid.shifts[2 * slice + 1]],
    };
  };
  const { slice } = found;
  return {
    low: grid.offsets[slice],
    high: grid.offsets[slice + 1],
    pages: [page(slice), page(slice + 1)],
  };
}

function between(slab: Slab, grid: Grid, u: number, v: number, depth: number): number {
  const part = Math.max(0, Math.min(1, (depth - slab.low) / (slab.high - slab.low)));
  const before = part < 1 ? onPage(slab.pages[0], grid, u, v) : 0;
  const after = part > 0 ? onPage(slab.pages[1], grid, u, v) : 0;
  if (part === 0) return before;
  return part === 1 ? after : before + (after - before) * part;
}

function onPage(page: Page, grid: Grid, u: number, v: number): number {
  const { data } = page;
  const [columns, rows] = grid.dims;
  const column = (u - page.shift[0]) / grid.plane.column_mm;
  const row = (v - page.shift[1]) / grid.plane.row_mm;
  if (!data || column < 0 || row < 0 || column > columns - 1 || row > rows - 1) return Number.NaN;
  const c = Math.max(0, Math.min(Math.floor(column), columns - 2));
  const r = Math.max(0, Math.min(Math.floor(row), rows - 2));
  const right = columns > 1 ? 1 : 0;
  const below = rows > 1 ? columns : 0;
  const at = r * columns + c;
  const fc = column - c;
  const fr = row - r;
  const top = data[at] + (data[at + right] - data[at]) * fc;
  const bottom = data[at + below] + (data[at + below + right] - data[at + below]) * fc;
  return top + (bottom - top) * fr;
}

/** The value of the overlaid series at a point (patient mm), interpolated; null where it has none. */
export function valueAbove(above: SeriesFrames, frame: number, point: Point3): number | null {
  return volumeOf(above, frame)?.sample(point) ?? null;
}

/** The frame of `above` that lies nearest to a plane's middle: where loading begins. */
export function nearestTo(above: Manifest, frame: number, plane: Plane): number {
  const grid = gridOf(above, frame);
  if (!grid) return frame;
  const middle = indexToWorld(plane, [(plane.columns - 1) / 2, (plane.rows - 1) / 2]);
  const depth = place(grid, middle)[2];
  let best = 0;
  grid.offsets.forEach((offset, slice) => {
    if (Math.abs(offset - depth) < Math.abs(grid.offsets[best] - depth)) best = slice;
  });
  return grid.order[best];
}
