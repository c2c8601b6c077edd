/**
 * Masks on a cut. A pixel of a cut shows the voxel that it lies in: of the nearest slice the nearest centre. Pure:
 * masks as bytes, millimetres in the patient.
 */
import { cross, dot, indexToWorld, type Plane, sub, worldToIndex } from "./geometry";
import { fromGrid, type Grid } from "./volume";

/** What is set of a mask on one slice: a box of bytes, 1 where set, and where it lies. */
export interface Crop {
  left: number;
  top: number;
  width: number;
  height: number;
  bytes: Uint8Array;
}

/** The smallest box of a whole mask; null where nothing is set. */
export function cropped(mask: Uint8Array, rows: number, columns: number): Crop | null {
  let [left, right, top, bottom] = [columns, -1, rows, -1];
  for (let row = 0; row < rows; row++) {
    const from = mask.indexOf(1, row * columns);
    if (from < 0) break;
    if (from >= (row + 1) * columns) {
      row = Math.floor(from / columns) - 1;
      continue;
    }
    let to = (row + 1) * columns - 1;
    while (mask[to] !== 1) to--;
    left = Math.min(left, from - row * columns);
    right = Math.max(right, to - row * columns);
    top = Math.min(top, row);
    bottom = row;
  }
  if (right < 0) return null;
  const [width, height] = [right - left + 1, bottom - top + 1];
  const bytes = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const from = (top + row) * columns + left;
    bytes.set(mask.subarray(from, from + width), row * width);
  }
  return { left, top, width, height, bytes };
}

/** A piece of a cut's image with a mask on it: `mask` is rows × columns, its first pixel at [left, top] of the cut. */
export interface Patch {
  left: number;
  top: number;
  rows: number;
  columns: number;
  mask: Uint8Array;
}

/**
 * The mask of one segment on a cut.
 * @param layers by slice of the grid; null where nothing is set
 */
export function maskOnCut(grid: Grid, plane: Plane, layers: (Crop | null)[]): Patch | null {
  const frame = frameOn(grid, plane, layers);
  if (!frame) return null;
  const [left, top, right, bottom] = frame;
  const [rows, columns] = [bottom - top + 1, right - left + 1];
  const mask = new Uint8Array(rows * columns);
  const { offsets, shifts, normal, plane: first } = grid;
  const last = offsets.length - 1;
  // Half way between two slices the nearer one begins.
  const ends = Float64Array.from({ length: last }, (_, i) => (offsets[i] + offsets[i + 1]) / 2);
  const rim = [-(offsets[1] - offsets[0]) / 2, offsets[last] + (offsets[last] - offsets[last - 1]) / 2];
  const along = plane.column_mm;
  const du = (dot(plane.row, first.row) * along) / first.column_mm;
  const dv = (dot(plane.row, first.column) * along) / first.row_mm;
  const dd = dot(plane.row, normal) * along;
  let found = false;
  for (let row = 0; row < rows; row++) {
    const start = sub(indexToWorld(plane, [left, top + row]), first.origin);
    const u0 = dot(start, first.row) / first.column_mm;
    const v0 = dot(start, first.column) / first.row_mm;
    const d0 = dot(start, normal);
    let k = 0;
    for (let x = 0; x < columns; x++) {
      const d = d0 + x * dd;
      if (d < rim[0] || d >= rim[1]) continue;
      while (k < last && d >= ends[k]) k++;
      while (k > 0 && d < ends[k - 1]) k--;
      const layer = layers[k];
      if (!layer) continue;
      const c = Math.round(u0 + x * du - shifts[2 * k] / first.column_mm) - layer.left;
      const r = Math.round(v0 + x * dv - shifts[2 * k + 1] / first.row_mm) - layer.top;
      if (c < 0 || r < 0 || c >= layer.width || r >= layer.height) continue;
      if (layer.bytes[r * layer.width + c] !== 1) continue;
      mask[row * columns + x] = 1;
      found = true;
    }
  }
  return found ? { left, top, rows, columns, mask } : null;
}

/** The part of a cut's image that a mask can reach: left, top, right, bottom; null where it doesn't. */
function frameOn(grid: Grid, plane: Plane, layers: (Crop | null)[]): [number, number, number, number] | null {
  const normal = cross(plane.row, plane.column);
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  let [below, above] = [Infinity, -Infinity];
  layers.forEach((layer, slice) => {
    if (!layer) return;
    for (const c of [layer.left - 0.5, layer.left + layer.width - 0.5])
      for (const r of [layer.top - 0.5, layer.top + layer.height - 0.5])
        for (const s of [slice - 0.5, slice + 0.5]) {
          const point = fromGrid(grid, [c, r, s]);
          const [x, y] = worldToIndex(plane, point);
          const depth = dot(sub(point, plane.origin), normal);
          [left, right] = [Math.min(left, x), Math.max(right, x)];
          [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
          [below, above] = [Math.min(below, depth), Math.max(above, depth)];
        }
  });
  if (below > 0 || above < 0) return null;
  left = Math.max(0, Math.floor(left));
  top = Math.max(0, Math.floor(top));
  right = Math.min(plane.columns - 1, Math.ceil(right));
  bottom = Math.min(plane.rows - 1, Math.ceil(bottom));
  return left > right || top > bottom ? null : [left, top, right, bottom];
}
