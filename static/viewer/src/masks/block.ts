/**
 * The frames of one stack as a block of voxels, and the piece of it that an operation works on. Pure: masks are
 * given as planes of bytes (rows × columns, 1 where set; null where nothing is), by slice number in the block.
 */
import type { Manifest } from "../api/types";
import {
  dot,
  isCalibrated,
  normalOf,
  type Plane,
  planeOf,
  spoils,
  sub,
  worldToIndex,
} from "../engine/geometry";
import { stackAt } from "../engine/stacks";
import { t } from "../words";

export type Layer = Uint8Array | null;

export interface Block {
  series: string;
  rows: number;
  columns: number;
  row_mm: number; // between rows; in pixels where uncalibrated
  column_mm: number; // between columns
  calibrated: boolean;
  /** By slice: the frame in the manifest, its names, its plane, and where it lies along the normal in mm. */
  indices: number[];
  sops: string[];
  frames: number[];
  planes: Plane[];
  at_mm: Float64Array;
  /** Why its slices are no volume, so that every slice stands for itself; null where they are. */
  why: string | null;
  /** The same for what reckons with distances between slices: not where they are shifted, or some are missing. */
  whyUneven: string | null;
}

const SAME_MM = 0.01;
const SHIFT_MM = 0.05;
const known = new WeakMap<Manifest, Map<number, Block>>();

/** The block that a frame belongs to: its stack. */
export function blockOf(manifest: Manifest, index: number): Block {
  const { first, count } = stackAt(manifest, index);
  let blocks = known.get(manifest);
  if (!blocks) {
    blocks = new Map();
    known.set(manifest, blocks);
  }
  let block = blocks.get(first);
  if (!block) {
    block = made(manifest, first, count);
    blocks.set(first, block);
  }
  return block;
}

function made(manifest: Manifest, first: number, count: number): Block {
  const indices = Array.from({ length: count }, (_, i) => first + i);
  const planes = indices.map((index) => planeOf(manifest, index));
  const [plane] = planes;
  const normal = normalOf(plane);
  const patient = planes.every((one) => one.kind === "patient");
  const at_mm = Float64Array.from(planes, (one, i) => (patient ? dot(one.origin, normal) : i));
  const why = whyFlat(planes, at_mm, patient);
  return {
    series: manifest.series.id,
    rows: plane.rows,
    columns: plane.columns,
    row_mm: plane.row_mm,
    column_mm: plane.column_mm,
    calibrated: isCalibrated(plane),
    indices,
    sops: indices.map((index) => manifest.frames.sop[index]),
    frames: indices.map((index) => manifest.frames.frame[index]),
    planes,
    at_mm,
    why,
    whyUneven:
      why ??
      spoils(manifest, "volume") ??
      (shifted(planes) ? t("The slices are shifted against each other, as by a tilted gantry.") : null),
  };
}

function whyFlat(planes: Plane[], at_mm: Float64Array, patient: boolean): string | null {
  const [plane] = planes;
  if (planes.length < 2) return t("There is one slice only.");
  if (!patient) return t("These images have no position in the patient.");
  const turned = (one: Plane) =>
    [...one.row, ...one.column].some((v, i) => Math.abs(v - [...plane.row, ...plane.column][i]) > 1e-3);
  if (planes.some((one) => one.rows !== plane.rows || one.columns !== plane.columns))
    return t("The slices differ in size.");
  if (planes.some((one) => one.row_mm !== plane.row_mm || one.column_mm !== plane.column_mm))
    return t("The slices differ in the size of their voxels.");
  if (planes.some(turned)) return t("The slices lie in different directions.");
  const upward = Math.sign(at_mm[1] - at_mm[0]);
  for (let i = 1; i < at_mm.length; i++)
    if ((at_mm[i] - at_mm[i - 1]) * upward <= SAME_MM) return t("Several slices lie at the same place.");
  return null;
}

/** Whether the first voxels of the slices don't lie above each other along the normal. */
function shifted(planes: Plane[]): boolean {
  const [plane] = planes;
  return planes.some((one) => {
    const from = sub(one.origin, plane.origin);
    return Math.abs(dot(from, plane.row)) > SHIFT_MM || Math.abs(dot(from, plane.column)) > SHIFT_MM;
  });
}

/** How far slice b's voxels are shifted against slice a's, in voxels: what to add to an index of a. */
export function shiftBetween(block: Block, a: number, b: number): [number, number] {
  if (block.planes[a].kind !== "patient") return [0, 0];
  return worldToIndex(block.planes[b], block.planes[a].origin);
}

/**
 * How much of the body each slice stands for, mm: half the way to its neighbour on either side, at an end as far
 * outward as inward. 1 where the slices are no volume.
 */
export function thicknesses(block: Pick<Block, "at_mm" | "why">): Float64Array {
  const n = block.at_mm.length;
  if (block.why !== null || n < 2) return new Float64Array(n).fill(1);
  const gap = (i: number) => Math.abs(block.at_mm[i + 1] - block.at_mm[i]);
  return Float64Array.from(block.at_mm, (_, i) => {
    const below = i > 0 ? gap(i - 1) : gap(0);
    const above = i < n - 1 ? gap(i) : gap(n - 2);
    return (below + above) / 2;
  });
}

export interface Box {
  left: number;
  right: number; // all inclusive
  top: number;
  bottom: number;
  first: number;
  last: number;
}

/** The smallest box around all set voxels; null where there are none. */
export function boxAround(layers: readonly Layer[], columns: number): Box | null {
  let box: Box | null = null;
  layers.forEach((layer, slice) => {
    if (!layer) return;
    const start = layer.indexOf(1);
    if (start < 0) return;
    const top = Math.floor(start / columns);
    const bottom = Math.floor(layer.lastIndexOf(1) / columns);
    let left = columns;
    let right = -1;
    for (let row = top; row <= bottom; row++) {
      const from = row * columns;
      for (let c = 0; c < left; c++) if (layer[from + c]) left = c;
      for (let c = columns - 1; c > right; c--) if (layer[from + c]) right = c;
    }
    box = box
      ? {
          left: Math.min(box.left, left),
          right: Math.max(box.right, right),
          top: Math.min(box.top, top),
          bottom: Math.max(box.bottom, bottom),
          first: Math.min(box.first, slice),
          last: Math.max(box.last, slice),
        }
      : { left, right, top, bottom, first: slice, last: slice };
  });
  return box;
}

/** A box grown by so many millimetres, staying inside the block. */
export function widened(
  box: Box,
  block: Pick<Block, "rows" | "columns" | "row_mm" | "column_mm" | "at_mm">,
  mm: number,
  through = true,
): Box {
  const { at_mm } = block;
  let { first, last } = box;
  if (through) {
    while (first > 0 && Math.abs(at_mm[first - 1] - at_mm[box.first]) <= mm) first--;
    while (last < at_mm.length - 1 && Math.abs(at_mm[last + 1] - at_mm[box.last]) <= mm) last++;
  }
  const across = Math.ceil(mm / block.column_mm) + 1;
  const down = Math.ceil(mm / block.row_mm) + 1;
  return {
    left: Math.max(0, box.left - across),
    right: Math.min(block.columns - 1, box.right + across),
    top: Math.max(0, box.top - down),
    bottom: Math.min(block.rows - 1, box.bottom + down),
    first,
    last,
  };
}

/** A piece of a block, dense: depth × height × width bytes. */
export interface Cube {
  box: Box;
  width: number;
  height: number;
  depth: number;
  column_mm: number;
  row_mm: number;
  at_mm: Float64Array;
  data: Uint8Array;
}

export function cutOut(
  layers: readonly Layer[],
  block: Pick<Block, "columns" | "row_mm" | "column_mm" | "at_mm">,
  box: Box,
): Cube {
  const width = box.right - box.left + 1;
  const height = box.bottom - box.top + 1;
  const depth = box.last - box.first + 1;
  const data = new Uint8Array(width * height * depth);
  for (let z = 0; z < depth; z++) {
    const layer = layers[box.first + z];
    if (!layer) continue;
    for (let y = 0; y < height; y++) {
      const from = (box.top + y) * block.columns + box.left;
      data.set(layer.subarray(from, from + width), (z * height + y) * width);
    }
  }
  return {
    box,
    width,
    height,
    depth,
    column_mm: block.column_mm,
    row_mm: block.row_mm,
    at_mm: block.at_mm.slice(box.first, box.last + 1),
    data,
  };
}

/** The planes that differ once a cube's data lies in its place, by slice number: whole new planes. */
export function pasted(
  layers: readonly Layer[],
  block: Pick<Block, "rows" | "columns">,
  { box, width, height, depth }: Pick<Cube, "box" | "width" | "height" | "depth">,
  data: Uint8Array,
): Map<number, Uint8Array> {
  const changed = new Map<number, Uint8Array>();
  for (let z = 0; z < depth; z++) {
    const old = layers[box.first + z];
    let plane: Uint8Array | null = null;
    for (let y = 0; y < height; y++) {
      const from = (box.top + y) * block.columns + box.left;
      const line = (z * height + y) * width;
      for (let x = 0; x < width; x++) {
        const value = data[line + x];
        if ((old ? old[from + x] : 0) === value) continue;
        plane ??= old ? old.slice() : new Uint8Array(block.rows * block.columns);
        plane[from + x] = value;
      }
    }
    if (plane) changed.set(box.first + z, plane);
  }
  return changed;
}
